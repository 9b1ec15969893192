//! What passes between the server and the helper in a pod?
//!
//! [`PodOrder`] goes in by a variable of the init container, which makes the folders and leaves the order for the
//! task's own container; [`PodEnd`] comes back as that container's termination message.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    kind::Advance,
    launch::Ready,
    quantity::Seconds,
    supervise::{End, Prepare},
};

/// The variable of the init container that holds the [`PodOrder`].
pub const ORDER: &str = "FLETCHLINE_ORDER";
/// Where the init container finds what people wrote: [`SCRIPT`], [`file_key`], [`state_key`].
pub const CONTENTS: &str = "/contents";
/// Where the init container finds `pipeline/` of the results volume.
pub const RESULTS_AT: &str = "/results";
/// Whose the results volume is, below [`RESULTS_AT`]: the name of its installation.
pub const OWNER: &str = "pipeline/.fletchline";
/// Where the init container makes what becomes `/work`, `/tmp` and the program's own folder.
pub const SCRATCH_AT: &str = "/scratch";
/// Where a task that leaves snapshots sees its execution's folder.
pub const OWN_AT: &str = "/fletchline/own";
/// Where a task finds its script.
pub const SCRIPT_AT: &str = "/fletchline/script";
/// A Viewer's folder of links, below [`SCRATCH_AT`] and in the task.
pub const LINKS: &str = "links";
pub const LINKS_AT: &str = "/fletchline/links";
/// What was dropped on a Load Data, by its SHA-256, below [`SCRATCH_AT`] and in the task.
pub const UPLOADS: &str = "uploads";
pub const UPLOADS_AT: &str = "/fletchline/uploads";
/// Where a Load Data tells how far it is, in its program's own folder.
pub const PROGRESS: &str = "progress.json";
/// Where the kubelet reads the end.
pub const END_AT: &str = "/dev/termination-log";
/// The kubelet keeps no more of it.
pub const END_LIMIT: usize = 4096;
/// Where Python puts what a person installs, and looks for it.
pub const PYTHON_USER: &str = "PYTHONUSERBASE";
/// Answers 200 when the program is ready …
pub const READY_PATH: &str = "/ready";
/// … and when the rule holds that lets the run go on.
pub const RULE_PATH: &str = "/rule";

pub const SCRIPT: &str = "script";

/// The `index`-th of [`PodOrder::files`].
pub fn file_key(index: usize) -> String {
    format!("file-{index}")
}

/// The `index`-th of [`PodOrder::state`].
pub fn state_key(index: usize) -> String {
    format!("state-{index}")
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodOrder {
    /// What is written into [`OWNER`].
    pub installation: String,
    /// Without `files`: their texts are in the contents.
    pub prepare: Prepare,
    /// Names of the task's files.
    pub files: Vec<String>,
    /// Names of the files that the program finds in its own folder.
    pub state: Vec<String>,
    pub has_script: bool,
    /// Folders of the results volume that are made where they are missing.
    pub shared: Vec<String>,
    /// Folders of the results volume that are mounted: they must be there, reached without links.
    pub reads: Vec<String>,
    /// Files that the server sends into [`UPLOADS_AT`]; the program starts when all are there.
    pub uploads: Vec<String>,
    pub directory: PathBuf,
    pub ready: Ready,
    pub advance: Option<Advance>,
    pub grace: Seconds,
    pub timeout: Option<Seconds>,
    /// How long it goes on after it was asked to end, because others may not have heard of it yet.
    pub linger: Seconds,
    /// Tasks may run as several users and share the results volume by a group: `pipeline/` must be the group's, and what
    /// this one leaves is opened to it.
    #[serde(default, skip_serializing_if = "crate::kind::is_false")]
    pub by_group: bool,
    /// The port on which the kubelet asks; none: nothing to ask.
    pub probe: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodEnd {
    pub end: End,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}
