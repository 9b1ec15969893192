//! How does one packed file become files beneath a folder?
//!
//! Every decoder feeds [`tree::Tree`]; none writes by itself. Runs on a blocking thread.

mod ahead;
mod codec;
pub mod format;
pub mod limits;
pub mod name;
mod seek;
mod seven;
mod seven_count;
mod tar;
pub mod tree;
mod zip;

use crate::Error;
use ahead::Ahead;
use format::{Codec, Format, HEAD, Magic, Plan};
use limits::{Bounds, Packed, read_full};
use name::Name;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;
use tree::{Meta, Tree};

/// Small enough that a bomb's ratio shows before its decoder's window has filled.
const BUFFER: usize = 64 << 10;

/// What came out of one packed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    pub format: Format,
    pub files: u64,
    pub bytes: u64,
    pub warnings: Vec<String>,
}

/// The first bytes of a file, for [`format::plan`].
pub fn head(path: &Path) -> Result<Vec<u8>, Error> {
    let mut head = vec![0; HEAD];
    let mut file = File::open(path).map_err(|e| Error::io("opening", path, e))?;
    let n = read_full(&mut file, &mut head).map_err(|e| Error::io("reading", path, e))?;
    head.truncate(n);
    Ok(head)
}

/// Carries out `plan` (not [`Plan::LeaveAlone`]) for the file `packed`, called `name`, into the empty folder `into`.
pub fn unpack(packed: &Path, name: &str, plan: Plan, into: &Path, bounds: &Bounds) -> Result<Unpacked, Error> {
    match plan {
        Plan::Unpack(Format::Zip) => seekable(Format::Zip, into, bounds, |tree| zip::unpack(packed, tree, bounds)),
        Plan::Unpack(Format::SevenZ) => {
            seekable(Format::SevenZ, into, bounds, |tree| seven::unpack(packed, tree, bounds))
        }
        Plan::Unpack(Format::Tar(_) | Format::Single(_)) | Plan::Look(_) | Plan::LeaveAlone | Plan::Mismatch { .. } => {
            let file = File::open(packed).map_err(|e| Error::io("opening", packed, e))?;
            stream(Box::new(file), name, plan, into, bounds)
        }
    }
}

fn seekable(
    format: Format,
    into: &Path,
    bounds: &Bounds,
    work: impl FnOnce(&mut Tree) -> Result<(), Error>,
) -> Result<Unpacked, Error> {
    let mut tree = Tree::open(into, bounds.clone())?;
    work(&mut tree)?;
    Ok(Unpacked { format, files: tree.files, bytes: tree.bytes, warnings: bounds.warnings() })
}

/// As [`unpack`], for the formats that are read from beginning to end.
pub fn stream(
    packed: Box<dyn Read + Send + '_>,
    name: &str,
    plan: Plan,
    into: &Path,
    bounds: &Bounds,
) -> Result<Unpacked, Error> {
    let (codec, wanted) = match plan {
        Plan::Unpack(format @ (Format::Tar(codec) | Format::Single(codec))) => (codec, Some(format)),
        Plan::Look(codec) => (codec, None),
        Plan::Mismatch { named } => return Err(mismatch(bounds, named, Magic::Other)),
        Plan::LeaveAlone | Plan::Unpack(Format::Zip | Format::SevenZ) => {
            return Err(bounds.unsupported("reading it from beginning to end"));
        }
    };
    let input = BufReader::with_capacity(BUFFER, Packed::new(packed, bounds.clone()));
    let decoder = codec::decoder(codec, input, bounds)?;
    thread::scope(|scope| match codec {
        // Nothing is decoded that could be ahead.
        Codec::None => write(BufReader::with_capacity(BUFFER, decoder), (codec, wanted), name, into, bounds),
        Codec::Gz | Codec::Bz2 | Codec::Xz | Codec::Zst => {
            let (ahead, thread) = Ahead::start(scope, decoder);
            let written = write(ahead, (codec, wanted), name, into, bounds);
            // A scope does not wait for what a thread still frees at its end: the search for leaks would find that.
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            written
        }
    })
}

/// What was decoded becomes files.
fn write(
    mut decoded: impl BufRead,
    (codec, wanted): (Codec, Option<Format>),
    name: &str,
    into: &Path,
    bounds: &Bounds,
) -> Result<Unpacked, Error> {
    let mut head = vec![0; HEAD];
    let n = read_full(&mut decoded, &mut head).map_err(|e| bounds.reading(e))?;
    head.truncate(n);
    let inner = peek(&head);
    let mut decoded = Cursor::new(head).chain(decoded);
    let mut tree = Tree::open(into, bounds.clone())?;
    let format = match (wanted, inner) {
        (Some(format @ Format::Tar(_)), Inner::Tar) => format,
        (Some(named @ Format::Tar(_)), Inner::Other(found)) => {
            return Err(mismatch(bounds, named, found));
        }
        (None, Inner::Tar) => Format::Tar(codec),
        (Some(Format::Single(_) | Format::Zip | Format::SevenZ) | None, _) => Format::Single(codec),
    };
    match format {
        Format::Tar(_) => tar::unpack(&mut decoded, &mut tree, bounds)?,
        Format::Single(_) | Format::Zip | Format::SevenZ => single(&mut decoded, name, &mut tree, bounds)?,
    }
    Ok(Unpacked { format, files: tree.files, bytes: tree.bytes, warnings: bounds.warnings() })
}

/// For a file whose name promises `named` while its bytes are `found`.
pub fn mismatch(bounds: &Bounds, named: Format, found: Magic) -> Error {
    Error::NotAnArchive { archive: bounds.archive.to_string(), named: format!("a {named}"), found: found.found() }
}

enum Inner {
    Tar,
    Other(Magic),
}

/// What the decoded bytes begin with. An empty tar is a block of zeros.
fn peek(head: &[u8]) -> Inner {
    let zeros = head.len() >= HEAD && head.iter().all(|b| *b == 0);
    match format::magic(head) {
        Magic::Tar => Inner::Tar,
        Magic::Other if zeros => Inner::Tar,
        other => Inner::Other(other),
    }
}

fn single(decoded: &mut dyn BufRead, name: &str, tree: &mut Tree, bounds: &Bounds) -> Result<(), Error> {
    let inner = format::inner_name(name);
    let name = Name::single(&inner).ok_or_else(|| bounds.unsafe_entry(inner.as_bytes(), "has no name"))?;
    tree.file(&name, Meta::default(), decoded)
}
