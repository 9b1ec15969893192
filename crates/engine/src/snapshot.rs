//! Which tasks does a run's document have, and in which order do they go?
//!
//! Made once when a run starts: everything that is asked at every step is an index here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    KindName, Pipeline, Site, TaskId, copies, inherit::Resolved, launch::Need, part, pipeline::Task, run::Part,
};

/// A copy's values by name.
pub type Values = BTreeMap<String, String>;

/// What a run works on.
#[derive(Debug)]
pub struct Snapshot {
    pub pipeline: Pipeline,
    pub text: String,
    /// Every task but the Volumes.
    pub nodes: Vec<Node>,
    index: BTreeMap<TaskId, usize>,
    /// Effective settings, as the installation was when the run started or was read again.
    pub resolved: Resolved,
}

impl PartialEq for Snapshot {
    /// Everything else follows from the document.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.nodes == other.nodes
    }
}

/// One task with its neighbours as indices.
#[derive(Debug, PartialEq)]
pub struct Node {
    pub id: TaskId,
    pub kind: KindName,
    pub task: Arc<Task>,
    /// Tasks that must be released before this one starts.
    pub ups: Vec<usize>,
    /// Tasks that wait for this one.
    pub downs: Vec<usize>,
    /// Tasks whose results or address this one is given.
    pub reads: Vec<usize>,
    /// Viewers that show its results.
    pub viewers: Vec<usize>,
    /// One entry per copy; one empty entry without a grid.
    pub copies: Vec<Values>,
    /// Its results lie in one folder per copy.
    pub has_grid: bool,
    /// What it takes of the machine, inherited values included.
    pub need: Need,
}

impl Snapshot {
    pub fn new(pipeline: Pipeline, text: String, site: &Site) -> Self {
        let resolved = Resolved::of(&pipeline, site);
        let tasks = pipeline.tasks.values().filter(|task| task.kind.name() != KindName::Volume);
        let mut nodes: Vec<Node> = tasks.map(|task| node(task, &resolved)).collect();
        let index: BTreeMap<TaskId, usize> =
            nodes.iter().enumerate().map(|(place, node)| (node.id.clone(), place)).collect();
        for arrow in pipeline.arrows.values() {
            if let (Some(from), Some(to)) = (index.get(&arrow.from_task), index.get(&arrow.to_task)) {
                connect(&mut nodes, *from, *to, !arrow.from_path.is_empty());
            }
        }
        nodes.iter_mut().for_each(in_order);
        Snapshot { pipeline, text, nodes, index, resolved }
    }

    pub fn place(&self, task: &TaskId) -> Option<usize> {
        self.index.get(task).copied()
    }

    pub fn node(&self, task: &TaskId) -> Option<&Node> {
        self.place(task).map(|place| &self.nodes[place])
    }

    /// The tasks that this part runs.
    pub fn part(&self, part: &Part) -> BTreeSet<usize> {
        part::tasks(&self.pipeline, &self.resolved.order, part).iter().filter_map(|task| self.place(task)).collect()
    }
}

fn node(task: &Arc<Task>, resolved: &Resolved) -> Node {
    let grid = task.kind.grid();
    let values = |grid| (0..copies::count(grid).unwrap_or(0)).filter_map(|copy| copies::values(grid, copy)).collect();
    let need = resolved.effective.get(&task.id).map_or_else(Need::default, |own| Need {
        cpu: own.cpu.value().copied(),
        memory: own.memory.value().copied(),
        gpu: own.gpu.value().copied().unwrap_or(0),
    });
    Node {
        id: task.id.clone(),
        kind: task.kind.name(),
        task: task.clone(),
        ups: Vec::new(),
        downs: Vec::new(),
        reads: Vec::new(),
        viewers: Vec::new(),
        copies: grid.map_or_else(|| vec![Values::new()], values),
        has_grid: grid.is_some(),
        need,
    }
}

fn connect(nodes: &mut [Node], from: usize, to: usize, is_data: bool) {
    if nodes[from].kind == KindName::Viewer {
        return;
    }
    if nodes[to].kind == KindName::Viewer {
        nodes[from].viewers.push(to);
        return;
    }
    nodes[from].downs.push(to);
    nodes[to].ups.push(from);
    if is_data || nodes[from].kind == KindName::Serving {
        nodes[to].reads.push(from);
    }
}

fn in_order(node: &mut Node) {
    for list in [&mut node.ups, &mut node.downs, &mut node.reads, &mut node.viewers] {
        list.sort_unstable();
        list.dedup();
    }
}
