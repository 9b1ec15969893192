//! Where do unfinished downloads lie, and who may touch them?
//!
//! Each source has two files, named by a hash of its address: `<hash>.data` and `<hash>.json`. The second says
//! what the first is a part of, so that a later load (after a failure, or in another process after a kill) goes on
//! where it ended. A lock on the folder keeps loads apart; the kernel lets it go when a process dies.

use super::Facts;
use crate::Error;
use crate::progress::Meter;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often a held lock is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// The folder, locked for as long as this or a clone of it lives.
#[derive(Clone)]
pub(crate) struct Downloads {
    dir: PathBuf,
    _lock: Arc<File>,
}

impl Downloads {
    /// Opens the folder (made if it is not there) and waits until no other load uses it.
    pub async fn open(dir: &Path, meter: &Meter) -> Result<Downloads, Error> {
        fs::create_dir_all(dir).map_err(|e| Error::io("making the folder", dir, e))?;
        let path = dir.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|e| Error::io("opening", &path, e))?;
        while !try_lock(&lock).map_err(|e| Error::io("locking", &path, e))? {
            meter.waiting("another load uses the same downloads".to_owned());
            meter.tick()?;
            tokio::time::sleep(TRY_AGAIN).await;
        }
        Ok(Downloads { dir: dir.to_path_buf(), _lock: Arc::new(lock) })
    }

    /// The place of one source.
    pub fn slot(&self, url: &str) -> Slot {
        let key: String = hex(&Sha256::digest(url.as_bytes()))[..24].to_owned();
        Slot {
            data: self.dir.join(format!("{key}.data")),
            sidecar: self.dir.join(format!("{key}.json")),
            url: url.to_owned(),
        }
    }

    /// Removes the folder if nothing is kept in it.
    pub fn remove_if_empty(&self) {
        let others = fs::read_dir(&self.dir).map(|entries| entries.flatten().any(|e| e.file_name() != "lock"));
        if matches!(others, Ok(false)) {
            // Failing to tidy up is no failure of the load.
            let _ = fs::remove_file(self.dir.join("lock"));
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// Takes the lock of a file or folder if nobody has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Two files of one source.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub data: PathBuf,
    sidecar: PathBuf,
    url: String,
}

/// What is known of a download, whole or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    pub url: String,
    pub name: String,
    #[serde(flatten)]
    pub facts: Facts,
    pub complete: bool,
}

impl Slot {
    /// What an earlier load left here, if it can be read and belongs to this address.
    pub fn read(&self) -> Option<Sidecar> {
        let text = fs::read(&self.sidecar).ok()?;
        let sidecar: Sidecar = serde_json::from_slice(&text).ok()?;
        (sidecar.url == self.url && self.data.is_file()).then_some(sidecar)
    }

    /// What lies here whole: also its length must be right.
    pub fn complete(&self) -> Option<Sidecar> {
        let sidecar = self.read().filter(|s| s.complete)?;
        (sidecar.facts.length == Some(self.length())).then_some(sidecar)
    }

    pub fn length(&self) -> u64 {
        fs::metadata(&self.data).map_or(0, |m| m.len())
    }

    /// Writes the sidecar in one step: it is there as a whole or as it was.
    pub fn write(&self, name: &str, facts: &Facts, complete: bool) -> Result<(), Error> {
        let sidecar = Sidecar { url: self.url.clone(), name: name.to_owned(), facts: facts.clone(), complete };
        let text = serde_json::to_vec_pretty(&sidecar).expect("text and numbers can be written as JSON");
        let new = self.sidecar.with_extension("json.new");
        fs::write(&new, text).map_err(|e| Error::io("writing", &new, e))?;
        fs::rename(&new, &self.sidecar).map_err(|e| Error::io("writing", &self.sidecar, e))
    }

    /// Throws both files away.
    pub fn clear(&self) -> Result<(), Error> {
        for path in [&self.sidecar, &self.data] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("removing", path, error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
