//! What does the init container make before a task starts?

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::Path,
    process::ExitCode,
};

use model::{
    kind::File,
    pod::{CONTENTS, LINKS, ORDER, OWNER, PodOrder, SCRATCH_AT, SCRIPT, SCRIPT_AT, UPLOADS, file_key, state_key},
    supervise::{HELPER, How, Prepare, TASK_STATE},
};

use super::{ORDER_AT, not_begun, tell};
use crate::{beneath, supervise::prepare, sys};

/// `pod prepare`
pub fn prepare() -> ExitCode {
    match prepare_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(how) => {
            match &how {
                How::Taken(last) => eprintln!("Its folder is there already, as others up to number {last}."),
                How::NotStarted(sentence) => eprintln!("{sentence}"),
                how => eprintln!("{how:?}"),
            }
            tell(not_begun(how));
            ExitCode::FAILURE
        }
    }
}

fn prepare_all() -> Result<(), How> {
    let text = std::env::var(ORDER).map_err(|_| format!("There is no order in {ORDER}."))?;
    let order: PodOrder = serde_json::from_str(&text).map_err(|error| format!("The order is broken: {error}."))?;
    let results =
        beneath::root(&order.prepare.results).map_err(|error| format!("The results volume is not there ({error})."))?;
    sys::umask(0o002);
    claim(&order.prepare.results, &order.installation)?;
    if order.by_group {
        look_at_group(&results)?;
    }
    for folder in &order.shared {
        beneath::make_folders(&results, folder)
            .map_err(|error| format!("The folder {folder} could not be made in the results volume: {error}."))?;
    }
    let wanted = Prepare { files: files(&order)?, ..order.prepare.clone() };
    prepare::prepare(&wanted, Path::new(SCRATCH_AT))?;
    look_at_reads(&order, &results)?;
    let disk = |error: io::Error| format!("The helper's folder could not be filled: {error}.");
    let scratch = beneath::root(Path::new(SCRATCH_AT)).map_err(disk)?;
    for folder in [LINKS, UPLOADS] {
        beneath::make_folders(&scratch, folder).map_err(disk)?;
    }
    let state = beneath::make_folders(&scratch, TASK_STATE).map_err(disk)?;
    prepare::fill(&state, &named(&order.state, state_key)?).map_err(disk)?;
    if order.has_script {
        fs::write(SCRIPT_AT, content(SCRIPT)?).map_err(disk)?;
    }
    fs::write(ORDER_AT, text).map_err(disk)?;
    Ok(copy_helper().map_err(disk)?)
}

/// Two installations never write into one results folder.
fn claim(results: &Path, installation: &str) -> Result<(), String> {
    let owner = || fs::read_to_string(results.join(OWNER));
    let found = match owner() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => sign(results, installation).and_then(|()| owner()),
        other => other,
    };
    match found {
        Ok(owner) if owner.trim() == installation => Ok(()),
        Ok(_) => {
            Err("The results volume belongs to another installation of Fletchline: choose another claim.".to_owned())
        }
        Err(error) => Err(format!(
            "The results volume is not prepared for user {}: run `fletchline cluster prepare` ({error}).",
            rustix::process::getuid().as_raw()
        )),
    }
}

/// Whole or not at all: other pods look at this moment. Whoever comes first is the one.
fn sign(results: &Path, installation: &str) -> io::Result<()> {
    let own = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    let partial = results.join(format!("{OWNER}.{}", own.trim()));
    fs::write(&partial, format!("{installation}\n"))?;
    match fs::hard_link(&partial, results.join(OWNER)) {
        // Not every file system has such names.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(partial, results.join(OWNER)),
        _ => fs::remove_file(partial),
    }
}

/// What is made in it must belong to the group, and the group must be able to write.
fn look_at_group(results: &OwnedFd) -> Result<(), String> {
    let folder = beneath::find(results, "pipeline", false).and_then(|folder| Ok(rustix::fs::fstat(folder)?));
    match folder {
        Ok(stat) if stat.st_mode & 0o2070 == 0o2070 => Ok(()),
        Ok(_) => {
            Err("The results volume is not prepared for tasks of several users: run `fletchline cluster prepare`."
                .to_owned())
        }
        Err(error) => Err(format!("Whose the results volume is cannot be seen: {error}.")),
    }
}

fn files(order: &PodOrder) -> Result<Vec<File>, String> {
    named(&order.files, file_key)
}

fn named(names: &[String], key: fn(usize) -> String) -> Result<Vec<File>, String> {
    let one = |(index, name): (usize, &String)| {
        Ok(File { name: name.clone(), text: content(&key(index))?, unknown: Default::default() })
    };
    names.iter().enumerate().map(one).collect()
}

fn content(key: &str) -> Result<String, String> {
    fs::read_to_string(Path::new(CONTENTS).join(key)).map_err(|error| format!("{key} is missing: {error}."))
}

/// The kubelet would make a folder that is missing, and would follow a link that a task has left.
fn look_at_reads(order: &PodOrder, results: &OwnedFd) -> Result<(), String> {
    for folder in &order.reads {
        beneath::find(results, folder, false).map_err(|error| {
            format!("What is to be read is not there or cannot be reached: {folder} in the results volume ({error}).")
        })?;
    }
    Ok(())
}

/// Whole, or not there.
fn copy_helper() -> io::Result<()> {
    let partial = format!("{HELPER}.partial");
    fs::copy("/proc/self/exe", &partial)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    fs::rename(partial, HELPER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pods_that_come_at_once_to_a_new_volume_are_of_the_installation_that_signed_it() {
        for _ in 0..50 {
            let place = tempfile::tempdir().unwrap();
            fs::create_dir(place.path().join("pipeline")).unwrap();
            std::thread::scope(|scope| {
                let pods: Vec<_> = (0..8).map(|_| scope.spawn(|| claim(place.path(), "ours"))).collect();
                pods.into_iter().for_each(|pod| assert_eq!(pod.join().unwrap(), Ok(())));
            });
            assert!(claim(place.path(), "theirs").unwrap_err().contains("another installation"));
            assert_eq!(fs::read_dir(place.path().join("pipeline")).unwrap().count(), 1);
        }
    }
}
