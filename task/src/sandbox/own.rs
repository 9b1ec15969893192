//! How is a sandbox made by a process that is root in its own namespaces?
//!
//! # Guarantees
//! Nothing is made or changed on the machine: every mount point lies in a file system of the task's own, or in a folder
//! that is the task's own.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use model::supervise::{From, Item, Sandbox, Way};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, chmodat, fstat, makedev, mknodat, open, openat, symlinkat};

use super::mount;
use crate::{beneath, sys};

pub const NAMESPACES: libc::c_int = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;

const PLAIN: u64 = libc::MOUNT_ATTR_NOSUID;
const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY;
const NO_DEVICES: u64 = libc::MOUNT_ATTR_NODEV;
const QUIET: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;
/// Parts of /proc that say or do something about the machine and not about the task. Root without capabilities could
/// write them, since they belong to it.
const PROC_SEALED: [&str; 6] = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi"];
/// Names and numbers, as every Linux has them.
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// The sandbox that shows whether any can be made.
pub fn smallest() -> Sandbox {
    Sandbox { way: Way::Own, items: vec![Item::Devices, Item::Processes] }
}

/// Enters the sandbox. `place` is any folder of ours: the new root is mounted over it, in this namespace only.
///
/// # Errors
/// One sentence; the process is then good for nothing else.
pub fn enter(sandbox: &Sandbox, place: &Path) -> Result<(), String> {
    mount::make_private().map_err(|error| format!("This system does not let us make mounts ({error})."))?;
    let trees = open_sources(&sandbox.items)?;
    let root = new_root(place).map_err(|error| format!("The sandbox's root could not be made ({error})."))?;
    let mut sealed = vec![copy_of(&root)?];
    for (item, tree) in sandbox.items.iter().zip(&trees) {
        put(&root, item, tree.as_ref(), &mut sealed)?;
    }
    for one in sealed.iter().rev() {
        mount::restrict(one.as_fd(), READ_ONLY, false)
            .map_err(|error| format!("The sandbox could not be sealed ({error})."))?;
    }
    mount::become_root().map_err(|error| format!("The sandbox could not be entered ({error})."))
}

fn copy_of(root: &OwnedFd) -> Result<OwnedFd, String> {
    root.try_clone().map_err(|error| format!("The sandbox's root could not be opened ({error})."))
}

struct Tree {
    mount: OwnedFd,
    is_folder: bool,
}

/// All of them before the first mount: the new root's place may lie above one.
fn open_sources(items: &[Item]) -> Result<Vec<Option<Tree>>, String> {
    items
        .iter()
        .map(|item| match item {
            Item::Bind { from, path, writable, devices } => {
                let tree = open_source(from, *writable, *devices);
                tree.map(Some).map_err(|error| {
                    format!("What is mounted at {path} is not there or cannot be read: {} ({error}).", shown(from))
                })
            }
            Item::Folder { .. } | Item::Empty { .. } | Item::Link { .. } | Item::Devices | Item::Processes => Ok(None),
        })
        .collect()
}

pub fn shown(from: &From) -> String {
    from.root.join(&from.below).display().to_string()
}

fn open_source(from: &From, writable: bool, devices: bool) -> io::Result<Tree> {
    let root = open(&from.root, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let found = if from.below.is_empty() { root } else { beneath::find(root, &from.below, from.links)? };
    let is_folder = FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Directory;
    let mount = mount::copy(found.as_fd(), true)?;
    let attributes = PLAIN | if writable { 0 } else { READ_ONLY } | if devices { 0 } else { NO_DEVICES };
    mount::restrict(mount.as_fd(), attributes, true)?;
    Ok(Tree { mount, is_folder })
}

fn new_root(place: &Path) -> io::Result<OwnedFd> {
    let place = sys::c_text(&place.to_string_lossy())?;
    mount::new(c"tmpfs", &place, QUIET, c"mode=755,size=16m")?;
    // SAFETY: a C text.
    sys::checked(unsafe { libc::chdir(place.as_ptr()) })?;
    beneath::root(Path::new("."))
}

fn put(root: &OwnedFd, item: &Item, tree: Option<&Tree>, sealed: &mut Vec<OwnedFd>) -> Result<(), String> {
    let (path, done) = match item {
        Item::Folder { path } => (path.as_str(), beneath::make_folders(root, path).map(drop)),
        Item::Empty { path, read_only } => (path.as_str(), empty(root, path, *read_only, sealed)),
        Item::Bind { path, .. } => (path.as_str(), tree.map_or(Ok(()), |tree| bind(root, path, tree))),
        Item::Link { path, target } => (path.as_str(), link(root, path, target)),
        Item::Devices => ("/dev", devices(root)),
        Item::Processes => ("/proc", processes(root)),
    };
    done.map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory => {
            format!("Nothing can be mounted at {path}: a file or a symbolic link is in the way.")
        }
        _ => format!("Nothing can be mounted at {path} ({error})."),
    })
}

fn bind(root: &OwnedFd, path: &str, tree: &Tree) -> io::Result<()> {
    if tree.is_folder {
        return mount::attach(tree.mount.as_fd(), beneath::make_folders(root, path)?);
    }
    let (way, name) = beneath::parent(path);
    let folder = beneath::make_folders(root, way)?;
    let flags = OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::RDONLY;
    mount::attach(tree.mount.as_fd(), openat(folder, name, flags, Mode::from_raw_mode(0o644))?)
}

/// A path of the new root that the calls with texts can use: it is the current folder, and `fd` was reached without links.
fn through(fd: &OwnedFd) -> io::Result<std::ffi::CString> {
    use std::os::fd::AsRawFd;
    sys::c_text(&format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn empty(root: &OwnedFd, path: &str, read_only: bool, sealed: &mut Vec<OwnedFd>) -> io::Result<()> {
    let folder = beneath::make_folders(root, path)?;
    mount::new(c"tmpfs", &through(&folder)?, QUIET, c"mode=755,size=16m")?;
    if read_only {
        // Opened again: the descriptor from before is the folder beneath the mount.
        sealed.push(beneath::make_folders(root, path)?);
    }
    Ok(())
}

fn link(root: &OwnedFd, path: &str, target: &str) -> io::Result<()> {
    let (way, name) = beneath::parent(path);
    Ok(symlinkat(target, beneath::make_folders(root, way)?, name)?)
}

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

fn devices(root: &OwnedFd) -> io::Result<()> {
    let folder = beneath::make_folders(root, "dev")?;
    mount::new(c"tmpfs", &through(&folder)?, libc::MS_NOSUID, c"mode=755,size=64k")?;
    let folder = beneath::make_folders(root, "dev")?;
    for (name, major, minor) in DEVICES {
        device(&folder, name, makedev(major, minor))?;
    }
    for (name, target) in
        [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("ptmx", "pts/ptmx")]
    {
        symlinkat(target, &folder, name)?;
    }
    let new = |name: &str, kind: &CStr, data: &CStr| {
        let place = beneath::make_folders(&folder, name)?;
        mount::new(kind, &through(&place)?, libc::MS_NOSUID | libc::MS_NOEXEC, data)
    };
    new("pts", c"devpts", c"newinstance,ptmxmode=0666,mode=620")?;
    new("shm", c"tmpfs", c"mode=1777")
}

fn processes(root: &OwnedFd) -> io::Result<()> {
    let folder = beneath::make_folders(root, "proc")?;
    mount::new(c"proc", &through(&folder)?, QUIET | libc::MS_NOEXEC, c"")?;
    let folder = beneath::make_folders(root, "proc")?;
    for name in PROC_SEALED {
        // Not every kernel has every one.
        let Ok(place) = openat(&folder, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { continue };
        let tree = mount::copy(place.as_fd(), true)?;
        mount::restrict(tree.as_fd(), READ_ONLY, true)?;
        mount::attach(tree.as_fd(), place)?;
    }
    Ok(())
}
