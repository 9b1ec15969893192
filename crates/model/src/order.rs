//! Which task waits for which?
//!
//! Built once per pipeline; every question after that costs what it answers, not what there is.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    Gather,
    id::TaskId,
    kind::KindName,
    pipeline::{Arrow, Pipeline},
};

/// Whether the downstream waits for the upstream: no order comes from arrows out of a Volume, nor into or out of a
/// Viewer (they are drawn dashed). An arrow into a Volume is a problem, and orders nothing.
pub fn carries_order(pipeline: &Pipeline, arrow: &Arrow) -> bool {
    let kind = |task: &TaskId| pipeline.tasks.get(task).map(|task| task.kind.name());
    matches!((kind(&arrow.from_task), kind(&arrow.to_task)), (Some(from), Some(to)) if orders(from, to))
}

/// Whether an arrow between these kinds carries order.
pub fn orders(from: KindName, to: KindName) -> bool {
    let beside = |kind: KindName| matches!(kind, KindName::Volume | KindName::Viewer);
    !beside(from) && !beside(to)
}

/// The order of a pipeline's tasks, and its arrows by their ends.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// In the order of ids; everything else names a task by its place here.
    ids: Vec<TaskId>,
    places: HashMap<TaskId, usize>,
    links: Vec<Links>,
    sorted: Vec<TaskId>,
    cycles: Vec<Vec<TaskId>>,
}

#[derive(Clone, Debug, Default)]
struct Links {
    upstreams: Vec<usize>,
    downstreams: Vec<usize>,
    into: Vec<Arc<Arrow>>,
    out_of: Vec<Arc<Arrow>>,
}

impl Order {
    pub fn of(pipeline: &Pipeline) -> Order {
        let ids: Vec<TaskId> = pipeline.tasks.keys().cloned().collect();
        let kinds: Vec<KindName> = pipeline.tasks.values().map(|task| task.kind.name()).collect();
        let places = ids.iter().enumerate().map(|(place, id)| (id.clone(), place)).gather();
        let links = vec![Links::default(); ids.len()];
        let mut order = Order { ids, places, links, sorted: Vec::new(), cycles: Vec::new() };
        for arrow in pipeline.arrows.values() {
            order.add(arrow, &kinds);
        }
        for links in &mut order.links {
            for list in [&mut links.upstreams, &mut links.downstreams] {
                list.sort_unstable();
                list.dedup();
            }
        }
        order.sort();
        order
    }

    fn add(&mut self, arrow: &Arc<Arrow>, kinds: &[KindName]) {
        let (from, to) = (self.place(&arrow.from_task), self.place(&arrow.to_task));
        if let Some(from) = from {
            self.links[from].out_of.push(Arc::clone(arrow));
        }
        if let Some(to) = to {
            self.links[to].into.push(Arc::clone(arrow));
        }
        if let (Some(from), Some(to)) = (from, to)
            && orders(kinds[from], kinds[to])
        {
            self.links[from].downstreams.push(to);
            self.links[to].upstreams.push(from);
        }
    }

    fn place(&self, task: &TaskId) -> Option<usize> {
        self.places.get(task).copied()
    }

    /// Takes tasks whose upstreams are all taken; what is left then lies in cycles or behind them.
    fn sort(&mut self) {
        let mut waits: Vec<usize> = self.links.iter().map(|links| links.upstreams.len()).collect();
        let mut free: Vec<usize> = (0..waits.len()).rev().filter(|at| waits[*at] == 0).collect();
        let mut sorted = Vec::with_capacity(self.ids.len());
        while let Some(at) = free.pop() {
            sorted.push(at);
            for down in self.links[at].downstreams.iter().rev() {
                waits[*down] -= 1;
                free.extend((waits[*down] == 0).then_some(*down));
            }
        }
        self.cycles = self.cycles_among(&waits);
        sorted.extend((0..waits.len()).filter(|at| waits[*at] > 0));
        self.sorted = self.named(&sorted);
    }

    fn named(&self, places: &[usize]) -> Vec<TaskId> {
        places.iter().map(|at| self.ids[*at].clone()).collect()
    }

    /// Among the tasks that still wait: follows the first such upstream until a task comes up again, which closes a
    /// ring if it is on this very walk.
    fn cycles_among(&self, waits: &[usize]) -> Vec<Vec<TaskId>> {
        let (mut cycles, mut seen) = (Vec::new(), vec![false; waits.len()]);
        for start in (0..waits.len()).filter(|at| waits[*at] > 0) {
            let (mut walk, mut at) = (Vec::new(), start);
            while !std::mem::replace(&mut seen[at], true) {
                walk.push(at);
                // What waits has an upstream that waits, or it would have been taken.
                at = self.links[at].upstreams.iter().copied().find(|up| waits[*up] > 0).unwrap_or(at);
            }
            if let Some(begin) = walk.iter().position(|task| *task == at) {
                // It was walked against the arrows.
                let ring: Vec<usize> = walk[begin..].iter().rev().copied().collect();
                cycles.push(self.named(&ring));
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

    fn links(&self, task: &TaskId) -> Option<&Links> {
        self.place(task).map(|place| &self.links[place])
    }

    /// The tasks that it waits for, by id.
    pub fn upstreams(&self, task: &TaskId) -> impl Iterator<Item = &TaskId> {
        self.links(task).into_iter().flat_map(|links| &links.upstreams).map(|at| &self.ids[*at])
    }

    /// The tasks that wait for it, by id.
    pub fn downstreams(&self, task: &TaskId) -> impl Iterator<Item = &TaskId> {
        self.links(task).into_iter().flat_map(|links| &links.downstreams).map(|at| &self.ids[*at])
    }

    /// Arrows into it, those without order, too, by id.
    pub fn arrows_into(&self, task: &TaskId) -> &[Arc<Arrow>] {
        self.links(task).map_or(&[], |links| &links.into)
    }

    /// Arrows out of it, those without order, too, by id.
    pub fn arrows_out_of(&self, task: &TaskId) -> &[Arc<Arrow>] {
        self.links(task).map_or(&[], |links| &links.out_of)
    }

    /// It and everything that it waits for, however far.
    pub fn up_to_here(&self, task: &TaskId) -> BTreeSet<TaskId> {
        self.closure(task, |links| &links.upstreams)
    }

    /// It and everything that waits for it, however far.
    pub fn from_here(&self, task: &TaskId) -> BTreeSet<TaskId> {
        self.closure(task, |links| &links.downstreams)
    }

    fn closure(&self, task: &TaskId, next: impl Fn(&Links) -> &Vec<usize>) -> BTreeSet<TaskId> {
        let (mut open, mut all) = (Vec::from_iter(self.place(task)), BTreeSet::new());
        while let Some(at) = open.pop() {
            if all.insert(at) {
                open.extend(next(&self.links[at]));
            }
        }
        all.into_iter().map(|at| self.ids[at].clone()).gather()
    }

    /// Whether `later` waits for `earlier`, however far.
    pub fn is_before(&self, earlier: &TaskId, later: &TaskId) -> bool {
        let (Some(earlier), Some(later)) = (self.place(earlier), self.place(later)) else { return false };
        let (mut open, mut seen) = (vec![later], BTreeSet::new());
        while let Some(at) = open.pop() {
            let upstreams = &self.links[at].upstreams;
            if upstreams.contains(&earlier) {
                return true;
            }
            if seen.insert(at) {
                open.extend(upstreams);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{fixture::Build, generate};
    use proptest::prelude::*;

    fn words(tasks: &[TaskId]) -> Vec<&str> {
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
        let cycles: Vec<_> = order.cycles().iter().map(|cycle| words(cycle)).collect();
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
