//! Which paths are likely for an arrow?

use std::collections::BTreeSet;

use model::{Gather, Kind, Pipeline, TaskId};

pub struct Guess {
    pub from_path: String,
    pub to_path: String,
    /// For completion.
    pub from_paths: Vec<String>,
    pub to_paths: Vec<String>,
}

/// What a new arrow begins with: what the upstream is known to write, seen at the same place.
pub fn guess(pipeline: &Pipeline, from: &TaskId, to: &TaskId) -> Guess {
    let (from_paths, to_paths) = (written(pipeline, from), read(pipeline, from, to));
    let (from_path, to_path) = match pipeline.tasks.get(from).map(|task| &task.kind) {
        Some(Kind::Volume(volume)) => (String::new(), volume.mount_path.0.clone()),
        Some(Kind::Serving(_)) => (String::new(), String::new()),
        _ => from_paths.first().map_or(("/out".into(), "/in".into()), |path| (path.clone(), path.clone())),
    };
    Guess { from_path, to_path, from_paths, to_paths }
}

/// Paths that a task writes by what the document says.
pub fn written(pipeline: &Pipeline, task: &TaskId) -> Vec<String> {
    let Some(record) = pipeline.tasks.get(task) else { return Vec::new() };
    let mut first = Vec::new();
    if let Kind::LoadData(load) = &record.kind {
        first.push(load.target.0.clone());
    }
    let arrows =
        pipeline.arrows.values().filter(|arrow| arrow.from_task == *task).map(|arrow| arrow.from_path.0.clone());
    let keep = record.kind.keep().iter().map(|path| path.0.clone());
    let mut rest: BTreeSet<String> = arrows.chain(keep).filter(|path| !path.is_empty()).gather();
    if record.kind.name().is_live_step() {
        rest.insert("/work".into());
    }
    if !matches!(record.kind, Kind::LoadData(_) | Kind::Volume(_)) {
        rest.insert("/out".into());
    }
    let known = first.clone();
    first.extend(rest.into_iter().filter(|path| !known.contains(path)));
    first
}

/// Places where the downstream finds things already, and where it might.
fn read(pipeline: &Pipeline, from: &TaskId, to: &TaskId) -> Vec<String> {
    let into = pipeline.arrows.values().filter(|arrow| arrow.to_task == *to).map(|arrow| arrow.to_path.0.clone());
    let same = written(pipeline, from);
    let usual = ["/data", "/in", "/model", "/code"].map(String::from);
    let all: BTreeSet<String> = into.chain(same).chain(usual).filter(|path| !path.is_empty()).gather();
    all.into_iter().collect()
}
