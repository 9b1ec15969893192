//! Which executions are begun, and what exactly is launched?

use std::collections::BTreeMap;

use model::{
    ExecutionId, KindName, TaskId,
    kind::{Kind, Source},
    launch::{Chosen, Decided, Launch, build},
};

use super::Draft;
use crate::{
    event::{Earlier, Event, Place, Role},
    snapshot::Node,
    state::{Life, Run, ServiceStep, room::Class},
};

impl Draft<'_> {
    /// The one that has waited longest among those that fit, again and again.
    pub(super) fn fill_room(&mut self) {
        let state = self.state;
        let budget = self.world.budget.as_ref();
        let mut fronts: BTreeMap<u64, (Class, &Place)> = state
            .room
            .queues
            .iter()
            .filter_map(|(class, queue)| queue.first_key_value().map(|(ticket, place)| (*ticket, (*class, place))))
            .collect();
        while let Some((ticket, (class, place))) = fronts.pop_first() {
            if self.taken.lacks(class, budget).is_some() {
                // Nothing else of this class fits, either.
                continue;
            }
            self.begin(place, class);
            let after = state.room.queues.get(&class).and_then(|queue| queue.range(ticket + 1..).next());
            if let Some((ticket, place)) = after {
                fronts.insert(*ticket, (class, place));
            }
        }
    }

    fn begin(&mut self, place: &Place, class: Class) {
        let Some((run, node)) = self.state.node_of(place) else { return };
        if let Some((earlier, sentence)) = self.reusable(run, node) {
            let (run, task) = (run.id.clone(), node.id.clone());
            self.plan.events.push(Event::Reused { run, task, earlier, sentence });
            return;
        }
        let n = self.next_number(run, &node.id);
        match self.launch(place, run, node, n) {
            Ok((role, attempt, launch)) => {
                self.taken.add(class);
                let launch = Box::new(launch);
                self.plan.events.push(Event::Intended { place: place.clone(), role, attempt, launch });
            }
            Err(sentence) => self.plan.events.push(Event::NotMade { place: place.clone(), sentence }),
        }
    }

    /// Numbers count a task's executions over all runs: copies, a Serving's packing and each start of what serves.
    fn next_number(&mut self, run: &Run, task: &TaskId) -> u64 {
        let last = self.state.memory(&run.pipeline, task).map_or(0, |memory| memory.n);
        let n = self.numbers.entry((run.pipeline.clone(), task.clone())).or_insert(last);
        *n += 1;
        *n
    }

    fn launch(&self, place: &Place, run: &Run, node: &Node, n: u64) -> Result<(Role, u32, Launch), String> {
        let (role, copy, packed, before) = match place {
            Place::Lane { run: id, task, copy } => {
                let before = self.state.lane(id, task, *copy).map(|lane| lane.executions.clone()).unwrap_or_default();
                let role = if node.kind == KindName::Serving { Role::Pack } else { Role::Step };
                (role, node.has_grid.then_some(*copy), None, before)
            }
            Place::Service { packed: 0, .. } => (Role::View, None, None, Vec::new()),
            Place::Service { packed, .. } => (Role::Serve, None, Some(*packed), Vec::new()),
        };
        let decided = Decided {
            run: &run.id,
            parameters: &run.parameters,
            n,
            copy,
            upstreams: &self.upstreams(run, node),
            previous: before.iter().rev().copied().find(|n| self.left_something(run, &node.id, *n)),
            again: run.again.contains(&node.id),
            packed,
        };
        let launch = build(&run.snapshot.pipeline, &self.state.site, &run.snapshot.resolved, &node.id, &decided);
        let attempt = before.len() as u32 + 1;
        launch.map(|launch| (role, attempt, launch)).map_err(|error| error.to_string())
    }

    /// It kept nothing, or never came as far as to have a folder: then there is none to be found.
    fn left_something(&self, run: &Run, task: &TaskId, n: u64) -> bool {
        let execution = ExecutionId { pipeline: run.pipeline.clone(), task: task.clone(), n };
        let known = self.state.execution(&execution);
        known.is_some_and(|one| !one.kept.is_empty() && matches!(one.life, Life::Over { started: Some(_), .. }))
    }

    fn upstreams(&self, run: &Run, node: &Node) -> BTreeMap<TaskId, Vec<Chosen>> {
        let chosen = |up: &usize| {
            let own = &run.snapshot.nodes[*up];
            let results = run.results(*up).into_iter();
            let all: Vec<Chosen> = results
                .map(|one| Chosen {
                    n: if own.kind == KindName::Serving { self.serving(run, &own.id, one.n) } else { one.n },
                    copy: one.copy,
                    values: one.values,
                    good: one.good,
                })
                .collect();
            (own.id.clone(), all)
        };
        node.reads.iter().map(chosen).collect()
    }

    /// The execution that serves what `packed` built.
    fn serving(&self, run: &Run, task: &TaskId, packed: u64) -> u64 {
        let service = self.state.memory(&run.pipeline, task).and_then(|memory| memory.services.get(&packed));
        match service.map(|service| (&service.step, service.executions.last())) {
            Some((ServiceStep::Live { n, .. }, _)) => *n,
            Some((ServiceStep::Off | ServiceStep::Queued { .. } | ServiceStep::Broken { .. }, Some(last))) => *last,
            Some((ServiceStep::Off | ServiceStep::Queued { .. } | ServiceStep::Broken { .. }, None)) | None => packed,
        }
    }

    /// The newest good result of a Load Data that would fetch the same again, and how one knows.
    fn reusable(&self, run: &Run, node: &Node) -> Option<(Earlier, String)> {
        let Kind::LoadData(load) = &node.task.kind else { return None };
        if run.again.contains(&node.id) {
            return None;
        }
        let good = self.state.memory(&run.pipeline, &node.id)?.good.last()?;
        let before = self.state.runs.get(&good.earlier.run)?;
        let sources = load.filled(&run.parameters).ok()?;
        let same = before.snapshot.node(&node.id)?.task.kind == node.task.kind
            && load.filled(&before.parameters).is_ok_and(|before| before == sources);
        let why = run.unchanged.get(&node.id).cloned().or_else(|| known_unchanged(&sources));
        let sentence = format!("same as run {}: {}", before.number, why?);
        (same && keeps_the_same(run, before, node)).then(|| (good.earlier.clone(), sentence))
    }
}

/// Folders are made for the arrows of their run: a result that lacks one that is read now is no substitute.
fn keeps_the_same(run: &Run, before: &Run, node: &Node) -> bool {
    let paths = |run: &Run| -> Vec<String> {
        let arrows = run.snapshot.pipeline.arrows.values().filter(|arrow| arrow.from_task == node.id);
        let mut paths: Vec<String> = arrows.map(|arrow| arrow.from_path.normal().0).collect();
        paths.sort();
        paths.dedup();
        paths
    };
    let before = paths(before);
    paths(run).iter().all(|path| before.contains(path))
}

/// What can be said without asking the source.
fn known_unchanged(sources: &[Source]) -> Option<String> {
    sources.iter().all(Source::is_fixed).then(|| "its sources are told by their checksums".into())
}
