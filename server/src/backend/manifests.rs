//! What would a task be on the cluster?

use model::{TaskId, copies, document};

use super::{Answer, Core, bad, dry::Dry, missing, site};
use crate::runner::RunnerError;

/// Of a first run. Copies differ in their number and values alone: one of them stands for all.
pub(super) fn of(core: &Core, document: &str, task: &TaskId) -> Answer<String> {
    let pipeline = document::read(document).map_err(|error| bad(error.to_string()))?.pipeline;
    let task = pipeline.tasks.get(task).ok_or_else(|| missing("task"))?;
    let site = site::site(core);
    let dry = Dry::of(&pipeline, &site).map_err(bad)?;
    let more = task.kind.grid().and_then(copies::count).map_or(0, |count| count.saturating_sub(1));
    let mut text = String::new();
    for launch in dry.launches(task).take(if more == 0 { usize::MAX } else { 1 }) {
        let manifests = core.runner.manifests(&launch.map_err(bad)?);
        text.push_str(&manifests.map_err(|error: RunnerError| bad(error.to_string()))?);
    }
    if more > 0 {
        text.push_str(&format!("# And {more} more such, one for each copy.\n"));
    }
    Ok(text)
}
