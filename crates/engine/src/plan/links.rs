//! Which results does a Viewer show, and under which names?

use model::{ExecutionId, KindName, PipelineId, TaskId, kind::Kind, path::TaskPath};

use super::Draft;
use crate::{
    action::{Action, Link},
    event::{Place, Role},
    snapshot::Snapshot,
    state::{Execution, Life, Run, ServiceStep},
};

impl Draft<'_> {
    pub(super) fn link_viewers(&mut self) {
        for (pipeline, task) in &self.state.dirty.viewers {
            self.link(pipeline, task);
        }
    }

    /// A Viewer that was just seen may not have its links yet.
    pub(super) fn plan_links_of(&mut self, execution: &ExecutionId, known: &Execution) {
        let is_dirty = self.state.dirty.viewers.contains(&(execution.pipeline.clone(), execution.task.clone()));
        if known.role == Role::View && !is_dirty && self.world.links(execution).is_none() {
            self.link(&execution.pipeline, &execution.task);
        }
    }

    fn link(&mut self, pipeline: &PipelineId, task: &TaskId) {
        let Some(ServiceStep::Live { n, .. }) = self.viewer_step(pipeline, task) else { return };
        let viewer = ExecutionId { pipeline: pipeline.clone(), task: task.clone(), n: *n };
        let is_running = self.state.executions.get(&viewer).is_some_and(|one| match one.life {
            Life::Started { .. } | Life::Ready { .. } => one.stop.is_none(),
            Life::Intended | Life::Over { .. } => false,
        });
        if !is_running || self.world.is_later(&viewer, self.now) {
            return;
        }
        let links = self.links(pipeline, task);
        if self.world.links(&viewer) != Some(&links) {
            self.plan.actions.push(Action::Links { viewer, links });
        }
    }

    fn viewer_step(&self, pipeline: &PipelineId, task: &TaskId) -> Option<&ServiceStep> {
        self.state.memory(pipeline, task)?.services.get(&0).map(|service| &service.step)
    }

    /// Those of the newest runs that have this Viewer and of pinned ones, oldest first.
    fn links(&self, pipeline: &PipelineId, viewer: &TaskId) -> Vec<Link> {
        let Some(flow) = self.state.flows.get(pipeline) else { return Vec::new() };
        let own = |run: &&Run| run.snapshot.node(viewer).is_some();
        let runs: Vec<&Run> = flow.runs.iter().rev().filter_map(|run| self.state.runs.get(run)).filter(own).collect();
        let Some(Kind::Viewer(settings)) =
            runs.first().and_then(|run| run.snapshot.node(viewer)).map(|one| &one.task.kind)
        else {
            return Vec::new();
        };
        let newest = settings.newest_runs as usize;
        let shown = runs.iter().enumerate().filter(|(age, run)| *age < newest || run.pinned);
        let shown: Vec<&&Run> = shown.map(|(_, run)| run).collect();
        shown.into_iter().rev().flat_map(|run| self.links_of(run, viewer)).collect()
    }

    fn links_of(&self, run: &Run, viewer: &TaskId) -> Vec<Link> {
        watched(&run.snapshot, viewer)
            .into_iter()
            .flat_map(|(place, path, is_one_of_many)| {
                let node = &run.snapshot.nodes[place];
                let executions = run.tasks[place].lanes.iter().flat_map(|lane| lane.executions.iter());
                executions.filter_map(move |n| {
                    let execution = ExecutionId { pipeline: run.pipeline.clone(), task: node.id.clone(), n: *n };
                    let known = self.state.executions.get(&execution)?;
                    let name = link_name(run, place, known, is_one_of_many.then_some(&path));
                    let folder = &known.kept.iter().find(|kept| path.is_within(&kept.path))?;
                    let below = path.relative()[folder.path.relative().len()..].to_owned();
                    Some(Link { name, folder: format!("{}{below}", folder.folder) })
                })
            })
            .collect()
    }
}

/// The tasks and paths that a Viewer's arrows name, and whether one task has several.
fn watched(snapshot: &Snapshot, viewer: &TaskId) -> Vec<(usize, TaskPath, bool)> {
    let arrows: Vec<_> = snapshot.pipeline.arrows.values().filter(|arrow| arrow.to_task == *viewer).collect();
    let found = arrows.iter().filter_map(|arrow| {
        let place = snapshot.place(&arrow.from_task)?;
        let is_task = !matches!(snapshot.nodes[place].kind, KindName::Viewer | KindName::Volume);
        let several = arrows.iter().filter(|other| other.from_task == arrow.from_task).count() > 1;
        (is_task && !arrow.from_path.is_empty()).then(|| (place, arrow.from_path.normal(), several))
    });
    found.collect()
}

/// `run 14 · Train · LR=0.1 · try 2`, a valid name of a folder.
fn link_name(run: &Run, place: usize, known: &Execution, path: Option<&TaskPath>) -> String {
    let node = &run.snapshot.nodes[place];
    let mut parts = vec![format!("run {}", run.number), node.task.title().to_owned()];
    if let Place::Lane { copy, .. } = &known.place {
        parts.extend(node.copies[*copy as usize].iter().map(|(name, value)| format!("{name}={value}")));
    }
    if known.attempt > 1 {
        parts.push(format!("try {}", known.attempt));
    }
    parts.extend(path.map(|path| path.to_string()));
    let name: String = parts.join(" · ").chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect();
    name.trim_start_matches('.').chars().take(100).collect()
}
