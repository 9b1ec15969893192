//! How does a pipeline change while it is edited?
//!
//! # Guarantees
//! There is one doorway: [`Edits`], which only an open transaction hands out. It writes down what was there before
//! each record's first touch, so that the commit knows the change without anybody describing it. A commit that would
//! break an invariant changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{Arrow, ArrowId, Gather, Group, GroupId, Note, NoteId, Pipeline, Place, Settings, Task, TaskId, Unknown};

use crate::{
    change::{Change, Sides},
    invariants,
    record::{self, Record, RecordId},
};

type Befores = BTreeMap<RecordId, Option<Record>>;

/// Why a transaction could not be committed: one sentence per broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join(" "))]
pub struct Broken(pub Vec<String>);

/// A pipeline that is being edited.
#[derive(Clone, Debug)]
pub struct Document {
    pipeline: Pipeline,
    open: Option<Befores>,
    /// Touched since somebody last asked, by whatever way (edit, cancel, undo).
    dirty: BTreeSet<RecordId>,
    /// What was broken already in what was opened: it must not keep a person from mending it.
    tolerated: BTreeSet<String>,
    #[cfg(test)]
    pub(crate) forgets: Option<fn(&RecordId) -> bool>,
}

impl Document {
    pub fn new(pipeline: Pipeline) -> Self {
        let tolerated = invariants::broken(&pipeline).into_iter().gather();
        Document {
            dirty: record::all(&pipeline).gather(),
            pipeline,
            open: None,
            tolerated,
            #[cfg(test)]
            forgets: None,
        }
    }

    /// As it is now, with what an open transaction did so far.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a transaction, or goes on with the one that is open.
    pub fn begin(&mut self) -> Edits<'_> {
        let befores = self.open.get_or_insert_default();
        Edits { pipeline: &mut self.pipeline, befores, dirty: &mut self.dirty }
    }

    /// Ends the transaction. The change is empty when nothing differs from its beginning.
    ///
    /// # Errors
    /// [`Broken`]: the document is as it was at the beginning.
    pub fn commit(&mut self) -> Result<Change, Broken> {
        let broken = invariants::broken(&self.pipeline);
        let new: Vec<String> = broken.into_iter().filter(|sentence| !self.tolerated.contains(sentence)).collect();
        if !new.is_empty() {
            self.cancel();
            return Err(Broken(new));
        }
        let befores = self.open.take().unwrap_or_default();
        #[allow(unused_mut)]
        let mut change: Change = befores
            .into_iter()
            .map(|(id, before)| {
                let after = record::read(&self.pipeline, &id);
                (id, Sides { before, after })
            })
            .collect();
        #[cfg(test)]
        if let Some(forgets) = self.forgets {
            let ids: Vec<RecordId> = change.touched().filter(|id| forgets(id)).cloned().collect();
            ids.iter().for_each(|id| change.forget(id));
        }
        Ok(change)
    }

    /// Ends the transaction and puts everything back.
    pub fn cancel(&mut self) {
        for (id, before) in self.open.take().unwrap_or_default() {
            record::write(&mut self.pipeline, &id, before);
            self.dirty.insert(id);
        }
    }

    pub(crate) fn undo(&mut self, change: &Change) {
        for (id, sides) in change.records() {
            self.restore(id, sides.before.clone());
        }
    }

    pub(crate) fn redo(&mut self, change: &Change) {
        for (id, sides) in change.records() {
            self.restore(id, sides.after.clone());
        }
    }

    fn restore(&mut self, id: &RecordId, value: Option<Record>) {
        record::write(&mut self.pipeline, id, value);
        self.dirty.insert(id.clone());
    }

    /// The records that were touched since the last call.
    pub fn take_dirty(&mut self) -> BTreeSet<RecordId> {
        std::mem::take(&mut self.dirty)
    }
}

/// The one doorway to mutation.
pub struct Edits<'a> {
    pipeline: &'a mut Pipeline,
    befores: &'a mut Befores,
    dirty: &'a mut BTreeSet<RecordId>,
}

impl Edits<'_> {
    /// With everything that was edited so far.
    pub fn pipeline(&self) -> &Pipeline {
        self.pipeline
    }

    pub fn set_settings(&mut self, settings: Settings) {
        self.set(RecordId::Settings, Some(Record::Settings(Arc::new(settings))));
    }

    pub fn set_unknown(&mut self, unknown: Unknown) {
        self.set(RecordId::Unknown, Some(Record::Unknown(Arc::new(unknown))));
    }

    pub fn put_task(&mut self, task: impl Into<Arc<Task>>) {
        let task = task.into();
        self.set(RecordId::Task(task.id.clone()), Some(Record::Task(task)));
    }

    pub fn place_task(&mut self, id: &TaskId, place: Place) {
        self.set(RecordId::TaskPlace(id.clone()), Some(Record::Place(with_one_zero(place))));
    }

    pub fn put_arrow(&mut self, arrow: impl Into<Arc<Arrow>>) {
        let arrow = arrow.into();
        self.set(RecordId::Arrow(arrow.id.clone()), Some(Record::Arrow(arrow)));
    }

    pub fn remove_arrow(&mut self, id: &ArrowId) {
        self.set(RecordId::Arrow(id.clone()), None);
    }

    pub fn put_note(&mut self, note: impl Into<Arc<Note>>) {
        let note = note.into();
        self.set(RecordId::Note(note.id.clone()), Some(Record::Note(note)));
    }

    pub fn place_note(&mut self, id: &NoteId, place: Place) {
        self.set(RecordId::NotePlace(id.clone()), Some(Record::Place(with_one_zero(place))));
    }

    /// The note with its place.
    pub fn remove_note(&mut self, id: &NoteId) {
        self.set(RecordId::Note(id.clone()), None);
        self.set(RecordId::NotePlace(id.clone()), None);
    }

    pub fn put_group(&mut self, group: impl Into<Arc<Group>>) {
        let group = group.into();
        self.set(RecordId::Group(group.id.clone()), Some(Record::Group(group)));
    }

    pub fn remove_group(&mut self, id: &GroupId) {
        self.set(RecordId::Group(id.clone()), None);
    }

    /// The task alone with its place: arrows and groups that name it are the command's to clear.
    pub fn remove_task(&mut self, id: &TaskId) {
        self.set(RecordId::Task(id.clone()), None);
        self.set(RecordId::TaskPlace(id.clone()), None);
    }

    /// Puts any record; a value that does not belong there changes nothing.
    pub(crate) fn set(&mut self, id: RecordId, value: Option<Record>) {
        if let std::collections::btree_map::Entry::Vacant(entry) = self.befores.entry(id.clone()) {
            entry.insert(record::read(self.pipeline, &id));
        }
        record::write(self.pipeline, &id, value);
        self.dirty.insert(id);
    }
}

/// Rounding gives `-0.0` for what lies a little left of 0, and the saved text would tell the two zeros apart.
fn with_one_zero(place: Place) -> Place {
    Place { x: place.x + 0.0, y: place.y + 0.0, ..place }
}
