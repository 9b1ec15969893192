//! How does the server do what the browser asks?
//!
//! [`Core`] holds what answers are made from; each file beside this one answers for one part of [`app::backend::Backend`].

mod controlled;
pub mod dry;
mod examples;
mod folders;
mod import;
mod leaving;
mod manifests;
mod parameters;
mod pictures;
mod pipelines;
mod ports;
mod runs;
mod services;
pub mod site;
mod spaces;
mod unchanged;
mod uploads;
pub mod work;

use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
};

use app::{
    api::{
        pipelines::{Created, Example, NewPipeline, Opened, PipelineSummary, Removal},
        runs::{EventLine, NewRun, Opening, Reading, RunFilter, RunPage, RunRemoval, Service},
        site::{SettingView, SpaceWarning},
        work::WorkFolder,
    },
    backend::Backend,
    error::ApiError,
};
use async_trait::async_trait;
use model::{
    Acl, ExecutionId, PipelineId, RunId, Site, TaskId,
    kind::File,
    run::{Deed, RunSummary},
};
use tokio::sync::broadcast;

use crate::{
    data_folder::DataFolder,
    gateway::{Gateway, Way},
    python::Programs,
    runner::{Runner, RunnerError},
    secrets::Secrets,
    settings::Settings,
    store::{Store, StoreError},
};

pub use examples::data as example_data;
pub use parameters::check as check_parameters;
pub use runs::{Runs, StartRun};
pub use uploads::keep_sweeping;

pub use crate::controller::{Holding, LiveServing, Openable, RunChange};
pub use ports::Ports;
pub use services::LiveTargets;

type Answer<T> = Result<T, ApiError>;

/// Saves that a slow tab may be behind before it is told to look again.
const SAVES: usize = 64;

/// One save of a pipeline, told to other tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub id: PipelineId,
    pub revision: u64,
}

pub struct Core {
    pub data: DataFolder,
    pub store: Arc<dyn Store>,
    pub runs: Arc<dyn Runs>,
    pub runner: Arc<dyn Runner>,
    pub secrets: Arc<Secrets>,
    pub gateway: Arc<Gateway>,
    pub way: Way,
    pub programs: Arc<Programs>,
    pub ports: Ports,
    pub settings: Arc<RwLock<Settings>>,
    pub saves: broadcast::Sender<Saved>,
    leaving: leaving::Leaving,
    pictures: pictures::Pictures,
    spaces: spaces::Spaces<PipelineId>,
    run_spaces: spaces::Spaces<runs::Counted>,
}

/// What a [`Core`] is made of.
pub struct Made {
    pub data: DataFolder,
    pub store: Arc<dyn Store>,
    pub runs: Arc<dyn Runs>,
    pub runner: Arc<dyn Runner>,
    pub secrets: Arc<Secrets>,
    pub gateway: Arc<Gateway>,
    pub way: Way,
    pub programs: Arc<Programs>,
    pub ports: Ports,
    pub settings: Arc<RwLock<Settings>>,
}

impl Core {
    pub fn new(made: Made) -> Core {
        let Made { data, store, runs, runner, secrets, gateway, way, programs, ports, settings } = made;
        let (saves, _) = broadcast::channel(SAVES);
        let (leaving, pictures, spaces, run_spaces) = Default::default();
        Core {
            data,
            store,
            runs,
            runner,
            secrets,
            gateway,
            way,
            programs,
            ports,
            settings,
            saves,
            leaving,
            pictures,
            spaces,
            run_spaces,
        }
    }

    /// The root of the results volume.
    pub fn results(&self) -> PathBuf {
        results(&self.data, &self.settings())
    }

    pub fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// The root of the results volume.
pub fn results(data: &DataFolder, settings: &Settings) -> PathBuf {
    settings.results.clone().unwrap_or_else(|| data.results())
}

#[async_trait]
impl Backend for Core {
    async fn list_pipelines(&self) -> Answer<Vec<PipelineSummary>> {
        pipelines::list(self).await
    }
    async fn list_examples(&self) -> Answer<Vec<Example>> {
        Ok(examples::list())
    }
    async fn create_pipeline(&self, new: NewPipeline) -> Answer<Created> {
        pipelines::create(self, new).await
    }
    async fn open_pipeline(&self, id: PipelineId) -> Answer<Opened> {
        pipelines::open(self, &id).await
    }
    async fn save_pipeline(&self, id: PipelineId, revision: u64, document: String) -> Answer<u64> {
        pipelines::save(self, &id, revision, document).await
    }
    async fn manifests(&self, document: String, task: TaskId) -> Answer<String> {
        manifests::of(self, &document, &task)
    }
    async fn pipeline_removal(&self, id: PipelineId) -> Answer<Removal> {
        pipelines::removal(self, &id).await
    }
    async fn delete_pipeline(&self, id: PipelineId) -> Answer<()> {
        pipelines::delete(self, &id).await
    }
    async fn work_folders(&self, id: PipelineId) -> Answer<Vec<WorkFolder>> {
        work::list(self, &id).await
    }
    async fn work_texts(&self, id: PipelineId, task: TaskId, names: Vec<String>) -> Answer<Vec<File>> {
        work::texts(self, &id, &task, names).await
    }

    async fn start_run(&self, new: NewRun) -> Answer<RunId> {
        runs::start(self, new).await
    }
    async fn run_reading(&self, new: NewRun) -> Answer<Vec<Reading>> {
        runs::reading(self, new).await
    }
    async fn list_runs(&self, filter: RunFilter) -> Answer<Vec<RunSummary>> {
        Ok(runs::list(self, &filter))
    }
    async fn open_run(&self, run: RunId) -> Answer<RunPage> {
        runs::open(self, &run).await
    }
    async fn run_events(&self, run: RunId) -> Answer<Vec<EventLine>> {
        runs::events(self, &run).await
    }
    async fn cancel_run(&self, run: RunId) -> Answer<()> {
        runs::cancel(self, &run).await
    }
    async fn do_deed(&self, run: RunId, task: TaskId, deed: Deed, anyway: bool) -> Answer<()> {
        runs::deed(self, &run, &task, deed, anyway).await
    }
    async fn open_port(&self, execution: ExecutionId, port: u16, host: String) -> Answer<Opening> {
        services::open_port(self, &execution, port, &host)
    }
    async fn run_removal(&self, run: RunId) -> Answer<RunRemoval> {
        runs::removal(self, &run).await
    }
    async fn pin_run(&self, run: RunId, pinned: bool) -> Answer<()> {
        runs::pin(self, &run, pinned).await
    }
    async fn delete_run(&self, run: RunId) -> Answer<()> {
        runs::delete(self, &run).await
    }
    async fn list_services(&self) -> Answer<Vec<Service>> {
        Ok(services::list(self))
    }

    async fn site(&self) -> Answer<Site> {
        Ok(site::site(self))
    }
    async fn space_warning(&self) -> Answer<Option<SpaceWarning>> {
        spaces::warning(self).await
    }
    async fn settings(&self) -> Answer<Vec<SettingView>> {
        Ok(Core::settings(self).views())
    }
    async fn make_volume(&self, name: String, place: String, access: Acl) -> Answer<Site> {
        site::make_volume(self, &name, &place, access).await
    }
    async fn set_secret(&self, name: String, value: String) -> Answer<Site> {
        site::set_secret(self, &name, value).await
    }
}

/// The store's errors as the browser hears them.
fn stored<T>(result: Result<T, StoreError>) -> Answer<T> {
    result.map_err(|error| match error {
        StoreError::Full | StoreError::ReadOnly | StoreError::Unavailable(_) | StoreError::Broken(_) => {
            ApiError::Unavailable { sentence: error.to_string() }
        }
        StoreError::Newer { .. } | StoreError::Unreadable(_) => ApiError::Internal { sentence: error.to_string() },
    })
}

fn bad(sentence: impl Into<String>) -> ApiError {
    ApiError::Bad { sentence: sentence.into() }
}

fn missing(what: &str) -> ApiError {
    ApiError::NotFound { sentence: format!("There is no such {what} (any more).") }
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal { sentence: error.to_string() }
}

/// What the runner could not do now.
fn unavailable(error: &RunnerError) -> ApiError {
    ApiError::Unavailable { sentence: error.to_string() }
}

/// Work on files is done beside the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(internal)?;
    done.map_err(|error| ApiError::Unavailable { sentence: format!("The disk did not do it: {error}") })
}
