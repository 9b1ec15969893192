//! What can be done to a pipeline in one step?
//!
//! A command is a plain function from document and selection to record edits; it cascades as it needs. A new one is
//! a variant here and a function in the module of its subject.

mod arrange;
mod arrows;
mod clipboard;
mod fields;
mod groups;
mod layout;
mod notes;
mod tasks;
mod whole;

use model::{Acl, ArrowId, Fix, GroupId, KindName, NoteId, Parameter, Pipeline, TaskId};
use serde_json::Value;

pub use arrange::{Axis, Edge};
pub use arrows::obstacle;
pub use clipboard::copy;

use crate::{document::Broken, document::Edits, geometry::Point, selection::Selection};

/// Where new ids come from; each call gives one that was never given before.
pub type Ids<'a> = &'a mut dyn FnMut() -> String;

/// One step that a person can take. Fields are named as in the saved document (`resources.gpu`, `env.SEED`,
/// `files.0.text`); a value of `None` takes the field out, which means "inherited" where a field can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A new task with its upper left corner at `at` (world units).
    AddTask {
        kind: KindName,
        at: Point,
    },
    /// What is selected, with the arrows of its tasks.
    Delete,
    Duplicate,
    /// What [`copy`] gave as text; `at`: the middle of what arrives, else a little beside where it was.
    Paste {
        text: String,
        at: Option<Point>,
    },
    /// Copying is the caller's; this is the delete of a cut, with its own name.
    Cut,
    Rename {
        task: TaskId,
        name: String,
    },
    /// `typing`: the stay in a field (from [`crate::Editor::new_focus`]); all of one stay is one step.
    SetField {
        task: TaskId,
        field: String,
        value: Option<Value>,
        typing: Option<u64>,
    },
    SetArrowField {
        arrow: ArrowId,
        field: String,
        value: Option<Value>,
        typing: Option<u64>,
    },
    /// `name`, `description`, `parameters.0.default`, ….
    SetPipelineField {
        field: String,
        value: Option<Value>,
        typing: Option<u64>,
    },
    SetParameters {
        parameters: Vec<Parameter>,
    },
    Connect {
        from: TaskId,
        from_path: String,
        to: TaskId,
        to_path: String,
        acl: Acl,
    },
    RemoveArrow {
        arrow: ArrowId,
    },
    /// The button of a problem.
    Fix(Fix),
    Nudge {
        dx: f64,
        dy: f64,
    },
    Align(Edge),
    Distribute(Axis),
    /// All tasks, or those selected when there are several: in layers along the arrows.
    Layout,
    AddNote {
        at: Point,
        text: String,
    },
    SetNote {
        note: NoteId,
        text: String,
        typing: Option<u64>,
    },
    /// A frame around the selected tasks.
    Group {
        name: String,
    },
    Ungroup,
    RenameGroup {
        group: GroupId,
        name: String,
    },
    /// All of the document but its id.
    Import(Box<Pipeline>),
    /// Another's save: what they changed since `base` comes in, record by record.
    Merge {
        base: Box<Pipeline>,
        theirs: Box<Pipeline>,
    },
}

/// Why a command did nothing. Each is a sentence for people.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("There is no {0} any more.")]
    Gone(String),
    #[error("Nothing is selected that this could change.")]
    NothingSelected,
    #[error("{field} cannot be set so: {reason}.")]
    Field { field: String, reason: String },
    #[error("This text holds no tasks: {0}.")]
    Clipboard(String),
    #[error("{0}")]
    Connect(String),
    #[error("This is not an edit of the pipeline: {0}.")]
    NotAnEdit(String),
    #[error("A run shows what was run; open the pipeline to change it.")]
    ReadOnly,
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// What a command leaves selected.
pub type Outcome = Result<Selection, Refusal>;

impl Command {
    /// Which stay in a field this is a part of.
    pub fn typing(&self) -> Option<u64> {
        match self {
            Command::SetField { typing, .. }
            | Command::SetArrowField { typing, .. }
            | Command::SetPipelineField { typing, .. }
            | Command::SetNote { typing, .. } => *typing,
            _ => None,
        }
    }

    /// The step's name in the history.
    pub fn name(&self, pipeline: &Pipeline, selection: &Selection) -> String {
        match self {
            Command::AddTask { kind, .. } => format!("Add {}", kind.title()),
            Command::Delete => format!("Delete {}", what(pipeline, selection)),
            Command::Duplicate => format!("Duplicate {}", what(pipeline, selection)),
            Command::Cut => format!("Cut {}", what(pipeline, selection)),
            Command::Paste { .. } => "Paste".into(),
            Command::Rename { task, .. } => format!("Rename {}", tasks::title(pipeline, task)),
            Command::SetField { task, field, .. } => format!("Set {field} of {}", tasks::title(pipeline, task)),
            Command::SetArrowField { field, .. } => format!("Set {field} of an arrow"),
            Command::SetPipelineField { field, .. } => format!("Set the pipeline's {field}"),
            Command::SetParameters { .. } => "Set parameters".into(),
            Command::Connect { from, to, .. } => {
                format!("Connect {} to {}", tasks::title(pipeline, from), tasks::title(pipeline, to))
            }
            Command::RemoveArrow { .. } => "Delete an arrow".into(),
            Command::Fix(fix) => fields::label(fix).to_owned(),
            Command::Nudge { .. } => format!("Move {}", what(pipeline, selection)),
            Command::Align(_) => format!("Align {}", what(pipeline, selection)),
            Command::Distribute(_) => format!("Distribute {}", what(pipeline, selection)),
            Command::Layout => "Tidy up".into(),
            Command::AddNote { .. } => "Add a note".into(),
            Command::SetNote { .. } => "Write a note".into(),
            Command::Group { .. } => format!("Group {}", what(pipeline, selection)),
            Command::Ungroup => "Ungroup".into(),
            Command::RenameGroup { .. } => "Rename a group".into(),
            Command::Import(_) => "Import a document".into(),
            Command::Merge { .. } => "Take in others' changes".into(),
        }
    }

    /// Edits the open transaction; the caller commits or, after a refusal, cancels.
    pub(crate) fn run(self, edits: &mut Edits<'_>, selection: &Selection, ids: Ids<'_>) -> Outcome {
        match self {
            Command::AddTask { kind, at } => tasks::add(edits, kind, at, ids),
            Command::Delete | Command::Cut => tasks::delete(edits, selection),
            Command::Duplicate => clipboard::duplicate(edits, selection, ids),
            Command::Paste { text, at } => clipboard::paste(edits, &text, at, ids),
            Command::Rename { task, name } => tasks::rename(edits, &task, name, selection),
            Command::SetField { task, field, value, .. } => fields::set_task(edits, &task, &field, value, selection),
            Command::SetArrowField { arrow, field, value, .. } => {
                fields::set_arrow(edits, &arrow, &field, value, selection)
            }
            Command::SetPipelineField { field, value, .. } => fields::set_pipeline(edits, &field, value, selection),
            Command::SetParameters { parameters } => whole::set_parameters(edits, parameters, selection),
            Command::Connect { from, from_path, to, to_path, acl } => {
                arrows::connect(edits, arrows::Ends { from, from_path, to, to_path, acl }, ids)
            }
            Command::RemoveArrow { arrow } => arrows::remove(edits, &arrow, selection),
            Command::Fix(fix) => fields::mend(edits, fix, selection),
            Command::Nudge { dx, dy } => arrange::nudge(edits, selection, dx, dy),
            Command::Align(edge) => arrange::align(edits, selection, edge),
            Command::Distribute(axis) => arrange::distribute(edits, selection, axis),
            Command::Layout => layout::layout(edits, selection),
            Command::AddNote { at, text } => notes::add(edits, at, text, ids),
            Command::SetNote { note, text, .. } => notes::set(edits, &note, text, selection),
            Command::Group { name } => groups::group(edits, selection, name, ids),
            Command::Ungroup => groups::ungroup(edits, selection),
            Command::RenameGroup { group, name } => groups::rename(edits, &group, name, selection),
            Command::Import(pipeline) => Ok(whole::import(edits, *pipeline)),
            Command::Merge { base, theirs } => Ok(whole::merge(edits, &base, &theirs, selection)),
        }
    }
}

/// "Train", "3 tasks", "an arrow", "5 things".
pub(crate) fn what(pipeline: &Pipeline, selection: &Selection) -> String {
    let (tasks, all) = (selection.tasks.len(), selection.len());
    if let Some(task) = selection.only_task() {
        return tasks::title(pipeline, task);
    }
    match (tasks == all, all) {
        (_, 0) => "nothing".into(),
        (true, _) => format!("{tasks} tasks"),
        (false, 1) if selection.only_arrow().is_some() => "an arrow".into(),
        (false, 1) if selection.only_note().is_some() => "a note".into(),
        (false, 1) => "a group".into(),
        (false, _) => format!("{all} things"),
    }
}
