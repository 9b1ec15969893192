//! Which folders does an execution find, and what is kept of them?
//!
//! An execution's own folder is made, never found; its work folder is either the kept one, held for as long as the
//! supervisor lives, or scratch.

use std::{
    fs, io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use model::{
    kind::File,
    mounts::execution_number,
    supervise::{How, Prepare, SCRATCH, Snapshot},
};
use rustix::fs::{Dir, FlockOperation, Mode, OFlags, flock, openat, renameat, unlinkat};

use super::copy;
use crate::beneath;

/// How long a work folder's last holder may take to die.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where a task's HOME is, and what no snapshot takes along.
pub const HOME: &str = ".home";
const NOT_COPIED: [&str; 2] = [HOME, ".python"];

pub struct Prepared {
    /// A kept one is locked through this descriptor.
    pub work: OwnedFd,
    pub results: OwnedFd,
}

/// Makes what is there before the start.
///
/// # Errors
/// That its number is taken, or one sentence.
pub fn prepare(wanted: &Prepare, folder: &Path) -> Result<Prepared, How> {
    let failed =
        |what: &str, error: io::Error| format!("{what} could not be made in {}: {error}.", wanted.results.display());
    for scratch in SCRATCH {
        fs::create_dir_all(folder.join(scratch))
            .map_err(|error| format!("The scratch folders could not be made: {error}."))?;
    }
    let results = beneath::root(&wanted.results).map_err(|error| failed("Nothing", error))?;
    make_own(&results, wanted)?;
    let work = match &wanted.work {
        Some(kept) => keep(&results, kept, wanted),
        None => scratch(folder, &wanted.files),
    };
    let work = work.map_err(|error| failed("The work folder", error))?;
    beneath::make_folders(&work, HOME).map_err(|error| failed("The home folder", error))?;
    if wanted.work.is_some() {
        hold(&work)?;
    }
    Ok(Prepared { work, results })
}

/// Called once for an execution: a folder that is there is not its own.
fn make_own(results: &OwnedFd, wanted: &Prepare) -> Result<(), How> {
    let Some(own) = &wanted.own else { return Ok(()) };
    let failed = |error| format!("The folder {own} could not be made in {}: {error}.", wanted.results.display());
    match beneath::make_new(results, own) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(How::Taken(last(results, own).map_err(failed)?));
        }
        made => made.map_err(failed)?,
    }
    for output in &wanted.outputs {
        beneath::make_folders(results, output)
            .map_err(|error| format!("The folder {output} could not be made: {error}."))?;
    }
    Ok(())
}

/// The highest number that is there beside this one.
fn last(results: &OwnedFd, own: &str) -> io::Result<u64> {
    let (task, name) = beneath::parent(own);
    let task = beneath::find(results, task, false)?;
    let task = openat(task, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut last = execution_number(name).unwrap_or(0);
    for entry in Dir::read_from(task)? {
        let n = entry?.file_name().to_str().ok().and_then(execution_number);
        last = last.max(n.unwrap_or(0));
    }
    Ok(last)
}

fn scratch(folder: &Path, files: &[File]) -> io::Result<OwnedFd> {
    let work = beneath::root(&folder.join(SCRATCH[0]))?;
    fill(&work, files)?;
    Ok(work)
}

/// The kept folder; when it is new, it appears with all its files or not at all.
fn keep(results: &OwnedFd, kept: &str, wanted: &Prepare) -> io::Result<OwnedFd> {
    match beneath::find(results, kept, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let (way, name) = beneath::parent(kept);
    let folder = beneath::make_folders(results, way)?;
    let partial = format!(".{name}.partial.{}", wanted.own.as_deref().map_or("0", |own| beneath::parent(own).1));
    fill(&beneath::make_folders(&folder, &partial)?, &wanted.files)?;
    match renameat(&folder, partial.as_str(), &folder, name) {
        Ok(()) => {}
        Err(rustix::io::Errno::NOTEMPTY | rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    beneath::find(results, kept, false)
}

pub fn fill(work: &OwnedFd, files: &[File]) -> io::Result<()> {
    for file in files {
        let (way, name) = beneath::parent(&file.name);
        let folder = beneath::make_folders(work, way)?;
        let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = openat(folder, name, flags, Mode::from_raw_mode(0o664))?;
        io::Write::write_all(&mut fs::File::from(made), file.text.as_bytes())?;
    }
    Ok(())
}

/// One live execution holds a work folder. The lock goes with this process.
pub fn hold(work: &OwnedFd) -> Result<(), String> {
    let failed = |error: io::Error| format!("The work folder could not be locked: {error}.");
    let folder = openat(work, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| failed(error.into()))?;
    let until = Instant::now() + PATIENCE;
    while flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() > until {
            return Err("Another execution of this task is still working in its work folder.".to_owned());
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Held until this process ends.
    std::mem::forget(folder);
    Ok(())
}

/// Copies what is kept out of the work folder.
///
/// # Errors
/// One sentence: some of it may have been copied.
pub fn snapshots(wanted: &[Snapshot], prepared: &Prepared) -> Result<(), String> {
    for snapshot in wanted {
        let skipped: &[&str] = if snapshot.from.is_empty() { &NOT_COPIED } else { &[] };
        copy::copy(prepared.work.as_fd(), &snapshot.from, prepared.results.as_fd(), &snapshot.to, skipped)
            .map_err(|error| format!("/work/{} could not be copied to {}: {error}.", snapshot.from, snapshot.to))?;
    }
    Ok(())
}

/// What was scratch goes. What cannot be removed now is removed when the execution is released.
pub fn clean_up(folder: &Path) {
    let Ok(place) = beneath::root(folder) else { return };
    // Mostly a task has left nothing, and three calls do.
    if let Ok(work) = beneath::find(&place, SCRATCH[0], false) {
        let _ = unlinkat(work, HOME, rustix::fs::AtFlags::REMOVEDIR);
    }
    for scratch in SCRATCH {
        if unlinkat(&place, scratch, rustix::fs::AtFlags::REMOVEDIR).is_err() {
            let _ = fs::remove_dir_all(folder.join(scratch));
        }
    }
}
