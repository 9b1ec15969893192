//! What does a runner see of an execution?

use model::{ExecutionId, run::Millis, run::Progress};
use serde::{Deserialize, Serialize};

/// One look at one execution. Later ones replace earlier ones; the order of phases of one execution never goes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub execution: ExecutionId,
    pub phase: Phase,
    /// Only while a Load Data runs.
    pub progress: Option<Progress>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// There is none: never launched, or launched and gone without a trace (then it is lost). Told only after a live look.
    Absent,
    /// Accepted, not running yet: folders, images, environments, a place on a node. One sentence says what it waits for.
    Preparing {
        sentence: String,
    },
    Running {
        started: Millis,
    },
    /// Its port answers, or it runs if it has none.
    Ready {
        started: Millis,
        ready: Millis,
    },
    /// Ready, and its advance rule holds.
    RuleMet {
        started: Millis,
        ready: Millis,
    },
    /// Asked to stop, or its snapshots are being copied.
    Ending {
        started: Millis,
    },
    /// All over: the program has ended and its snapshots are complete. Told again until released.
    Ended(Ended),
    /// The machine or node went away under it: not the task's fault.
    Lost {
        sentence: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub exit: Exit,
    /// None: it never started.
    pub started: Option<Millis>,
    pub ended: Millis,
    /// What the program tells the engine for later runs (a Load Data: how to recognise an unchanged source).
    pub facts: Option<serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "exit")]
pub enum Exit {
    Code {
        code: i32,
    },
    Signal {
        signal: i32,
    },
    OutOfMemory {
        sentence: String,
    },
    TimedOut,
    /// It could not be started; trying again as it is will not help.
    NotStarted {
        sentence: String,
    },
    /// Nothing was started: a folder of its number was there already. `last` is the highest number that is.
    Taken {
        last: u64,
    },
    /// The program went well but its snapshot could not be copied.
    SnapshotFailed {
        sentence: String,
    },
}

/// What a runner tells the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    /// All executions of this installation that the runner has, once after a start or a break. What is not in it is absent.
    All(Vec<Observation>),
    One(Observation),
}
