//! How is a folder made or opened below another without ever leaving it by a symbolic link?
//!
//! Tasks write into folders that later executions are given again: whatever lies there is somebody else's wish.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Dir, DirEntry, Mode, OFlags, ResolveFlags, mkdirat, open, openat, openat2},
    io::Errno,
};

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// As far as the umask lets it: in a pod, tasks of several users share the way to their folders by the group.
pub const FOLDER_MODE: Mode = Mode::from_raw_mode(0o775);

/// A folder that we or the administrator named.
pub fn root(path: &Path) -> io::Result<OwnedFd> {
    Ok(open(path, FOLDER, Mode::empty())?)
}

/// How what a task has made is opened for reading: a link is not followed, a pipe does not block.
pub const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// What lies in a folder that is open for reading, without itself and the one above.
pub fn entries(folder: impl AsFd) -> io::Result<impl Iterator<Item = io::Result<DirEntry>>> {
    let is_inner = |entry: &io::Result<DirEntry>| {
        entry.as_ref().map_or(true, |entry| entry.file_name() != c"." && entry.file_name() != c"..")
    };
    Ok(Dir::read_from(folder)?.map(|entry| Ok(entry?)).filter(is_inner))
}

fn parts(below: &str) -> impl Iterator<Item = &str> {
    below.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// Opens (as a place, not for reading) what lies below; empty: the root itself.
///
/// # Errors
/// It is not there, `..` or a link leads out, or there is a link and `links` is false.
pub fn find(root: impl AsFd, below: &str, links: bool) -> io::Result<OwnedFd> {
    let flags = if links { ResolveFlags::BENEATH } else { ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS };
    let below = below.trim_matches('/');
    let below = if below.is_empty() { "." } else { below };
    Ok(openat2(root, below, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), flags | ResolveFlags::NO_MAGICLINKS)?)
}

/// Opens a folder below, making what is missing of the way.
///
/// # Errors
/// Something on the way is not a folder.
pub fn make_folders(root: impl AsFd, below: &str) -> io::Result<OwnedFd> {
    let mut parts = parts(below);
    let Some(first) = parts.next() else { return Ok(openat(root, ".", FOLDER, Mode::empty())?) };
    parts.try_fold(step(root.as_fd(), first)?, |folder, part| step(folder.as_fd(), part))
}

fn step(folder: BorrowedFd<'_>, part: &str) -> io::Result<OwnedFd> {
    if part == ".." {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is a \"..\" in the path"));
    }
    let there = || openat(folder, part, FOLDER | OFlags::NOFOLLOW, Mode::empty());
    // Mostly it is there.
    match there() {
        Err(Errno::NOENT) => {}
        other => return Ok(other?),
    }
    match mkdirat(folder, part, FOLDER_MODE) {
        Ok(()) | Err(Errno::EXIST) => Ok(there()?),
        Err(error) => Err(error.into()),
    }
}

/// Splits off the last part.
pub fn parent(below: &str) -> (&str, &str) {
    let below = below.trim_end_matches('/');
    below.rsplit_once('/').unwrap_or(("", below))
}

/// Makes a folder that was not there; the way to it may have been.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when it was.
pub fn make_new(root: impl AsFd, below: &str) -> io::Result<()> {
    let (way, name) = parent(below);
    let folder = make_folders(root, way)?;
    Ok(mkdirat(folder, name, FOLDER_MODE)?)
}
