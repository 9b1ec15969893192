//! What is to be decided and asked now?
//!
//! Takes no hint why it is called: everything follows from what is known and what is seen. What it costs is what
//! changed since the last call, because both keep lists of that.

mod launch;
mod links;
mod look;
mod verdict;

pub(crate) use look::{advance, make_live};
pub use verdict::{ended_as_asked, sentence as end_sentence};

use std::collections::{BTreeMap, BTreeSet};

use model::{ExecutionId, PipelineId, RunId, TaskId, run::Millis};

use crate::{
    action::Action,
    event::{By, Event, How, Why},
    state::{Life, Run, Stage, State, room::Sum},
    world::World,
};

/// What follows now. The shell writes the events, applies them, and plans again until there are none; only then it
/// performs the actions.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    pub events: Vec<Event>,
    pub actions: Vec<Action>,
    /// When to plan again though nothing happened.
    pub wake: Option<Millis>,
}

/// See [`Plan`]. Until the runner has told all that it has, nothing is concluded.
pub fn plan(state: &State, world: &World, now: Millis) -> Plan {
    let mut draft = Draft::new(state, world, now);
    if !world.has_looked() {
        return draft.plan;
    }
    draft.look_at_executions();
    draft.skip();
    draft.begin_again();
    draft.fill_room();
    draft.close_runs();
    draft.drop_old_data();
    draft.link_viewers();
    draft.plan.wake = draft.wake();
    draft.plan
}

/// A plan while it is made, with what its own launches take.
struct Draft<'a> {
    state: &'a State,
    world: &'a World,
    now: Millis,
    plan: Plan,
    taken: Sum,
    numbers: BTreeMap<(PipelineId, TaskId), u64>,
}

impl<'a> Draft<'a> {
    fn new(state: &'a State, world: &'a World, now: Millis) -> Self {
        Draft { state, world, now, plan: Plan::default(), taken: state.room.taken, numbers: BTreeMap::new() }
    }

    fn look_at_executions(&mut self) {
        let changed: BTreeSet<&ExecutionId> =
            self.state.dirty.executions.iter().chain(self.world.news()).chain(self.world.due(self.now)).collect();
        for execution in changed {
            if let Some(known) = self.state.executions.get(execution) {
                self.look(execution, known);
            }
        }
    }

    fn skip(&mut self) {
        let mut skipped = BTreeSet::new();
        for (run, task, because) in &self.state.skips {
            let Some(nodes) = self.state.runs.get(run).map(|run| &run.snapshot.nodes) else { continue };
            if skipped.insert((run, task)) {
                let (task, because) = (nodes[*task].id.clone(), nodes[*because].id.clone());
                self.plan.events.push(Event::Skipped { run: run.clone(), task, because });
            }
        }
    }

    /// Waits before a further try that are over.
    fn begin_again(&mut self) {
        for (at, place) in &self.state.timers {
            if *at > self.now {
                break;
            }
            self.plan.events.push(Event::Due { place: place.clone() });
        }
    }

    fn close_runs(&mut self) {
        for id in &self.state.closing {
            let Some(run) = self.state.runs.get(id) else { continue };
            if run.live.is_empty() {
                self.plan.events.push(Event::RunEnded { run: id.clone(), how: how(run) });
            }
            for execution in &run.live {
                self.stop_open(id, execution);
            }
        }
    }

    /// What stayed open for others is over with its run.
    fn stop_open(&mut self, run: &RunId, execution: &ExecutionId) {
        let Some(known) = self.state.executions.get(execution) else { return };
        let is_released = self
            .state
            .runs
            .get(run)
            .and_then(|run| Some(&run.tasks[run.snapshot.place(&execution.task)?].stage))
            .is_some_and(|stage| matches!(stage, Stage::Released { .. }));
        let is_over = matches!(known.life, Life::Over { .. });
        if is_released && !is_over && known.stop.is_none() {
            let event = Event::StopAsked { execution: execution.clone(), why: Why::RunOver, by: By::Rule };
            self.plan.events.push(event);
        }
    }

    fn drop_old_data(&mut self) {
        for pipeline in &self.state.dirty.old {
            let events = self.state.outdated(pipeline).map(|run| Event::DataDropped { run: run.clone() });
            self.plan.events.extend(events);
        }
    }

    fn wake(&self) -> Option<Millis> {
        let timer = self.state.timers.first().map(|(at, _)| *at);
        timer.into_iter().chain(self.world.next_due()).min()
    }
}

fn how(run: &Run) -> How {
    // A retry of what failed leaves alone what was cancelled before.
    let was_cancelled = || run.tasks.iter().any(|task| matches!(task.stage, Stage::Cancelled { .. }));
    match (run.is_cancelling(), run.failed.is_empty() && run.unreadable.is_none()) {
        (true, _) => How::Cancelled,
        (false, false) => How::Failed,
        (false, true) if was_cancelled() => How::Cancelled,
        (false, true) => How::Succeeded,
    }
}
