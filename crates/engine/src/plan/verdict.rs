//! What follows from the end of an execution?

use model::kind::Advance;

use super::Draft;
use crate::{
    event::{End, Place, Role, Then, Why},
    observed::Exit,
    rules,
    snapshot::Node,
    state::{Execution, Lane},
};

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
        let lost = match &known.place {
            Place::Service { pipeline, task, packed } => self
                .state
                .memory(pipeline, task)
                .and_then(|memory| memory.services.get(packed))
                .map_or(0, |one| one.lost),
            Place::Lane { .. } => 0,
        };
        match end {
            End::Lost { .. } if lost < rules::LOST_AGAIN => Then::Again { not_before: self.now, lost: true },
            End::Lost { .. } | End::Exited { .. } | End::NeverStarted => Then::Broken { sentence: sentence(end) },
        }
    }

    fn step_verdict(&self, known: &Execution, end: &End) -> Then {
        let Place::Lane { run, task, copy } = &known.place else { return Then::Off };
        let lane = self.state.lane(run, task, *copy);
        let node = self.state.runs.get(run).and_then(|run| run.snapshot.node(task));
        let (Some(lane), Some(node)) = (lane, node) else { return Then::Cancelled };
        let why = known.stop.map(|(_, why)| why);
        match (why, end) {
            (Some(Why::Cancelled | Why::Stopped | Why::Paused | Why::Replaced), _) | (_, End::NeverStarted) => {
                Then::Cancelled
            }
            (Some(Why::RunOver), _) => Then::Good,
            (None | Some(Why::Advanced), End::Lost { .. }) => self.lost(lane, node, end),
            (Some(Why::Advanced), End::Exited { exit, .. }) => match exit {
                Exit::SnapshotFailed { .. } | Exit::NotStarted { .. } => Then::Held { sentence: sentence(end) },
                Exit::Code { .. } | Exit::Signal { .. } | Exit::OutOfMemory { .. } | Exit::TimedOut => Then::Good,
            },
            (None, End::Exited { exit, .. }) => self.by_itself(lane, node, exit, end),
        }
    }

    /// Not the task's fault: a new execution, for every kind.
    fn lost(&self, lane: &Lane, node: &Node, end: &End) -> Then {
        if lane.lost < rules::LOST_AGAIN {
            Then::Again { not_before: self.now, lost: true }
        } else if node.task.kind.advance() == Some(&Advance::Hand) {
            Then::Held { sentence: sentence(end) }
        } else {
            Then::Failed { sentence: sentence(end) }
        }
    }

    fn by_itself(&self, lane: &Lane, node: &Node, exit: &Exit, end: &End) -> Then {
        let is_by_hand = node.task.kind.advance() == Some(&Advance::Hand);
        let (retries, first) = rules::retries(&node.task.kind);
        match exit {
            Exit::TimedOut | Exit::NotStarted { .. } if is_by_hand => Then::Failed { sentence: sentence(end) },
            Exit::Code { .. }
            | Exit::Signal { .. }
            | Exit::OutOfMemory { .. }
            | Exit::TimedOut
            | Exit::NotStarted { .. }
            | Exit::SnapshotFailed { .. }
                if is_by_hand =>
            {
                Then::Held { sentence: sentence(end) }
            }
            Exit::Code { code: 0 } => Then::Good,
            Exit::NotStarted { .. } => Then::Failed { sentence: sentence(end) },
            Exit::Code { .. }
            | Exit::Signal { .. }
            | Exit::OutOfMemory { .. }
            | Exit::TimedOut
            | Exit::SnapshotFailed { .. } => match lane.failures < retries {
                true => Then::Again { not_before: self.now + rules::back_off(first, lane.failures), lost: false },
                false => Then::Failed { sentence: sentence(end) },
            },
        }
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
            Exit::SnapshotFailed { sentence } => format!("its results could not be copied: {sentence}"),
        },
        End::Lost { sentence } => format!("its machine went away: {sentence}"),
        End::NeverStarted => "stopped before it started".into(),
    }
}
