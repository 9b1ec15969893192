//! What is selected?

use std::collections::BTreeSet;

use model::{ArrowId, Gather, GroupId, NoteId, Pipeline, TaskId};
use serde::{Deserialize, Serialize};

/// Not part of the document; a step of the history remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    pub tasks: BTreeSet<TaskId>,
    pub arrows: BTreeSet<ArrowId>,
    pub notes: BTreeSet<NoteId>,
    pub groups: BTreeSet<GroupId>,
}

impl Selection {
    pub fn task(id: TaskId) -> Self {
        Selection { tasks: std::iter::once(id).gather(), ..Selection::default() }
    }

    pub fn arrow(id: ArrowId) -> Self {
        Selection { arrows: std::iter::once(id).gather(), ..Selection::default() }
    }

    pub fn note(id: NoteId) -> Self {
        Selection { notes: std::iter::once(id).gather(), ..Selection::default() }
    }

    pub fn group(id: GroupId) -> Self {
        Selection { groups: std::iter::once(id).gather(), ..Selection::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        self.tasks.len() + self.arrows.len() + self.notes.len() + self.groups.len()
    }

    /// The task, if one task and nothing else is selected.
    pub fn only_task(&self) -> Option<&TaskId> {
        if self.len() == 1 { self.tasks.first() } else { None }
    }

    /// The arrow, if one arrow and nothing else is selected.
    pub fn only_arrow(&self) -> Option<&ArrowId> {
        if self.len() == 1 { self.arrows.first() } else { None }
    }

    /// The note, if one note and nothing else is selected.
    pub fn only_note(&self) -> Option<&NoteId> {
        if self.len() == 1 { self.notes.first() } else { None }
    }

    /// Without what is no longer there.
    pub fn kept_to(mut self, pipeline: &Pipeline) -> Self {
        self.tasks.retain(|id| pipeline.tasks.contains_key(id));
        self.arrows.retain(|id| pipeline.arrows.contains_key(id));
        self.notes.retain(|id| pipeline.notes.contains_key(id));
        self.groups.retain(|id| pipeline.groups.contains_key(id));
        self
    }

    /// In both or either: what a frame that began with Shift held selects.
    pub fn with(mut self, other: &Selection) -> Self {
        self.tasks.extend(other.tasks.iter().cloned());
        self.arrows.extend(other.arrows.iter().cloned());
        self.notes.extend(other.notes.iter().cloned());
        self.groups.extend(other.groups.iter().cloned());
        self
    }

    /// Adds what is not in it and takes out what is.
    pub fn toggled(mut self, other: &Selection) -> Self {
        toggle(&mut self.tasks, &other.tasks);
        toggle(&mut self.arrows, &other.arrows);
        toggle(&mut self.notes, &other.notes);
        toggle(&mut self.groups, &other.groups);
        self
    }

    pub fn everything(pipeline: &Pipeline) -> Self {
        Selection {
            tasks: pipeline.tasks.keys().cloned().gather(),
            arrows: pipeline.arrows.keys().cloned().gather(),
            notes: pipeline.notes.keys().cloned().gather(),
            groups: pipeline.groups.keys().cloned().gather(),
        }
    }
}

fn toggle<T: Ord + Clone>(own: &mut BTreeSet<T>, other: &BTreeSet<T>) {
    for item in other {
        if !own.remove(item) {
            own.insert(item.clone());
        }
    }
}
