//! How do folders of executions and pipelines that nobody needs any more go from the results volume?
//!
//! `pod remove INSTALLATION FOLDER…`, as the tasks' user. One that cannot be removed does not keep the others.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    process::ExitCode,
};

use model::{
    PipelineId, TaskId,
    mounts::{execution_folder, pipeline_folder},
    pod::{OWNER, RESULTS_AT},
};

use super::{not_started, tell};
use crate::beneath;

pub fn remove(installation: &str, folders: &[&str]) -> ExitCode {
    match remove_all(Path::new(RESULTS_AT), installation, folders) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            tell(not_started(sentence));
            ExitCode::FAILURE
        }
    }
}

fn remove_all(results: &Path, installation: &str, folders: &[&str]) -> Result<(), String> {
    match fs::read_to_string(results.join(OWNER)) {
        Ok(owner) if owner.trim() == installation => {}
        Ok(_) => return Err("The results volume belongs to another installation of Fletchline.".to_owned()),
        // Nothing was ever kept in it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("Whose the results volume is cannot be read: {error}.")),
    }
    let root = beneath::root(results).map_err(|error| format!("The results volume is not there ({error})."))?;
    let failed = |folder: &&str| Some(format!("{folder} ({})", remove_one(&root, folder).err()?));
    let left: Vec<String> = folders.iter().filter_map(failed).collect();
    match left.as_slice() {
        [] => Ok(()),
        left => Err(format!("These folders of the results volume could not be removed: {}.", left.join(", "))),
    }
}

/// Links are not followed: neither on the way, which a task may have made, nor in it.
fn remove_one(root: &OwnedFd, folder: &str) -> io::Result<()> {
    if !is_ours(folder) {
        let why = "it is not the folder of an execution or a pipeline";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let (way, name) = beneath::parent(folder);
    let removed = beneath::find(root, way, false)
        .and_then(|task| fs::remove_dir_all(format!("/proc/self/fd/{}/{name}", task.as_raw_fd())));
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A work folder, which every execution of a task has, goes with its pipeline only.
fn is_ours(folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    match parts.as_slice() {
        ["pipeline", pipeline] => PipelineId::new(*pipeline).is_ok_and(|id| pipeline_folder(&id) == folder),
        ["pipeline", pipeline, task, n] => match (PipelineId::new(*pipeline), TaskId::new(*task), n.parse()) {
            (Ok(pipeline), Ok(task), Ok(n)) => execution_folder(&pipeline, &task, n) == folder,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, path::PathBuf};

    use super::*;

    /// A results volume of the installation `ours`; each of the folders has a file.
    fn results(folders: &[&str]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("pipeline")).unwrap();
        fs::write(place.path().join(OWNER), "ours\n").unwrap();
        folders.iter().for_each(|folder| drop(filled(place.path().join(folder))));
        place
    }

    fn filled(folder: PathBuf) -> PathBuf {
        fs::create_dir_all(folder.join("out")).unwrap();
        fs::write(folder.join("out/x"), "x").unwrap();
        folder
    }

    #[test]
    fn the_named_executions_go_as_often_as_it_is_asked_and_all_else_stays() {
        let place = results(&["pipeline/p/t/1", "pipeline/p/t/2", "pipeline/p/t/3", "pipeline/p/t/work"]);
        for _ in 0..2 {
            remove_all(place.path(), "ours", &["pipeline/p/t/1", "pipeline/p/t/3", "pipeline/q/t/1"]).unwrap();
        }
        let is_there = |name: &&str| place.path().join("pipeline/p/t").join(name).join("out/x").exists();
        assert_eq!(["1", "2", "3", "work"].iter().filter(|name| is_there(name)).collect::<Vec<_>>(), [&"2", &"work"]);
    }

    #[test]
    fn a_pipeline_goes_with_its_work_folders_and_downloads_and_no_other_one() {
        let all = ["p/t/1", "p/t/work", "p/load/downloads", "pp/t/work", "q/t/work"];
        let place = results(&all.map(|one| format!("pipeline/{one}")).each_ref().map(String::as_str));
        for _ in 0..2 {
            remove_all(place.path(), "ours", &["pipeline/p", "pipeline/p/t/1"]).unwrap();
        }
        assert!(!place.path().join("pipeline/p").exists());
        assert!(["pp/t/work", "q/t/work"].iter().all(|one| place.path().join("pipeline").join(one).exists()));
    }

    #[test]
    fn whatever_is_not_an_executions_or_a_pipelines_folder_is_refused_and_the_others_go() {
        let place = results(&["pipeline/p/t/1", "pipeline/p/t/2", "pipeline/p/t/work", "other/p/t/1"]);
        let refused = [
            "pipeline/p/t/work",
            "pipeline",
            "pipeline/",
            "pipeline/..",
            "pipeline/.fletchline",
            "pipeline/p/",
            "pipeline/p/t",
            "pipeline/p/t/..",
            "pipeline/p/../1",
            "pipeline/p/t/2/",
            "pipeline/p/t/+2",
            "pipeline/p/t/02",
            "pipeline/p/t/2/out",
            "/pipeline/p/t/2",
            "other/p/t/1",
            "",
        ];
        for folder in refused {
            let left = remove_all(place.path(), "ours", &[folder, "pipeline/p/t/1"]).unwrap_err();
            assert!(
                left.contains(&format!(": {folder} (it is not the folder of an execution or a pipeline).")),
                "{left}"
            );
        }
        let is_there = |folder: &str| place.path().join(folder).join("out/x").exists();
        assert!(!is_there("pipeline/p/t/1"));
        assert!(["pipeline/p/t/2", "pipeline/p/t/work", "other/p/t/1"].into_iter().all(is_there));
    }

    #[test]
    fn no_link_is_followed() {
        let place = results(&["pipeline/p/t/1", "pipeline/p/t/2"]);
        let other = filled(tempfile::tempdir().unwrap().keep());
        // In an execution's folder, in its place, and on the way to it.
        symlink(&other, place.path().join("pipeline/p/t/1/out/all")).unwrap();
        symlink(&other, place.path().join("pipeline/p/t/3")).unwrap();
        symlink(place.path().join("pipeline/p/t"), place.path().join("pipeline/p/link")).unwrap();
        remove_all(place.path(), "ours", &["pipeline/p/t/1", "pipeline/p/t/3"]).unwrap();
        assert!(!place.path().join("pipeline/p/t/1").exists());
        assert!(!place.path().join("pipeline/p/t/3").is_symlink());
        let left = remove_all(place.path(), "ours", &["pipeline/p/link/2"]).unwrap_err();
        assert!(left.contains("pipeline/p/link/2 ("), "{left}");
        assert!(place.path().join("pipeline/p/t/2/out/x").exists() && other.join("out/x").exists());
        fs::remove_dir_all(other).unwrap();
    }

    #[test]
    fn nothing_goes_from_a_volume_of_another_installation() {
        let place = results(&["pipeline/p/t/1"]);
        assert!(remove_all(place.path(), "theirs", &["pipeline/p/t/1"]).is_err());
        assert!(place.path().join("pipeline/p/t/1/out/x").exists());
    }
}
