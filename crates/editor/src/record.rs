//! What is one record of a document, and where does it stand in it?

use std::{collections::btree_map::Entry, sync::Arc};

use model::{Arrow, ArrowId, Group, GroupId, Note, NoteId, Pipeline, Place, Settings, Task, TaskId, Unknown};
use serde::{Deserialize, Serialize};

/// Names one record. The order is the one in which a change is written down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordId {
    Settings,
    /// The document's fields that nothing here reads.
    Unknown,
    Task(TaskId),
    TaskPlace(TaskId),
    Arrow(ArrowId),
    Note(NoteId),
    NotePlace(NoteId),
    Group(GroupId),
}

impl RecordId {
    /// Where something stands on the canvas, which changes no meaning.
    pub fn is_place(&self) -> bool {
        match self {
            RecordId::TaskPlace(_) | RecordId::NotePlace(_) => true,
            RecordId::Settings
            | RecordId::Unknown
            | RecordId::Task(_)
            | RecordId::Arrow(_)
            | RecordId::Note(_)
            | RecordId::Group(_) => false,
        }
    }
}

/// A record's value; cheap to clone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Settings(Arc<Settings>),
    Unknown(Arc<Unknown>),
    Task(Arc<Task>),
    Place(Place),
    Arrow(Arc<Arrow>),
    Note(Arc<Note>),
    Group(Arc<Group>),
}

impl Record {
    /// Whether this value may stand under that name; a history from a browser's storage may hold anything.
    pub fn belongs_to(&self, id: &RecordId) -> bool {
        match (self, id) {
            (Record::Settings(_), RecordId::Settings) | (Record::Unknown(_), RecordId::Unknown) => true,
            (Record::Place(place), RecordId::TaskPlace(_) | RecordId::NotePlace(_)) => is_finite(place),
            (Record::Task(task), RecordId::Task(id)) => task.id == *id,
            (Record::Arrow(arrow), RecordId::Arrow(id)) => arrow.id == *id,
            (Record::Note(note), RecordId::Note(id)) => note.id == *id,
            (Record::Group(group), RecordId::Group(id)) => group.id == *id,
            (_, _) => false,
        }
    }
}

pub fn is_finite(place: &Place) -> bool {
    [Some(place.x), Some(place.y), place.width, place.height].into_iter().flatten().all(f64::is_finite)
}

/// What stands under this name now.
pub fn read(pipeline: &Pipeline, id: &RecordId) -> Option<Record> {
    match id {
        RecordId::Settings => Some(Record::Settings(pipeline.settings.clone())),
        RecordId::Unknown => Some(Record::Unknown(Arc::new(pipeline.unknown.clone()))),
        RecordId::Task(id) => pipeline.tasks.get(id).cloned().map(Record::Task),
        RecordId::TaskPlace(id) => pipeline.task_places.get(id).copied().map(Record::Place),
        RecordId::Arrow(id) => pipeline.arrows.get(id).cloned().map(Record::Arrow),
        RecordId::Note(id) => pipeline.notes.get(id).cloned().map(Record::Note),
        RecordId::NotePlace(id) => pipeline.note_places.get(id).copied().map(Record::Place),
        RecordId::Group(id) => pipeline.groups.get(id).cloned().map(Record::Group),
    }
}

/// Puts a value there, or removes what is there. A value that does not belong there changes nothing.
pub(crate) fn write(pipeline: &mut Pipeline, id: &RecordId, value: Option<Record>) {
    match (id, value) {
        (RecordId::Settings, Some(Record::Settings(value))) => pipeline.settings = value,
        (RecordId::Unknown, Some(Record::Unknown(value))) => pipeline.unknown = Arc::unwrap_or_clone(value),
        (RecordId::Task(id), Some(Record::Task(value))) => put(pipeline.tasks.entry(id.clone()), value),
        (RecordId::Arrow(id), Some(Record::Arrow(value))) => put(pipeline.arrows.entry(id.clone()), value),
        (RecordId::Note(id), Some(Record::Note(value))) => put(pipeline.notes.entry(id.clone()), value),
        (RecordId::Group(id), Some(Record::Group(value))) => put(pipeline.groups.entry(id.clone()), value),
        (RecordId::TaskPlace(id), Some(Record::Place(value))) => put(pipeline.task_places.entry(id.clone()), value),
        (RecordId::NotePlace(id), Some(Record::Place(value))) => put(pipeline.note_places.entry(id.clone()), value),
        (id, None) => remove(pipeline, id),
        (_, Some(_)) => {}
    }
}

fn put<K: Ord, V>(entry: Entry<'_, K, V>, value: V) {
    entry.insert_entry(value);
}

fn remove(pipeline: &mut Pipeline, id: &RecordId) {
    match id {
        // A pipeline always has both; there is nothing to remove.
        RecordId::Settings | RecordId::Unknown => {}
        RecordId::Task(id) => drop(pipeline.tasks.remove(id)),
        RecordId::TaskPlace(id) => drop(pipeline.task_places.remove(id)),
        RecordId::Arrow(id) => drop(pipeline.arrows.remove(id)),
        RecordId::Note(id) => drop(pipeline.notes.remove(id)),
        RecordId::NotePlace(id) => drop(pipeline.note_places.remove(id)),
        RecordId::Group(id) => drop(pipeline.groups.remove(id)),
    }
}

/// Every record that a pipeline has.
pub fn all(pipeline: &Pipeline) -> impl Iterator<Item = RecordId> + '_ {
    [RecordId::Settings, RecordId::Unknown]
        .into_iter()
        .chain(pipeline.tasks.keys().cloned().map(RecordId::Task))
        .chain(pipeline.task_places.keys().cloned().map(RecordId::TaskPlace))
        .chain(pipeline.arrows.keys().cloned().map(RecordId::Arrow))
        .chain(pipeline.notes.keys().cloned().map(RecordId::Note))
        .chain(pipeline.note_places.keys().cloned().map(RecordId::NotePlace))
        .chain(pipeline.groups.keys().cloned().map(RecordId::Group))
}
