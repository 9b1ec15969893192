//! What is wrong, where, and what would mend it?

use serde::{Deserialize, Serialize};

use crate::id::{ArrowId, TaskId};

/// One sentence about what is wrong, with its place and, where there is one, the fix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    pub severity: Severity,
    pub at: At,
    /// A whole sentence; names the task where it has one.
    pub sentence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Stops a run that would run the task it is in.
    Problem,
    /// Stops nothing.
    Warning,
}

/// The place of a problem: a click selects it, a field is marked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    Pipeline {
        field: String,
    },
    /// `field` as in the document, for example `resources.gpu` or `env.SEED`; empty: the whole task.
    Task {
        task: TaskId,
        field: String,
    },
    Arrow {
        arrow: ArrowId,
        field: String,
    },
}

/// A change that one button makes. The editor turns it into an ordinary edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fix {
    /// Sets one field of a task, written as in the document; `null` sets none.
    SetField {
        task: TaskId,
        field: String,
        value: serde_json::Value,
        label: String,
    },
    /// Sets one field of an arrow.
    SetArrowField {
        arrow: ArrowId,
        field: String,
        value: serde_json::Value,
        label: String,
    },
    RemoveArrow {
        arrow: ArrowId,
        label: String,
    },
    /// Opens the page of volumes with this name filled in.
    MakeVolume {
        volume: String,
        label: String,
    },
    /// Moves a plain value into a secret of this name.
    MakeSecret {
        task: TaskId,
        variable: String,
        label: String,
    },
}

impl Problem {
    /// Something that stops a run.
    #[expect(clippy::self_named_constructors, reason = "a problem and a warning are made by their own words")]
    pub fn problem(at: At, sentence: impl Into<String>) -> Problem {
        Problem { severity: Severity::Problem, at, sentence: sentence.into(), fix: None }
    }

    /// Something that stops nothing.
    pub fn warning(at: At, sentence: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, at, sentence: sentence.into(), fix: None }
    }

    pub fn with_fix(self, fix: Fix) -> Problem {
        Problem { fix: Some(fix), ..self }
    }
}

impl At {
    pub fn pipeline(field: impl Into<String>) -> At {
        At::Pipeline { field: field.into() }
    }

    pub fn task(task: &TaskId, field: impl Into<String>) -> At {
        At::Task { task: task.clone(), field: field.into() }
    }

    pub fn arrow(arrow: &ArrowId, field: impl Into<String>) -> At {
        At::Arrow { arrow: arrow.clone(), field: field.into() }
    }
}
