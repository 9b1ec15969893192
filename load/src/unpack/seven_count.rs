//! How many entries does a 7z have, asked without holding its directory in memory?
//!
//! The crate builds a record of about 130 bytes for each entry as soon as the directory is opened, and two bytes of
//! directory can ask for one. So the directory is walked here first, byte by byte, up to the number of entries, and what it will cost is added up.
//!
//! A directory is mostly packed. To unpack it with the same decoders and limits as everything else, the crate is
//! shown the archive with another directory behind it: one that names the packed directory as its only file.

use super::limits::Bounds;
use super::seek::Window;
use crate::Error;
use sevenz_rust2::{Archive, BlockDecoder, Password};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

const START: usize = 32;
/// Memory that the crate takes for one entry (its name apart), coder folder, and stream of any kind.
const ENTRY: u64 = 130;
const FOLDER: u64 = 400;
const STREAM: u64 = 40;
/// Directories packed inside each other; tools write one.
const LAYERS: usize = 4;
/// A directory of more than this is refused: the largest honest ones have some ten MiB.
const LARGEST: u64 = 64 << 20;

/// Checks that the directory fits into memory once the crate has read it. Leaves the window anywhere.
///
/// # Errors
/// The directory is damaged, or needs more than three quarters of the decoder's memory.
pub fn check(window: &mut Window, bounds: &Bounds, memory_kib: usize) -> Result<(), Error> {
    let bad = |e: io::Error| bounds.reading(e);
    let mut start = [0; START];
    window.seek(SeekFrom::Start(0)).map_err(bad)?;
    window.read_exact(&mut start).map_err(bad)?;
    let number = |at: usize| u64::from_le_bytes(start[at..at + 8].try_into().expect("eight bytes"));
    let (offset, size) = (number(12), number(20));
    if size == 0 && offset == 0 {
        return Ok(());
    }
    let from = offset.checked_add(START as u64).filter(|from| from.saturating_add(size) <= window.length());
    let from = from.ok_or_else(|| bounds.corrupt("its directory lies outside the file; download it again"))?;
    window.seek(SeekFrom::Start(from)).map_err(bad)?;
    let mut directory = BufReader::new(window.take(size));
    match byte(&mut directory).map_err(bad)? {
        0x17 => {
            let mut streams = Vec::new();
            directory.take(1 << 20).read_to_end(&mut streams).map_err(bad)?;
            packed(window, &start, streams, bounds, memory_kib)
        }
        0x01 => count(&mut directory, bounds).map_err(bad),
        _ => Err(bounds.corrupt("its directory cannot be read")),
    }
}

/// Counts in a packed directory, and in one that is packed again.
fn packed(
    window: &mut Window,
    start: &[u8; START],
    mut streams: Vec<u8>,
    bounds: &Bounds,
    memory_kib: usize,
) -> Result<(), Error> {
    for _ in 0..LAYERS {
        let password = Password::empty();
        let open = |shown: &mut Overlay<'_>| Archive::read_with_memory_limit(shown, &password, memory_kib);
        // Sub-streams may be left out of a directory's directory, and mostly are; for a file the crate wants them.
        let has_them = open(&mut Overlay::new(window, start, &streams, false)).is_ok();
        let mut shown = Overlay::new(window, start, &streams, !has_them);
        let archive = open(&mut shown).map_err(|e| super::seven::failed(e, bounds))?;
        // The crate takes for granted that it is there.
        if archive.blocks.is_empty() {
            return Err(bounds.corrupt("its packed directory is empty"));
        }
        let mut found = Ok(Found::Counted);
        let block = BlockDecoder::new_with_memory_limit(1, memory_kib, 0, &archive, &password, &mut shown);
        let walked = block.for_each_entries(&mut |entry, content| {
            found = if entry.size > LARGEST {
                Err(bounds.too_much_memory())
            } else {
                look(content, bounds).map_err(|e| bounds.reading(e))
            };
            // The rest is decoded and checked when the archive is really opened.
            Err(sevenz_rust2::Error::FileNotFound)
        });
        if let Err(error) = walked
            && !matches!(error, sevenz_rust2::Error::FileNotFound)
        {
            return Err(super::seven::failed(error, bounds));
        }
        match found? {
            Found::Counted => return Ok(()),
            Found::Packed(again) => streams = again,
        }
    }
    Err(bounds.corrupt("its directory is packed again and again"))
}

enum Found {
    Counted,
    Packed(Vec<u8>),
}

fn look(content: &mut dyn Read, bounds: &Bounds) -> io::Result<Found> {
    let mut content = BufReader::new(content);
    match byte(&mut content)? {
        0x17 => {
            let mut streams = Vec::new();
            content.take(1 << 20).read_to_end(&mut streams)?;
            Ok(Found::Packed(streams))
        }
        0x01 => count(&mut content, bounds).map(|()| Found::Counted),
        _ => Err(damaged()),
    }
}

/// The archive, with another beginning and a directory of our own behind its end.
struct Overlay<'a> {
    window: &'a mut Window,
    start: [u8; START],
    directory: Vec<u8>,
    at: u64,
}

impl<'a> Overlay<'a> {
    fn new(window: &'a mut Window, start: &[u8; START], streams: &[u8], sub_streams: bool) -> Overlay<'a> {
        let mut directory = vec![0x01, 0x04];
        if sub_streams {
            directory.extend_from_slice(streams.strip_suffix(&[0]).unwrap_or(streams));
            directory.extend_from_slice(&[0x08, 0, 0]);
        } else {
            directory.extend_from_slice(streams);
        }
        // One file, called "d".
        directory.extend_from_slice(&[0x05, 1, 0x11, 5, 0, b'd', 0, 0, 0, 0, 0]);
        let sum = |bytes: &[u8]| {
            let mut crc = flate2::Crc::new();
            crc.update(bytes);
            crc.sum().to_le_bytes()
        };
        let mut start = *start;
        start[12..20].copy_from_slice(&(window.length() - START as u64).to_le_bytes());
        start[20..28].copy_from_slice(&(directory.len() as u64).to_le_bytes());
        start[28..32].copy_from_slice(&sum(&directory));
        let own = sum(&start[12..32]);
        start[8..12].copy_from_slice(&own);
        Overlay { window, start, directory, at: 0 }
    }
}

impl Read for Overlay<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.window.length();
        let n = if self.at < START as u64 {
            (&self.start[self.at as usize..]).read(buffer)?
        } else if self.at < length {
            self.window.seek(SeekFrom::Start(self.at))?;
            self.window.by_ref().take(length - self.at).read(buffer)?
        } else {
            let from = usize::try_from(self.at - length).unwrap_or(usize::MAX).min(self.directory.len());
            (&self.directory[from..]).read(buffer)?
        };
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Overlay<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let end = self.window.length() + self.directory.len() as u64;
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its directory cannot be read")
}

/// The memory that is left for what the crate will make of a directory.
struct Room<'a> {
    left: u64,
    bounds: &'a Bounds,
}

impl Room<'_> {
    /// `count` things of `each` bytes will be held.
    fn hold(&mut self, count: u64, each: u64) -> io::Result<()> {
        match self.left.checked_sub(count.saturating_mul(each)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.bounds.too_many_at_once(count).into()),
        }
    }
}

/// Walks over a directory, whose first byte (1) is already read, up to its number of entries.
fn count(d: &mut dyn BufRead, bounds: &Bounds) -> io::Result<()> {
    let mut room = Room { left: bounds.limits.decoder_memory / 4 * 3, bounds };
    let mut kind = byte(d)?;
    if kind == 0x02 {
        while byte(d)? != 0 {
            let size = number(d)?;
            skip(d, size)?;
        }
        kind = byte(d)?;
    }
    if kind == 0x04 {
        streams(d, &mut room)?;
        kind = byte(d)?;
    }
    let entries = match kind {
        0x05 => number(d)?,
        0x00 => 0,
        _ => return Err(damaged()),
    };
    if entries > bounds.limits.entries {
        return Err(bounds.too_many().into());
    }
    room.hold(entries, ENTRY)
}

/// Walks over pack, coder and sub-stream information.
fn streams(d: &mut dyn BufRead, room: &mut Room<'_>) -> io::Result<()> {
    let mut folders = Vec::new();
    loop {
        match byte(d)? {
            0x00 => return Ok(()),
            0x06 => pack_info(d, room)?,
            0x07 => folders = unpack_info(d, room)?,
            0x08 => sub_streams(d, &folders, room)?,
            _ => return Err(damaged()),
        }
    }
}

fn pack_info(d: &mut dyn BufRead, room: &mut Room<'_>) -> io::Result<()> {
    number(d)?;
    let streams = number(d)?;
    room.hold(streams, STREAM)?;
    loop {
        match byte(d)? {
            0x00 => return Ok(()),
            0x09 => numbers(d, streams)?,
            0x0a => digests(d, streams).map(|_| ())?,
            _ => return Err(damaged()),
        }
    }
}

/// Answers for each folder whether it has a checksum.
fn unpack_info(d: &mut dyn BufRead, room: &mut Room<'_>) -> io::Result<Vec<bool>> {
    if byte(d)? != 0x0b {
        return Err(damaged());
    }
    let folders = number(d)?;
    room.hold(folders, FOLDER)?;
    if byte(d)? != 0 {
        return Err(damaged());
    }
    let mut outputs = 0u64;
    for _ in 0..folders {
        outputs = outputs.checked_add(folder(d)?).ok_or_else(damaged)?;
    }
    room.hold(outputs, STREAM)?;
    if byte(d)? != 0x0c {
        return Err(damaged());
    }
    numbers(d, outputs)?;
    let mut checked = Vec::new();
    loop {
        match byte(d)? {
            0x00 => break,
            0x0a => checked = digests(d, folders)?,
            _ => return Err(damaged()),
        }
    }
    checked.resize(usize::try_from(folders).map_err(|_| damaged())?, false);
    Ok(checked)
}

/// Walks over one folder's coders; answers how many outputs they have.
fn folder(d: &mut dyn BufRead) -> io::Result<u64> {
    let coders = number(d)?;
    let (mut inputs, mut outputs) = (0u64, 0u64);
    for _ in 0..coders.min(64) {
        let flags = byte(d)?;
        skip(d, u64::from(flags & 0x0f))?;
        let (more_in, more_out) = if flags & 0x10 == 0 { (1, 1) } else { (number(d)?, number(d)?) };
        inputs = inputs.checked_add(more_in).ok_or_else(damaged)?;
        outputs = outputs.checked_add(more_out).ok_or_else(damaged)?;
        if flags & 0x20 != 0 {
            let size = number(d)?;
            skip(d, size)?;
        }
    }
    let bonds = outputs.checked_sub(1).filter(|_| coders <= 64).ok_or_else(damaged)?;
    numbers(d, bonds.saturating_mul(2))?;
    let packed = inputs.checked_sub(bonds).ok_or_else(damaged)?;
    if packed > 1 {
        numbers(d, packed)?;
    }
    Ok(outputs)
}

fn sub_streams(d: &mut dyn BufRead, folders: &[bool], room: &mut Room<'_>) -> io::Result<()> {
    let mut counts = vec![1u64; folders.len()];
    loop {
        match byte(d)? {
            0x00 => return Ok(()),
            0x0d => {
                for count in &mut counts {
                    *count = number(d)?;
                    room.hold(*count, STREAM)?;
                }
            }
            0x09 => {
                for count in &counts {
                    numbers(d, count.saturating_sub(1))?;
                }
            }
            0x0a => {
                let known = |(count, checked): (&u64, &bool)| if *count == 1 && *checked { 0 } else { *count };
                let unknown = counts.iter().zip(folders).map(known).fold(0u64, u64::saturating_add);
                digests(d, unknown)?;
            }
            _ => return Err(damaged()),
        }
    }
}

/// Walks over checksums; answers which of the `count` are there.
fn digests(d: &mut dyn BufRead, count: u64) -> io::Result<Vec<bool>> {
    let all = byte(d)? != 0;
    let mut there = Vec::new();
    let mut bits = 0;
    for index in 0..count {
        if !all && index % 8 == 0 {
            bits = byte(d)?;
        }
        there.push(all || bits & (0x80 >> (index % 8)) != 0);
        if all {
            skip(d, 4)?;
        }
    }
    if !all {
        let defined = there.iter().filter(|t| **t).count() as u64;
        skip(d, defined * 4)?;
    }
    Ok(there)
}

fn numbers(d: &mut dyn BufRead, count: u64) -> io::Result<()> {
    for _ in 0..count {
        number(d)?;
    }
    Ok(())
}

fn byte(d: &mut dyn BufRead) -> io::Result<u8> {
    let mut one = [0];
    d.read_exact(&mut one)?;
    Ok(one[0])
}

/// A number of 1 to 9 bytes: the first one's leading ones say how many follow.
fn number(d: &mut dyn BufRead) -> io::Result<u64> {
    let first = byte(d)?;
    let more = first.leading_ones() as usize;
    let mut bytes = [0; 8];
    d.read_exact(&mut bytes[..more])?;
    let high = if more >= 7 { 0 } else { u64::from(first & (0x7f >> more)) << (8 * more) };
    Ok(u64::from_le_bytes(bytes) | high)
}

fn skip(d: &mut dyn BufRead, bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut d.take(bytes), &mut io::sink())?;
    if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
