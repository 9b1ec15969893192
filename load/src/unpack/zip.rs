//! What are the entries of a zip?

use super::limits::{Bounds, read_full};
use super::name::{Name, Parsed, Separators};
use super::seek::Window;
use super::tree::{Meta, Tree};
use crate::Error;
use std::io::Read;
use std::path::Path;
use zip::ZipReadOptions;
use zip::read::{Config, ZipFile};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const FOLDER: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;

/// Unpacks all entries. The directory of the archive is walked entry by entry, never held in memory.
pub fn unpack(path: &Path, tree: &mut Tree, bounds: &Bounds) -> Result<(), Error> {
    let window = |counted| Window::open(path, counted).map_err(|e| Error::io("opening", path, e));
    let directory = window(None)?;
    let length = directory.length();
    bounds.packed_is(length);
    let mut zip = ZipIterable::try_new(directory, Config::default())
        .map_err(|e| failed(e, bounds))?
        .enforce_header_consistency(true);
    if zip.len() as u64 > bounds.limits.entries {
        return Err(bounds.too_many());
    }
    let mut content = window(Some(bounds.clone()))?;
    let mut claimed = 0u64;
    for entry in zip.files().map_err(|e| failed(e, bounds))? {
        let entry = entry.map_err(|e| failed(e, bounds))?;
        if entry.encrypted() {
            return Err(bounds.unsupported("encryption"));
        }
        // Honest entries lie side by side, so together they are smaller than the file.
        claimed = claimed.saturating_add(entry.compressed_size()).saturating_add(30);
        if claimed > length {
            return Err(bounds.corrupt("its entries overlap"));
        }
        let file = entry.with_reader(&mut content, ZipReadOptions::default()).map_err(|e| failed(e, bounds))?;
        one(file, tree, bounds)?;
    }
    Ok(())
}

fn one(mut file: ZipFile<'_, Window>, tree: &mut Tree, bounds: &Bounds) -> Result<(), Error> {
    let raw = name_of(&file, bounds)?;
    let parsed = Name::parse(&raw, Separators::SlashAndBackslash, bounds.limits.depth)
        .map_err(|why| bounds.unsafe_entry(&raw, why))?;
    let mode = file.unix_mode().unwrap_or(0);
    let is_folder = file.is_dir() || raw.ends_with(b"\\") || mode & KIND == FOLDER;
    match (mode & KIND, parsed) {
        (_, Parsed::Root) if is_folder => Ok(()),
        (_, Parsed::Root) => Err(bounds.unsafe_entry(&raw, "has no name")),
        (_, Parsed::Beneath(name)) if is_folder => tree.folder(&name),
        (LINK, Parsed::Beneath(name)) => {
            let mut target = vec![0; 4096];
            let n = read_full(&mut file, &mut target).map_err(|e| bounds.reading(e))?;
            tree.symlink(&name, &target[..n])
        }
        (0 | REGULAR, Parsed::Beneath(name)) => regular(&name, mode, &mut file, tree, bounds),
        (_, Parsed::Beneath(_)) => Err(bounds.unsafe_entry(&raw, "is neither a file nor a folder nor a link")),
    }
}

fn regular(
    name: &Name,
    mode: u32,
    file: &mut ZipFile<'_, Window>,
    tree: &mut Tree,
    bounds: &Bounds,
) -> Result<(), Error> {
    let size = file.size();
    bounds.announced(size)?;
    let meta = Meta { executable: mode & 0o111 != 0, modified: None };
    let before = tree.bytes;
    // One byte more than it says: so a lie is seen, and so the decoder reaches its end and checks the CRC.
    tree.file(name, meta, &mut file.take(size.saturating_add(1)))?;
    if tree.bytes - before != size {
        return Err(bounds.corrupt(format!("an entry has another size than it says ({size} bytes)")));
    }
    Ok(())
}

/// The name as UTF-8 where it is that, whatever the flag says; else as the code page of old.
fn name_of(file: &ZipFile<'_, Window>, bounds: &Bounds) -> Result<Vec<u8>, Error> {
    let raw = file.name_raw();
    if std::str::from_utf8(raw).is_ok() {
        return Ok(raw.to_vec());
    }
    file.name().map(|name| name.into_owned().into_bytes()).map_err(|e| failed(e, bounds))
}

fn failed(error: ZipError, bounds: &Bounds) -> Error {
    match error {
        ZipError::Io(error) => bounds.reading(error),
        ZipError::UnsupportedArchive(what) => bounds.unsupported(what),
        ZipError::CompressionMethodNotSupported(method) => bounds.unsupported(format!("compression method {method}")),
        other => bounds.corrupt(other.to_string()),
    }
}
