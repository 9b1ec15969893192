//! How does an entry become a file beneath the target, and nowhere else?
//!
//! All formats end here. Every path is opened with `openat2` under `RESOLVE_BENEATH`,
//! `RESOLVE_NO_SYMLINKS` and `RESOLVE_NO_MAGICLINKS`: the kernel itself refuses a path that leaves
//! the root or goes through a link, so a race with another process gains nothing either.

use super::limits::Bounds;
use super::name::{Name, check_link};
use crate::Error;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

const CONFINED: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
const CHUNK: usize = 256 << 10;

/// What an archive says of a file that is worth keeping. No owners, no setuid, no access lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meta {
    pub executable: bool,
    /// Seconds since 1970.
    pub modified: Option<i64>,
}

/// A piece of a file: bytes to read from the input, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Data(u64),
    Hole(u64),
}

/// A folder that entries are written beneath.
pub struct Tree {
    root: OwnedFd,
    path: PathBuf,
    bounds: Bounds,
    /// The folder of the last entry: archives list a folder's files one after the other.
    recent: Option<(Vec<Vec<u8>>, Rc<OwnedFd>)>,
    buffer: Vec<u8>,
    pub files: u64,
    pub bytes: u64,
}

impl Tree {
    /// Opens an empty folder of ours to write into.
    pub fn open(path: &Path, bounds: Bounds) -> Result<Tree, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let root = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| Error::io("opening the folder", path, e.into()))?;
        let path = path.to_path_buf();
        Ok(Tree { root, path, bounds, recent: None, buffer: vec![0; CHUNK], files: 0, bytes: 0 })
    }

    /// Makes a folder and those above it.
    pub fn folder(&mut self, name: &Name) -> Result<(), Error> {
        self.bounds.entry()?;
        let made = self.walk(name.parts(), name)?;
        self.recent = Some((name.parts().to_vec(), made));
        Ok(())
    }

    /// Writes a regular file with all that `content` has.
    pub fn file(&mut self, name: &Name, meta: Meta, content: &mut dyn Read) -> Result<(), Error> {
        self.bounds.entry()?;
        let mut file = self.create(name, meta)?;
        self.copy(name, &mut file, content, u64::MAX)?;
        self.close(name, meta, &file)
    }

    /// Writes a regular file with exactly `length` bytes of `content`.
    pub fn sized_file(&mut self, name: &Name, meta: Meta, length: u64, content: &mut dyn Read) -> Result<(), Error> {
        self.pieces(name, meta, &[Piece::Data(length)], content)
    }

    /// Writes a regular file from data and holes.
    pub fn pieces(&mut self, name: &Name, meta: Meta, pieces: &[Piece], content: &mut dyn Read) -> Result<(), Error> {
        self.bounds.entry()?;
        let mut file = self.create(name, meta)?;
        for piece in pieces {
            match *piece {
                Piece::Data(length) => {
                    let copied = self.copy(name, &mut file, content, length)?;
                    if copied != length {
                        return Err(self.bounds.corrupt("it ends too early; download it again"));
                    }
                }
                Piece::Hole(length) => self.hole(name, &mut file, length)?,
            }
        }
        self.close(name, meta, &file)
    }

    /// Makes a symbolic link that stays inside the tree.
    pub fn symlink(&mut self, name: &Name, target: &[u8]) -> Result<(), Error> {
        self.bounds.entry()?;
        let raw = name.parts().join(&b'/');
        check_link(target, name.parent().len()).map_err(|why| self.bounds.unsafe_entry(&raw, why))?;
        let folder = self.walk(name.parent(), name)?;
        match rustix::fs::symlinkat(target, &folder, name.last()) {
            Ok(()) => self.files += 1,
            Err(Errno::EXIST) if is_same_link(&folder, name, target) => {}
            Err(Errno::EXIST) => {
                return Err(self.bounds.unsafe_entry(&raw, "is there already as something else"));
            }
            Err(error) => return Err(self.failed("making the link", name, error)),
        }
        Ok(())
    }

    /// Makes a second name for a file that this archive has already brought.
    pub fn hardlink(&mut self, name: &Name, to: &Name) -> Result<(), Error> {
        self.bounds.entry()?;
        let raw = name.parts().join(&b'/');
        if name == to {
            return Ok(());
        }
        let from_folder = self.existing(to.parent());
        let there = from_folder.as_ref().is_some_and(|f| kind_of(f, to.last()) == Some(FileType::RegularFile));
        let Some(from_folder) = from_folder.filter(|_| there) else {
            return Err(self
                .bounds
                .unsafe_entry(&raw, "is a second name for something that is not a file of the archive"));
        };
        let folder = self.walk(name.parent(), name)?;
        self.make_room(&folder, name)?;
        rustix::fs::linkat(&from_folder, to.last(), &folder, name.last(), AtFlags::empty())
            .map_err(|e| self.failed("linking", name, e))?;
        self.files += 1;
        Ok(())
    }

    /// The folder of `parts`, made where it is not there yet.
    fn walk(&mut self, parts: &[Vec<u8>], name: &Name) -> Result<Rc<OwnedFd>, Error> {
        if let Some((recent, fd)) = &self.recent
            && recent == parts
        {
            return Ok(Rc::clone(fd));
        }
        let fd = match self.existing(parts) {
            Some(fd) => fd,
            None => self.make_folders(parts, name)?,
        };
        let fd = Rc::new(fd);
        self.recent = Some((parts.to_vec(), Rc::clone(&fd)));
        Ok(fd)
    }

    fn existing(&self, parts: &[Vec<u8>]) -> Option<OwnedFd> {
        let path = if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') };
        open_folder(&self.root, &path).ok()
    }

    fn make_folders(&self, parts: &[Vec<u8>], name: &Name) -> Result<OwnedFd, Error> {
        let mut folder = open_folder(&self.root, b".").map_err(|e| self.failed("opening the folder of", name, e))?;
        for part in parts {
            match rustix::fs::mkdirat(&folder, part.as_slice(), Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(self.failed("making the folder of", name, error)),
            }
            folder = open_folder(&folder, part).map_err(|error| match error {
                Errno::NOTDIR | Errno::LOOP | Errno::XDEV => {
                    self.bounds.unsafe_entry(&name.parts().join(&b'/'), "lies below something that is not a folder")
                }
                other => self.failed("opening the folder of", name, other),
            })?;
        }
        Ok(folder)
    }

    fn create(&mut self, name: &Name, meta: Meta) -> Result<File, Error> {
        let folder = self.walk(name.parent(), name)?;
        match open_new(&folder, name.last(), meta) {
            Ok(fd) => Ok(File::from(fd)),
            Err(Errno::EXIST) => {
                self.make_room(&folder, name)?;
                open_new(&folder, name.last(), meta).map(File::from).map_err(|e| self.failed("making", name, e))
            }
            Err(error) => Err(self.failed("making", name, error)),
        }
    }

    /// A later file replaces an earlier one, as in every tool; it never replaces or goes through anything else.
    fn make_room(&mut self, folder: &OwnedFd, name: &Name) -> Result<(), Error> {
        match kind_of(folder, name.last()) {
            None => Ok(()),
            Some(FileType::RegularFile) => {
                self.files = self.files.saturating_sub(1);
                rustix::fs::unlinkat(folder, name.last(), AtFlags::empty())
                    .map_err(|e| self.failed("replacing", name, e))
            }
            Some(_) => {
                Err(self.bounds.unsafe_entry(&name.parts().join(&b'/'), "is there already as a folder or a link"))
            }
        }
    }

    fn copy(&mut self, name: &Name, file: &mut File, content: &mut dyn Read, most: u64) -> Result<u64, Error> {
        let mut copied = 0;
        while copied < most {
            let room = usize::try_from(most - copied).map_or(CHUNK, |left| left.min(CHUNK));
            let n = match content.read(&mut self.buffer[..room]) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.bounds.reading(error)),
            };
            self.bounds.written(n as u64)?;
            file.write_all(&self.buffer[..n]).map_err(|e| Error::io("writing", &self.place(name), e))?;
            copied += n as u64;
        }
        self.bytes += copied;
        Ok(copied)
    }

    fn hole(&mut self, name: &Name, file: &mut File, length: u64) -> Result<(), Error> {
        self.bounds.written(length)?;
        let end = file
            .stream_position()
            .and_then(|at| at.checked_add(length).ok_or(std::io::ErrorKind::FileTooLarge.into()))
            .and_then(|end| file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))));
        end.map_err(|e| Error::io("writing", &self.place(name), e))?;
        self.bytes += length;
        Ok(())
    }

    fn close(&mut self, name: &Name, meta: Meta, file: &File) -> Result<(), Error> {
        if let Some(seconds) = meta.modified {
            let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
            let times = Timestamps { last_access: time, last_modification: time };
            rustix::fs::futimens(file, &times).map_err(|e| self.failed("setting the time of", name, e))?;
        }
        self.files += 1;
        self.bounds.meter.file();
        Ok(())
    }

    fn failed(&self, what: &'static str, name: &Name, error: Errno) -> Error {
        Error::io(what, &self.place(name), error.into())
    }

    fn place(&self, name: &Name) -> PathBuf {
        let mut place = self.path.clone();
        place.extend(name.parts().iter().map(|p| String::from_utf8_lossy(p).into_owned()));
        place
    }
}

fn open_folder(at: impl AsFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat2(at, path, flags, Mode::empty())
}

fn open_new(folder: &OwnedFd, last: &[u8], meta: Meta) -> Result<OwnedFd, Errno> {
    let mode = Mode::from_raw_mode(if meta.executable { 0o755 } else { 0o644 });
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat2(folder, last, flags, mode)
}

/// `EAGAIN` only says that a rename elsewhere made the kernel unsure: ask again.
fn openat2(at: impl AsFd, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    for _ in 0..100 {
        match rustix::fs::openat2(at.as_fd(), path, flags, mode, CONFINED) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

fn kind_of(folder: &OwnedFd, last: &[u8]) -> Option<FileType> {
    let stat = rustix::fs::statat(folder, last, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

fn is_same_link(folder: &OwnedFd, name: &Name, target: &[u8]) -> bool {
    rustix::fs::readlinkat(folder, name.last(), Vec::new()).is_ok_and(|there| there.as_bytes() == target)
}
