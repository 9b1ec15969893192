//! What can the engine ask a runner to do?
//!
//! Every action can be asked again after a crash: a runner looks before it acts, and doing one twice is doing it once.

use model::{ExecutionId, Seconds, launch::Launch};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// Start it, unless it is there already. Never starts a second workload for one execution.
    Launch(Box<Launch>),
    /// Ask it to stop; kill it after the grace time. What has ended or never was there stays so.
    Stop { execution: ExecutionId, grace: Seconds },
    /// Its end is in the journal: what was kept to tell it may go. Its log and its results stay.
    Release { execution: ExecutionId },
    /// Nobody reads its results any more: they go; `whole`: its log and everything else of it, too.
    Remove { execution: ExecutionId, whole: bool },
    /// The folder of links that a running Viewer shows: all of them, in order; others are removed.
    Links { viewer: ExecutionId, links: Vec<Link> },
}

/// One execution's path under a name for people: `run 14 · Train · LR=0.1 · try 2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub name: String,
    /// Relative to the results volume.
    pub folder: String,
}
