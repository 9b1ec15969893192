//! What are the entries of a tar?
//!
//! The headers' fields are read by the crate `tar`; walking from header to header is done here, because a
//! walker that keeps long names or PAX records of any size in memory is a bomb's best friend.

use super::limits::{Bounds, read_full};
use super::name::{Name, Parsed, Separators};
use super::tree::{Meta, Piece, Tree};
use crate::Error;
use std::io::{BufRead, Read};
use tar::{EntryType, Header};

const BLOCK: usize = 512;
/// Of a long name or of PAX records; a path has at most 4 KiB, twice, and a few numbers.
const EXTENSION: u64 = 1 << 20;
/// Pieces of one sparse file.
const PIECES: usize = 100_000;

/// What extension headers say about the next entry (or, from a global header, about all that follow).
#[derive(Debug, Default, Clone)]
struct Overrides {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
}

/// Unpacks all entries, then reads the input to its end so that its checksum is seen.
pub fn unpack(reader: &mut dyn BufRead, tree: &mut Tree, bounds: &Bounds) -> Result<(), Error> {
    let mut walker = Walker { reader, bounds, next: Overrides::default(), global: Overrides::default() };
    while let Some(header) = walker.header()? {
        walker.entry(&header, tree)?;
    }
    super::limits::drain(walker.reader).map_err(|e| bounds.reading(e))?;
    Ok(())
}

struct Walker<'a> {
    reader: &'a mut dyn BufRead,
    bounds: &'a Bounds,
    next: Overrides,
    global: Overrides,
}

impl Walker<'_> {
    /// The next header, or `None` at the end.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? {
            self.bounds.warn("the tar has no end mark; if it was cut off, files are missing".to_owned());
            return Ok(None);
        }
        let bytes = header.as_bytes();
        if bytes.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let sum = bytes.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) });
        if header.cksum().ok() != Some(sum.sum()) {
            return Err(self.bounds.corrupt("a header of the tar has a wrong checksum; download it again"));
        }
        Ok(Some(header))
    }

    /// Fills one block; false at the end of the input.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Error> {
        match read_full(&mut self.reader, block).map_err(|e| self.bounds.reading(e))? {
            0 => Ok(false),
            BLOCK => Ok(true),
            _ => Err(self.too_short()),
        }
    }

    fn too_short(&self) -> Error {
        self.bounds.corrupt("it ends too early; download it again")
    }

    fn entry(&mut self, header: &Header, tree: &mut Tree) -> Result<(), Error> {
        let kind = header.entry_type();
        let size = header.entry_size().map_err(|e| self.bounds.corrupt(e.to_string()))?;
        match kind {
            EntryType::GNULongName => self.next.path = Some(self.long_name(size)?),
            EntryType::GNULongLink => self.next.link = Some(self.long_name(size)?),
            EntryType::XHeader => {
                let records = self.extension(size)?;
                let before = std::mem::take(&mut self.next);
                self.next = self.pax(&records, before)?;
            }
            EntryType::XGlobalHeader => {
                let records = self.extension(size)?;
                let before = std::mem::take(&mut self.global);
                self.global = self.pax(&records, before)?;
            }
            _ => {
                let own = std::mem::take(&mut self.next);
                let all = own.or(&self.global);
                self.member(header, kind, all, size, tree)?;
            }
        }
        Ok(())
    }

    fn member(
        &mut self,
        header: &Header,
        kind: EntryType,
        over: Overrides,
        size: u64,
        tree: &mut Tree,
    ) -> Result<(), Error> {
        let raw = over.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let size = over.size.unwrap_or(size);
        let parsed = self.name(&raw)?;
        let meta = Meta {
            executable: header.mode().unwrap_or(0) & 0o111 != 0,
            modified: over.modified.or_else(|| header.mtime().ok().and_then(|t| i64::try_from(t).ok())),
        };
        let looks_like_folder = raw.ends_with(b"/");
        match (kind, parsed) {
            (EntryType::Directory, parsed) => self.folder(parsed, size, tree),
            (EntryType::Regular | EntryType::Continuous, parsed) if looks_like_folder => {
                self.folder(parsed, size, tree)
            }
            (EntryType::Regular | EntryType::Continuous, Parsed::Beneath(name)) => {
                self.bounds.announced(size)?;
                tree.sized_file(&name, meta, size, &mut self.reader)?;
                self.padding(size)
            }
            (EntryType::GNUSparse, Parsed::Beneath(name)) => {
                let (pieces, real) = self.sparse(header, size)?;
                self.bounds.announced(real)?;
                tree.pieces(&name, meta, &pieces, &mut self.reader)?;
                self.padding(size)
            }
            (EntryType::Symlink, Parsed::Beneath(name)) => {
                let target = over.link.or_else(|| header.link_name_bytes().map(|l| l.into_owned()));
                tree.symlink(&name, &target.unwrap_or_default())?;
                self.skip(size)
            }
            (EntryType::Link, Parsed::Beneath(name)) => {
                let target = over.link.or_else(|| header.link_name_bytes().map(|l| l.into_owned()));
                self.hardlink(&name, &target.unwrap_or_default(), tree)
            }
            (EntryType::Char | EntryType::Block, _) => Err(self.bounds.unsafe_entry(&raw, "is a device")),
            (EntryType::Fifo, _) => Err(self.bounds.unsafe_entry(&raw, "is a pipe")),
            (
                EntryType::Regular
                | EntryType::Continuous
                | EntryType::GNUSparse
                | EntryType::Symlink
                | EntryType::Link,
                Parsed::Root,
            ) => Err(self.bounds.unsafe_entry(&raw, "has no name")),
            (other, _) => self.other(other, size),
        }
    }

    /// A volume's label says nothing to us; anything else is a kind that nobody unpacks rightly.
    fn other(&mut self, kind: EntryType, size: u64) -> Result<(), Error> {
        match kind.as_byte() {
            b'V' => self.skip(size),
            byte => Err(self.bounds.unsupported(format!("a tar entry of type {:?}", char::from(byte)))),
        }
    }

    fn name(&self, raw: &[u8]) -> Result<Parsed, Error> {
        if raw.starts_with(b"/") {
            self.bounds.warn("the / at the beginning of names was left out".to_owned());
        }
        Name::parse(raw, Separators::Slash, self.bounds.limits.depth).map_err(|why| self.bounds.unsafe_entry(raw, why))
    }

    fn folder(&mut self, parsed: Parsed, size: u64, tree: &mut Tree) -> Result<(), Error> {
        if let Parsed::Beneath(name) = parsed {
            tree.folder(&name)?;
        }
        self.skip(size)
    }

    /// A second name has no data of its own, whatever its size field says (GNU tar reads it so).
    fn hardlink(&mut self, name: &Name, target: &[u8], tree: &mut Tree) -> Result<(), Error> {
        match self.name(target)? {
            Parsed::Beneath(to) => tree.hardlink(name, &to),
            Parsed::Root => Err(self.bounds.unsafe_entry(target, "is a second name for a folder")),
        }
    }

    fn long_name(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        let mut name = self.extension(size)?;
        let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }

    /// The data of an extension header.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > EXTENSION {
            return Err(self.bounds.corrupt("a name or a PAX header in it is larger than 1 MiB"));
        }
        let mut data = vec![0; usize::try_from(size).expect("at most 1 MiB")];
        let n = read_full(&mut self.reader, &mut data).map_err(|e| self.bounds.reading(e))?;
        if n < data.len() {
            return Err(self.too_short());
        }
        self.padding(size)?;
        Ok(data)
    }

    fn pax(&self, records: &[u8], mut over: Overrides) -> Result<Overrides, Error> {
        let bad = || self.bounds.corrupt("a PAX header in it cannot be read");
        let mut rest = records;
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or_else(bad)?;
            rest = after;
            match key {
                b"path" => over.path = Some(value.to_vec()),
                b"linkpath" => over.link = Some(value.to_vec()),
                b"size" => over.size = Some(number(value).ok_or_else(bad)?),
                b"mtime" => over.modified = seconds(value),
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(self.bounds.unsupported("a sparse file in PAX form"));
                }
                _ => {}
            }
        }
        Ok(over)
    }

    /// The pieces of a sparse file in the old GNU form, and its size when unpacked.
    fn sparse(&mut self, header: &Header, size: u64) -> Result<(Vec<Piece>, u64), Error> {
        let bad = |_| self.bounds.corrupt("the map of a sparse file in it cannot be read");
        let gnu = header.as_gnu().ok_or_else(|| bad(()))?;
        let real = gnu.real_size().map_err(|_| bad(()))?;
        let mut map = Vec::new();
        for piece in &gnu.sparse {
            map.push((piece.offset().unwrap_or(0), piece.length().unwrap_or(0)));
        }
        let mut more = gnu.is_extended();
        while more {
            let mut ext = tar::GnuExtSparseHeader::new();
            if !self.block(ext.as_mut_bytes())? || map.len() > PIECES {
                return Err(self.bounds.corrupt("the map of a sparse file in it does not end"));
            }
            for piece in ext.sparse() {
                map.push((piece.offset().unwrap_or(0), piece.length().unwrap_or(0)));
            }
            more = ext.is_extended();
        }
        let pieces = pieces(&map, size, real);
        Ok((pieces.ok_or_else(|| self.bounds.corrupt("the map of a sparse file in it contradicts itself"))?, real))
    }

    fn padding(&mut self, size: u64) -> Result<(), Error> {
        let over = size % BLOCK as u64;
        if over == 0 { Ok(()) } else { self.skip_exactly(BLOCK as u64 - over) }
    }

    fn skip(&mut self, size: u64) -> Result<(), Error> {
        self.skip_exactly(size)?;
        self.padding(size)
    }

    fn skip_exactly(&mut self, size: u64) -> Result<(), Error> {
        let skipped = std::io::copy(&mut (&mut self.reader).take(size), &mut std::io::sink());
        if skipped.map_err(|e| self.bounds.reading(e))? == size { Ok(()) } else { Err(self.too_short()) }
    }
}

impl Overrides {
    fn or(self, global: &Overrides) -> Overrides {
        Overrides {
            path: self.path.or_else(|| global.path.clone()),
            link: self.link.or_else(|| global.link.clone()),
            size: self.size.or(global.size),
            modified: self.modified.or(global.modified),
        }
    }
}

/// Splits `"LEN key=value\n"` off: key, value, what follows.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|b| *b == b' ')?;
    let length = usize::try_from(number(&bytes[..space])?).ok()?;
    let body = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|b| *b == b'=')?;
    Some((&body[..equals], &body[equals + 1..], &bytes[length..]))
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whole seconds of `1700000000.123`.
fn seconds(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.split('.').next()?.parse().ok()
}

/// Turns a map of (offset, length) into data and holes; `None` if it overlaps, overflows or does not add up.
fn pieces(map: &[(u64, u64)], size: u64, real: u64) -> Option<Vec<Piece>> {
    let (mut pieces, mut at, mut data) = (Vec::new(), 0u64, 0u64);
    for &(offset, length) in map {
        if offset == 0 && length == 0 {
            continue;
        }
        let hole = offset.checked_sub(at)?;
        if hole > 0 {
            pieces.push(Piece::Hole(hole));
        }
        if length > 0 {
            pieces.push(Piece::Data(length));
        }
        at = offset.checked_add(length)?;
        data = data.checked_add(length)?;
    }
    let last = real.checked_sub(at)?;
    if last > 0 {
        pieces.push(Piece::Hole(last));
    }
    (data == size).then_some(pieces)
}
