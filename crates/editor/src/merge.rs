//! What becomes of two people's changes to one pipeline?
//!
//! Three-way by record: what only one side changed is taken from it. Where both changed the same record, ours stays
//! and the record is named, so that the page can show both.

use std::collections::BTreeSet;

use model::{Gather, Pipeline};

use crate::{
    document::Edits,
    record::{self, RecordId},
};

/// Brings what `theirs` changed since `base` into the document. The answer names the records that both changed
/// differently; there the document keeps its own.
pub fn merge(edits: &mut Edits<'_>, base: &Pipeline, theirs: &Pipeline) -> Vec<RecordId> {
    let ids: BTreeSet<RecordId> = record::all(base).chain(record::all(theirs)).gather();
    let mut both = Vec::new();
    for id in ids {
        let (was, their) = (record::read(base, &id), record::read(theirs, &id));
        if was == their {
            continue;
        }
        let own = record::read(edits.pipeline(), &id);
        if own == was {
            edits.set(id, their);
        } else if own != their {
            both.push(id);
        }
    }
    tidy(edits);
    both
}

/// One side may have removed what the other tied something to: such arrows, members and places go.
fn tidy(edits: &mut Edits<'_>) {
    let pipeline = edits.pipeline().clone();
    let exists = |task: &model::TaskId| pipeline.tasks.contains_key(task);
    for arrow in pipeline.arrows.values().filter(|arrow| !exists(&arrow.from_task) || !exists(&arrow.to_task)) {
        edits.remove_arrow(&arrow.id);
    }
    let mut taken = BTreeSet::new();
    for group in pipeline.groups.values() {
        let mut kept = model::Group::clone(group);
        kept.tasks.retain(|task| exists(task) && taken.insert(task.clone()));
        if kept.tasks.is_empty() {
            edits.remove_group(&group.id);
        } else if kept.tasks != group.tasks {
            edits.put_group(kept);
        }
    }
    pipeline
        .task_places
        .keys()
        .filter(|id| !exists(id))
        .for_each(|id| edits.set(RecordId::TaskPlace(id.clone()), None));
    let orphans = pipeline.note_places.keys().filter(|id| !pipeline.notes.contains_key(*id));
    orphans.for_each(|id| edits.set(RecordId::NotePlace(id.clone()), None));
}
