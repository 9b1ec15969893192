//! Which task waits for which?
//!
//! Built once per pipeline; every question after that costs what it answers, not what there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    id::{ArrowId, TaskId},
    kind::KindName,
    pipeline::{Arrow, Pipeline},
};

/// Whether the downstream waits for the upstream: no order comes from arrows out of a Volume, nor into or out of a
/// Viewer (they are drawn dashed). An arrow into a Volume is a problem, and orders nothing.
pub fn carries_order(pipeline: &Pipeline, arrow: &Arrow) -> bool {
    let kind = |task: &TaskId| pipeline.tasks.get(task).map(|task| task.kind.name());
    let beside = |kind: KindName| matches!(kind, KindName::Volume | KindName::Viewer);
    matches!((kind(&arrow.from_task), kind(&arrow.to_task)), (Some(from), Some(to)) if !beside(from) && !beside(to))
}

/// The order of a pipeline's tasks, and its arrows by their ends.
#[derive(Clone, Debug, Default)]
pub struct Order {
    tasks: BTreeMap<TaskId, Links>,
    sorted: Vec<TaskId>,
    cycles: Vec<Vec<TaskId>>,
}

#[derive(Clone, Debug, Default)]
struct Links {
    upstreams: BTreeSet<TaskId>,
    downstreams: BTreeSet<TaskId>,
    into: Vec<ArrowId>,
    out_of: Vec<ArrowId>,
}

impl Order {
    pub fn of(pipeline: &Pipeline) -> Order {
        let mut tasks: BTreeMap<TaskId, Links> =
            pipeline.tasks.keys().map(|id| (id.clone(), Links::default())).collect();
        for arrow in pipeline.arrows.values() {
            let orders = carries_order(pipeline, arrow);
            if let Some(from) = tasks.get_mut(&arrow.from_task) {
                from.out_of.push(arrow.id.clone());
                from.downstreams.extend(orders.then(|| arrow.to_task.clone()));
            }
            if let Some(to) = tasks.get_mut(&arrow.to_task) {
                to.into.push(arrow.id.clone());
                to.upstreams.extend(orders.then(|| arrow.from_task.clone()));
            }
        }
        let mut order = Order { tasks, sorted: Vec::new(), cycles: Vec::new() };
        order.sort();
        order
    }

    /// Takes tasks whose upstreams are all taken; what is left then lies in cycles or behind them.
    fn sort(&mut self) {
        let mut waits: BTreeMap<&TaskId, usize> =
            self.tasks.iter().map(|(id, links)| (id, links.upstreams.len())).collect();
        let mut free: Vec<&TaskId> = waits.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).rev().collect();
        let mut sorted = Vec::with_capacity(self.tasks.len());
        while let Some(id) = free.pop() {
            waits.remove(id);
            sorted.push(id.clone());
            for down in self.tasks[id].downstreams.iter().rev() {
                if let Some(count) = waits.get_mut(down) {
                    *count -= 1;
                    free.extend((*count == 0).then_some(down));
                }
            }
        }
        let left: BTreeSet<TaskId> = waits.keys().map(|id| (*id).clone()).collect();
        self.cycles = self.cycles_among(&left);
        sorted.extend(left);
        self.sorted = sorted;
    }

    /// Follows the first upstream that is left until a task comes up again; takes that cycle's tasks away; goes on.
    fn cycles_among(&self, left: &BTreeSet<TaskId>) -> Vec<Vec<TaskId>> {
        let mut cycles = Vec::new();
        let mut seen: BTreeSet<&TaskId> = BTreeSet::new();
        for start in left {
            let (mut path, mut at) = (Vec::new(), start);
            while seen.insert(at) {
                path.push(at);
                match self.tasks[at].upstreams.iter().find(|up| left.contains(*up)) {
                    Some(up) => at = up,
                    None => break,
                }
            }
            if let Some(begin) = path.iter().position(|task| *task == at)
                && self.tasks[path[path.len() - 1]].upstreams.contains(at)
            {
                // It was walked against the arrows.
                cycles.push(path[begin..].iter().rev().map(|task| (*task).clone()).collect());
            }
        }
        cycles
    }

    /// Every task, upstreams first; equal pipelines give equal lists. Tasks in cycles or behind one come last.
    pub fn sorted(&self) -> &[TaskId] {
        &self.sorted
    }

    /// Tasks that wait for each other in a ring, each before the one that waits for it. At least one ring while there
    /// is any; one behind another may show only when the first is gone.
    pub fn cycles(&self) -> &[Vec<TaskId>] {
        &self.cycles
    }

    /// The tasks that it waits for, by id.
    pub fn upstreams(&self, task: &TaskId) -> impl Iterator<Item = &TaskId> {
        self.tasks.get(task).into_iter().flat_map(|links| &links.upstreams)
    }

    /// The tasks that wait for it, by id.
    pub fn downstreams(&self, task: &TaskId) -> impl Iterator<Item = &TaskId> {
        self.tasks.get(task).into_iter().flat_map(|links| &links.downstreams)
    }

    /// Arrows into it, those without order, too, by id.
    pub fn arrows_into(&self, task: &TaskId) -> &[ArrowId] {
        self.tasks.get(task).map_or(&[], |links| &links.into)
    }

    /// Arrows out of it, those without order, too, by id.
    pub fn arrows_out_of(&self, task: &TaskId) -> &[ArrowId] {
        self.tasks.get(task).map_or(&[], |links| &links.out_of)
    }

    /// It and everything that it waits for, however far.
    pub fn up_to_here(&self, task: &TaskId) -> BTreeSet<TaskId> {
        self.closure([task.clone()], |links| &links.upstreams)
    }

    /// It and everything that waits for it, however far.
    pub fn from_here(&self, task: &TaskId) -> BTreeSet<TaskId> {
        self.closure([task.clone()], |links| &links.downstreams)
    }

    /// Whether `later` waits for `earlier`, however far.
    pub fn is_before(&self, earlier: &TaskId, later: &TaskId) -> bool {
        let (mut open, mut seen) = (vec![later], BTreeSet::new());
        while let Some(task) = open.pop() {
            if self.tasks.get(task).is_some_and(|links| links.upstreams.contains(earlier)) {
                return true;
            }
            if seen.insert(task) {
                open.extend(self.upstreams(task));
            }
        }
        false
    }

    fn closure(
        &self,
        start: impl IntoIterator<Item = TaskId>,
        next: impl Fn(&Links) -> &BTreeSet<TaskId>,
    ) -> BTreeSet<TaskId> {
        let mut open: Vec<TaskId> = start.into_iter().filter(|task| self.tasks.contains_key(task)).collect();
        let mut all = BTreeSet::new();
        while let Some(task) = open.pop() {
            if all.insert(task.clone()) {
                open.extend(next(&self.tasks[&task]).iter().filter(|task| self.tasks.contains_key(*task)).cloned());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture::Build, generate};
    use proptest::prelude::*;

    fn named(tasks: &[TaskId]) -> Vec<&str> {
        tasks.iter().map(TaskId::as_str).collect()
    }

    #[test]
    fn a_volume_and_a_viewer_hold_nothing_up_and_wait_for_nothing() {
        let pipeline = Build::new()
            .task("nas", KindName::Volume)
            .task("train", KindName::Job)
            .task("board", KindName::Viewer)
            .task("serve", KindName::Serving)
            .arrow("nas", "", "train", "/nas")
            .arrow("train", "/logs", "board", "")
            .arrow("board", "", "serve", "")
            .arrow("train", "/out", "serve", "/model")
            .done();
        let order = Order::of(&pipeline);
        let task = |id: &str| id.parse::<TaskId>().unwrap();
        assert_eq!(order.upstreams(&task("train")).count(), 0);
        assert_eq!(order.upstreams(&task("board")).count(), 0);
        assert_eq!(order.upstreams(&task("serve")).map(TaskId::as_str).collect::<Vec<_>>(), ["train"]);
        assert_eq!(order.arrows_into(&task("train")).len(), 1);
        assert!(order.cycles().is_empty());
    }

    #[test]
    fn a_ring_is_named_in_the_order_of_its_arrows_and_a_task_behind_it_is_not_in_it() {
        let mut build = Build::new();
        for id in ["a", "b", "c", "d", "x"] {
            build = build.task(id, KindName::Job);
        }
        let order = Order::of(
            &build
                .arrow("a", "", "b", "")
                .arrow("b", "", "c", "")
                .arrow("c", "", "a", "")
                .arrow("c", "", "d", "")
                .arrow("x", "", "x", "")
                .done(),
        );
        let cycles: Vec<_> = order.cycles().iter().map(|cycle| named(cycle)).collect();
        assert_eq!(cycles, [vec!["b", "c", "a"], vec!["x"]]);
        assert_eq!(order.sorted().len(), 5);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_task_comes_once_and_after_all_it_waits_for(pipeline in generate::pipeline(10)) {
            let order = Order::of(&pipeline);
            let place: BTreeMap<_, _> = order.sorted().iter().enumerate().map(|(at, task)| (task, at)).collect();
            prop_assert_eq!(place.len(), pipeline.tasks.len());
            for task in order.sorted() {
                prop_assert!(order.upstreams(task).all(|up| place[up] < place[task]));
                for other in order.up_to_here(task) {
                    prop_assert!(order.from_here(&other).contains(task));
                }
            }
        }
    }
}
