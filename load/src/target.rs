//! How does a folder get all of a load or nothing of it?
//!
//! Each source is made under `<target>/.partial/<number>`. When all are there and on disk, the trees are joined and
//! their top entries renamed into the target, which itself may be a mount point and cannot be replaced.

use crate::Error;
use crate::fetch::downloads::try_lock;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const PARTIAL: &str = ".partial";

/// A target folder, locked. Dropped without [`Target::commit`], it leaves nothing behind.
pub(crate) struct Target {
    folder: PathBuf,
    partial: PathBuf,
    handle: File,
    committed: AtomicBool,
}

impl Target {
    /// Makes and locks the folder, and clears what a killed load left in it.
    pub fn open(folder: &Path) -> Result<Target, Error> {
        fs::create_dir_all(folder).map_err(|e| Error::io("making the folder", folder, e))?;
        let handle = File::open(folder).map_err(|e| Error::io("opening the folder", folder, e))?;
        if !try_lock(&handle).map_err(|e| Error::io("locking", folder, e))? {
            return Err(Error::Busy { folder: folder.display().to_string() });
        }
        let partial = folder.join(PARTIAL);
        remove(&partial)?;
        fs::create_dir(&partial).map_err(|e| Error::io("making the folder", &partial, e))?;
        Ok(Target { folder: folder.to_path_buf(), partial, handle, committed: AtomicBool::new(false) })
    }

    /// A new empty folder for one source.
    pub fn place(&self, source: usize) -> Result<PathBuf, Error> {
        let place = self.partial.join(source.to_string());
        fs::create_dir(&place).map_err(|e| Error::io("making the folder", &place, e))?;
        Ok(place)
    }

    /// Joins the trees of all sources and moves them up. Afterwards everything is in the target, and with `durable` on disk.
    pub fn commit(&self, sources: usize, durable: bool) -> Result<(), Error> {
        let first = self.partial.join("0");
        for source in 1..sources {
            merge(&self.partial.join(source.to_string()), &first)?;
        }
        if durable {
            rustix::fs::syncfs(&self.handle).map_err(|e| Error::io("writing", &self.folder, e.into()))?;
        }
        let names = children(&first)?;
        let mut moved = Vec::new();
        for name in &names {
            if let Err(error) = self.move_up(&first.join(name), &self.folder.join(name)) {
                for name in moved {
                    // What came up goes down again and is removed with the rest.
                    let _ = rename(&self.folder.join(name), &first.join(name));
                }
                return Err(error);
            }
            moved.push(name);
        }
        remove(&self.partial)?;
        if durable {
            self.handle.sync_all().map_err(|e| Error::io("writing", &self.folder, e))?;
        }
        self.committed.store(true, Relaxed);
        Ok(())
    }

    fn move_up(&self, from: &Path, to: &Path) -> Result<(), Error> {
        match rename(from, to) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) if is_same_file(from, to) => Ok(()),
            Err(Errno::EXIST) => {
                Err(Error::Exists { name: shown_name(from), folder: self.folder.display().to_string() })
            }
            Err(error) => Err(Error::io("moving", to, error.into())),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.committed.load(Relaxed) {
            // The error that led here is the one to tell; what stays is cleared by the next load.
            let _ = remove(&self.partial);
        }
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Errno> {
    rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)
}

fn children(folder: &Path) -> Result<Vec<std::ffi::OsString>, Error> {
    let fail = |e| Error::io("listing", folder, e);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        names.push(entry.map_err(fail)?.file_name());
    }
    names.sort();
    Ok(names)
}

/// Moves everything of `from` into `into`; folders are joined, nothing else may be there twice.
fn merge(from: &Path, into: &Path) -> Result<(), Error> {
    for name in children(from)? {
        let (source, place) = (from.join(&name), into.join(&name));
        match rename(&source, &place) {
            Ok(()) => {}
            Err(Errno::EXIST) if is_folder(&source) && is_folder(&place) => merge(&source, &place)?,
            Err(Errno::EXIST) => {
                return Err(Error::Twice { name: shown_name(&source) });
            }
            Err(error) => return Err(Error::io("moving", &place, error.into())),
        }
    }
    Ok(())
}

fn shown_name(path: &Path) -> String {
    crate::error::shown(path.file_name().unwrap_or_default().as_encoded_bytes())
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_dir())
}

/// True for two regular files with the same bytes.
fn is_same_file(a: &Path, b: &Path) -> bool {
    let regular = |path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len());
    regular(a).is_some() && regular(a) == regular(b) && same_bytes(a, b).unwrap_or(false)
}

fn same_bytes(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) =
        (io::BufReader::with_capacity(1 << 16, File::open(a)?), io::BufReader::with_capacity(1 << 16, File::open(b)?));
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let n = a.read(&mut left)?;
        if n == 0 {
            return Ok(b.read(&mut right)? == 0);
        }
        if b.read_exact(&mut right[..n]).is_err() || left[..n] != right[..n] {
            return Ok(false);
        }
    }
}

fn remove(folder: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(folder) {
        Err(_) => return Ok(()),
        Ok(there) if there.is_dir() => fs::remove_dir_all(folder),
        Ok(_) => fs::remove_file(folder),
    };
    removed.map_err(|e| Error::io("removing", folder, e))
}
