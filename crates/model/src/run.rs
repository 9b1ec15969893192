//! What is a run, as a person sees it?
//!
//! The engine holds the state; these are the plain values that the server sends to the page and the command line
//! prints. Times are milliseconds since 1970 UTC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{PipelineId, RunId, TaskId},
    kind::KindName,
};

pub type Millis = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Running,
    /// A live step waits for a person.
    WaitingForYou,
    Cancelling,
    Succeeded,
    Failed,
    Cancelled,
}

impl RunStatus {
    pub fn has_ended(self) -> bool {
        matches!(self, RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// For an upstream, for room on the machine, for a work folder, for the next try: `sentence` says which.
    Waiting,
    Starting,
    Running,
    /// A live step that waits for a person.
    WaitingForYou,
    /// Asked to stop, or being copied.
    Ending,
    /// A Viewer that a person paused.
    Paused,
    /// A Viewer or Serving that answers.
    Serving,
    Done,
    Failed,
    Skipped,
    Cancelled,
    /// Not part of this run ("run only this").
    NotInRun,
}

impl TaskStatus {
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            TaskStatus::Done | TaskStatus::Failed | TaskStatus::Skipped | TaskStatus::Cancelled | TaskStatus::NotInRun
        )
    }
}

/// One line of a list of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    pub id: RunId,
    pub pipeline: PipelineId,
    pub pipeline_name: String,
    /// 1, 2, … within the pipeline.
    pub number: u32,
    pub status: RunStatus,
    /// What it is doing or how it ended, in a few words: "Explore, 6 min" or "Train: exit code 1".
    pub sentence: String,
    pub started: Millis,
    pub ended: Option<Millis>,
    /// A person wants its data kept and shown by Viewers, however old it is.
    #[serde(default)]
    pub pinned: bool,
    /// Its results were removed because newer runs took their place.
    #[serde(default)]
    pub dropped: bool,
    /// Bytes that deleting it would free, where that is known.
    #[serde(default)]
    pub space: Option<u64>,
}

/// A run with all its tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    pub summary: RunSummary,
    pub parameters: BTreeMap<String, String>,
    pub tasks: BTreeMap<TaskId, TaskView>,
    /// Counts up with every change, see [`version`]; a page that has seen it needs nothing older.
    pub version: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    pub kind: KindName,
    pub status: TaskStatus,
    /// Why it waits, what it does, how it ended: one sentence.
    pub sentence: String,
    pub started: Option<Millis>,
    pub ended: Option<Millis>,
    /// In the order of `n`; one per copy and try.
    pub executions: Vec<ExecutionView>,
    /// What a person may do now.
    pub may: Vec<Deed>,
    /// Ports that can be opened now.
    pub open: Vec<OpenPort>,
    pub progress: Option<Progress>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPort {
    pub n: u64,
    pub port: u16,
    /// "Open notebook", "Open TensorBoard", …
    pub label: String,
}

/// What a person may ask of a task of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    Advance,
    /// A live step that ended by itself: a new execution in the same run.
    StartAgain,
    /// A live step that ended by itself: give it up.
    FailIt,
    /// Retry what failed, in the same run.
    Retry,
    Pause,
    Resume,
    MakeLive,
    /// End a Serving or Viewer that outlives its run.
    Stop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionView {
    pub n: u64,
    pub copy: Option<u32>,
    /// The copy's values.
    pub values: BTreeMap<String, String>,
    /// 1, 2, … of this task and copy in this run.
    pub attempt: u32,
    pub status: TaskStatus,
    pub sentence: String,
    pub started: Option<Millis>,
    pub ended: Option<Millis>,
    pub exit_code: Option<i32>,
}

/// How far a Load Data is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub bytes: u64,
    pub total: Option<u64>,
    pub bytes_per_second: u64,
    pub seconds_left: Option<u64>,
    /// "Downloading digits.zip", "Unpacking digits.zip".
    pub phase: String,
}

/// What part of a pipeline a run runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    All,
    /// This task and all after it; what it reads comes from earlier executions.
    FromHere {
        task: TaskId,
    },
    OnlyThis {
        task: TaskId,
    },
    /// This task and what it needs.
    UpToHere {
        task: TaskId,
    },
}

/// A run's version after so many events, told anew so often since the last one: of what is no event, like how far a download
/// is. It counts up across a restart of the server, too, which remembers nothing but events.
pub fn version(events: u32, told: u32) -> u64 {
    u64::from(events) << 32 | u64::from(told)
}

/// How many events a version has.
pub fn events_of(version: u64) -> u32 {
    (version >> 32) as u32
}
