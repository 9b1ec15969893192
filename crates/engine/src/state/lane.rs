//! How does a task of a run go from waiting to released?

use std::collections::btree_map::Entry;

use model::{ExecutionId, KindName, PipelineId, RunId, TaskId, kind::Kind, run::Millis};

use super::{Fate, Good, Memory, Run, Service, ServiceStep, Stage, State, Step, room::Class};
use crate::event::{Earlier, Place, Then};

impl State {
    /// Opens a task whose upstreams are all released.
    pub(super) fn open_if_free(&mut self, id: &RunId, task: usize, at: Millis) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if run.tasks[task].stage != (Stage::Blocked { missing: 0 }) {
            return;
        }
        run.tasks[task].stage = Stage::Open { since: at };
        for copy in 0..run.tasks[task].lanes.len() {
            self.queue_lane(id, task, copy, true);
        }
        self.touch(id, task);
        self.settle_task(id, task, at);
    }

    /// Puts one copy in the line for room, and a live step in the line for its work folder before that.
    pub(super) fn queue_lane(&mut self, id: &RunId, task: usize, copy: usize, only_waiting: bool) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let lane = &mut run.tasks[task].lanes[copy];
        if only_waiting && lane.step != Step::Waiting {
            return;
        }
        self.ticket += 1;
        let ticket = self.ticket;
        lane.step = Step::Queued { ticket };
        let node = &run.snapshot.nodes[task];
        let place = Place::Lane { run: id.clone(), task: node.id.clone(), copy: copy as u32 };
        if node.kind.is_live_step() {
            let (pipeline, task) = (run.pipeline.clone(), node.id.clone());
            self.memory_mut(&pipeline, &task).waiting.insert(ticket, place);
            self.promote(&pipeline, &task);
        } else if let Some(class) = self.class_of(&place) {
            self.room.enter(class, ticket, place);
        }
    }

    pub(super) fn memory_mut(&mut self, pipeline: &PipelineId, task: &TaskId) -> &mut Memory {
        let tasks = &mut self.flows.entry(pipeline.clone()).or_default().tasks;
        match tasks.entry(task.clone()) {
            Entry::Occupied(memory) => memory.into_mut(),
            Entry::Vacant(place) => place.insert(Memory::default()),
        }
    }

    /// The first in the line for a free work folder goes on to the line for room.
    pub(super) fn promote(&mut self, pipeline: &PipelineId, task: &TaskId) {
        let Some(memory) = self.memory(pipeline, task) else { return };
        let first = memory.waiting.first_key_value().map(|(ticket, place)| (*ticket, place.clone()));
        if let (None, Some((ticket, place))) = (&memory.holder, first)
            && let Some(class) = self.class_of(&place)
        {
            self.room.enter(class, ticket, place);
        }
    }

    /// Takes a place out of every line.
    pub(super) fn unqueue(&mut self, place: &Place, class: Class) {
        let ticket = match place {
            Place::Lane { run, task, copy } => match self.lane(run, task, *copy).map(|lane| &lane.step) {
                Some(Step::Queued { ticket }) => *ticket,
                Some(
                    Step::Waiting
                    | Step::Resting { .. }
                    | Step::Live { .. }
                    | Step::Packed { .. }
                    | Step::Held { .. }
                    | Step::Done { .. }
                    | Step::Failed { .. }
                    | Step::Cancelled,
                )
                | None => return,
            },
            Place::Service { pipeline, task, packed } => {
                let service = self.memory(pipeline, task).and_then(|memory| memory.services.get(packed));
                let Some(Service { step: ServiceStep::Queued { ticket }, .. }) = service else { return };
                *ticket
            }
        };
        self.room.leave(class, ticket);
        if let Place::Lane { run, task, .. } = place
            && let Some(pipeline) = self.runs.get(run).map(|run| run.pipeline.clone())
            && self.memory_mut(&pipeline, task).waiting.remove(&ticket).is_some()
        {
            self.promote(&pipeline, task);
        }
    }

    pub(super) fn lane_live(&mut self, id: &RunId, task: &TaskId, copy: u32, execution: &ExecutionId) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let Some(place) = run.snapshot.place(task) else { return };
        let lane = &mut run.tasks[place].lanes[copy as usize];
        lane.step = Step::Live { n: execution.n };
        lane.executions.push(execution.n);
        run.live.insert(execution.clone());
        run.busy.insert(place);
        for viewer in &run.snapshot.nodes[place].viewers {
            let viewer = run.snapshot.nodes[*viewer].id.clone();
            self.dirty.viewers.insert((run.pipeline.clone(), viewer));
        }
        self.touch(id, place);
    }

    /// A live step can be used: if it waits for a person, the run does, too.
    pub(super) fn step_ready(&mut self, id: &RunId, task: &TaskId) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let Some(place) = run.snapshot.place(task) else { return };
        if waits_for_a_person(run, place) && matches!(run.tasks[place].stage, Stage::Open { .. }) {
            run.persons.insert(place);
        }
    }

    pub(super) fn no_person(&mut self, id: &RunId, task: &TaskId) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if let Some(place) = run.snapshot.place(task) {
            run.persons.remove(&place);
        }
    }

    /// A step that stays open lets the run go on.
    pub(super) fn released(&mut self, at: Millis, execution: &ExecutionId) {
        let Some(Place::Lane { run, task, .. }) = self.executions.get(execution).map(|one| one.place.clone()) else {
            return;
        };
        self.no_person(&run, &task);
        self.dirty.executions.insert(execution.clone());
        if let Some(place) = self.place_of(&run, &task) {
            if let Some(run) = self.runs.get_mut(&run) {
                run.tasks[place].open = Some(execution.n);
            }
            self.release(&run, place, at);
        }
    }

    pub(super) fn lane_over(&mut self, at: Millis, lane: &Place, execution: &ExecutionId, then: &Then) {
        let Place::Lane { run: id, task, copy } = lane else { return };
        let Some(place) = self.place_of(id, task) else { return };
        let Some(run) = self.runs.get_mut(id) else { return };
        run.persons.remove(&place);
        let n = execution.n;
        let is_packed = run.snapshot.nodes[place].kind == KindName::Serving;
        let lane = &mut run.tasks[place].lanes[*copy as usize];
        lane.taken = if matches!(then, Then::Renumbered { .. }) { lane.taken + 1 } else { 0 };
        match then {
            Then::Good if is_packed => {
                lane.step = Step::Packed { n };
                self.new_version(id, task, n);
            }
            Then::Good => lane.step = Step::Done { n },
            Then::Again { not_before, lost } => {
                if *lost {
                    lane.lost += 1
                } else {
                    lane.failures += 1
                }
                lane.step = Step::Resting { until: *not_before };
                self.timers.insert((*not_before, Place::Lane { run: id.clone(), task: task.clone(), copy: *copy }));
            }
            Then::Renumbered { .. } => {
                lane.executions.retain(|one| *one != n);
                lane.step = Step::Resting { until: at };
                self.timers.insert((at, Place::Lane { run: id.clone(), task: task.clone(), copy: *copy }));
            }
            Then::Held { sentence } => {
                lane.step = Step::Held { n, sentence: sentence.clone() };
                run.persons.insert(place);
            }
            Then::Failed { sentence } | Then::Broken { sentence } => {
                lane.step = Step::Failed { n: Some(n), sentence: sentence.clone() };
            }
            Then::Cancelled | Then::Off => lane.step = Step::Cancelled,
        }
        self.busy_again(id, place);
        self.settle_task(id, place, at);
    }

    fn busy_again(&mut self, id: &RunId, place: usize) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if !run.tasks[place].lanes.iter().any(|lane| matches!(lane.step, Step::Live { .. })) {
            run.busy.remove(&place);
        }
    }

    pub(super) fn not_made(&mut self, at: Millis, place: &Place, sentence: &str) {
        if let Some(class) = self.class_of(place) {
            self.unqueue(place, class);
        }
        match place {
            Place::Lane { run, task, copy } => {
                let Some(index) = self.place_of(run, task) else { return };
                if let Some(run) = self.runs.get_mut(run) {
                    let step = Step::Failed { n: None, sentence: sentence.into() };
                    run.tasks[index].lanes[*copy as usize].step = step;
                }
                self.touch(run, index);
                self.settle_task(run, index, at);
            }
            Place::Service { pipeline, task, packed } => {
                self.service_over(at, pipeline, task, *packed, &Then::Broken { sentence: sentence.into() });
            }
        }
    }

    pub(super) fn reuse(&mut self, at: Millis, id: &RunId, task: &TaskId, earlier: &Earlier, sentence: &str) {
        let place = Place::Lane { run: id.clone(), task: task.clone(), copy: 0 };
        if let Some(class) = self.class_of(&place) {
            self.unqueue(&place, class);
        }
        let Some(place) = self.place_of(id, task) else { return };
        let Some(run) = self.runs.get_mut(id) else { return };
        run.tasks[place].earlier = Some(earlier.clone());
        run.tasks[place].reused = Some(sentence.into());
        if let Some(copy) = earlier.copies.first() {
            run.tasks[place].lanes[0].step = Step::Done { n: copy.n };
        }
        self.settle_task(id, place, at);
    }

    /// The wait before a further try is over.
    pub(super) fn due(&mut self, place: &Place) {
        let Place::Lane { run, task, copy } = place else { return };
        let Some(index) = self.place_of(run, task) else { return };
        if let Some(Step::Resting { until }) = self.lane(run, task, *copy).map(|lane| lane.step.clone()) {
            self.timers.remove(&(until, place.clone()));
            self.queue_lane(run, index, *copy as usize, false);
            self.touch(run, index);
        }
    }

    /// A task whose copies are all over comes to its end.
    pub(super) fn settle_task(&mut self, id: &RunId, task: usize, at: Millis) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if !matches!(run.tasks[task].stage, Stage::Open { .. }) {
            return;
        }
        let (mut done, mut failed, mut cancelled) = (0, 0, 0);
        for lane in &run.tasks[task].lanes {
            match lane.step {
                Step::Done { .. } => done += 1,
                Step::Failed { .. } => failed += 1,
                Step::Cancelled => cancelled += 1,
                Step::Waiting
                | Step::Queued { .. }
                | Step::Resting { .. }
                | Step::Live { .. }
                | Step::Packed { .. }
                | Step::Held { .. } => return,
            }
        }
        if cancelled > 0 {
            self.give_up(id, task, Stage::Cancelled { at }, task);
        } else if failed == 0 || (done > 0 && tolerates(run, task)) {
            self.release(id, task, at);
        } else {
            run.failed.insert(task);
            self.give_up(id, task, Stage::Failed { at }, task);
        }
    }

    fn release(&mut self, id: &RunId, task: usize, at: Millis) {
        let Some(run) = self.runs.get_mut(id) else { return };
        if !matches!(run.tasks[task].stage, Stage::Open { .. }) {
            return;
        }
        run.tasks[task].stage = Stage::Released { at };
        run.left -= 1;
        let snapshot = run.snapshot.clone();
        let free: Vec<usize> = snapshot.nodes[task].downs.iter().copied().filter(|down| one_less(run, *down)).collect();
        if run.tasks[task].earlier.is_none() {
            let earlier = Earlier { run: id.clone(), copies: run.results(task) };
            let pipeline = run.pipeline.clone();
            self.memory_mut(&pipeline, &snapshot.nodes[task].id).good.push(Good { earlier, at });
        }
        for down in free {
            self.open_if_free(id, down, at);
        }
        self.touch(id, task);
        self.close_if_done(id);
    }

    /// A task ends without a result: what waits for it is to be skipped because of `because`.
    pub(super) fn give_up(&mut self, id: &RunId, task: usize, stage: Stage, because: usize) {
        let Some(run) = self.runs.get_mut(id) else { return };
        run.tasks[task].stage = stage;
        run.left -= 1;
        for down in &run.snapshot.nodes[task].downs {
            if matches!(run.tasks[*down].stage, Stage::Blocked { .. }) {
                self.skips.insert((id.clone(), *down, because));
            }
        }
        self.touch(id, task);
        self.close_if_done(id);
    }

    pub(super) fn skipped(&mut self, at: Millis, id: &RunId, task: &TaskId, because: &TaskId) {
        let (Some(place), Some(because)) = (self.place_of(id, task), self.place_of(id, because)) else { return };
        let first = (id.clone(), place, 0);
        let own: Vec<_> = self.skips.range(first..=(id.clone(), place, usize::MAX)).cloned().collect();
        for one in own {
            self.skips.remove(&one);
        }
        if self.runs.get(id).is_some_and(|run| matches!(run.tasks[place].stage, Stage::Blocked { .. })) {
            self.give_up(id, place, Stage::Skipped { at, because }, because);
        }
    }

    pub(super) fn cancel_task(&mut self, at: Millis, id: &RunId, task: usize) {
        let Some(run) = self.runs.get_mut(id) else { return };
        self.dirty.tasks.insert((id.clone(), task));
        match run.tasks[task].stage {
            Stage::Blocked { .. } => {
                run.tasks[task].stage = Stage::Cancelled { at };
                run.left -= 1;
            }
            Stage::Open { .. } | Stage::Released { .. } => {
                for copy in 0..self.runs[id].tasks[task].lanes.len() {
                    self.cancel_lane(at, id, task, copy);
                }
                self.cancel_versions(at, id, task);
                self.settle_task(id, task, at);
            }
            Stage::NotInRun
            | Stage::Failed { .. }
            | Stage::Skipped { .. }
            | Stage::Cancelled { .. }
            | Stage::Viewer => {}
        }
    }

    /// What stayed open, lost its machine and has not come back before its run was over is not needed any more.
    pub(super) fn forget_waiting(&mut self, at: Millis, id: &RunId) {
        let Some(run) = self.runs.get(id) else { return };
        let open: Vec<usize> = (0..run.tasks.len()).filter(|task| run.tasks[*task].open.is_some()).collect();
        for task in open {
            self.cancel_lane(at, id, task, 0);
        }
    }

    fn cancel_lane(&mut self, at: Millis, id: &RunId, task: usize, copy: usize) {
        let Some(run) = self.runs.get(id) else { return };
        let (pipeline, name) = (run.pipeline.clone(), run.snapshot.nodes[task].id.clone());
        let place = Place::Lane { run: id.clone(), task: name.clone(), copy: copy as u32 };
        match run.tasks[task].lanes[copy].step {
            Step::Live { n } => {
                let execution = ExecutionId { pipeline, task: name, n };
                self.stop_for_cancel(at, &execution);
                return;
            }
            Step::Queued { .. } => {
                if let Some(class) = self.class_of(&place) {
                    self.unqueue(&place, class);
                }
            }
            Step::Resting { until } => {
                self.timers.remove(&(until, place));
            }
            Step::Waiting | Step::Held { .. } => {}
            Step::Packed { .. } | Step::Done { .. } | Step::Failed { .. } | Step::Cancelled => return,
        }
        if let Some(run) = self.runs.get_mut(id) {
            run.tasks[task].lanes[copy].step = Step::Cancelled;
        }
    }
}

/// An upstream is released; true if it was the last that was missing.
fn one_less(run: &mut Run, task: usize) -> bool {
    match &mut run.tasks[task].stage {
        Stage::Blocked { missing } => {
            *missing = missing.saturating_sub(1);
            *missing == 0 && !matches!(run.fate, Fate::Cancelling { .. })
        }
        Stage::NotInRun
        | Stage::Open { .. }
        | Stage::Released { .. }
        | Stage::Failed { .. }
        | Stage::Skipped { .. }
        | Stage::Cancelled { .. }
        | Stage::Viewer => false,
    }
}

fn tolerates(run: &Run, task: usize) -> bool {
    match &run.snapshot.nodes[task].task.kind {
        Kind::Job(job) => job.tolerate_failed_copies,
        Kind::LoadData(_)
        | Kind::Container(_)
        | Kind::Notebook(_)
        | Kind::Viewer(_)
        | Kind::Serving(_)
        | Kind::Volume(_) => false,
    }
}

/// A live step that a person advances.
pub(crate) fn waits_for_a_person(run: &Run, task: usize) -> bool {
    run.snapshot.nodes[task].task.kind.advance() == Some(&model::kind::Advance::Hand)
}
