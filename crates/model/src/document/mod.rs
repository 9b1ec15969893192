//! How is a pipeline written as JSON, and read again?
//!
//! Writing is one fixed form (fields in the order of the types, lists by id), so that a diff shows what differs and
//! reading what was written changes nothing. Fields that nothing here knows are kept and told as warnings.

mod migrate;
mod shape;
mod strict;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use strict::{MAX_BYTES, MAX_ENTRIES};

use crate::{
    Gather,
    id::{NoteId, PipelineId, TaskId},
    pipeline::{Arrow, Group, Note, Parameter, Pipeline, Place, Settings, Task},
    problem::Problem,
    value::Unknown,
};

/// A document that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub pipeline: Pipeline,
    /// Fields that nothing reads, with their places.
    pub warnings: Vec<Problem>,
}

/// Why a text is not a pipeline: one sentence with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("This file is larger than 32 MiB, more than a pipeline can be")]
    TooLarge,
    #[error("Line {line}, column {column}: {sentence}")]
    Syntax { line: usize, column: usize, sentence: String },
    #[error("This is not a Fletchline pipeline: {0}")]
    Foreign(String),
    #[error(
        "This pipeline was written by a newer Fletchline (document version {version}; this one reads up to {current}): update this one"
    )]
    Newer { version: u32, current: u32 },
    /// `place` as in `tasks[2].command`.
    #[error("{place}: {sentence}")]
    Shape { place: String, sentence: String },
}

/// Reads a document of this or an earlier version.
///
/// # Guarantees
/// Ids are unique, and the ends of arrows and the members of groups exist. What else is wrong with the pipeline is
/// for [`crate::validate`], so that a half-finished one can be kept.
///
/// # Errors
/// See [`ReadError`]. Bombs (size, depth, number of values) are refused without being taken in whole.
pub fn read(text: &str) -> Result<Read, ReadError> {
    if text.starts_with("PK\u{3}\u{4}") {
        return Err(ReadError::Foreign("it is a zip file; its pipeline.json is one".into()));
    }
    let fields = match strict::parse(text)? {
        Value::Object(fields) => fields,
        _ => return Err(ReadError::Foreign("it is not a JSON object".into())),
    };
    let fields = migrate::to_current(fields)?;
    let document: Document = serde_path_to_error::deserialize(Value::Object(fields)).map_err(shape::error)?;
    shape::check(&document)?;
    let pipeline = document.into_pipeline();
    let warnings = crate::validate::unknown_fields(&pipeline);
    Ok(Read { pipeline, warnings })
}

/// The document of a pipeline, ending with a line break.
pub fn write(pipeline: &Pipeline) -> String {
    let document = Document::of(pipeline);
    let mut text = serde_json::to_string_pretty(&document).expect("all keys are texts and all numbers finite");
    text.push('\n');
    text
}

/// The JSON Schema of a document.
pub fn schema() -> Value {
    schemars::schema_for!(Document).to_value()
}

/// A Fletchline pipeline.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Fletchline pipeline")]
struct Document {
    /// `fletchline/v1`.
    format: String,
    id: PipelineId,
    #[serde(default)]
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    tasks: Vec<Arc<Task>>,
    #[serde(default)]
    arrows: Vec<Arc<Arrow>>,
    #[serde(default)]
    notes: Vec<Arc<Note>>,
    #[serde(default)]
    groups: Vec<Arc<Group>>,
    #[serde(default)]
    layout: Layout,
    #[serde(flatten)]
    unknown: Unknown,
}

/// Where things stand on the canvas; changes no meaning.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Layout {
    tasks: BTreeMap<TaskId, PlaceRecord>,
    notes: BTreeMap<NoteId, PlaceRecord>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct PlaceRecord {
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    unknown: Unknown,
}

/// In [`Pipeline::unknown`], under this name, lie the unknown fields of the layout: a [`Place`] has no room for them.
const LAYOUT: &str = "layout";

impl Document {
    fn of(pipeline: &Pipeline) -> Document {
        let mut unknown = pipeline.unknown.clone();
        let rest = into_object(unknown.remove(LAYOUT));
        let settings = Settings::clone(&pipeline.settings);
        Document {
            format: migrate::format(),
            id: pipeline.id.clone(),
            name: settings.name,
            description: settings.description,
            parameters: settings.parameters,
            tasks: pipeline.tasks.values().cloned().collect(),
            arrows: pipeline.arrows.values().cloned().collect(),
            notes: pipeline.notes.values().cloned().collect(),
            groups: pipeline.groups.values().cloned().collect(),
            layout: Layout::of(pipeline, rest),
            unknown,
        }
    }

    fn into_pipeline(self) -> Pipeline {
        let (task_places, note_places, rest) = self.layout.into_places();
        let mut unknown = self.unknown;
        if !rest.is_empty() {
            unknown.insert(LAYOUT.into(), Value::Object(rest));
        }
        let settings = Settings { name: self.name, description: self.description, parameters: self.parameters };
        Pipeline {
            id: self.id,
            settings: Arc::new(settings),
            tasks: self.tasks.into_iter().map(|task| (task.id.clone(), task)).gather(),
            arrows: self.arrows.into_iter().map(|arrow| (arrow.id.clone(), arrow)).gather(),
            notes: self.notes.into_iter().map(|note| (note.id.clone(), note)).gather(),
            groups: self.groups.into_iter().map(|group| (group.id.clone(), group)).gather(),
            task_places,
            note_places,
            unknown,
        }
    }
}

impl Layout {
    fn of(pipeline: &Pipeline, mut rest: Unknown) -> Layout {
        let tasks = records(&pipeline.task_places, into_object(rest.remove("tasks")));
        let notes = records(&pipeline.note_places, into_object(rest.remove("notes")));
        Layout { tasks, notes, unknown: rest }
    }

    fn into_places(self) -> (BTreeMap<TaskId, Place>, BTreeMap<NoteId, Place>, Unknown) {
        let mut rest = self.unknown;
        let tasks = places(self.tasks, "tasks", &mut rest);
        let notes = places(self.notes, "notes", &mut rest);
        (tasks, notes, rest)
    }
}

fn into_object(value: Option<Value>) -> Unknown {
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Unknown::new(),
    }
}

/// Unknown fields of a place go with it: those of a thing that is no longer there are dropped.
fn records<Id: Clone + Ord + AsRef<str>>(places: &BTreeMap<Id, Place>, mut rest: Unknown) -> BTreeMap<Id, PlaceRecord> {
    let record = |(id, place): (&Id, &Place)| {
        let unknown = into_object(rest.remove(id.as_ref()));
        (id.clone(), PlaceRecord { place: finite(*place), unknown })
    };
    places.iter().map(record).gather()
}

fn places<Id: Ord + AsRef<str>>(
    records: BTreeMap<Id, PlaceRecord>,
    name: &str,
    rest: &mut Unknown,
) -> BTreeMap<Id, Place> {
    let mut unknown = Unknown::new();
    let mut places = BTreeMap::new();
    for (id, record) in records {
        if !record.unknown.is_empty() {
            unknown.insert(id.as_ref().to_owned(), Value::Object(record.unknown));
        }
        places.insert(id, record.place);
    }
    if !unknown.is_empty() {
        rest.insert(name.to_owned(), Value::Object(unknown));
    }
    places
}

/// JSON has no NaN and no infinity: a thing that stands nowhere stands at 0.
fn finite(place: Place) -> Place {
    let number = |number: f64| if number.is_finite() { number } else { 0.0 };
    Place {
        x: number(place.x),
        y: number(place.y),
        width: place.width.filter(|width| width.is_finite()),
        height: place.height.filter(|height| height.is_finite()),
    }
}
