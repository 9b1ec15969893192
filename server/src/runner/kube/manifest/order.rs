//! What is the helper in the pod told?

use model::{
    Seconds,
    kind::Advance,
    launch::{Launch, Program, RESULTS, Ready, Work},
    path::{TaskPath, WORK},
    pod::{PodOrder, RESULTS_AT},
    supervise::{Prepare, Snapshot},
};

use crate::runner::{
    kube::config::KubeConfig,
    local::{config::ProgramCommand, load},
};

/// The first port that is tried for the kubelet's questions.
const PROBE: u16 = 24_400;

pub fn order(launch: &Launch, config: &KubeConfig, command: &ProgramCommand) -> PodOrder {
    let ready = command.ready.clone().unwrap_or_else(|| launch.ready.clone());
    let read = launch.mounts.iter().filter(|mount| mount.id == RESULTS);
    let reads: Vec<String> = read.filter_map(|mount| mount.sub_path.clone()).collect();
    PodOrder {
        installation: config.installation.clone(),
        prepare: prepare(launch),
        files: launch.files.iter().map(|file| file.name.clone()).collect(),
        state: command.files.keys().cloned().collect(),
        has_script: matches!(launch.program, Program::Script { .. }),
        shared: match &launch.program {
            Program::Load { downloads, .. } => vec![downloads.clone()],
            // It may be the first of its pipeline, and shows what comes later.
            Program::Viewer => reads.clone(),
            Program::Command { .. }
            | Program::Script { .. }
            | Program::Stay
            | Program::Notebook { .. }
            | Program::Pack { .. }
            | Program::Serve { .. } => Vec::new(),
        },
        reads,
        uploads: load::uploads(launch),
        directory: command.directory.clone().unwrap_or_else(|| WORK.to_owned()).into(),
        probe: is_asked(&ready, launch.advance.as_ref()).then(|| probe_port(launch)),
        ready,
        advance: launch.advance.clone(),
        grace: launch.grace,
        timeout: launch.timeout,
        linger: linger(&launch.program),
        by_group: config.run_as_range.is_some(),
    }
}

/// Nothing but a look whether results could be written.
pub fn idle(config: &KubeConfig) -> PodOrder {
    let prepare = Prepare {
        results: RESULTS_AT.into(),
        own: None,
        outputs: Vec::new(),
        work: None,
        files: Vec::new(),
        snapshots: Vec::new(),
    };
    PodOrder {
        installation: config.installation.clone(),
        prepare,
        files: Vec::new(),
        state: Vec::new(),
        has_script: false,
        shared: Vec::new(),
        reads: Vec::new(),
        uploads: Vec::new(),
        directory: WORK.into(),
        ready: Ready::Running,
        advance: None,
        grace: Seconds(0),
        timeout: None,
        linger: Seconds(0),
        by_group: config.run_as_range.is_some(),
        probe: None,
    }
}

/// Nodes hear some time after the cluster does that an address leads elsewhere.
const HEARSAY: Seconds = Seconds(5);

/// Whoever is served at an address that many know ends when nobody is sent there any more.
pub fn linger(program: &Program) -> Seconds {
    match program {
        Program::Serve { .. } => HEARSAY,
        Program::Load { .. }
        | Program::Command { .. }
        | Program::Script { .. }
        | Program::Stay
        | Program::Notebook { .. }
        | Program::Viewer
        | Program::Pack { .. } => Seconds(0),
    }
}

fn is_asked(ready: &Ready, advance: Option<&Advance>) -> bool {
    *ready != Ready::Running || advance.is_some()
}

/// None of the program's own.
fn probe_port(launch: &Launch) -> u16 {
    (PROBE..).find(|port| !launch.ports.contains(port)).unwrap_or(PROBE)
}

fn prepare(launch: &Launch) -> Prepare {
    let work = TaskPath::from(WORK);
    Prepare {
        results: RESULTS_AT.into(),
        own: launch.keeps().then(|| own(launch)),
        outputs: launch.outputs.iter().map(|output| output.folder.clone()).collect(),
        work: match &launch.work {
            Work::Kept { folder } => Some(folder.clone()),
            Work::Scratch => None,
        },
        files: Vec::new(),
        snapshots: launch
            .snapshots
            .iter()
            .filter(|output| output.path.is_within(&work))
            .map(|output| Snapshot {
                from: output.path.normal().0[WORK.len()..].trim_start_matches('/').to_owned(),
                to: output.folder.clone(),
            })
            .collect(),
    }
}

/// The execution's folder, relative to the results volume.
pub fn own(launch: &Launch) -> String {
    let id = &launch.execution;
    model::mounts::execution_folder(&id.pipeline, &id.task, id.n)
}
