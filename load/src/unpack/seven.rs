//! What are the entries of a 7z?

use super::limits::{Bounds, read_full};
use super::name::{Name, Parsed, Separators};
use super::seek::Window;
use super::seven_count;
use super::tree::{Meta, Tree};
use crate::Error;
use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Password};
use std::io::Read;
use std::path::Path;

const UNIX: u32 = 0x8000;

/// Unpacks all entries.
pub fn unpack(path: &Path, tree: &mut Tree, bounds: &Bounds) -> Result<(), Error> {
    let mut window = Window::open(path, Some(bounds.clone())).map_err(|e| Error::io("opening", path, e))?;
    let length = window.length();
    bounds.packed_is(length);
    let password = Password::empty();
    let memory = kib(bounds.limits.decoder_memory >> 10);
    seven_count::check(&mut window, bounds, memory)?;
    let archive = Archive::read_with_memory_limit(&mut window, &password, memory).map_err(|e| failed(e, bounds))?;
    bounds.meter.set(0);
    for index in 0..archive.blocks.len() {
        let mut ours = None;
        let block = BlockDecoder::new_with_memory_limit(1, memory, index, &archive, &password, &mut window);
        let done = block.for_each_entries(&mut |entry, content| match one(entry, content, tree, bounds) {
            Ok(()) => Ok(true),
            Err(error) => {
                ours = Some(error);
                Err(sevenz_rust2::Error::FileNotFound)
            }
        });
        done.map_err(|e| ours.take().unwrap_or_else(|| failed(e, bounds)))?;
    }
    for (entry, block) in archive.files.iter().zip(&archive.stream_map.file_block_index) {
        if block.is_none() {
            one(entry, &mut std::io::empty(), tree, bounds)?;
        }
    }
    Ok(())
}

fn kib(amount: u64) -> usize {
    usize::try_from(amount).unwrap_or(usize::MAX)
}

fn one(entry: &ArchiveEntry, content: &mut dyn Read, tree: &mut Tree, bounds: &Bounds) -> Result<(), Error> {
    let raw = entry.name.as_bytes();
    if entry.is_anti_item {
        return Err(bounds.unsupported("an entry that deletes a file"));
    }
    let parsed = Name::parse(raw, Separators::SlashAndBackslash, bounds.limits.depth)
        .map_err(|why| bounds.unsafe_entry(raw, why))?;
    let mode = if entry.windows_attributes & UNIX == 0 { 0 } else { entry.windows_attributes >> 16 };
    match (mode & 0o170_000, parsed) {
        (_, Parsed::Root) if entry.is_directory => Ok(()),
        (_, Parsed::Root) => Err(bounds.unsafe_entry(raw, "has no name")),
        (_, Parsed::Beneath(name)) if entry.is_directory => tree.folder(&name),
        (0o120_000, Parsed::Beneath(name)) => {
            let mut target = vec![0; 4096];
            let n = read_full(content, &mut target).map_err(|e| bounds.reading(e))?;
            tree.symlink(&name, &target[..n])
        }
        (0 | 0o100_000, Parsed::Beneath(name)) => {
            bounds.announced(entry.size)?;
            tree.file(&name, Meta { executable: mode & 0o111 != 0, modified: None }, content)
        }
        (_, Parsed::Beneath(_)) => Err(bounds.unsafe_entry(raw, "is neither a file nor a folder nor a link")),
    }
}

pub(super) fn failed(error: sevenz_rust2::Error, bounds: &Bounds) -> Error {
    use sevenz_rust2::Error as E;
    match error {
        E::Io(error, _) | E::FileOpen(error, _) => bounds.reading(error),
        E::MaxMemLimited { .. } => bounds.too_much_memory(),
        E::PasswordRequired | E::MaybeBadPassword(_) => bounds.unsupported("encryption"),
        E::UnsupportedCompressionMethod(method) => bounds.unsupported(format!("the compression method {method}")),
        E::Unsupported(what) => bounds.unsupported(what),
        E::ExternalUnsupported => bounds.unsupported("a directory in another file"),
        other => bounds.corrupt(format!("{other:?}")),
    }
}
