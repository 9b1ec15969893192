//! What goes over the one WebSocket of a tab?
//!
//! JSON text messages. A tab says what it watches and from which version on; after a break it says so again with the
//! last version that it has seen, and gets what it missed or the whole.

use std::collections::BTreeMap;

use model::{
    ExecutionId, PipelineId, RunId, TaskId,
    run::{RunSummary, TaskView},
};
use serde::{Deserialize, Serialize};

/// From the tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "watch", deny_unknown_fields)]
pub enum Ask {
    /// Every run's line, for lists.
    Runs,
    /// One run's tasks, newer than `version` (0: all).
    Run { run: RunId, version: u64 },
    /// A log from this byte on.
    Log { execution: ExecutionId, from: u64 },
    /// Others' saves of this pipeline, newer than `revision`.
    Pipeline { id: PipelineId, revision: u64 },
    /// No longer the run, the log, ….
    Forget { what: Box<Ask> },
}

/// To the tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    RunLine {
        summary: RunSummary,
    },
    /// The tasks that changed; `whole`: all of them, forget what you had.
    Run {
        summary: RunSummary,
        version: u64,
        whole: bool,
        tasks: BTreeMap<TaskId, TaskView>,
    },
    /// Whole lines as stored (`<milliseconds> <text>`), beginning at byte `from`.
    Log {
        execution: ExecutionId,
        from: u64,
        text: String,
        ended: bool,
    },
    Saved {
        id: PipelineId,
        revision: u64,
    },
    /// The watch cannot be had; one sentence.
    Refused {
        sentence: String,
    },
}
