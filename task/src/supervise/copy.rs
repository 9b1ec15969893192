//! How is a folder that a task has written copied without following its links?

use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, fchmod, futimens, mkdirat, openat, readlinkat, statat,
    symlinkat,
};

use crate::beneath::{self, READ};

/// Copies `from` below `source` to the new place `to` below `target`: folders, files with their modes and times, and
/// links as links. Sockets, pipes and devices are left out, and so are the `skipped` names of the top. What is not
/// there is an empty folder.
///
/// # Errors
/// Of the first thing that cannot be read or written.
pub fn copy(source: BorrowedFd<'_>, from: &str, target: BorrowedFd<'_>, to: &str, skipped: &[&str]) -> io::Result<()> {
    let found = match beneath::find(source, from, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return beneath::make_folders(target, to).map(drop),
        other => other?,
    };
    let (way, name) = beneath::parent(to);
    let place = beneath::make_folders(target, way)?;
    let stat = rustix::fs::fstat(&found)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            // A snapshot above this one may have made it.
            let place = beneath::make_folders(place, name)?;
            let folder = openat(&found, ".", READ | OFlags::DIRECTORY, Mode::empty())?;
            copy_folder(folder, place, skipped)
        }
        _ => {
            let (way, from_name) = beneath::parent(from);
            copy_entry(&beneath::find(source, way, false)?, from_name, &place, name)
        }
    }
}

/// Depth is bounded by a stack of our own: a task can nest folders deeper than a thread's stack.
fn copy_folder(source: OwnedFd, target: OwnedFd, skipped: &[&str]) -> io::Result<()> {
    let mut folders = vec![(source, target)];
    let mut is_top = true;
    while let Some((from, to)) = folders.pop() {
        for entry in beneath::entries(&from)? {
            let entry = entry?;
            let name = entry.file_name();
            let shown = name.to_string_lossy();
            if is_top && skipped.contains(&shown.as_ref()) {
                continue;
            }
            let stat = statat(&from, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                match mkdirat(&to, name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                let inner = openat(&from, name, READ | OFlags::DIRECTORY, Mode::empty())?;
                let made = openat(&to, name, READ | OFlags::DIRECTORY, Mode::empty())?;
                folders.push((inner, made));
            } else {
                copy_entry(&from, name, &to, name)?;
            }
        }
        is_top = false;
    }
    Ok(())
}

fn copy_entry(
    from: impl AsFd,
    name: impl rustix::path::Arg + Copy,
    to: impl AsFd,
    to_name: impl rustix::path::Arg + Copy,
) -> io::Result<()> {
    let stat = statat(&from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Ok(symlinkat(readlinkat(&from, name, Vec::new())?, &to, to_name)?),
        FileType::RegularFile => {
            let source = openat(&from, name, READ, Mode::empty())?;
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let target = openat(&to, to_name, flags, Mode::from_raw_mode(0o600))?;
            copy_bytes(source, &target)?;
            fchmod(&target, Mode::from_raw_mode(stat.st_mode & 0o777))?;
            let time = Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ };
            Ok(futimens(&target, &Timestamps { last_access: time, last_modification: time })?)
        }
        _ => Ok(()),
    }
}

/// Shares the blocks where the file system can, else copies inside the kernel.
fn copy_bytes(source: OwnedFd, target: &OwnedFd) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(target, &source).is_ok() {
        return Ok(());
    }
    io::copy(&mut fs::File::from(source), &mut fs::File::from(target.try_clone()?)).map(drop)
}
