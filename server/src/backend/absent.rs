//! What does a server say that has no place to run tasks?

use std::path::PathBuf;

use app::{
    api::runs::{EventLine, Reading, Service},
    error::ApiError,
};
use async_trait::async_trait;
use engine::{action::Action, observed::Observed};
use model::{
    ExecutionId, PipelineId, RunId, TaskId,
    run::{Deed, RunSummary, RunView},
    site::Capacity,
};
use tokio::sync::{broadcast, mpsc};

use super::{Answer, Openable, RunChange, Runs, StartRun};
use crate::{
    data_folder::DataFolder,
    runner::{Connection, Exec, Runner, RunnerError, Session},
};

/// Pipelines can be drawn and kept; a run is refused with a sentence.
pub struct Absent {
    data: DataFolder,
    changes: broadcast::Sender<RunChange>,
}

const SENTENCE: &str = "This server cannot run tasks.";

impl Absent {
    pub fn new(data: DataFolder) -> Absent {
        Absent { data, changes: broadcast::channel(1).0 }
    }
}

fn refused<T>() -> Answer<T> {
    Err(ApiError::Unavailable { sentence: SENTENCE.into() })
}

#[async_trait]
impl Runs for Absent {
    async fn start(&self, _: StartRun) -> Answer<RunId> {
        refused()
    }
    async fn reading(&self, _: StartRun) -> Answer<Vec<Reading>> {
        refused()
    }
    fn summaries(&self) -> Vec<RunSummary> {
        Vec::new()
    }
    fn view(&self, _: &RunId) -> Option<RunView> {
        None
    }
    fn snapshot(&self, _: &RunId) -> Option<String> {
        None
    }
    async fn events(&self, _: &RunId) -> Answer<Vec<EventLine>> {
        refused()
    }
    async fn cancel(&self, _: &RunId) -> Answer<()> {
        refused()
    }
    async fn deed(&self, _: &RunId, _: &TaskId, _: Deed) -> Answer<()> {
        refused()
    }
    async fn delete_run(&self, _: &RunId) -> Answer<()> {
        refused()
    }
    async fn delete_pipeline(&self, _: &PipelineId) -> Answer<()> {
        Ok(())
    }
    fn services(&self) -> Vec<Service> {
        Vec::new()
    }
    fn openable(&self) -> Vec<Openable> {
        Vec::new()
    }
    fn held_by(&self, _: &PipelineId) -> Vec<String> {
        Vec::new()
    }
    fn live_tasks(&self) -> usize {
        0
    }
    fn subscribe(&self) -> broadcast::Receiver<RunChange> {
        self.changes.subscribe()
    }
}

#[async_trait]
impl Runner for Absent {
    async fn observe(&self) -> Result<mpsc::Receiver<Observed>, RunnerError> {
        Err(RunnerError::Refused(SENTENCE.into()))
    }
    async fn perform(&self, _: Action) -> Result<(), RunnerError> {
        Err(RunnerError::Refused(SENTENCE.into()))
    }
    fn budget(&self) -> Option<Capacity> {
        None
    }
    fn log(&self, execution: &ExecutionId) -> PathBuf {
        self.data.execution(execution).join("log")
    }
    async fn exec(&self, execution: &ExecutionId, _: Exec) -> Result<Session, RunnerError> {
        Err(RunnerError::NotRunning(execution.clone()))
    }
    async fn dial(&self, execution: &ExecutionId, _: u16) -> Result<Box<dyn Connection>, RunnerError> {
        Err(RunnerError::NotRunning(execution.clone()))
    }
}
