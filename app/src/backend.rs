//! What must the server be able to do for the browser?

use async_trait::async_trait;
use model::{
    ExecutionId, PipelineId, RunId, Site, TaskId,
    kind::File,
    pipeline::Acl,
    run::{Deed, RunSummary},
};

use crate::{
    api::{
        pipelines::{Created, Example, NewPipeline, Opened, PipelineSummary, Removal},
        runs::{EventLine, NewRun, Opening, Reading, RunFilter, RunPage, RunRemoval, Service},
        site::{SettingView, SpaceWarning},
        work::WorkFolder,
    },
    error::ApiError,
};

type Answer<T> = Result<T, ApiError>;

#[async_trait]
pub trait Backend: Send + Sync + 'static {
    async fn list_pipelines(&self) -> Answer<Vec<PipelineSummary>>;
    async fn list_examples(&self) -> Answer<Vec<Example>>;
    async fn create_pipeline(&self, new: NewPipeline) -> Answer<Created>;
    async fn open_pipeline(&self, id: PipelineId) -> Answer<Opened>;
    async fn save_pipeline(&self, id: PipelineId, revision: u64, document: String) -> Answer<u64>;
    async fn manifests(&self, document: String, task: TaskId) -> Answer<String>;
    async fn pipeline_removal(&self, id: PipelineId) -> Answer<Removal>;
    async fn delete_pipeline(&self, id: PipelineId) -> Answer<()>;
    async fn work_folders(&self, id: PipelineId) -> Answer<Vec<WorkFolder>>;
    async fn work_texts(&self, id: PipelineId, task: TaskId, names: Vec<String>) -> Answer<Vec<File>>;

    async fn start_run(&self, new: NewRun) -> Answer<RunId>;
    async fn run_reading(&self, new: NewRun) -> Answer<Vec<Reading>>;
    async fn list_runs(&self, filter: RunFilter) -> Answer<Vec<RunSummary>>;
    async fn open_run(&self, run: RunId) -> Answer<RunPage>;
    async fn run_events(&self, run: RunId) -> Answer<Vec<EventLine>>;
    async fn cancel_run(&self, run: RunId) -> Answer<()>;
    async fn do_deed(&self, run: RunId, task: TaskId, deed: Deed, anyway: bool) -> Answer<()>;
    async fn open_port(&self, execution: ExecutionId, port: u16, host: String) -> Answer<Opening>;
    async fn run_removal(&self, run: RunId) -> Answer<RunRemoval>;
    async fn pin_run(&self, run: RunId, pinned: bool) -> Answer<()>;
    async fn delete_run(&self, run: RunId) -> Answer<()>;
    async fn list_services(&self) -> Answer<Vec<Service>>;

    async fn site(&self) -> Answer<Site>;
    async fn space_warning(&self) -> Answer<Option<SpaceWarning>>;
    async fn settings(&self) -> Answer<Vec<SettingView>>;
    async fn make_volume(&self, name: String, place: String, access: Acl) -> Answer<Site>;
    async fn set_secret(&self, name: String, value: String) -> Answer<Site>;
}
