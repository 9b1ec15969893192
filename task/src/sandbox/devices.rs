//! Which devices and processes does a task find?

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, chmodat, makedev, mknodat, open, openat, symlinkat};

use super::{
    mount,
    own::{QUIET, READ_ONLY},
};
use crate::beneath;

/// Parts of /proc that say or do something about the machine and not about the task. Root without capabilities could
/// write them, since they belong to it.
const PROC_SEALED: [&str; 6] = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi"];
/// Names and numbers, as every Linux has them.
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// One of its own, or where none may be made (in a container without that right) the machine's.
fn device(folder: &OwnedFd, name: &str, number: u64) -> io::Result<()> {
    let mode = Mode::from_raw_mode(0o666);
    if mknodat(folder, name, FileType::CharacterDevice, mode, number).is_ok() {
        // Not every umask leaves it as it was asked for.
        return Ok(chmodat(folder, name, mode, AtFlags::empty())?);
    }
    let theirs = open(Path::new("/dev").join(name), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let file = openat(folder, name, OFlags::CREATE | OFlags::CLOEXEC | OFlags::RDONLY, mode)?;
    mount::attach(mount::copy(theirs.as_fd(), false)?.as_fd(), file)
}

/// Answers the folder, which is to be sealed: tasks share it.
pub fn devices(root: &OwnedFd) -> io::Result<OwnedFd> {
    mount::new(c"tmpfs", beneath::make_folders(root, "dev")?, libc::MS_NOSUID, c"mode=755,size=64k")?;
    let folder = beneath::make_folders(root, "dev")?;
    for (name, major, minor) in DEVICES {
        device(&folder, name, makedev(major, minor))?;
    }
    for (name, target) in
        [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("ptmx", "pts/ptmx")]
    {
        symlinkat(target, &folder, name)?;
    }
    for name in ["pts", "shm"] {
        beneath::make_folders(&folder, name)?;
    }
    Ok(folder)
}

pub fn terminals(root: &OwnedFd) -> io::Result<()> {
    let folder = beneath::make_folders(root, "dev")?;
    let new = |name: &str, kind: &CStr, data: &CStr| {
        mount::new(kind, beneath::make_folders(&folder, name)?, libc::MS_NOSUID | libc::MS_NOEXEC, data)
    };
    new("pts", c"devpts", c"newinstance,ptmxmode=0666,mode=620")?;
    new("shm", c"tmpfs", c"mode=1777")
}

pub fn processes(root: &OwnedFd) -> io::Result<()> {
    mount::new(c"proc", beneath::make_folders(root, "proc")?, QUIET | libc::MS_NOEXEC, c"")?;
    let folder = beneath::make_folders(root, "proc")?;
    for name in PROC_SEALED {
        // Not every kernel has every one.
        let Ok(place) = openat(&folder, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { continue };
        let tree = mount::copy(place.as_fd(), false)?;
        mount::restrict(tree.as_fd(), READ_ONLY, false)?;
        mount::attach(tree.as_fd(), place)?;
    }
    Ok(())
}
