//! How is a sandbox made by a process that is root in its own namespaces?
//!
//! In two steps: a base, which shows nothing of one task, and upon a copy of it what is the task's own. A copy of a
//! namespace is one call, whatever is mounted in it; so a base that was made is kept for the tasks that come next
//! ([`crate::template`]).
//!
//! # Guarantees
//! - Nothing is made or changed on the machine: every mount point lies in a file system of the task's own, or in a folder
//!   that is the task's own.
//! - What tasks share by a base is sealed before the first one enters it, and none of them can undo that.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use model::supervise::{From, Item, Sandbox, Way};
use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat, symlinkat};

use super::{devices, mount};
use crate::{beneath, sys};

/// Those that every task has anew. Its mounts are in a copy of the base's.
pub const NAMESPACES: libc::c_int = libc::CLONE_NEWPID | libc::CLONE_NEWIPC;

const PLAIN: u64 = libc::MOUNT_ATTR_NOSUID;
pub const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY;
const NO_DEVICES: u64 = libc::MOUNT_ATTR_NODEV;
pub const QUIET: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;

/// Makes the smallest sandbox, then enters the base of that as a second task does.
///
/// # Errors
/// One sentence: what is missing here.
pub fn try_both_ways(place: &Path) -> Result<(), String> {
    let smallest = Sandbox { way: Way::Own, base: vec![Item::Devices], items: vec![Item::Terminals, Item::Processes] };
    let mut made = None;
    Plan::new(&smallest, |_| None)?.enter(place, |_, namespace| made = namespace.try_clone_to_owned().ok())?;
    Plan::new(&smallest, |_| made.as_ref().map(AsFd::as_fd))?.enter(place, |_, _| {})
}

/// A sandbox whose sources are open. It is made of these, whatever becomes of their paths meanwhile.
pub struct Plan<'a> {
    sandbox: &'a Sandbox,
    trees: Vec<Option<Tree>>,
    base: Source<'a>,
    /// Names the base: of the same items, with the same places for what is a task's own.
    pub key: String,
}

enum Source<'a> {
    Made(BorrowedFd<'a>),
    /// The sources of its items.
    ToMake(Vec<Option<Tree>>),
}

struct Tree {
    mount: OwnedFd,
    is_folder: bool,
}

/// Where something of the task's own goes.
#[derive(serde::Serialize)]
struct Place<'a> {
    path: &'a str,
    is_folder: bool,
}

impl<'a> Plan<'a> {
    /// `made`: a namespace that holds the base of a name, if there is one.
    ///
    /// # Errors
    /// One sentence: a source is not there.
    pub fn new(sandbox: &'a Sandbox, made: impl FnOnce(&str) -> Option<BorrowedFd<'a>>) -> Result<Plan<'a>, String> {
        let trees = open_sources(&sandbox.items)?;
        let key = serde_json::to_string(&(&sandbox.base, places(&sandbox.items, &trees)))
            .map_err(|error| format!("The sandbox cannot be named ({error})."))?;
        let base = match made(&key) {
            Some(namespace) => Source::Made(namespace),
            None => Source::ToMake(open_sources(&sandbox.base)?),
        };
        Ok(Plan { sandbox, trees, base, key })
    }

    /// Enters it. `place` is any folder of ours: a new root is mounted over it, in a namespace of its own. `offer` is
    /// given the namespace of a base that was made.
    ///
    /// # Errors
    /// One sentence; the process is then good for nothing else.
    pub fn enter(&self, place: &Path, offer: impl FnOnce(&str, BorrowedFd<'_>)) -> Result<(), String> {
        match &self.base {
            Source::Made(namespace) => enter_namespace(*namespace)?,
            Source::ToMake(trees) => offer(&self.key, self.make_base(place, trees)?.as_fd()),
        }
        new_namespace()?;
        let root = beneath::root(Path::new("/")).map_err(entered)?;
        seal(&put_all(&root, &self.sandbox.items, &self.trees)?)?;
        rustix::process::chdir("/").map_err(|error| entered(error.into()))
    }

    /// Makes it and becomes part of it. Answers its namespace.
    fn make_base(&self, place: &Path, trees: &[Option<Tree>]) -> Result<OwnedFd, String> {
        new_namespace()?;
        mount::make_private().map_err(|error| format!("This system does not let us make mounts ({error})."))?;
        // Opened while the machine's /proc is seen.
        let namespace = open("/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| entered(error.into()))?;
        let root = new_root(place).map_err(|error| format!("The sandbox's root could not be made ({error})."))?;
        let mut sealed = put_all(&root, &self.sandbox.base, trees)?;
        for place in places(&self.sandbox.items, &self.trees) {
            make_place(&root, &place).map_err(|error| cannot_be_mounted(place.path, &error))?;
        }
        sealed.insert(0, root.try_clone().map_err(entered)?);
        seal(&sealed)?;
        mount::become_root(&root).map_err(entered)?;
        Ok(namespace)
    }
}

fn entered(error: io::Error) -> String {
    format!("The sandbox could not be entered ({error}).")
}

fn cannot_be_mounted(path: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotADirectory => {
            format!("Nothing can be mounted at {path}: a file or a symbolic link is in the way.")
        }
        _ => format!("Nothing can be mounted at {path} ({error})."),
    }
}

/// Of the task's own items. They are made with the base, for its root is sealed when they are mounted.
fn places<'a>(items: &'a [Item], trees: &'a [Option<Tree>]) -> Vec<Place<'a>> {
    let place = |(item, tree): (&'a Item, &Option<Tree>)| match item {
        Item::Bind { path, .. } => Some(Place { path, is_folder: tree.as_ref().is_none_or(|tree| tree.is_folder) }),
        Item::Folder { path } | Item::Empty { path, .. } => Some(Place { path, is_folder: true }),
        Item::Processes => Some(Place { path: "proc", is_folder: true }),
        // Devices has the places of the terminals.
        Item::Link { .. } | Item::Devices | Item::Terminals => None,
    };
    items.iter().zip(trees).filter_map(place).collect()
}

fn make_place(root: &OwnedFd, place: &Place<'_>) -> io::Result<OwnedFd> {
    if place.is_folder {
        return beneath::make_folders(root, place.path);
    }
    let (way, name) = beneath::parent(place.path);
    let folder = beneath::make_folders(root, way)?;
    let flags = OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::RDONLY;
    Ok(openat(folder, name, flags, Mode::from_raw_mode(0o644))?)
}

fn enter_namespace(namespace: BorrowedFd<'_>) -> Result<(), String> {
    // SAFETY: joins a namespace by a descriptor that lives.
    sys::checked(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNS) }).map(drop).map_err(entered)
}

/// A copy of the mounts that are seen, of one's own.
fn new_namespace() -> Result<(), String> {
    // SAFETY: changes only what this process sees.
    let answer = sys::checked(unsafe { libc::unshare(libc::CLONE_NEWNS) });
    answer.map(drop).map_err(|error| format!("This system does not let us make namespaces ({error})."))
}

/// Those of the machine, opened before anything is mounted; nothing shows on the machine.
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
            Item::Folder { .. }
            | Item::Empty { .. }
            | Item::Link { .. }
            | Item::Devices
            | Item::Terminals
            | Item::Processes => Ok(None),
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
    mount::new(c"tmpfs", beneath::root(place)?, QUIET, c"mode=755,size=16m")?;
    // Opened again: the descriptor from before is the folder beneath the mount.
    beneath::root(place)
}

/// Answers what is to be sealed when all is there.
fn put_all(root: &OwnedFd, items: &[Item], trees: &[Option<Tree>]) -> Result<Vec<OwnedFd>, String> {
    let mut sealed = Vec::new();
    for (item, tree) in items.iter().zip(trees) {
        put(root, item, tree.as_ref(), &mut sealed)?;
    }
    Ok(sealed)
}

fn seal(folders: &[OwnedFd]) -> Result<(), String> {
    let mut inner_first = folders.iter().rev();
    inner_first
        .try_for_each(|folder| mount::restrict(folder.as_fd(), READ_ONLY, false))
        .map_err(|error| format!("The sandbox could not be sealed ({error})."))
}

fn put(root: &OwnedFd, item: &Item, tree: Option<&Tree>, sealed: &mut Vec<OwnedFd>) -> Result<(), String> {
    let (path, done) = match item {
        Item::Folder { path } => (path.as_str(), beneath::make_folders(root, path).map(drop)),
        Item::Empty { path, read_only } => (path.as_str(), empty(root, path, *read_only, sealed)),
        Item::Bind { path, .. } => (path.as_str(), tree.map_or(Ok(()), |tree| bind(root, path, tree))),
        Item::Link { path, target } => (path.as_str(), link(root, path, target)),
        Item::Devices => ("/dev", devices::devices(root).map(|folder| sealed.push(folder))),
        Item::Terminals => ("/dev", devices::terminals(root)),
        Item::Processes => ("/proc", devices::processes(root)),
    };
    done.map_err(|error| cannot_be_mounted(path, &error))
}

fn bind(root: &OwnedFd, path: &str, tree: &Tree) -> io::Result<()> {
    let place = make_place(root, &Place { path, is_folder: tree.is_folder })?;
    mount::attach(tree.mount.as_fd(), place)
}

fn empty(root: &OwnedFd, path: &str, read_only: bool, sealed: &mut Vec<OwnedFd>) -> io::Result<()> {
    mount::new(c"tmpfs", beneath::make_folders(root, path)?, QUIET, c"mode=755,size=16m")?;
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
