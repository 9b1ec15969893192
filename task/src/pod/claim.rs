//! How does the root folder of a claim become one that tasks may write into?
//!
//! Run once for a claim, as root: `pod claim USER:GROUP` makes `pipeline/` in it and gives that to the tasks' user and
//! group. What is made in it belongs to the group, too, so that tasks may run as several users.

use std::{
    ffi::CStr,
    fs, io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::ExitCode,
};

use model::RunAs;
use rustix::{
    fs::{Mode, OFlags, fchmod, fchown, fstat, openat},
    io::Errno,
    process::{Gid, Uid},
};

use crate::beneath::{self, READ};

/// Where the claim is mounted.
const CLAIM_AT: &str = "/claim";

pub fn claim(owner: &str) -> ExitCode {
    let ids = owner.parse::<RunAs>().ok().and_then(|ids| Some((ids.user, ids.group?)));
    let Some(ids) = ids else {
        eprintln!("fletchline-task: {owner} is no USER:GROUP in numbers");
        return ExitCode::from(2);
    };
    match give(Path::new(CLAIM_AT), ids) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fletchline-task: pipeline/ could not be made in the claim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn give(claim: &Path, (user, group): (u32, u32)) -> io::Result<()> {
    match fs::create_dir(claim.join("pipeline")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let group = Gid::from_raw(group);
    let Some(all) = open(beneath::root(claim)?, c"pipeline")? else {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "what has this name is no folder"));
    };
    share(&all, Some(Uid::from_raw(user)), group)?;
    // What an earlier Fletchline made: pipelines, and tasks in them. The rest is those tasks' own.
    for pipeline in inner(&all)? {
        share(&pipeline, None, group)?;
        inner(&pipeline)?.iter().try_for_each(|task| share(task, None, group))?;
    }
    Ok(())
}

/// Its group may write, and what is made in it is the group's.
fn share(folder: &OwnedFd, user: Option<Uid>, group: Gid) -> io::Result<()> {
    let mode = fstat(folder)?.st_mode | 0o2070;
    fchown(folder, user, Some(group))?;
    Ok(fchmod(folder, Mode::from_raw_mode(mode & 0o7777))?)
}

fn inner(folder: &OwnedFd) -> io::Result<Vec<OwnedFd>> {
    let mut found = Vec::new();
    for entry in beneath::entries(folder)? {
        found.extend(open(folder, entry?.file_name())?);
    }
    Ok(found)
}

/// A link in its place would lead the change of owner somewhere else. `None`: it is no folder.
fn open(place: impl AsFd, name: &CStr) -> io::Result<Option<OwnedFd>> {
    match openat(place, name, READ | OFlags::DIRECTORY, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(None),
        other => Ok(Some(other?)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(place: &Path, name: &str) -> u32 {
        place.join(name).metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn folders_of_pipelines_and_tasks_that_are_there_are_shared_and_what_lies_in_them_is_not_touched() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().metadata().unwrap();
        let private = fs::Permissions::from_mode(0o700);
        fs::create_dir_all(place.path().join("pipeline/p/train/1")).unwrap();
        for folder in ["pipeline/p", "pipeline/p/train", "pipeline/p/train/1"] {
            fs::set_permissions(place.path().join(folder), private.clone()).unwrap();
        }
        fs::write(place.path().join("pipeline/.fletchline"), "ours").unwrap();
        give(place.path(), (own.uid(), own.gid())).unwrap();
        let modes = ["pipeline/p", "pipeline/p/train", "pipeline/p/train/1"].map(|name| mode(place.path(), name));
        assert_eq!(modes, [0o2770, 0o2770, 0o700]);
    }

    #[test]
    fn the_folder_is_made_once_and_a_link_in_its_place_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().metadata().unwrap();
        for _ in 0..2 {
            give(place.path(), (own.uid(), own.gid())).unwrap();
        }
        assert_eq!(mode(place.path(), "pipeline") & 0o2070, 0o2070);
        let other = tempfile::tempdir().unwrap();
        symlink(place.path(), other.path().join("pipeline")).unwrap();
        assert!(give(other.path(), (own.uid(), own.gid())).is_err());
    }
}
