//! How are runs started, looked at and steered?

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;
use model::{
    ExecutionId, PipelineId, RunId, TaskId,
    run::{Deed, Millis, Part, RunStatus, RunSummary, RunView},
    serving::Request,
};
use serde::{Deserialize, Serialize};

use super::strict::Call;
use crate::error::ApiError;

/// A wish to run. The document is the one saved at `revision`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    pub pipeline: PipelineId,
    pub revision: u64,
    pub part: Part,
    /// Only those that differ from their default.
    pub parameters: BTreeMap<String, String>,
    /// Load Data tasks that download again whatever the source says.
    pub download_again: BTreeSet<TaskId>,
    /// On a run's page: what is not run is read from that run; else the newest good executions.
    pub reading: Option<RunId>,
}

/// What a run of a part would read from earlier ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub task: TaskId,
    pub n: u64,
    pub run: RunId,
    pub run_number: u32,
    /// "made from another Explore than the one read", "made with other settings than now".
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunPage {
    pub view: RunView,
    /// The document that it runs.
    pub snapshot: String,
    /// The saved document differs from it by now.
    pub changed_since: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunFilter {
    pub pipeline: Option<PipelineId>,
    pub status: Option<RunStatus>,
    /// Part of the pipeline's name.
    pub text: String,
    /// Older than this start, for the next page.
    pub before: Option<Millis>,
}

/// One line of what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    pub at: Millis,
    pub task: Option<TaskId>,
    pub n: Option<u64>,
    pub sentence: String,
}

/// What deleting a run means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRemoval {
    /// Of so many executions results and logs are removed.
    pub executions: u64,
    /// Bytes of them.
    pub space: u64,
    /// Why it cannot be deleted yet; while there is one, deleting is refused.
    pub held_by: Vec<String>,
    /// Results that stay because other runs have read them.
    pub kept_for: Vec<String>,
}

/// A Viewer or Serving that is there beyond a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub execution: ExecutionId,
    pub pipeline_name: String,
    pub task_name: String,
    pub run: RunId,
    pub run_number: u32,
    pub kind: model::kind::KindName,
    /// A Serving: this version has the task's address.
    pub live: bool,
    pub sentence: String,
    /// For programs: `http://127.0.0.1:PORT`. The live version of a Serving has its task's, another one its own.
    pub address: Option<String>,
    /// What they send to it.
    pub request: Option<Request>,
    /// What it holds: "1 CPU, 2 GiB".
    pub cost: String,
    pub may: Vec<Deed>,
    pub port: Option<u16>,
}

/// The way to a page of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// With a one-time code.
    pub address: String,
    /// What has to run on the browser's machine before the address leads anywhere.
    pub command: Option<String>,
}

#[server(prefix = "/api", endpoint = "runs/start", protocol = Call)]
pub async fn start_run(new: NewRun) -> Result<RunId, ApiError> {
    super::answer(|backend| async move { backend.start_run(new).await }).await
}

#[server(prefix = "/api", endpoint = "runs/reading", protocol = Call)]
pub async fn run_reading(new: NewRun) -> Result<Vec<Reading>, ApiError> {
    super::answer(|backend| async move { backend.run_reading(new).await }).await
}

/// The newest 100 that fit, newest first.
#[server(prefix = "/api", endpoint = "runs/list", protocol = Call)]
pub async fn list_runs(filter: RunFilter) -> Result<Vec<RunSummary>, ApiError> {
    super::answer(|backend| async move { backend.list_runs(filter).await }).await
}

#[server(prefix = "/api", endpoint = "runs/open", protocol = Call)]
pub async fn open_run(run: RunId) -> Result<RunPage, ApiError> {
    super::answer(|backend| async move { backend.open_run(run).await }).await
}

#[server(prefix = "/api", endpoint = "runs/events", protocol = Call)]
pub async fn run_events(run: RunId) -> Result<Vec<EventLine>, ApiError> {
    super::answer(|backend| async move { backend.run_events(run).await }).await
}

#[server(prefix = "/api", endpoint = "runs/cancel", protocol = Call)]
pub async fn cancel_run(run: RunId) -> Result<(), ApiError> {
    super::answer(|backend| async move { backend.cancel_run(run).await }).await
}

/// `anyway` says that the person was told of a busy kernel.
#[server(prefix = "/api", endpoint = "runs/deed", protocol = Call)]
pub async fn do_deed(run: RunId, task: TaskId, deed: Deed, anyway: bool) -> Result<(), ApiError> {
    super::answer(|backend| async move { backend.do_deed(run, task, deed, anyway).await }).await
}

/// How a port of an execution opens; `host` is the page's own (name and port).
#[server(prefix = "/api", endpoint = "runs/link", protocol = Call)]
pub async fn open_port(execution: ExecutionId, port: u16, host: String) -> Result<Opening, ApiError> {
    super::answer(|backend| async move { backend.open_port(execution, port, host).await }).await
}

/// What deleting a run would remove.
#[server(prefix = "/api", endpoint = "runs/removal", protocol = Call)]
pub async fn removal_of_run(run: RunId) -> Result<RunRemoval, ApiError> {
    super::answer(|backend| async move { backend.run_removal(run).await }).await
}

/// Keeps the data of a run, however many newer runs there are, or lets it go again.
#[server(prefix = "/api", endpoint = "runs/pin", protocol = Call)]
pub async fn pin_run(run: RunId, pinned: bool) -> Result<(), ApiError> {
    super::answer(|backend| async move { backend.pin_run(run, pinned).await }).await
}

#[server(prefix = "/api", endpoint = "runs/delete", protocol = Call)]
pub async fn delete_run(run: RunId) -> Result<(), ApiError> {
    super::answer(|backend| async move { backend.delete_run(run).await }).await
}

#[server(prefix = "/api", endpoint = "services/list", protocol = Call)]
pub async fn list_services() -> Result<Vec<Service>, ApiError> {
    super::answer(|backend| async move { backend.list_services().await }).await
}
