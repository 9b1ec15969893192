//! What may a person ask for, and what follows?

pub(crate) mod deed;
mod start;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    PipelineId, RunId, TaskId,
    run::{Deed, Part},
};

pub use start::{Reading, readings};

use crate::{
    event::{By, Event},
    state::{Fate, Run, ServiceStep, Stage, State},
};

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    StartRun(Box<StartRun>),
    CancelRun {
        run: RunId,
    },
    /// All that failed in it.
    RetryRun {
        run: RunId,
    },
    Deed {
        run: RunId,
        task: TaskId,
        deed: Deed,
    },
    /// Keeps the data of a run, or lets it go again.
    Pin {
        run: RunId,
        pinned: bool,
    },
    DeleteRun {
        run: RunId,
    },
    DeletePipeline {
        pipeline: PipelineId,
    },
}

/// A wish to run. Problems of the document were looked for before.
#[derive(Clone, Debug, PartialEq)]
pub struct StartRun {
    /// A new id; the shell makes it.
    pub run: RunId,
    pub document: String,
    pub part: Part,
    /// Those that differ from their default.
    pub parameters: BTreeMap<String, String>,
    /// What is not run is read from that run; else the newest good results.
    pub reading: Option<RunId>,
    pub again: BTreeSet<TaskId>,
    /// Load Data tasks whose source was asked and has not changed, with how that is known.
    pub unchanged: BTreeMap<TaskId, String>,
}

/// Why not, in one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    NotFound(String),
    /// The state does not allow it (any more).
    #[error("{0}")]
    Conflict(String),
    /// The wish itself is wrong.
    #[error("{0}")]
    Bad(String),
}

/// The events that carry out a wish. They are to be applied to the state as it is.
///
/// # Errors
/// See [`Refusal`]; then nothing has changed.
pub fn command(state: &State, command: &Command, by: By) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::StartRun(start) => start::start(state, start, by),
        Command::CancelRun { run } => cancel(find(state, run)?, by),
        Command::RetryRun { run } => retry(state, find(state, run)?, None, by),
        Command::Deed { run, task, deed } => deed::deed(state, find(state, run)?, task, *deed, by),
        Command::Pin { run, pinned } => pin(find(state, run)?, *pinned, by),
        Command::DeleteRun { run } => delete(state, find(state, run)?),
        Command::DeletePipeline { pipeline } => match held_by_pipeline(state, pipeline).first() {
            Some(holder) => Err(Refusal::Conflict(format!("It cannot be deleted yet: {holder}."))),
            None => Ok(vec![Event::PipelineDeleted { pipeline: pipeline.clone() }]),
        },
    }
}

fn find<'a>(state: &'a State, run: &RunId) -> Result<&'a Run, Refusal> {
    state.run(run).ok_or_else(|| Refusal::NotFound("There is no such run (any more).".into()))
}

fn cancel(run: &Run, by: By) -> Result<Vec<Event>, Refusal> {
    match run.fate {
        Fate::Going => Ok(vec![Event::RunCancelled { run: run.id.clone(), by }]),
        // Asked twice is asked once.
        Fate::Cancelling { .. } => Ok(Vec::new()),
        Fate::Ended { .. } => Err(Refusal::Conflict(format!("Run {} has ended already.", run.number))),
    }
}

fn pin(run: &Run, pinned: bool, by: By) -> Result<Vec<Event>, Refusal> {
    match run.dropped {
        true => Err(dropped(run)),
        false if run.pinned == pinned => Ok(Vec::new()),
        false => Ok(vec![Event::Pinned { run: run.id.clone(), pinned, by }]),
    }
}

pub(crate) fn dropped(run: &Run) -> Refusal {
    Refusal::Conflict(format!("The data of run {} was removed: newer runs have taken its place.", run.number))
}

pub(crate) fn retry(state: &State, run: &Run, task: Option<usize>, by: By) -> Result<Vec<Event>, Refusal> {
    // Another version beside it would be two of one run.
    if let Some(task) = task.filter(|task| state.started_again(run, *task).is_some()) {
        let title = run.snapshot.nodes[task].task.title();
        return Err(Refusal::Conflict(format!("{title} was started again: stop that version, then retry.")));
    }
    let is_failed = |place: &usize| {
        matches!(run.tasks[*place].stage, Stage::Failed { .. }) && state.started_again(run, *place).is_none()
    };
    let chosen: Vec<usize> = match task {
        Some(task) => vec![task],
        None => (0..run.tasks.len()).collect(),
    };
    let tasks: BTreeSet<TaskId> =
        chosen.into_iter().filter(is_failed).map(|place| run.snapshot.nodes[place].id.clone()).collect();
    if tasks.is_empty() {
        return Err(Refusal::Conflict(format!("Nothing failed in run {}.", run.number)));
    }
    if run.dropped {
        return Err(dropped(run));
    }
    if run.is_cancelling() {
        return Err(Refusal::Conflict(format!("Run {} is being cancelled.", run.number)));
    }
    Ok(vec![Event::Retried { run: run.id.clone(), tasks, by }])
}

fn delete(state: &State, run: &Run) -> Result<Vec<Event>, Refusal> {
    match held_by(state, run).first() {
        Some(holder) => Err(Refusal::Conflict(format!("Run {} cannot be deleted yet: {holder}.", run.number))),
        None => Ok(vec![Event::RunDeleted { run: run.id.clone() }]),
    }
}

/// Why the results of a run may not be removed: each a sentence without its full stop.
pub fn held_by(state: &State, run: &Run) -> Vec<String> {
    let mut holders = Vec::new();
    if !run.has_ended() {
        holders.push("it has not ended".to_owned());
    }
    let runs = state.flows.get(&run.pipeline).into_iter().flat_map(|flow| &flow.runs);
    for other in runs.filter_map(|id| state.runs.get(id)).filter(|other| other.id != run.id && !other.has_ended()) {
        let reads = |place: &usize| other.tasks[*place].earlier.as_ref().is_some_and(|earlier| earlier.run == run.id);
        if let Some(place) = (0..other.tasks.len()).find(reads) {
            let name = other.snapshot.nodes[place].task.title();
            holders.push(format!("run {} reads {name} of it", other.number));
        }
    }
    holders.extend(services_of(state, &run.pipeline, Some(&run.id)));
    holders
}

/// Whose runs read results of this run that therefore stay when it is deleted.
pub fn kept_for(state: &State, run: &Run) -> Vec<String> {
    let runs = state.flows.get(&run.pipeline).into_iter().flat_map(|flow| &flow.runs);
    let others = runs.filter_map(|id| state.runs.get(id)).filter(|other| other.id != run.id && other.has_ended());
    let read =
        |other: &Run, place: usize| other.tasks[place].earlier.as_ref().is_some_and(|earlier| earlier.run == run.id);
    others
        .flat_map(|other| {
            (0..other.tasks.len()).filter(move |place| read(other, *place)).map(move |place| (other, place))
        })
        .map(|(other, place)| {
            let title = other.snapshot.nodes[place].task.title();
            format!("run {} has read {title} of it, which stays", other.number)
        })
        .collect()
}

/// Why a pipeline may not be removed.
pub fn held_by_pipeline(state: &State, pipeline: &PipelineId) -> Vec<String> {
    let Some(flow) = state.flows.get(pipeline) else { return Vec::new() };
    let open = flow.runs.iter().filter_map(|id| state.runs.get(id)).filter(|run| !run.has_ended());
    let mut holders: Vec<String> = open.map(|run| format!("run {} has not ended", run.number)).collect();
    holders.extend(services_of(state, pipeline, None));
    holders
}

/// What is there beyond runs: Servings of one run, or every Viewer and Serving of the pipeline.
fn services_of(state: &State, pipeline: &PipelineId, only: Option<&RunId>) -> Vec<String> {
    let Some(flow) = state.flows.get(pipeline) else { return Vec::new() };
    let mut found = Vec::new();
    for (task, memory) in &flow.tasks {
        for (packed, service) in &memory.services {
            // A Viewer is held by the last run that is left.
            let is_meant = only.is_none_or(|run| *run == service.run && (*packed != 0 || flow.runs.len() == 1));
            let is_there = matches!(service.step, ServiceStep::Live { .. } | ServiceStep::Queued { .. });
            let node = state.runs.get(&service.run).and_then(|run| run.snapshot.node(task));
            if let (true, true, Some(node)) = (is_meant, is_there, node) {
                found.push(format!("{} is still serving: stop it first", node.task.title()));
            }
        }
    }
    found
}
