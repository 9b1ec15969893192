//! What does each event change?

use std::sync::Arc;

use model::{ExecutionId, Pipeline, PipelineId, RunId, TaskId, launch::Launch, run::Millis};

use super::{Execution, Fate, Life, Run, RunTask, Stage, State, Step, is_quick, room::Class};
use crate::{
    event::{By, End, Event, How, Place, Role, RunStarted, Then, Why},
    snapshot::Snapshot,
    state::Lane,
};

impl State {
    /// Takes in one event that happened at `at`.
    ///
    /// # Assumptions
    /// The event was made by [`crate::plan`] or [`crate::command`] for the state as it is: one that names something
    /// unknown changes nothing.
    pub fn apply(&mut self, at: Millis, event: &Event) {
        match event {
            Event::RunStarted(start) => self.start_run(at, start),
            Event::Intended { place, role, attempt, launch } => self.intend(at, place, *role, *attempt, launch),
            Event::Reused { run, task, earlier, sentence } => self.reuse(at, run, task, earlier, sentence),
            Event::NotMade { place, sentence } => self.not_made(at, place, sentence),
            Event::Started { execution, started } => self.started(execution, *started),
            Event::Ready { execution, started, ready } => self.ready(execution, *started, *ready),
            Event::StopAsked { execution, why, by: _ } => self.stop_asked(at, execution, *why),
            Event::Released { execution, by: _ } => self.released(at, execution),
            Event::Ended { execution, end, then, facts } => self.ended(at, execution, end, then, facts.clone()),
            Event::Due { place } => self.due(place),
            Event::Skipped { run, task, because } => self.skipped(at, run, task, because),
            Event::StartAgain { run, task, by: _ } => self.start_again(run, task),
            Event::FailIt { run, task, by: _ } => self.fail_it(at, run, task),
            Event::Retried { run, tasks, by: _ } => self.retried(at, run, tasks),
            Event::Paused { pipeline, task, by: _ } => self.paused(pipeline, task),
            Event::Resumed { pipeline, task, by: _ } => self.resumed(pipeline, task),
            Event::LiveWanted { pipeline, task, packed, by: _ } => self.live_wanted(pipeline, task, *packed),
            Event::MadeLive { pipeline, task, packed, by: _ } => self.made_live(pipeline, task, *packed),
            Event::RunCancelled { run, by } => self.run_cancelled(at, run, by),
            Event::RunEnded { run, how } => self.run_ended(at, run, *how),
            Event::Pinned { run, pinned, by: _ } => self.pin(run, *pinned),
            Event::DataDropped { run } => self.drop_data(run),
            Event::RunDeleted { run } => self.run_deleted(run),
            Event::PipelineDeleted { pipeline } => self.pipeline_deleted(pipeline),
        }
    }

    /// Runs of one document share it in memory.
    fn snapshot(&self, start: &RunStarted) -> (Arc<Snapshot>, Option<String>) {
        let last = self.flows.get(&start.pipeline).and_then(|flow| flow.runs.last());
        if let Some(run) = last.and_then(|run| self.runs.get(run)).filter(|run| run.snapshot.text == start.document) {
            return (run.snapshot.clone(), run.unreadable.clone());
        }
        let (pipeline, unreadable) = match model::document::read(&start.document) {
            Ok(read) => (read.pipeline, None),
            Err(error) => (Pipeline::new(start.pipeline.clone(), ""), Some(error.to_string())),
        };
        (Arc::new(Snapshot::new(pipeline, start.document.clone(), &self.site)), unreadable)
    }

    fn start_run(&mut self, at: Millis, start: &RunStarted) {
        let (snapshot, unreadable) = self.snapshot(start);
        let chosen = snapshot.part(&start.part);
        let tasks: Vec<RunTask> = snapshot
            .nodes
            .iter()
            .enumerate()
            .map(|(place, node)| task(node, chosen.contains(&place), &chosen, start))
            .collect();
        let left = tasks.iter().filter(|task| matches!(task.stage, Stage::Blocked { .. })).count();
        let run = Run {
            id: start.run.clone(),
            pipeline: start.pipeline.clone(),
            number: start.number,
            snapshot: snapshot.clone(),
            unreadable,
            part: start.part.clone(),
            parameters: start.parameters.clone(),
            again: start.again.clone(),
            unchanged: start.unchanged.clone(),
            started: at,
            pinned: false,
            dropped: false,
            fate: Fate::Going,
            left,
            tasks,
            failed: Default::default(),
            persons: Default::default(),
            busy: Default::default(),
            live: Default::default(),
        };
        let flow = self.flows.entry(start.pipeline.clone()).or_default();
        flow.runs.push(start.run.clone());
        flow.last_number = flow.last_number.max(start.number);
        self.runs.insert(start.run.clone(), run);
        for place in chosen {
            self.touch(&start.run, place);
            self.open_if_free(&start.run, place, at);
            self.join_viewer(&start.run, place);
        }
        self.close_if_done(&start.run);
    }

    fn intend(&mut self, at: Millis, place: &Place, role: Role, attempt: u32, launch: &Launch) {
        let Some((class, kind)) = self.class_of(place).zip(self.node_of(place).map(|(_, node)| node.kind)) else {
            return;
        };
        let execution = launch.execution.clone();
        let flow = self.flows.entry(execution.pipeline.clone()).or_default();
        let memory = flow.tasks.entry(execution.task.clone()).or_default();
        memory.n = memory.n.max(execution.n);
        if kind.is_live_step() {
            // Before it leaves the line, or the next one would be let through.
            memory.holder = Some(execution.clone());
        }
        self.unqueue(place, class);
        let taken = Class::new(launch.resources, is_quick(kind, role));
        self.room.take(taken, &execution);
        self.dirty.room |= taken.takes();
        let made = Execution {
            run: launch.run.clone(),
            place: place.clone(),
            role,
            kind,
            copy: launch.copy,
            attempt,
            class: taken,
            launch: Some(Arc::new(launch.clone())),
            kept: launch.outputs.iter().chain(&launch.snapshots).cloned().collect(),
            intended: at,
            life: Life::Intended,
            stop: None,
            facts: None,
        };
        self.executions.insert(execution.clone(), made);
        self.changed(&execution);
        match place {
            Place::Lane { run, task, copy } => self.lane_live(run, task, *copy, &execution),
            Place::Service { .. } => self.service_live(place, execution.n),
        }
    }

    fn started(&mut self, execution: &ExecutionId, at: Millis) {
        self.changed(execution);
        let Some(one) = self.executions.get_mut(execution) else { return };
        match one.life {
            Life::Intended => one.life = Life::Started { started: at },
            Life::Started { .. } | Life::Ready { .. } | Life::Over { .. } => {}
        }
    }

    fn ready(&mut self, execution: &ExecutionId, started: Millis, ready: Millis) {
        self.changed(execution);
        let Some(one) = self.executions.get_mut(execution) else { return };
        match one.life {
            Life::Intended | Life::Started { .. } => one.life = Life::Ready { started, ready },
            Life::Ready { .. } | Life::Over { .. } => return,
        }
        match one.place.clone() {
            Place::Lane { run, task, .. } => self.step_ready(&run, &task),
            Place::Service { pipeline, task, packed } => self.service_ready(ready, &pipeline, &task, packed),
        }
    }

    fn stop_asked(&mut self, at: Millis, execution: &ExecutionId, why: Why) {
        self.changed(execution);
        let Some(one) = self.executions.get_mut(execution) else { return };
        one.stop = Some((at, why));
        if let Place::Lane { run, task, .. } = one.place.clone() {
            self.no_person(&run, &task);
        }
    }

    fn ended(&mut self, at: Millis, execution: &ExecutionId, end: &End, then: &Then, facts: Option<serde_json::Value>) {
        self.changed(execution);
        let Some(one) = self.executions.get_mut(execution) else { return };
        let started = match (&one.life, end) {
            (Life::Over { .. }, _) => return,
            (_, End::Exited { started: Some(started), .. }) => Some(*started),
            (Life::Started { started } | Life::Ready { started, .. }, _) => Some(*started),
            (Life::Intended, _) => None,
        };
        let over = match end {
            End::Exited { ended, .. } => *ended,
            End::Lost { .. } | End::NeverStarted => at,
        };
        one.life = Life::Over { started, at: over, end: end.clone(), good: *then == Then::Good };
        one.launch = None;
        one.facts = facts;
        if one.is_taken() {
            one.kept.clear();
        }
        let (class, place, run) = (one.class, one.place.clone(), one.run.clone());
        if let Then::Renumbered { last } = then {
            let memory = self.memory_mut(&execution.pipeline, &execution.task);
            memory.n = memory.n.max(*last);
        }
        self.room.give_back(class, execution);
        self.dirty.room |= class.takes();
        if let Some(run) = self.runs.get_mut(&run) {
            run.live.remove(execution);
        }
        match &place {
            Place::Lane { .. } => self.lane_over(at, &place, execution, then),
            Place::Service { pipeline, task, packed } => self.service_over(at, pipeline, task, *packed, then),
        }
        self.give_back_folder(execution);
        self.close_if_done(&run);
    }

    fn give_back_folder(&mut self, execution: &ExecutionId) {
        let Some(flow) = self.flows.get_mut(&execution.pipeline) else { return };
        let Some(memory) = flow.tasks.get_mut(&execution.task) else { return };
        if memory.holder.as_ref() == Some(execution) {
            memory.holder = None;
            self.promote(&execution.pipeline, &execution.task);
        }
    }

    fn run_cancelled(&mut self, at: Millis, id: &RunId, by: &By) {
        let Some(run) = self.runs.get_mut(id).filter(|run| !run.has_ended()) else { return };
        run.fate = Fate::Cancelling { by: by.clone() };
        run.persons.clear();
        for place in 0..run.tasks.len() {
            self.cancel_task(at, id, place);
        }
        self.touch_unfinished(id);
        self.skips.retain(|(run, _, _)| run != id);
        self.close_if_done(id);
    }

    fn run_ended(&mut self, at: Millis, id: &RunId, how: How) {
        self.closing.remove(id);
        self.dirty.runs.insert(id.clone());
        self.forget_waiting(at, id);
        if let Some(run) = self.runs.get_mut(id) {
            run.fate = Fate::Ended { how, at };
            self.dirty.old.insert(run.pipeline.clone());
        }
        self.touch_unfinished(id);
    }

    /// What can be tried again while its run goes on and when that has ended, but not while it is being cancelled.
    fn touch_unfinished(&mut self, id: &RunId) {
        let Some(run) = self.runs.get(id) else { return };
        let is_unfinished = |task: &RunTask| {
            matches!(task.stage, Stage::Failed { .. } | Stage::Cancelled { .. } | Stage::Skipped { .. })
        };
        let places = run.tasks.iter().enumerate().filter(|(_, task)| is_unfinished(task));
        self.dirty.tasks.extend(places.map(|(place, _)| (id.clone(), place)));
    }

    /// Nothing is left to do in a run, except perhaps to stop what stayed open.
    pub(super) fn close_if_done(&mut self, id: &RunId) {
        self.dirty.runs.insert(id.clone());
        if self.runs.get(id).is_some_and(|run| run.left == 0 && !run.has_ended()) {
            self.closing.insert(id.clone());
        }
    }

    /// With what waits for it, which says how it is.
    pub(super) fn touch(&mut self, id: &RunId, task: usize) {
        self.dirty.tasks.insert((id.clone(), task));
        self.dirty.runs.insert(id.clone());
        let Some(run) = self.runs.get(id) else { return };
        let is_blocked = |down: &&usize| matches!(run.tasks[**down].stage, Stage::Blocked { .. });
        let waiting = run.snapshot.nodes[task].downs.iter().filter(is_blocked);
        self.dirty.tasks.extend(waiting.map(|down| (id.clone(), *down)));
    }

    pub(super) fn touch_those_in_line(&mut self) {
        let queues = self.room.queues.iter().filter(|(class, _)| class.takes());
        let first: Vec<Place> = queues.flat_map(|(_, queue)| queue.values().cloned()).collect();
        for place in first {
            // Only the first of those that wait for a work folder, too, is in the line for room.
            let behind = match &place {
                Place::Lane { run, task, .. } => self.waiting_for_folder(&self.runs[run].pipeline, task),
                Place::Service { .. } => Vec::new(),
            };
            [place].iter().chain(&behind).for_each(|place| self.touch_place(place));
        }
    }

    /// What is known of an execution changed: plan for it, and draw it.
    pub(super) fn changed(&mut self, execution: &ExecutionId) {
        self.dirty.executions.insert(execution.clone());
        self.draw(execution);
    }

    /// Its task is to be drawn again wherever it is shown: something was seen of it that is no event.
    pub fn draw(&mut self, execution: &ExecutionId) {
        let Some(own) = self.executions.get(execution).map(|one| one.place.clone()) else { return };
        // Who waits for its work folder may end it there.
        let waiting = self.waiting_for_folder(&execution.pipeline, &execution.task);
        [own].iter().chain(&waiting).for_each(|place| self.touch_place(place));
    }

    fn waiting_for_folder(&self, pipeline: &PipelineId, task: &TaskId) -> Vec<Place> {
        self.memory(pipeline, task).into_iter().flat_map(|memory| memory.waiting.values().cloned()).collect()
    }

    fn touch_place(&mut self, place: &Place) {
        match place {
            Place::Lane { run, task, .. } => {
                if let Some(place) = self.place_of(run, task) {
                    self.touch(run, place);
                }
            }
            Place::Service { pipeline, task, .. } => self.touch_service(pipeline, task),
        }
    }

    pub(crate) fn class_of(&self, place: &Place) -> Option<Class> {
        let (_, node) = self.node_of(place)?;
        let role = match place {
            Place::Lane { .. } if node.kind == model::KindName::Serving => Role::Pack,
            Place::Lane { .. } => Role::Step,
            Place::Service { packed: 0, .. } => Role::View,
            Place::Service { .. } => Role::Serve,
        };
        Some(Class::new(node.need, is_quick(node.kind, role)))
    }

    pub(super) fn place_of(&self, run: &RunId, task: &TaskId) -> Option<usize> {
        self.runs.get(run)?.snapshot.place(task)
    }
}

fn task(
    node: &crate::snapshot::Node,
    is_chosen: bool,
    chosen: &std::collections::BTreeSet<usize>,
    start: &RunStarted,
) -> RunTask {
    let stage = match (is_chosen, node.kind) {
        (false, _) => Stage::NotInRun,
        (true, model::KindName::Viewer) => Stage::Viewer,
        (true, _) => Stage::Blocked { missing: node.ups.iter().filter(|up| chosen.contains(up)).count() },
    };
    let lanes = match stage {
        Stage::Blocked { .. } => node.copies.len(),
        Stage::NotInRun
        | Stage::Viewer
        | Stage::Open { .. }
        | Stage::Released { .. }
        | Stage::Failed { .. }
        | Stage::Skipped { .. }
        | Stage::Cancelled { .. } => 0,
    };
    let lane = Lane { step: Step::Waiting, executions: Vec::new(), lost: 0, failures: 0, taken: 0 };
    let earlier = if is_chosen { None } else { start.reading.get(&node.id).cloned() };
    RunTask { stage, lanes: vec![lane; lanes], earlier, reused: None, open: None }
}
