//! How does the root folder of a claim become one that tasks may write into?
//!
//! Run once for a claim, as root: `pod claim USER:GROUP` makes `pipeline/` in it and gives that to the tasks' user.

use std::{fs, io, os::unix::fs::chown, path::Path, process::ExitCode};

/// Where the claim is mounted.
const CLAIM_AT: &str = "/claim";

pub fn claim(owner: &str) -> ExitCode {
    let ids = owner.split_once(':').and_then(|(user, group)| Some((user.parse().ok()?, group.parse().ok()?)));
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
    let folder = claim.join("pipeline");
    match fs::create_dir(&folder) {
        // A link there would lead the change of owner somewhere else.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.symlink_metadata()?.is_dir() => {}
        other => other?,
    }
    chown(folder, Some(user), Some(group))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn the_folder_is_made_once_and_a_link_in_its_place_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().metadata().unwrap();
        for _ in 0..2 {
            give(place.path(), (own.uid(), own.gid())).unwrap();
        }
        assert!(place.path().join("pipeline").is_dir());
        let other = tempfile::tempdir().unwrap();
        symlink(place.path(), other.path().join("pipeline")).unwrap();
        assert!(give(other.path(), (own.uid(), own.gid())).is_err());
    }
}
