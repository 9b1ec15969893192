//! What does a task find where?
//!
//! In the original's request form. The same functions plan without a run (executions are numbered `n`) and build a
//! launch (with real numbers), so that what the page shows is what will be.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Gather, copies,
    id::{PipelineId, TaskId},
    inherit::Resolved,
    kind::{Kind, KindName, SharedVolume},
    launch::{Mount, Output, RESULTS},
    path::{TaskPath, WORK},
    pipeline::{Acl, Arrow, Pipeline},
    site::Site,
};

/// Where a Viewer finds the results of its pipeline.
pub const VIEWER_RESULTS: &str = "/fletchline/results";
/// Where a new execution of the same run finds the folders of the last one.
pub const PREVIOUS: &str = "/fletchline/previous";
/// Where a Serving's built model lies.
pub const BENTO: &str = "/fletchline/bento";

/// `pipeline/<pipeline>`, relative to the results volume.
pub fn pipeline_folder(pipeline: &PipelineId) -> String {
    format!("pipeline/{pipeline}")
}

/// `pipeline/<pipeline>/<task>`: the executions of a task, its work folder and its downloads.
pub fn task_folder(pipeline: &PipelineId, task: &TaskId) -> String {
    format!("pipeline/{pipeline}/{task}")
}

/// `pipeline/<pipeline>/<task>/<n>`.
pub fn execution_folder(pipeline: &PipelineId, task: &TaskId, n: u64) -> String {
    format!("pipeline/{pipeline}/{task}/{n}")
}

/// The number of an execution by its folder's name. `None`: another folder of the task, or more than a program that reads
/// JSON takes for whole.
pub fn execution_number(name: &str) -> Option<u64> {
    let n = name.parse::<u64>().ok()?;
    (n < 1 << 53 && n.to_string() == name).then_some(n)
}

/// The work folder of a Notebook or Container, the same in every execution.
pub fn work_folder(pipeline: &PipelineId, task: &TaskId) -> String {
    format!("pipeline/{pipeline}/{task}/work")
}

/// A Load Data's downloads, shared by its executions under a lock.
pub fn downloads_folder(pipeline: &PipelineId, task: &TaskId) -> String {
    format!("pipeline/{pipeline}/{task}/downloads")
}

/// An execution whose results are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub copy: Option<u32>,
    /// A number, or `n` in a plan.
    pub n: String,
}

/// Everything that the task will see mounted, parents before what lies in them; executions are numbered `n`.
pub fn plan(pipeline: &Pipeline, site: &Site, task: &TaskId) -> Vec<Mount> {
    plan_resolved(pipeline, site, &Resolved::of(pipeline, site), task)
}

/// [`plan`] with what is already computed.
pub fn plan_resolved(pipeline: &Pipeline, site: &Site, resolved: &Resolved, task: &TaskId) -> Vec<Mount> {
    let Some(record) = pipeline.tasks.get(task) else { return Vec::new() };
    let mut mounts = shared(pipeline, site, resolved, task);
    mounts.extend(inputs(pipeline, resolved, task, &|up| planned(pipeline, up)));
    let results =
        |path: TaskPath, acl, folder| Mount { id: RESULTS.into(), acl, mount_path: path, sub_path: Some(folder) };
    let places = outputs(pipeline, resolved, task, "n");
    mounts.extend(places.folders.into_iter().map(|output| results(output.path, Acl::ReadWrite, output.folder)));
    match record.kind.name() {
        KindName::Container | KindName::Notebook => {
            mounts.push(results(WORK.into(), Acl::ReadWrite, work_folder(&pipeline.id, task)));
        }
        KindName::Viewer => mounts.push(viewer_results(&pipeline.id)),
        KindName::LoadData | KindName::Job | KindName::Serving | KindName::Volume => {}
    }
    in_order(mounts)
}

fn planned(pipeline: &Pipeline, upstream: &TaskId) -> Vec<Source> {
    let grid = pipeline.tasks.get(upstream).and_then(|task| task.kind.grid());
    let one = |copy| Source { copy, n: "n".into() };
    match grid {
        // What is far beyond the limit is a problem, and nobody reads a list of it.
        Some(grid) => (0..copies::count(grid).unwrap_or(u32::MAX).min(1000)).map(|copy| one(Some(copy))).collect(),
        None => vec![one(None)],
    }
}

/// Parents before what lies in them, without repeating one.
pub(crate) fn in_order(mounts: Vec<Mount>) -> Vec<Mount> {
    let by_place: BTreeSet<(TaskPath, Mount)> =
        mounts.into_iter().map(|mount| (mount.mount_path.normal(), mount)).gather();
    by_place.into_iter().map(|(place, mount)| Mount { mount_path: place, ..mount }).collect()
}

pub(crate) fn viewer_results(pipeline: &PipelineId) -> Mount {
    Mount {
        id: RESULTS.into(),
        acl: Acl::ReadOnly,
        mount_path: VIEWER_RESULTS.into(),
        sub_path: Some(pipeline_folder(pipeline)),
    }
}

/// Shared volumes: those of the settings (own or inherited) and those of arrows out of a Volume. Where one holds
/// `pipeline/`, that folder is mounted read-only over it.
pub(crate) fn shared(pipeline: &Pipeline, site: &Site, resolved: &Resolved, task: &TaskId) -> Vec<Mount> {
    let settings = resolved.effective.get(task).and_then(|effective| effective.volumes.value());
    let mut mounts: Vec<Mount> = settings.into_iter().flatten().map(of_settings).collect();
    mounts.extend(resolved.order.arrows_into(task).iter().filter_map(|arrow| of_arrow(pipeline, arrow)));
    for mount in &mut mounts {
        if let Some(volume) = site.volumes.get(&mount.id) {
            mount.acl = mount.acl.min(volume.access);
        }
    }
    let holds =
        |mount: &&Mount| mount.sub_path.is_none() && site.volumes.get(&mount.id).is_some_and(|v| v.holds_results);
    let over: Vec<Mount> = mounts.iter().filter(holds).map(overlay).collect();
    mounts.extend(over);
    mounts
}

fn overlay(mount: &Mount) -> Mount {
    let mount_path = TaskPath(format!("{}/pipeline", mount.mount_path.normal()));
    Mount { id: mount.id.clone(), acl: Acl::ReadOnly, mount_path, sub_path: Some("pipeline".into()) }
}

fn of_settings(volume: &SharedVolume) -> Mount {
    Mount {
        id: volume.volume.clone(),
        acl: volume.acl,
        mount_path: volume.mount_path.clone(),
        sub_path: volume.sub_path.as_deref().and_then(sub_path),
    }
}

/// What an arrow out of a Volume mounts: at the arrow's To Path, else at the Volume's own place. A Viewer only reads.
pub(crate) fn of_arrow(pipeline: &Pipeline, arrow: &Arrow) -> Option<Mount> {
    let Kind::Volume(volume) = &pipeline.tasks.get(&arrow.from_task)?.kind else { return None };
    let into_viewer = pipeline.tasks.get(&arrow.to_task)?.kind.name() == KindName::Viewer;
    let acl = if into_viewer { Acl::ReadOnly } else { arrow.acl.min(volume.access) };
    let mount_path = if arrow.to_path.is_empty() { &volume.mount_path } else { &arrow.to_path };
    Some(Mount {
        id: volume.volume.clone(),
        acl,
        mount_path: mount_path.clone(),
        sub_path: sub_path(&arrow.from_path.0),
    })
}

/// A folder of a volume, however it was written; nothing for all of it.
fn sub_path(text: &str) -> Option<String> {
    Some(TaskPath(text.to_owned()).relative()).filter(|path| !path.is_empty())
}

/// The arrows by which a task reads results of others: both paths are named, and neither end is a Volume or Viewer.
pub(crate) fn data_arrows<'a>(
    pipeline: &'a Pipeline,
    resolved: &'a Resolved,
    task: &TaskId,
) -> impl Iterator<Item = &'a Arrow> {
    resolved.order.arrows_into(task).iter().map(|arrow| &**arrow).filter(|arrow| {
        !arrow.from_path.is_empty() && !arrow.to_path.is_empty() && crate::order::carries_order(pipeline, arrow)
    })
}

/// Results of upstreams, read-only: at the To Path, or in one folder per copy below it.
pub(crate) fn inputs(
    pipeline: &Pipeline,
    resolved: &Resolved,
    task: &TaskId,
    sources: &dyn Fn(&TaskId) -> Vec<Source>,
) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for arrow in data_arrows(pipeline, resolved, task) {
        let below = task_folder(&pipeline.id, &arrow.from_task);
        mounts.extend(sources(&arrow.from_task).into_iter().map(|source| {
            let to = arrow.to_path.normal();
            Mount {
                id: RESULTS.into(),
                acl: Acl::ReadOnly,
                mount_path: source.copy.map_or(to.clone(), |copy| TaskPath(format!("{to}/{copy}"))),
                sub_path: Some(format!("{below}/{}/{}", source.n, arrow.from_path.relative())),
            }
        }));
    }
    mounts
}

/// What an execution writes that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Places {
    /// Made empty and mounted writable.
    pub folders: Vec<Output>,
    /// Copied out of the kept work folder when the step has ended.
    pub snapshots: Vec<Output>,
}

/// The From Paths of a task and what it keeps. Of Load Data, its target; of Viewer and Volume, nothing.
pub(crate) fn outputs(pipeline: &Pipeline, resolved: &Resolved, task: &TaskId, n: &str) -> Places {
    let Some(record) = pipeline.tasks.get(task) else { return Places::default() };
    let below = format!("{}/{n}", task_folder(&pipeline.id, task));
    let output = |path: TaskPath| Output { folder: format!("{below}/{}", path.relative()), path };
    let paths = match &record.kind {
        Kind::LoadData(load) => std::iter::once(load.target.normal()).gather(),
        Kind::Viewer(_) | Kind::Volume(_) => BTreeSet::new(),
        Kind::Container(_) | Kind::Notebook(_) | Kind::Job(_) | Kind::Serving(_) => {
            written(resolved, task, record.kind.keep())
        }
    };
    let snapshot = |path: &TaskPath| record.kind.name().is_live_step() && path.is_within(&WORK.into());
    let (snapshots, folders): (Vec<_>, Vec<_>) = paths.into_iter().partition(snapshot);
    let all = |paths: Vec<TaskPath>| paths.into_iter().map(output).collect();
    Places { folders: all(folders), snapshots: all(snapshots) }
}

fn written(resolved: &Resolved, task: &TaskId, keep: &[TaskPath]) -> BTreeSet<TaskPath> {
    let out_of = resolved.order.arrows_out_of(task).iter();
    let paths = out_of.map(|arrow| &arrow.from_path).chain(keep);
    paths.filter(|path| path.check().is_ok()).map(TaskPath::normal).gather()
}

/// The variable that holds the address of a Serving with this name: `DIGITS_API_URL`.
pub fn url_variable(title: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = title.trim().chars().map(letter).collect();
    let begin = if name.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    format!("{begin}{name}_URL")
}

/// The Servings that a task waits for, by the variable that holds their address.
pub fn url_variables(pipeline: &Pipeline, resolved: &Resolved, task: &TaskId) -> BTreeMap<String, TaskId> {
    let upstreams = resolved.order.upstreams(task).filter_map(|up| pipeline.tasks.get(up));
    let servings = upstreams.filter(|up| up.kind.name() == KindName::Serving);
    servings.map(|up| (url_variable(up.title()), up.id.clone())).gather()
}
