//! Where does an installation keep everything?

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use model::ExecutionId;
use rustix::fs::Access;

/// One folder that can be copied away and back while no server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder {
    root: PathBuf,
}

/// Held as long as the server lives; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("The data folder {folder} cannot be used: {error}. Choose another one with --data.")]
    Io { folder: PathBuf, error: std::io::Error },
    #[error(
        "Another Fletchline ({who}) is using {folder}. End it with `fletchline stop`, or choose another folder with --data."
    )]
    Held { folder: PathBuf, who: String },
    #[error("There is no home folder to keep the data in: say where with --data.")]
    NoHome,
}

impl DataFolder {
    /// The chosen folder, else the XDG one. Made when it is not there, for this user alone.
    ///
    /// # Errors
    /// No home folder, or a folder that cannot be made or opened.
    pub fn open(chosen: Option<&Path>) -> Result<DataFolder, FolderError> {
        let root = match chosen {
            Some(folder) => folder.to_owned(),
            None => default_folder().ok_or(FolderError::NoHome)?,
        };
        let io = |error| FolderError::Io { folder: root.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(&root).map_err(io)?;
        let root = fs::canonicalize(&root).map_err(io)?;
        // Else each file in it would be missed on its own.
        rustix::fs::access(&root, Access::READ_OK | Access::EXEC_OK).map_err(|error| io(error.into()))?;
        Ok(DataFolder { root })
    }

    /// # Errors
    /// Another process holds it, which is named.
    pub fn lock(&self) -> Result<Lock, FolderError> {
        let io = |error| FolderError::Io { folder: self.root.clone(), error };
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(self.lock_file()).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                // Whoever holds it wrote its process id; without it the sentence is still true.
                let _ = file.read_to_string(&mut who);
                let who = if who.is_empty() { "another process".into() } else { format!("process {}", who.trim()) };
                return Err(FolderError::Held { folder: self.root.clone(), who });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Lock { _file: file })
    }

    /// True while a server holds it.
    pub fn is_held(&self) -> bool {
        File::open(self.lock_file()).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }
    pub fn settings_file(&self) -> PathBuf {
        self.root.join("fletchline.toml")
    }
    pub fn database(&self) -> PathBuf {
        self.root.join("fletchline.db")
    }
    /// Named secrets, 0600.
    pub fn secrets_file(&self) -> PathBuf {
        self.root.join("secrets.json")
    }
    pub fn socket(&self) -> PathBuf {
        self.root.join("socket")
    }
    /// The results volume unless the settings name another folder.
    pub fn results(&self) -> PathBuf {
        self.root.join("results")
    }
    /// What a local execution leaves beside its results: how it was launched, how it ended, its log.
    pub fn execution(&self, execution: &ExecutionId) -> PathBuf {
        self.executions().join(execution.pipeline.as_str()).join(execution.task.as_str()).join(execution.n.to_string())
    }
    pub fn executions(&self) -> PathBuf {
        self.root.join("executions")
    }
    /// Files that were dropped on a Load Data, each named by its SHA-256.
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }
}

fn default_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
    Some(base.join("fletchline"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_holder_is_refused_with_a_sentence_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(Some(&folder.path().join("new/data"))).unwrap();
        assert_eq!(fs::metadata(data.root()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(!data.is_held());
        let lock = data.lock().unwrap();
        assert!(data.is_held());
        let refused = data.lock().unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(lock);
        data.lock().unwrap();
    }
}
