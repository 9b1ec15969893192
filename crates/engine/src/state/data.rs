//! What becomes of results when runs are deleted, or old ones make room?

use std::collections::BTreeSet;

use model::{ExecutionId, PipelineId, RunId, TaskId};

use super::{Gone, Run, Service, ServiceStep, State};
use crate::event::Role;

impl State {
    /// How many newest runs of each pipeline keep their data; 0: all.
    pub fn keep_runs(&mut self, newest: u32) {
        self.keep_runs = newest;
        self.dirty.old.extend(self.flows.keys().cloned());
    }

    /// What is to be removed since the last call. After a fold: all that ever was, since a removal may have been
    /// interrupted; numbers are never used again, so asking twice removes nothing else.
    pub fn take_gone(&mut self) -> Vec<Gone> {
        std::mem::take(&mut self.dirty.gone)
    }

    /// Runs whose data makes room: ended, older than the newest that are kept, not pinned, and no version of a Serving
    /// that they packed is there.
    pub(crate) fn outdated<'a>(&'a self, pipeline: &PipelineId) -> impl Iterator<Item = &'a RunId> {
        let runs = self.flows.get(pipeline).map(|flow| flow.runs.as_slice()).unwrap_or_default();
        let old = if self.keep_runs == 0 { 0 } else { runs.len().saturating_sub(self.keep_runs as usize) };
        let runs = runs[..old].iter().filter_map(|id| self.runs.get(id));
        let goes = |run: &&Run| run.has_ended() && !run.pinned && !run.dropped && !self.serves(run);
        runs.filter(goes).map(|run| &run.id)
    }

    fn serves(&self, run: &Run) -> bool {
        let memories = self.flows.get(&run.pipeline).into_iter().flat_map(|flow| flow.tasks.values());
        let is_there =
            |service: &Service| matches!(service.step, ServiceStep::Live { .. } | ServiceStep::Queued { .. });
        memories
            .flat_map(|memory| memory.services.iter().map(move |(packed, service)| (memory, *packed, service)))
            .filter(|(_, packed, service)| *packed != 0 && service.run == run.id)
            .any(|(memory, packed, service)| is_there(service) || memory.live == Some(packed))
    }

    /// What of a pipeline is read by runs other than this one.
    fn read_by_others(&self, run: &Run) -> BTreeSet<(TaskId, u64)> {
        let runs = self.flows.get(&run.pipeline).into_iter().flat_map(|flow| &flow.runs);
        let others = runs.filter(|id| **id != run.id).filter_map(|id| self.runs.get(id));
        others.flat_map(read_by).collect()
    }

    /// Executions of which nothing is left when a run is deleted: its own, and those that it alone still reads of
    /// deleted runs. A Viewer that it started is everybody's; what lies under a number that was taken is another's.
    pub fn only_of(&self, run: &Run) -> Vec<ExecutionId> {
        let read = self.read_by_others(run);
        let goes = |(id, one): &(&ExecutionId, &super::Execution)| {
            let is_own = one.run == run.id || !self.runs.contains_key(&one.run);
            let is_read = read.contains(&(id.task.clone(), id.n));
            let is_live_viewer = one.role == Role::View && !one.is_over();
            id.pipeline == run.pipeline && is_own && !is_read && !is_live_viewer && !one.is_taken()
        };
        self.executions.iter().filter(goes).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn pin(&mut self, id: &RunId, pinned: bool) {
        let Some(run) = self.runs.get_mut(id) else { return };
        run.pinned = pinned;
        let pipeline = run.pipeline.clone();
        self.dirty.runs.insert(id.clone());
        self.dirty.old.insert(pipeline.clone());
        self.show_again(&pipeline);
    }

    /// Viewers' links may differ.
    fn show_again(&mut self, pipeline: &PipelineId) {
        let Some(flow) = self.flows.get(pipeline) else { return };
        let viewers = flow.tasks.iter().filter(|(_, memory)| memory.services.contains_key(&0));
        self.dirty.viewers.extend(viewers.map(|(task, _)| (pipeline.clone(), task.clone())));
    }

    pub(super) fn drop_data(&mut self, id: &RunId) {
        let Some(run) = self.runs.get(id) else { return };
        let (read, pipeline) = (self.read_by_others(run), run.pipeline.clone());
        for (execution, one) in self.executions.iter_mut().filter(|(_, one)| one.run == *id) {
            if !read.contains(&(execution.task.clone(), execution.n)) && one.is_over() && !one.is_taken() {
                one.kept.clear();
                self.dirty.gone.push(Gone { execution: execution.clone(), whole: false });
            }
        }
        for (task, memory) in self.flows.get_mut(&pipeline).into_iter().flat_map(|flow| &mut flow.tasks) {
            let is_whole = |n: &u64| read.contains(&(task.clone(), *n));
            memory.good.retain(|good| {
                good.earlier.run != *id || good.earlier.copies.iter().all(|copy| !copy.good || is_whole(&copy.n))
            });
            memory.services.retain(|packed, service| *packed == 0 || service.run != *id);
        }
        if let Some(run) = self.runs.get_mut(id) {
            run.dropped = true;
        }
        self.dirty.runs.insert(id.clone());
        self.show_again(&pipeline);
    }

    /// The numbers stay given out: a folder that is still there is never used again.
    pub(super) fn run_deleted(&mut self, id: &RunId) {
        let Some(run) = self.runs.get(id) else { return };
        let gone = self.only_of(run);
        let Some(run) = self.runs.remove(id) else { return };
        self.closing.remove(id);
        for execution in gone {
            self.executions.remove(&execution);
            self.dirty.gone.push(Gone { execution, whole: true });
        }
        self.executions.retain(|_, one| one.run != *id || !one.is_taken());
        self.forget_in_flow(&run);
        self.show_again(&run.pipeline);
    }

    fn forget_in_flow(&mut self, run: &Run) {
        let Some(flow) = self.flows.get_mut(&run.pipeline) else { return };
        flow.runs.retain(|one| *one != run.id);
        for (task, memory) in &mut flow.tasks {
            memory.good.retain(|good| good.earlier.run != run.id);
            memory.services.retain(|packed, service| *packed == 0 || service.run != run.id);
            if memory.live.is_some_and(|live| !memory.services.contains_key(&live)) {
                memory.live = None;
            }
            if let Some(viewer) = memory.services.get_mut(&0) {
                let has_it = |one: &&RunId| self.runs.get(*one).is_some_and(|run| run.snapshot.node(task).is_some());
                if let Some(newest) = flow.runs.iter().rev().find(has_it).filter(|_| viewer.run == run.id) {
                    viewer.run = newest.clone();
                }
            }
        }
    }

    pub(super) fn pipeline_deleted(&mut self, id: &PipelineId) {
        let runs = self.flows.get(id).map(|flow| flow.runs.clone()).unwrap_or_default();
        for run in &runs {
            self.run_deleted(run);
        }
        let Some(flow) = self.flows.get_mut(id) else { return };
        for memory in flow.tasks.values_mut() {
            memory.services.clear();
            memory.live = None;
        }
    }
}

/// The executions of other runs that a run reads.
pub(crate) fn read_by(run: &Run) -> impl Iterator<Item = (TaskId, u64)> {
    run.tasks.iter().zip(&run.snapshot.nodes).flat_map(|(task, node)| {
        let copies = task.earlier.iter().flat_map(|earlier| &earlier.copies).filter(|copy| copy.good);
        copies.map(|copy| (node.id.clone(), copy.n))
    })
}
