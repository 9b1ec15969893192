//! How are runs started, looked at and steered?

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use app::{
    api::runs::{EventLine, NewRun, Reading, RunFilter, RunPage, RunRemoval, Service},
    error::ApiError,
};
use async_trait::async_trait;
use model::{
    ExecutionId, PipelineId, RunId, Site, TaskId, document,
    run::{Deed, Part, RunSummary, RunView},
};
use tokio::sync::{broadcast, watch};

use super::{
    Answer, Core, Holding, LiveServing, Openable, RunChange, bad, blocking, folders, missing, parameters, pipelines,
    services, stored, unchanged,
};

/// A wish to run a document, which need not be a saved one.
#[derive(Clone, Debug, PartialEq)]
pub struct StartRun {
    pub pipeline: PipelineId,
    pub document: String,
    pub part: Part,
    /// Only those that differ from their default.
    pub parameters: BTreeMap<String, String>,
    pub download_again: BTreeSet<TaskId>,
    /// What is not run is read from this run; else the newest good executions.
    pub reading: Option<RunId>,
}

/// What the server asks of whoever decides about runs.
#[async_trait]
pub trait Runs: Send + Sync + 'static {
    /// `unchanged`: Load Data tasks whose sources are what they were, and how that is known.
    async fn start(&self, start: StartRun, unchanged: BTreeMap<TaskId, String>) -> Answer<RunId>;
    async fn reading(&self, start: StartRun) -> Answer<Vec<Reading>>;
    /// Every run there is, in no order.
    fn summaries(&self) -> Vec<RunSummary>;
    fn view(&self, run: &RunId) -> Option<RunView>;
    /// The document that it runs.
    fn snapshot(&self, run: &RunId) -> Option<String>;
    async fn events(&self, run: &RunId) -> Answer<Vec<EventLine>>;
    async fn cancel(&self, run: &RunId) -> Answer<()>;
    async fn deed(&self, run: &RunId, task: &TaskId, deed: Deed) -> Answer<()>;
    /// What deleting it would mean; none: there is no such run.
    fn holding(&self, run: &RunId) -> Option<Holding>;
    /// Keeps its data, however many newer runs there are.
    async fn pin(&self, run: &RunId, pinned: bool) -> Answer<()>;
    /// Forgets a run that has ended and removes what nothing reads.
    async fn delete_run(&self, run: &RunId) -> Answer<()>;
    /// Forgets all its runs. The caller has looked that none goes on.
    async fn delete_pipeline(&self, id: &PipelineId) -> Answer<()>;
    /// The Viewers and Servings that are there.
    fn services(&self) -> Vec<Service>;
    /// The versions of Servings that have their tasks' addresses.
    fn live_servings(&self) -> Vec<LiveServing>;
    /// Told when one of them may be another.
    fn servings(&self) -> watch::Receiver<()>;
    /// Ports that can be opened now.
    fn openable(&self) -> Vec<Openable>;
    /// What must end before a pipeline can be deleted; one sentence each.
    fn held_by(&self, pipeline: &PipelineId) -> Vec<String>;
    /// Tasks that go on when the server stops.
    fn live_tasks(&self) -> usize;
    /// What the newest good execution of a Load Data told of its sources.
    fn newest_facts(&self, pipeline: &PipelineId, task: &TaskId) -> Option<serde_json::Value>;
    /// Volumes, secrets or settings became others.
    fn set_site(&self, site: Site);
    fn subscribe(&self) -> broadcast::Receiver<RunChange>;
}

const PAGE: usize = 100;

/// The document is the one saved at the revision that the page shows: what a person sees is what runs.
async fn wish(core: &Core, new: NewRun) -> Answer<StartRun> {
    let found = pipelines::find(core, &new.pipeline).await?;
    if found.head.revision != new.revision {
        return Err(ApiError::Stale { revision: found.head.revision, document: found.document });
    }
    let NewRun { pipeline, part, parameters, download_again, reading, .. } = new;
    parameters::check(&found.document, &parameters)?;
    Ok(StartRun { pipeline, document: found.document, part, parameters, download_again, reading })
}

pub(super) async fn start(core: &Core, new: NewRun) -> Answer<RunId> {
    core.start_run_of(wish(core, new).await?).await
}

impl Core {
    /// Starts a run unless a problem stops it.
    ///
    /// # Errors
    /// [`ApiError::Problems`] with those that stop this run; else why it cannot be started.
    pub async fn start_run_of(&self, start: StartRun) -> Answer<RunId> {
        let pipeline = document::read(&start.document).map_err(|error| bad(error.to_string()))?.pipeline;
        self.leaving.refuse(&pipeline.id)?;
        let problems = model::validate::problems(&pipeline, &super::site::site(self), &start.parameters);
        let tasks = model::part::tasks(&pipeline, &model::order::Order::of(&pipeline), &start.part);
        let stopping: Vec<_> = model::part::stopping(&pipeline, &tasks, &problems).into_iter().cloned().collect();
        if !stopping.is_empty() {
            return Err(ApiError::Problems { problems: stopping });
        }
        let unchanged = unchanged::sources(self, &start, &pipeline, &tasks).await;
        self.runs.start(start, unchanged).await
    }
}

pub(super) async fn reading(core: &Core, new: NewRun) -> Answer<Vec<Reading>> {
    core.runs.reading(wish(core, new).await?).await
}

pub(super) fn list(core: &Core, filter: &RunFilter) -> Vec<RunSummary> {
    let text = filter.text.to_lowercase();
    let fits = |run: &RunSummary| {
        filter.pipeline.as_ref().is_none_or(|id| *id == run.pipeline)
            && filter.status.is_none_or(|status| status == run.status)
            && filter.before.is_none_or(|before| run.started < before)
            && run.pipeline_name.to_lowercase().contains(&text)
    };
    let mut runs: Vec<RunSummary> = core.runs.summaries().into_iter().filter(fits).collect();
    runs.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
    runs.truncate(PAGE);
    add_spaces(core, &mut runs);
    runs
}

/// A run that has ended, and whether its results were removed since: what is counted once stays true.
pub(super) type Counted = (RunId, bool);

fn add_spaces(core: &Core, runs: &mut [RunSummary]) {
    let mut missing = Vec::new();
    for run in runs.iter_mut().filter(|run| run.status.has_ended()) {
        let counted = (run.id.clone(), run.dropped);
        run.space = core.run_spaces.known(&counted);
        if run.space.is_none() {
            let executions = core.runs.holding(&run.id).map(|holding| holding.executions).unwrap_or_default();
            missing.push((counted, places(core, &executions)));
        }
    }
    if !missing.is_empty() {
        core.run_spaces.count(missing);
    }
}

/// Where results and logs of executions lie.
fn places(core: &Core, executions: &[ExecutionId]) -> Vec<PathBuf> {
    let results = core.results();
    executions.iter().flat_map(|id| [folders::execution(&results, id), core.data.execution(id)]).collect()
}

pub(super) async fn open(core: &Core, run: &RunId) -> Answer<RunPage> {
    let view = core.runs.view(run).ok_or_else(|| missing("run"))?;
    let snapshot = core.runs.snapshot(run).ok_or_else(|| missing("run"))?;
    let saved = stored(core.store.pipeline(&view.summary.pipeline).await)?;
    let changed_since = saved.is_some_and(|saved| means_another(&saved.document, &snapshot));
    Ok(RunPage { view, snapshot, changed_since })
}

/// Whether two documents differ in more than where things stand on the canvas.
fn means_another(saved: &str, snapshot: &str) -> bool {
    let (Ok(mut saved), Ok(mut snapshot)) = (document::read(saved), document::read(snapshot)) else { return true };
    for read in [&mut saved, &mut snapshot] {
        read.pipeline.task_places.clear();
        read.pipeline.note_places.clear();
    }
    saved.pipeline != snapshot.pipeline
}

fn known(core: &Core, run: &RunId) -> Answer<()> {
    core.runs.view(run).map(drop).ok_or_else(|| missing("run"))
}

pub(super) async fn events(core: &Core, run: &RunId) -> Answer<Vec<EventLine>> {
    known(core, run)?;
    core.runs.events(run).await
}

pub(super) async fn cancel(core: &Core, run: &RunId) -> Answer<()> {
    known(core, run)?;
    core.runs.cancel(run).await
}

pub(super) async fn deed(core: &Core, run: &RunId, task: &TaskId, deed: Deed, anyway: bool) -> Answer<()> {
    let view = core.runs.view(run).ok_or_else(|| missing("run"))?;
    if !view.tasks.contains_key(task) {
        return Err(bad(format!("Run {} has no task {task}.", view.summary.number)));
    }
    if deed == Deed::Advance && !anyway {
        services::ask_first(core, &view, task).await?;
    }
    core.runs.deed(run, task, deed).await
}

pub(super) async fn removal(core: &Core, run: &RunId) -> Answer<RunRemoval> {
    let Holding { held_by, kept_for, executions } = core.runs.holding(run).ok_or_else(|| missing("run"))?;
    let places = places(core, &executions);
    let space = blocking(move || Ok(places.iter().map(|place| folders::size(place)).sum())).await?;
    Ok(RunRemoval { executions: executions.len() as u64, space, held_by, kept_for })
}

pub(super) async fn pin(core: &Core, run: &RunId, pinned: bool) -> Answer<()> {
    known(core, run)?;
    core.runs.pin(run, pinned).await
}

pub(super) async fn delete(core: &Core, run: &RunId) -> Answer<()> {
    known(core, run)?;
    core.runs.delete_run(run).await
}
