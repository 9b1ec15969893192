//! How are pipelines listed, made, saved and removed?

use leptos::prelude::*;
use model::{
    PipelineId, TaskId,
    kind::KindName,
    run::{Millis, RunStatus, RunSummary},
};
use serde::{Deserialize, Serialize};

use super::strict::Call;
use crate::error::ApiError;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineSummary {
    pub id: PipelineId,
    pub name: String,
    pub changed: Millis,
    pub picture: Picture,
    pub last_run: Option<RunSummary>,
    /// The newest ten, oldest first.
    pub recent: Vec<RunStatus>,
    /// Bytes of its results on this installation, where that is known.
    pub space: Option<u64>,
}

/// A small picture: boxes in world units, arrows between their indices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    pub tasks: Vec<(KindName, f64, f64)>,
    pub arrows: Vec<(u32, u32)>,
}

/// An example that "new from example" offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    pub name: String,
    pub title: String,
    pub description: String,
    pub picture: Picture,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum NewPipeline {
    Empty {
        name: String,
    },
    Example {
        name: String,
    },
    /// An imported document; keeps its id only if nobody here has it.
    Document {
        text: String,
    },
    CopyOf {
        id: PipelineId,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Created {
    pub id: PipelineId,
    /// What a person should know, for example that the id is a new one.
    pub sentences: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub document: String,
    pub revision: u64,
    pub changed: Millis,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Removal {
    pub runs: u32,
    /// Bytes of results, work folders and logs.
    pub space: u64,
    /// Who still reads it or runs it; while there is one, deleting is refused.
    pub held_by: Vec<String>,
}

#[server(prefix = "/api", endpoint = "pipelines/list", protocol = Call)]
pub async fn list_pipelines() -> Result<Vec<PipelineSummary>, ApiError> {
    super::answer(|backend| async move { backend.list_pipelines().await }).await
}

#[server(prefix = "/api", endpoint = "pipelines/examples", protocol = Call)]
pub async fn list_examples() -> Result<Vec<Example>, ApiError> {
    super::answer(|backend| async move { backend.list_examples().await }).await
}

#[server(prefix = "/api", endpoint = "pipelines/create", protocol = Call)]
pub async fn create_pipeline(new: NewPipeline) -> Result<Created, ApiError> {
    super::answer(|backend| async move { backend.create_pipeline(new).await }).await
}

#[server(prefix = "/api", endpoint = "pipelines/open", protocol = Call)]
pub async fn open_pipeline(id: PipelineId) -> Result<Opened, ApiError> {
    super::answer(|backend| async move { backend.open_pipeline(id).await }).await
}

/// Refused as [`ApiError::Stale`] when `revision` is not the one that is stored. The answer is the new revision.
#[server(prefix = "/api", endpoint = "pipelines/save", protocol = Call)]
pub async fn save_pipeline(id: PipelineId, revision: u64, document: String) -> Result<u64, ApiError> {
    super::answer(|backend| async move { backend.save_pipeline(id, revision, document).await }).await
}

/// What a task of this document, saved or not, would be on the installation's cluster: several YAML documents.
///
/// # Errors
/// Why it cannot be launched, or that tasks run on no cluster.
#[server(prefix = "/api", endpoint = "pipelines/manifests", protocol = Call)]
pub async fn manifests(document: String, task: TaskId) -> Result<String, ApiError> {
    super::answer(|backend| async move { backend.manifests(document, task).await }).await
}

/// What deleting would remove.
#[server(prefix = "/api", endpoint = "pipelines/removal", protocol = Call)]
pub async fn pipeline_removal(id: PipelineId) -> Result<Removal, ApiError> {
    super::answer(|backend| async move { backend.pipeline_removal(id).await }).await
}

#[server(prefix = "/api", endpoint = "pipelines/delete", protocol = Call)]
pub async fn delete_pipeline(id: PipelineId) -> Result<(), ApiError> {
    super::answer(|backend| async move { backend.delete_pipeline(id).await }).await
}
