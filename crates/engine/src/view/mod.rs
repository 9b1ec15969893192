//! How does a person see a run?

mod line;
mod service;
mod task;
mod waits;

use model::{
    RunId, TaskId,
    run::{RunStatus, RunSummary, RunView, TaskView},
};

pub use line::{Line, line, run_of};
pub use service::{ServiceView, services};
pub use task::task_view;

use crate::{
    event::How,
    state::{Fate, Run, Stage, State, Step},
    world::World,
};

/// A run with all its tasks; `version` is the shell's.
pub fn run_view(state: &State, world: &World, run: &RunId, version: u64) -> Option<RunView> {
    let run = state.run(run)?;
    let tasks = (0..run.tasks.len()).map(|place| (task_id(run, place), task_view(state, world, run, place))).collect();
    Some(RunView { summary: summary(run), parameters: run.parameters.clone(), tasks, version })
}

/// One task by its index.
pub fn one_task(state: &State, world: &World, run: &RunId, place: usize) -> Option<(TaskId, TaskView)> {
    let run = state.run(run)?;
    Some((task_id(run, place), task_view(state, world, run, place)))
}

fn task_id(run: &Run, place: usize) -> TaskId {
    run.snapshot.nodes[place].id.clone()
}

pub fn summary(run: &Run) -> RunSummary {
    let (status, ended) = match run.fate {
        Fate::Going if run.persons.is_empty() => (RunStatus::Running, None),
        Fate::Going => (RunStatus::WaitingForYou, None),
        Fate::Cancelling { .. } => (RunStatus::Cancelling, None),
        Fate::Ended { how, at } => (how_status(how), Some(at)),
    };
    RunSummary {
        id: run.id.clone(),
        pipeline: run.pipeline.clone(),
        pipeline_name: run.snapshot.pipeline.settings.name.clone(),
        number: run.number,
        status,
        sentence: sentence(run),
        started: run.started,
        ended,
        pinned: run.pinned,
        dropped: run.dropped,
        space: None,
    }
}

fn how_status(how: How) -> RunStatus {
    match how {
        How::Succeeded => RunStatus::Succeeded,
        How::Failed => RunStatus::Failed,
        How::Cancelled => RunStatus::Cancelled,
    }
}

fn sentence(run: &Run) -> String {
    if let Some(sentence) = &run.unreadable {
        return format!("its document cannot be read: {sentence}");
    }
    match &run.fate {
        Fate::Ended { how: How::Succeeded, .. } => "ended well".into(),
        Fate::Ended { how: How::Cancelled, .. } => "cancelled".into(),
        Fate::Ended { how: How::Failed, .. } => failure(run),
        Fate::Cancelling { .. } => "stops what still runs".into(),
        Fate::Going => doing(run),
    }
}

fn failure(run: &Run) -> String {
    let Some(first) = run.failed.first() else { return "failed".into() };
    let title = run.snapshot.nodes[*first].task.title();
    let reason = run.tasks[*first].lanes.iter().find_map(|lane| match &lane.step {
        Step::Failed { sentence, .. } => Some(sentence.as_str()),
        Step::Waiting
        | Step::Queued { .. }
        | Step::Resting { .. }
        | Step::Live { .. }
        | Step::Packed { .. }
        | Step::Held { .. }
        | Step::Done { .. }
        | Step::Cancelled => None,
    });
    format!("{title}: {}", reason.unwrap_or("failed"))
}

fn doing(run: &Run) -> String {
    let told = |places: &std::collections::BTreeSet<usize>, one: &str, many: &str| {
        let first = run.snapshot.nodes[*places.first()?].task.title();
        Some(match places.len() {
            1 => format!("{first} {one}"),
            more => format!("{first} and {} more {many}", more - 1),
        })
    };
    told(&run.persons, "waits for you", "wait for you")
        .or_else(|| told(&run.busy, "is at work", "are at work"))
        .unwrap_or_else(|| "waits".into())
}

/// A task that has come to its end in this run.
pub(crate) fn is_over(stage: &Stage) -> bool {
    match stage {
        Stage::NotInRun
        | Stage::Released { .. }
        | Stage::Failed { .. }
        | Stage::Skipped { .. }
        | Stage::Cancelled { .. } => true,
        Stage::Blocked { .. } | Stage::Open { .. } | Stage::Viewer => false,
    }
}
