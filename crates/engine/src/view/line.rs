//! What happened, in words for people?

use model::{ExecutionId, RunId, TaskId, run::Millis};

use crate::{
    event::{By, Entry, Event, How, Place, Then, Why},
    plan::{end_sentence, ended_as_asked},
    state::State,
};

/// One line of what happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub at: Millis,
    pub task: Option<TaskId>,
    pub n: Option<u64>,
    pub sentence: String,
}

/// The run that an event belongs to, where it belongs to one. The event has been applied.
pub fn run_of<'a>(state: &'a State, event: &'a Event) -> Option<&'a RunId> {
    match event {
        Event::RunStarted(start) => Some(&start.run),
        Event::Intended { launch, .. } => Some(&launch.run),
        Event::NotMade { place, .. } | Event::Due { place } => match place {
            Place::Lane { run, .. } => Some(run),
            Place::Service { pipeline, task, packed } => Some(&state.memory(pipeline, task)?.services.get(packed)?.run),
        },
        Event::Started { execution, .. }
        | Event::Ready { execution, .. }
        | Event::StopAsked { execution, .. }
        | Event::Released { execution, .. }
        | Event::Ended { execution, .. } => Some(&state.execution(execution)?.run),
        Event::Reused { run, .. }
        | Event::Skipped { run, .. }
        | Event::StartAgain { run, .. }
        | Event::FailIt { run, .. }
        | Event::Retried { run, .. }
        | Event::RunCancelled { run, .. }
        | Event::Pinned { run, .. }
        | Event::DataDropped { run }
        | Event::RunEnded { run, .. } => Some(run),
        Event::LiveWanted { pipeline, task, packed, .. } | Event::MadeLive { pipeline, task, packed, .. } => {
            Some(&state.memory(pipeline, task)?.services.get(packed)?.run)
        }
        Event::Paused { pipeline, task, .. } | Event::Resumed { pipeline, task, .. } => {
            Some(&state.memory(pipeline, task)?.services.get(&0)?.run)
        }
        Event::RunDeleted { .. } | Event::PipelineDeleted { .. } => None,
    }
}

/// What a journal's line says to people; none where there is nothing to say.
pub fn line(state: &State, entry: &Entry) -> Option<Line> {
    let (task, n) = about(&entry.event);
    let run = run_of(state, &entry.event).and_then(|run| state.run(run));
    let title = |task: &TaskId| {
        run.and_then(|run| run.snapshot.node(task))
            .map_or_else(|| task.to_string(), |node| node.task.title().to_owned())
    };
    let name = task.as_ref().map(title).unwrap_or_default();
    let sentence = sentence(&entry.event, &name, &title)?;
    Some(Line { at: entry.at, task, n, sentence })
}

fn about(event: &Event) -> (Option<TaskId>, Option<u64>) {
    let of = |execution: &ExecutionId| (Some(execution.task.clone()), Some(execution.n));
    match event {
        Event::Intended { launch, .. } => of(&launch.execution),
        Event::Started { execution, .. }
        | Event::Ready { execution, .. }
        | Event::StopAsked { execution, .. }
        | Event::Released { execution, .. }
        | Event::Ended { execution, .. } => of(execution),
        Event::NotMade { place: Place::Lane { task, .. } | Place::Service { task, .. }, .. }
        | Event::Due { place: Place::Lane { task, .. } | Place::Service { task, .. } }
        | Event::Reused { task, .. }
        | Event::Skipped { task, .. }
        | Event::StartAgain { task, .. }
        | Event::FailIt { task, .. }
        | Event::Paused { task, .. }
        | Event::Resumed { task, .. }
        | Event::LiveWanted { task, .. }
        | Event::MadeLive { task, .. } => (Some(task.clone()), None),
        Event::RunStarted(_)
        | Event::Retried { .. }
        | Event::RunCancelled { .. }
        | Event::RunEnded { .. }
        | Event::Pinned { .. }
        | Event::DataDropped { .. }
        | Event::RunDeleted { .. }
        | Event::PipelineDeleted { .. } => (None, None),
    }
}

fn sentence(event: &Event, name: &str, title: &dyn Fn(&TaskId) -> String) -> Option<String> {
    Some(match event {
        Event::RunStarted(start) => format!("Run {} started{}", start.number, by(&start.by)),
        Event::Intended { attempt, launch, .. } => match attempt {
            1 => format!("{name} (n {}) is launched", launch.execution.n),
            more => format!("{name} (n {}) is launched, try {more}", launch.execution.n),
        },
        Event::Reused { sentence, .. } => format!("{name} does not run again: {sentence}"),
        Event::NotMade { sentence, .. } => format!("{name} could not be launched: {sentence}"),
        Event::Started { .. } => format!("{name} runs"),
        Event::Ready { .. } => format!("{name} is ready"),
        Event::StopAsked { why, by: who, .. } => format!("{name} {}{}", stopped(*why), by(who)),
        Event::Released { by: who, .. } => format!("{name} lets the run go on and stays open{}", by(who)),
        Event::Ended { execution, end, then, .. } => match then {
            Then::Good => format!("{name} ended well"),
            Then::Again { lost: true, .. } => format!("{name}: {}; it starts again", end_sentence(end)),
            Then::Again { lost: false, .. } => format!("{name} failed ({}); it is tried again", end_sentence(end)),
            Then::Renumbered { .. } => format!("{name}: n {} was there already and is skipped", execution.n),
            Then::Held { sentence } => format!("{name} ended by itself ({sentence}) and waits for you"),
            Then::Failed { sentence } | Then::Broken { sentence } => format!("{name} failed: {sentence}"),
            Then::Cancelled | Then::Off => ended_as_asked(&format!("{name} was stopped"), end),
        },
        Event::Due { .. } => return None,
        Event::Skipped { because, .. } => format!("{name} is skipped because of {}", title(because)),
        Event::StartAgain { by: who, .. } => format!("{name} starts again{}", by(who)),
        Event::FailIt { by: who, .. } => format!("{name} is given up{}", by(who)),
        Event::Retried { tasks, by: who, .. } => {
            let names: Vec<String> = tasks.iter().map(title).collect();
            format!("{} again{}", names.join(", "), by(who))
        }
        Event::Paused { by: who, .. } => format!("{name} is paused{}", by(who)),
        Event::Resumed { by: who, .. } => format!("{name} goes on{}", by(who)),
        Event::LiveWanted { by: who, .. } => format!("{name} is to serve again{}", by(who)),
        Event::MadeLive { by: who, .. } => format!("{name} of this run is live{}", by(who)),
        Event::RunCancelled { by: who, .. } => format!("The run is cancelled{}", by(who)),
        Event::RunEnded { how, .. } => match how {
            How::Succeeded => "The run ended well".into(),
            How::Failed => "The run failed".into(),
            How::Cancelled => "The run was cancelled".into(),
        },
        Event::Pinned { pinned: true, by: who, .. } => format!("Its data stays{}", by(who)),
        Event::Pinned { pinned: false, by: who, .. } => format!("Its data may go again{}", by(who)),
        Event::DataDropped { .. } => "Its data was removed: newer runs have taken its place".into(),
        Event::RunDeleted { .. } | Event::PipelineDeleted { .. } => return None,
    })
}

fn by(who: &By) -> String {
    match who {
        By::Person(name) => format!(" by {name}"),
        By::Rule => String::new(),
    }
}

fn stopped(why: Why) -> &'static str {
    match why {
        Why::Advanced => "is advanced",
        Why::Cancelled => "is cancelled",
        Why::RunOver => "is no longer needed",
        Why::Paused | Why::Stopped => "is asked to stop",
        Why::Replaced => "is replaced by another version",
    }
}
