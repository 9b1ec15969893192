//! Which launches would a first run of a pipeline make, if every task ended well?

use std::collections::BTreeMap;

use model::{
    KindName, Pipeline, RunId, Site, Task, TaskId, copies,
    inherit::Resolved,
    launch::{Chosen, Decided, Launch, build},
};

/// A pipeline whose tasks have all ended well once.
pub struct Dry<'a> {
    pipeline: &'a Pipeline,
    site: &'a Site,
    resolved: Resolved,
    run: RunId,
    upstreams: BTreeMap<TaskId, Vec<Chosen>>,
    parameters: BTreeMap<String, String>,
}

impl<'a> Dry<'a> {
    /// # Errors
    /// Never: the run's name is a good one.
    pub fn of(pipeline: &'a Pipeline, site: &'a Site) -> Result<Self, String> {
        Ok(Dry {
            pipeline,
            site,
            resolved: Resolved::of(pipeline, site),
            run: RunId::new("plan").map_err(|error| error.to_string())?,
            upstreams: pipeline.tasks.values().map(|task| (task.id.clone(), results(task, site).collect())).collect(),
            parameters: BTreeMap::new(),
        })
    }

    /// A task's first execution (of a Serving the packing and the serving), one for each copy; a Volume has none. Each
    /// is a sentence instead if the task cannot be launched.
    pub fn launches(&self, task: &'a Task) -> impl Iterator<Item = Result<Launch, String>> {
        let decided = move |Chosen { n, copy, .. }, packed| Decided {
            run: &self.run,
            parameters: &self.parameters,
            n,
            copy,
            upstreams: &self.upstreams,
            previous: None,
            again: false,
            packed,
        };
        let kind = task.kind.name();
        let firsts =
            results(task, self.site).filter(move |_| kind != KindName::Volume).map(move |first| decided(first, None));
        let serving = (kind == KindName::Serving).then(|| decided(one(2, None, BTreeMap::new()), Some(1)));
        firsts.chain(serving).map(|decided| {
            build(self.pipeline, self.site, &self.resolved, &task.id, &decided).map_err(|error| error.to_string())
        })
    }
}

fn one(n: u64, copy: Option<u32>, values: BTreeMap<String, String>) -> Chosen {
    Chosen { n, copy, values, good: true }
}

/// No more copies than the installation runs: what people are still typing may name any number.
fn results(task: &Task, site: &Site) -> impl Iterator<Item = Chosen> {
    let grid = task.kind.grid();
    let copies = grid.and_then(copies::count).unwrap_or(0).min(site.limits.copies);
    let alone = grid.is_none().then(|| one(1, None, BTreeMap::new()));
    let copies = (0..copies).filter_map(move |copy| {
        Some(one(u64::from(copy) + 1, Some(copy), copies::values(grid?, copy).unwrap_or_default()))
    });
    alone.into_iter().chain(copies)
}
