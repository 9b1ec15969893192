//! What passes between a server and the supervisor of one execution on the same machine?
//!
//! [`Order`] goes down once, through memory and never through a file, since its environment holds secrets. [`Mark`]
//! lines come back through a file of the execution's folder, which both outlive each other, and to the server that gave
//! the order through a socket as well.
//!
//! | file | written by | holds |
//! |---|---|---|
//! | `state` | server, then supervisor | a first line with the launch, without secrets; then one [`Mark`] a line. Its lock is held while the supervisor lives |
//! | `stop.json` | server | a [`StopOrder`]; then SIGTERM says "look" |
//! | `log` | supervisor | lines `<milliseconds since 1970> <text>` |
//!
//! One file says it all because every further one of an execution costs about as much as a process: on ext4 a new file
//! and its removal are two of the dearest things that a launch does.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    kind::{Advance, File},
    launch::Ready,
    quantity::Seconds,
    run::Millis,
};

pub const STATE: &str = "state";
pub const STOP: &str = "stop.json";
pub const LOG: &str = "log";
/// What a server says to a supervisor that has told it of the end: its own journal has it now.
pub const KEPT: u8 = b'k';
/// A folder that the program may write and the runner reads, at [`TASK_STATE_AT`]: a load's request, progress and
/// facts, a notebook server's own files.
pub const TASK_STATE: &str = "task-state";
pub const TASK_STATE_AT: &str = "/fletchline/state";
/// Where the task's own scratch work folder and /tmp lie, below the execution's folder.
pub const SCRATCH: [&str; 2] = ["work", "tmp"];
/// Where a task sees the helper program.
pub const HELPER: &str = "/fletchline/fletchline-task";

/// Everything that a supervisor needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub program: ProgramOrder,
    pub sandbox: Sandbox,
    pub prepare: Prepare,
    pub ready: Ready,
    pub advance: Option<Advance>,
    pub grace: Seconds,
    pub timeout: Option<Seconds>,
    /// Loopback ports that nobody else may be listening on when it starts.
    pub ports: Vec<u16>,
    /// Bytes of the log after which no more is kept.
    pub log_limit: u64,
}

/// What is executed inside the sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramOrder {
    pub argv: Vec<String>,
    /// The whole environment: nothing else is inherited.
    pub env: BTreeMap<String, String>,
    pub directory: String,
}

/// What a task sees of the machine. Items are carried out in order upon an empty root, those of the base first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    pub way: Way,
    /// What may be shared with other tasks: nothing of it can be written by this one, nor tells of another.
    pub base: Vec<Item>,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The supervisor makes the namespaces itself, which takes root.
    Own,
    /// bubblewrap makes them in a user namespace.
    Bubblewrap { program: PathBuf, helper: PathBuf },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Folder {
        path: String,
    },
    /// An empty file system of its own; a read-only one is sealed after all items.
    Empty {
        path: String,
        read_only: bool,
    },
    /// A file or folder of the machine.
    Bind {
        from: From,
        path: String,
        writable: bool,
        devices: bool,
    },
    Link {
        path: String,
        target: String,
    },
    /// A sealed /dev with nothing but null, zero, full, random, urandom, tty, and places for [`Item::Terminals`].
    Devices,
    /// pts and shm in /dev.
    Terminals,
    Processes,
}

/// A place on the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// Chosen by us or the administrator; symbolic links in it are followed.
    pub root: PathBuf,
    /// Below it, perhaps made by a task. Empty: the root itself.
    pub below: String,
    /// Whether symbolic links in `below` are followed, as far as they stay beneath the root.
    pub links: bool,
}

/// What is made before the start and kept after the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepare {
    /// The results volume.
    pub results: PathBuf,
    /// `pipeline/<pipeline>/<task>/<n>`: made, never found. None: it keeps nothing.
    pub own: Option<String>,
    /// Below `own`.
    pub outputs: Vec<String>,
    /// The kept work folder below `results`; none: scratch.
    pub work: Option<String>,
    pub files: Vec<File>,
    pub snapshots: Vec<Snapshot>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Relative to the work folder; empty: all of it.
    pub from: String,
    /// Below `own`, relative to the results volume.
    pub to: String,
}

/// Names a process for as long as the machine is up: its id alone is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: i32,
    /// Clock ticks after boot, as in /proc.
    pub start: u64,
}

/// One line of `state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// First, once, under the lock: whoever finds it never starts this execution.
    Claimed {
        supervisor: Process,
        boot: String,
        at: Millis,
    },
    /// The first process of the sandbox: all others end with it.
    Init {
        init: Process,
    },
    Started {
        at: Millis,
        program: i32,
    },
    Ready {
        at: Millis,
    },
    RuleMet {
        at: Millis,
    },
    /// Asked to stop, or ended and its snapshots are being copied.
    Ending {
        at: Millis,
    },
    /// Last. The supervisor sees to it that it is on the disk: with an fsync of its own, or by [`KEPT`].
    Ended(End),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopOrder {
    pub grace: Seconds,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub how: How,
    pub started: Option<Millis>,
    pub ended: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Code(i32),
    Signal(i32),
    OutOfMemory(String),
    TimedOut,
    NotStarted(String),
    /// The execution's folder was there already; with the highest number of its task that is.
    Taken(u64),
    SnapshotFailed(String),
}

/// One sentence: why it could not be started.
impl std::convert::From<String> for How {
    fn from(sentence: String) -> How {
        How::NotStarted(sentence)
    }
}
