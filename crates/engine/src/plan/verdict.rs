//! What follows from the end of an execution?

use super::Draft;
use crate::{
    event::{End, Place, Role, Then, Why},
    observed::Exit,
    rules,
    snapshot::Node,
    state::{Execution, Lane, waits_for_a_person},
};

/// A step's execution that is over, with what decides what follows.
struct Ended<'a> {
    lane: &'a Lane,
    node: &'a Node,
    /// A person is to advance it.
    for_a_person: bool,
    end: &'a End,
}

impl Draft<'_> {
    pub(super) fn verdict(&self, known: &Execution, end: &End) -> Then {
        match known.role {
            Role::Serve | Role::View => self.service_verdict(known, end),
            Role::Step | Role::Pack => self.step_verdict(known, end),
        }
    }

    fn service_verdict(&self, known: &Execution, end: &End) -> Then {
        if known.stop.is_some() {
            return Then::Off;
        }
        let (lost, taken) = match &known.place {
            Place::Service { pipeline, task, packed } => self
                .state
                .memory(pipeline, task)
                .and_then(|memory| memory.services.get(packed))
                .map_or((0, 0), |one| (one.lost, one.taken)),
            Place::Lane { .. } => (0, 0),
        };
        match end {
            End::Lost { .. } if lost < rules::LOST_AGAIN => Then::Again { not_before: self.now, lost: true },
            End::Exited { exit: Exit::Taken { last }, .. } if taken < rules::TAKEN_AGAIN => {
                Then::Renumbered { last: *last }
            }
            End::Lost { .. } | End::Exited { .. } | End::NeverStarted => Then::Broken { sentence: sentence(end) },
        }
    }

    fn step_verdict(&self, known: &Execution, end: &End) -> Then {
        let Place::Lane { run, task, copy } = &known.place else { return Then::Off };
        let run = self.state.runs.get(run);
        let place = run.and_then(|run| run.snapshot.place(task));
        let Some((run, place)) = run.zip(place) else { return Then::Cancelled };
        let Some(lane) = run.tasks[place].lanes.get(*copy as usize) else { return Then::Cancelled };
        let of = Ended {
            lane,
            node: &run.snapshot.nodes[place],
            // Nobody waits for a step that let the run go on and stayed open.
            for_a_person: waits_for_a_person(run, place) && run.tasks[place].open.is_none(),
            end,
        };
        let why = known.stop.map(|(_, why)| why);
        match (why, end) {
            (Some(Why::Cancelled | Why::Stopped | Why::Paused | Why::Replaced), _) | (_, End::NeverStarted) => {
                Then::Cancelled
            }
            (Some(Why::RunOver), _) => Then::Good,
            (None | Some(Why::Advanced), End::Exited { exit: Exit::Taken { last }, .. })
                if of.lane.taken < rules::TAKEN_AGAIN =>
            {
                Then::Renumbered { last: *last }
            }
            (None | Some(Why::Advanced), End::Lost { .. }) => self.lost(&of),
            (Some(Why::Advanced), End::Exited { exit, .. }) => match exit {
                Exit::SnapshotFailed { .. } | Exit::NotStarted { .. } | Exit::Taken { .. } => {
                    Then::Held { sentence: sentence(end) }
                }
                Exit::Code { .. } | Exit::Signal { .. } | Exit::OutOfMemory { .. } | Exit::TimedOut => Then::Good,
            },
            (None, End::Exited { exit, .. }) => self.by_itself(&of, exit),
        }
    }

    /// Not the task's fault: a new execution, for every kind.
    fn lost(&self, of: &Ended) -> Then {
        if of.lane.lost < rules::LOST_AGAIN {
            Then::Again { not_before: self.now, lost: true }
        } else if of.for_a_person {
            Then::Held { sentence: sentence(of.end) }
        } else {
            Then::Failed { sentence: sentence(of.end) }
        }
    }

    fn by_itself(&self, of: &Ended, exit: &Exit) -> Then {
        let (retries, first) = rules::retries(&of.node.task.kind);
        match exit {
            Exit::TimedOut | Exit::NotStarted { .. } | Exit::Taken { .. } if of.for_a_person => {
                Then::Failed { sentence: sentence(of.end) }
            }
            Exit::Code { .. }
            | Exit::Signal { .. }
            | Exit::OutOfMemory { .. }
            | Exit::TimedOut
            | Exit::NotStarted { .. }
            | Exit::SnapshotFailed { .. }
                if of.for_a_person =>
            {
                Then::Held { sentence: sentence(of.end) }
            }
            Exit::Code { code: 0 } => Then::Good,
            Exit::NotStarted { .. } | Exit::Taken { .. } => Then::Failed { sentence: sentence(of.end) },
            Exit::Code { .. }
            | Exit::Signal { .. }
            | Exit::OutOfMemory { .. }
            | Exit::TimedOut
            | Exit::SnapshotFailed { .. } => match of.lane.failures < retries {
                true => Then::Again { not_before: self.now + rules::back_off(first, of.lane.failures), lost: false },
                false => Then::Failed { sentence: sentence(of.end) },
            },
        }
    }
}

/// As `word` says of what ended because it was asked to. What is out of reach may still run, and that is said, too.
pub fn ended_as_asked(word: &str, end: &End) -> String {
    match end {
        End::Lost { .. } => format!("{word} · {}", sentence(end)),
        End::Exited { .. } | End::NeverStarted => word.to_owned(),
    }
}

/// How it ended, for people: "exit code 1".
pub fn sentence(end: &End) -> String {
    match end {
        End::Exited { exit, .. } => match exit {
            Exit::Code { code } => format!("exit code {code}"),
            Exit::Signal { signal } => format!("ended by signal {signal}"),
            Exit::OutOfMemory { sentence } => sentence.clone(),
            Exit::TimedOut => "ran longer than its timeout".into(),
            Exit::NotStarted { sentence } => format!("could not be started: {sentence}"),
            Exit::Taken { .. } => "could not be started: a folder of its number was there already".into(),
            Exit::SnapshotFailed { sentence } => format!("its results could not be copied: {sentence}"),
        },
        End::Lost { sentence } => format!("its machine went away: {sentence}"),
        End::NeverStarted => "stopped before it started".into(),
    }
}
