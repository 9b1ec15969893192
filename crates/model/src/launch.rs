//! What does one execution need to start?
//!
//! The engine decides it, a runner carries it out, and `fletchline plan` prints it: plain data without secrets.

mod build;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use build::{BuildError, Chosen, Decided, build};
use serde::{Deserialize, Serialize};

use crate::{
    id::{ExecutionId, RunId},
    kind::{Advance, File, Framework, KindName, Source},
    path::TaskPath,
    pipeline::Acl,
    quantity::{Cpu, Memory, Seconds},
    run_as::RunAs,
    value::EnvValue,
};

/// The name of the volume on which results lie (in a [`Mount`]'s `id`).
pub const RESULTS: &str = "results";

/// Everything about one launch. Two launches of one [`ExecutionId`] are equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    pub execution: ExecutionId,
    pub run: RunId,
    /// Which copy of a Job with a grid.
    pub copy: Option<u32>,
    pub kind: KindName,
    /// The task's name as people read it.
    pub name: String,
    pub program: Program,
    /// None on this machine.
    pub image: Option<String>,
    /// None: as the installation's user and group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as: Option<RunAs>,
    /// Substituted; secrets by name.
    pub env: BTreeMap<String, EnvValue>,
    /// Variables (`DIGITS_API_URL`) that whoever knows addresses adds to `env` before the launch is performed: the
    /// address of that execution of a Serving.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, ExecutionId>,
    pub resources: Need,
    pub mounts: Vec<Mount>,
    /// Folders that are made, empty, before the start and mounted writable.
    pub outputs: Vec<Output>,
    pub work: Work,
    pub files: Vec<File>,
    /// Copied out of the work folder when it has ended.
    pub snapshots: Vec<Output>,
    /// `copies.json` files that are written before the start.
    pub copies_json: Vec<CopiesJson>,
    /// Ports that its program listens on.
    pub ports: Vec<u16>,
    pub ready: Ready,
    /// The rule of a live step that the runner watches; `None`: nothing to watch.
    pub advance: Option<Advance>,
    /// Between asking to stop and killing.
    pub grace: Seconds,
    pub timeout: Option<Seconds>,
}

impl Launch {
    /// Whether its execution has a folder of its own on the results volume.
    pub fn keeps(&self) -> bool {
        !self.outputs.is_empty() || !self.snapshots.is_empty()
    }
}

/// What runs. Which command that is on a machine or in an image is the runner's to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "program")]
pub enum Program {
    Load {
        sources: Vec<Source>,
        target: TaskPath,
        /// Relative to the results volume: shared by the task's executions under a lock.
        downloads: String,
        /// A person asked for "download again".
        again: bool,
        keep: bool,
    },
    /// An argument list, no shell.
    Command { argv: Vec<String> },
    /// Run by `sh -eu` from a file.
    Script { text: String },
    /// Nothing runs; the task is there to be worked in.
    Stay,
    Notebook {
        start_path: TaskPath,
        /// The notebook that opens first, relative to the start path.
        open: Option<String>,
        arguments: Vec<String>,
    },
    /// TensorBoard over a folder of links into `pipeline/<pipeline id>`, mounted at `/fletchline/results`.
    Viewer,
    /// `pack.py`, then `bentoml build`, into the output `/fletchline/bento`.
    Pack { framework: Framework },
    /// Serves what execution `packed` built, which is mounted read-only at `/fletchline/bento`.
    Serve { packed: u64, port: Option<u16> },
}

/// In the original's request form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mount {
    /// A shared volume's name, or [`RESULTS`].
    pub id: String,
    pub acl: Acl,
    #[serde(rename = "mountPath")]
    pub mount_path: TaskPath,
    /// Relative to the volume's root; `null`: all of it.
    #[serde(rename = "subPath")]
    pub sub_path: Option<String>,
}

/// A folder of the results volume that belongs to this execution alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Output {
    /// Where the task sees it.
    pub path: TaskPath,
    /// Relative to the results volume: `pipeline/<pipeline>/<task>/<n>/<path>`.
    pub folder: String,
}

/// The folder that a task starts in, `/work`, which is also its HOME's parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The same in every execution, relative to the results volume; filled from `files` when it is new.
    Kept { folder: String },
    /// Gone at the end; `files` are copied in.
    Scratch,
}

/// What a downstream finds as `copies.json` beside the copies' folders `0`, `1`, ….
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesJson {
    /// The To Path.
    pub path: TaskPath,
    pub copies: Vec<CopyEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyEntry {
    /// The folder's name.
    pub copy: u32,
    pub values: BTreeMap<String, String>,
    /// `done` or `failed`; failed copies have no folder.
    pub status: String,
    pub n: u64,
}

/// When a program counts as there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// As soon as it runs.
    Running,
    /// Its port accepts a connection.
    Port { port: u16 },
    /// A GET of this path on its port answers 200.
    Http { port: u16, path: String },
}

/// What it takes of the machine; none: 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub cpu: Option<Cpu>,
    pub memory: Option<Memory>,
    pub gpu: u32,
}
