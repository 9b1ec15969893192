//! How are folders of results copied, counted and removed?
//!
//! What lies in them was made by tasks: links are copied as links and never followed.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

use model::{ExecutionId, PipelineId};

/// Of a work folder, what every task can make again by itself.
pub const NOT_TAKEN_ALONG: [&str; 2] = [".home", ".python"];

/// Where a pipeline's results lie.
pub fn pipeline(results: &Path, id: &PipelineId) -> PathBuf {
    results.join("pipeline").join(id.as_str())
}

/// Where an execution's results lie.
pub fn execution(results: &Path, id: &ExecutionId) -> PathBuf {
    pipeline(results, &id.pipeline).join(id.task.as_str()).join(id.n.to_string())
}

/// The work folders of a pipeline, by task.
pub fn work(results: &Path, id: &PipelineId) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in entries(&pipeline(results, id))? {
        let work = entry.path().join("work");
        if fs::symlink_metadata(&work).is_ok_and(|work| work.is_dir()) {
            found.push((entry.file_name().to_string_lossy().into_owned(), work));
        }
    }
    found.sort();
    Ok(found)
}

/// None when the folder is not there.
pub fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Bytes on the disk below a folder; what cannot be read counts nothing.
pub fn size(folder: &Path) -> u64 {
    const BLOCK: u64 = 512;
    let mut todo = vec![folder.to_owned()];
    let mut bytes = 0;
    while let Some(folder) = todo.pop() {
        for entry in entries(&folder).unwrap_or_default() {
            let Ok(found) = entry.metadata() else { continue };
            bytes += found.blocks() * BLOCK;
            if found.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    bytes
}

/// Copies a work folder into a new one. Sockets and pipes stay behind.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    copy_into(from, to, |name| NOT_TAKEN_ALONG.contains(&name))
}

fn copy_into(from: &Path, to: &Path, leave: fn(&str) -> bool) -> io::Result<()> {
    for entry in entries(from)? {
        if entry.file_name().to_str().is_some_and(leave) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir(&to)?;
            copy_into(&from, &to, |_| false)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
        } else if kind.is_file() {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

pub use crate::runner::local::folder::remove;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_files_and_links_but_nothing_that_a_task_makes_again_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("src/.home")).unwrap();
        fs::create_dir_all(from.join(".python/lib")).unwrap();
        fs::write(from.join("src/train.py"), "print(1)").unwrap();
        symlink("/etc", from.join("etc")).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("src/train.py")).unwrap(), "print(1)");
        assert!(to.join("src/.home").exists() && !to.join(".python").exists());
        assert_eq!(fs::read_link(to.join("etc")).unwrap(), Path::new("/etc"));
        assert!(size(&from) < 1 << 20, "a link out of the folder was counted");
        remove(&to).unwrap();
        remove(&to).unwrap();
        assert!(Path::new("/etc").exists());
    }
}
