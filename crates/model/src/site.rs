//! What may validation know of the installation?
//!
//! One plain value that the server sends to the page, so that the same sentences appear while typing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    kind::KindName,
    pipeline::Acl,
    quantity::{Cpu, Memory, Seconds},
    run_as::IdRange,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub runner: RunnerName,
    /// The most that one task can get: this machine, or the largest node.
    pub capacity: Capacity,
    /// Shared volumes by name.
    pub volumes: BTreeMap<String, SiteVolume>,
    /// Names only.
    pub secrets: BTreeSet<String>,
    /// The image of a kind that says none. Empty on this machine, where programs stand in place of images.
    pub default_images: BTreeMap<KindName, String>,
    #[serde(default)]
    pub faults: Faults,
    pub limits: Limits,
}

/// What would make tasks fail before they begin: a sentence each, as the runner has found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Of every task.
    pub all: Option<String>,
    /// Of those that mount the shared volume of this name.
    pub volumes: BTreeMap<String, String>,
    /// Of those that run in this image.
    pub images: BTreeMap<String, String>,
    /// Why it is not known whether tasks can begin. It stops nothing.
    pub unknown: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunnerName {
    /// Processes on this machine.
    Local,
    Kubernetes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    pub cpu: Cpu,
    pub memory: Memory,
    pub gpu: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteVolume {
    /// The most that a task may do with it.
    pub access: Acl,
    /// It holds a `pipeline/` folder (the team's NAS usually does), which is mounted read-only over it.
    pub holds_results: bool,
}

/// Between asking a program to stop and killing it, unless the installation says otherwise.
pub const GRACE: Seconds = Seconds(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Copies of one Job, and mounts of copies into one task.
    pub copies: u32,
    /// Bytes of a task's files together.
    pub files: u64,
    /// Between asking a program to stop and killing it.
    #[serde(default = "grace")]
    pub grace: Seconds,
    /// Users and groups that a task may choose on a cluster; none: it runs as the installation's.
    #[serde(default)]
    pub run_as: Option<IdRange>,
}

fn grace() -> Seconds {
    GRACE
}

impl Default for Limits {
    fn default() -> Self {
        Limits { copies: 1000, files: 900 * 1024, grace: GRACE, run_as: None }
    }
}
