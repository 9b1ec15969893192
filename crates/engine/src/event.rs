//! What is written into the journal?
//!
//! An event says what was decided, never what should be computed again: folding old journals with a newer program
//! gives the same state. Each line carries a version; a newer one than ours is refused as a whole.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ExecutionId, PipelineId, RunId, TaskId,
    launch::Launch,
    run::{Millis, Part},
};
use serde::{Deserialize, Serialize};

use crate::observed::Exit;

/// The version of the lines that this program writes.
pub const VERSION: u32 = 1;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub v: u32,
    pub at: Millis,
    pub event: Event,
}

/// Why a line of a journal cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum BadEntry {
    #[error(
        "the journal was written by a newer Fletchline (version {0}; this one reads up to {VERSION}): update this one"
    )]
    Newer(u32),
    #[error("a line of the journal cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl Entry {
    pub fn new(at: Millis, event: Event) -> Self {
        Entry { v: VERSION, at, event }
    }

    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("all keys are texts and all numbers finite")
    }

    /// # Errors
    /// A newer version, or not one of our lines.
    pub fn read(text: &str) -> Result<Self, BadEntry> {
        #[derive(Deserialize)]
        struct Head {
            v: u32,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.v > VERSION { Err(BadEntry::Newer(head.v)) } else { Ok(serde_json::from_str(text)?) }
    }
}

/// What a task reads of another one: one entry per copy, or one without a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadCopy {
    pub copy: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    pub n: u64,
    /// False: this copy failed and was tolerated; it has no folder.
    pub good: bool,
}

/// The results of an earlier run that a run reads in place of running the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    pub run: RunId,
    pub copies: Vec<ReadCopy>,
}

/// Where an execution belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A task of a run, or one copy of it (0 where there are none).
    Lane { run: RunId, task: TaskId, copy: u32 },
    /// What outlives runs: a Viewer (`packed` is 0), or what serves the version that execution `packed` built.
    Service { pipeline: PipelineId, task: TaskId, packed: u64 },
}

/// What an execution is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Step,
    Pack,
    Serve,
    View,
}

/// Why an execution is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A live step was advanced: its end is a good one.
    Advanced,
    Cancelled,
    /// A step that stayed open: everything else of its run is over.
    RunOver,
    /// A Viewer was paused.
    Paused,
    /// A person stopped a Viewer or Serving.
    Stopped,
    /// Another version of the Serving is live.
    Replaced,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Person(String),
    /// The task's own rule or setting.
    Rule,
}

/// How an execution came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "end")]
pub enum End {
    Exited {
        exit: Exit,
        started: Option<Millis>,
        ended: Millis,
    },
    /// The machine or node went away under it.
    Lost {
        sentence: String,
    },
    /// It was asked to stop before the runner had it.
    NeverStarted,
}

/// What follows from the end of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "then")]
pub enum Then {
    Good,
    /// A new execution, not before this time; `lost`: it was not the task's fault.
    Again {
        not_before: Millis,
        lost: bool,
    },
    /// A new execution at once, with a number above `last`, and the one that ended counts as none: its number was taken.
    Renumbered {
        last: u64,
    },
    /// It goes on waiting for a person.
    Held {
        sentence: String,
    },
    Failed {
        sentence: String,
    },
    Cancelled,
    /// A Viewer or Serving that was asked to stop.
    Off,
    /// A Viewer or Serving that ended by itself.
    Broken {
        sentence: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    RunStarted(Box<RunStarted>),
    /// Numbers an execution and says all about its launch, before it is launched.
    Intended {
        place: Place,
        role: Role,
        attempt: u32,
        launch: Box<Launch>,
    },
    /// A Load Data whose source is unchanged.
    Reused {
        run: RunId,
        task: TaskId,
        earlier: Earlier,
        sentence: String,
    },
    /// A launch could not be made of the snapshot.
    NotMade {
        place: Place,
        sentence: String,
    },
    /// The runner has seen it run.
    Started {
        execution: ExecutionId,
        started: Millis,
    },
    /// A live step, Viewer or Serving that can be used.
    Ready {
        execution: ExecutionId,
        started: Millis,
        ready: Millis,
    },
    StopAsked {
        execution: ExecutionId,
        why: Why,
        by: By,
    },
    /// A step that stays open lets the run go on.
    Released {
        execution: ExecutionId,
        by: By,
    },
    Ended {
        execution: ExecutionId,
        end: End,
        then: Then,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        facts: Option<serde_json::Value>,
    },
    /// The wait before a further try is over.
    Due {
        place: Place,
    },
    Skipped {
        run: RunId,
        task: TaskId,
        because: TaskId,
    },
    /// A live step that ended by itself gets a new execution.
    StartAgain {
        run: RunId,
        task: TaskId,
        by: By,
    },
    /// A live step that ended by itself is given up.
    FailIt {
        run: RunId,
        task: TaskId,
        by: By,
    },
    /// These failed tasks, and what was skipped because of them, go on.
    Retried {
        run: RunId,
        tasks: BTreeSet<TaskId>,
        by: By,
    },
    Paused {
        pipeline: PipelineId,
        task: TaskId,
        by: By,
    },
    Resumed {
        pipeline: PipelineId,
        task: TaskId,
        by: By,
    },
    /// This version is to serve again, and to be live when it does.
    LiveWanted {
        pipeline: PipelineId,
        task: TaskId,
        packed: u64,
        by: By,
    },
    MadeLive {
        pipeline: PipelineId,
        task: TaskId,
        packed: u64,
        by: By,
    },
    RunCancelled {
        run: RunId,
        by: By,
    },
    RunEnded {
        run: RunId,
        how: How,
    },
    /// Its data stays, however many newer runs there are.
    Pinned {
        run: RunId,
        pinned: bool,
        by: By,
    },
    /// Its results are removed, but for those that another run reads; the run itself stays in the list.
    DataDropped {
        run: RunId,
    },
    /// The run is forgotten; its executions' numbers are not.
    RunDeleted {
        run: RunId,
    },
    PipelineDeleted {
        pipeline: PipelineId,
    },
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Succeeded,
    Failed,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub run: RunId,
    pub pipeline: PipelineId,
    /// 1, 2, … within the pipeline.
    pub number: u32,
    /// The snapshot that it works on, whatever is edited later.
    pub document: String,
    pub part: Part,
    /// All of them, defaults included.
    pub parameters: BTreeMap<String, String>,
    /// What is read of tasks that are not run.
    pub reading: BTreeMap<TaskId, Earlier>,
    /// Load Data tasks that download again.
    pub again: BTreeSet<TaskId>,
    /// Load Data tasks whose source was found unchanged, and how ("unchanged by date and length").
    pub unchanged: BTreeMap<TaskId, String>,
    pub by: By,
}
