//! Which launches would a first run of a pipeline make, if every task ended well?

use std::collections::BTreeMap;

use model::{
    KindName, Pipeline, RunId, Site, Task, TaskId, copies,
    inherit::Resolved,
    launch::{Chosen, Decided, Launch, build},
};

/// Every task's first execution (of a Serving the packing and the serving), one for each copy; Volumes have none.
///
/// # Errors
/// One sentence: a task cannot be launched.
pub(super) fn launches(pipeline: &Pipeline, site: &Site) -> Result<Vec<Launch>, String> {
    let resolved = Resolved::of(pipeline, site);
    let run = RunId::new("plan").map_err(|error| error.to_string())?;
    let upstreams: BTreeMap<TaskId, Vec<Chosen>> =
        pipeline.tasks.values().map(|task| (task.id.clone(), results(task))).collect();
    let parameters = BTreeMap::new();
    let decided = Decided {
        run: &run,
        parameters: &parameters,
        n: 1,
        copy: None,
        upstreams: &upstreams,
        previous: None,
        again: false,
        packed: None,
    };
    let mut all = Vec::new();
    let tasks = pipeline.tasks.values().filter(|task| task.kind.name() != KindName::Volume);
    for task in tasks {
        let one =
            |decided: Decided| build(pipeline, site, &resolved, &task.id, &decided).map_err(|error| error.to_string());
        for chosen in results(task) {
            all.push(one(Decided { n: chosen.n, copy: chosen.copy, ..decided })?);
        }
        if task.kind.name() == KindName::Serving {
            all.push(one(Decided { n: 2, packed: Some(1), ..decided })?);
        }
    }
    Ok(all)
}

fn results(task: &Task) -> Vec<Chosen> {
    let one = |n, copy, values| Chosen { n, copy, values, good: true };
    match task.kind.grid() {
        None => vec![one(1, None, BTreeMap::new())],
        Some(grid) => (0..copies::count(grid).unwrap_or(0))
            .map(|copy| one(u64::from(copy) + 1, Some(copy), copies::values(grid, copy).unwrap_or_default()))
            .collect(),
    }
}
