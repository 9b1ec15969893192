//! What of an execution lies on our side?
//!
//! `executions/<pipeline>/<task>/<n>/` holds its log, how far that was read, and whether it was asked to
//! end, was released, and its results removed, or what has its name in the cluster is somebody else's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use model::{ExecutionId, supervise::LOG};

use crate::runner::last_number;

const RELEASED: &str = "released";
const REMOVED: &str = "removed";
const STOPPING: &str = "stopping";
const FOREIGN: &str = "foreign";
const POSITION: &str = "log.position";

#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The highest number of its task that has one.
    ///
    /// # Errors
    /// The disk.
    pub fn last(&self) -> io::Result<u64> {
        self.0.parent().map_or(Ok(0), last_number)
    }

    pub fn of(data: &Path, id: &ExecutionId) -> Folder {
        let executions = data.join("executions");
        Folder(executions.join(id.pipeline.as_str()).join(id.task.as_str()).join(id.n.to_string()))
    }

    pub fn log(&self) -> PathBuf {
        self.0.join(LOG)
    }

    pub fn position(&self) -> PathBuf {
        self.0.join(POSITION)
    }

    /// # Errors
    /// The disk.
    pub fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)
    }

    /// Its log goes; that it was released stays.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_log(&self) -> io::Result<()> {
        removed(self.log())?;
        removed(self.position())
    }

    /// To be called before the cluster is asked to end it.
    ///
    /// # Errors
    /// The disk.
    pub fn stop(&self) -> io::Result<()> {
        self.make()?;
        fs::File::create(self.0.join(STOPPING))?.sync_all()
    }

    /// It was asked to end from here.
    pub fn is_stopping(&self) -> bool {
        self.0.join(STOPPING).exists()
    }

    /// What has its name in the cluster is not to be touched from here.
    ///
    /// # Errors
    /// The disk.
    pub fn disown(&self) -> io::Result<()> {
        self.make()?;
        fs::File::create(self.0.join(FOREIGN))?.sync_all()
    }

    /// To be called before it is launched.
    ///
    /// # Errors
    /// The disk.
    pub fn own(&self) -> io::Result<()> {
        removed(self.0.join(FOREIGN))
    }

    pub fn is_foreign(&self) -> bool {
        self.0.join(FOREIGN).exists()
    }

    /// Its number is never used again.
    pub fn is_released(&self) -> bool {
        self.0.join(RELEASED).exists()
    }

    /// Nothing of it is on the claim any more.
    pub fn is_removed(&self) -> bool {
        self.0.join(REMOVED).exists()
    }

    /// # Errors
    /// The disk.
    pub fn remove(&self) -> io::Result<()> {
        self.make()?;
        fs::File::create(self.0.join(REMOVED))?.sync_all()
    }

    /// # Errors
    /// The disk.
    pub fn release(&self) -> io::Result<()> {
        self.make()?;
        fs::File::create(self.0.join(RELEASED))?.sync_all()
    }
}

fn removed(file: PathBuf) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
