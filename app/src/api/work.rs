//! What lies in the work folders of a pipeline, and how does it come back into the document?

use leptos::prelude::*;
use model::{PipelineId, TaskId, kind::File};
use serde::{Deserialize, Serialize};

use super::strict::Call;
use crate::error::ApiError;

/// The work folder of a task, without what every task can make again by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkFolder {
    pub task: TaskId,
    /// As the saved document has it; the id of a task that it has no more.
    pub title: String,
    /// All of them, by name, up to a bound.
    pub files: Vec<WorkFile>,
    /// There are more than these.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkFile {
    /// Relative to the work folder: `src/train.py`.
    pub name: String,
    pub bytes: u64,
}

impl WorkFolder {
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// The ones with files in them, by task.
#[server(prefix = "/api", endpoint = "work/folders", protocol = Call)]
pub async fn work_folders(id: PipelineId) -> Result<Vec<WorkFolder>, ApiError> {
    super::answer(|backend| async move { backend.work_folders(id).await }).await
}

/// Texts of a task's work folder, as its files in the document have them.
///
/// # Errors
/// Which one is no text, is gone or is more than a task's files may be.
#[server(prefix = "/api", endpoint = "work/texts", protocol = Call)]
pub async fn work_texts(id: PipelineId, task: TaskId, names: Vec<String>) -> Result<Vec<File>, ApiError> {
    super::answer(|backend| async move { backend.work_texts(id, task, names).await }).await
}
