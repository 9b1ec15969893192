//! What must be true of every document that a transaction leaves behind?
//!
//! Structure only. Whether a pipeline can run is validation's to say (`model`).

use std::collections::BTreeMap;

use model::{Pipeline, Place};

use crate::record;

/// One sentence per broken rule, in a stable order.
pub fn broken(pipeline: &Pipeline) -> Vec<String> {
    let mut sentences = Vec::new();
    ids(pipeline, &mut sentences);
    ends(pipeline, &mut sentences);
    groups(pipeline, &mut sentences);
    places(pipeline, &mut sentences);
    sentences
}

fn ids(pipeline: &Pipeline, sentences: &mut Vec<String>) {
    let mut check = |what: &str, key: &str, id: &str| {
        if key != id {
            sentences.push(format!("The {what} \"{id}\" stands under the id \"{key}\"."));
        }
    };
    pipeline.tasks.iter().for_each(|(key, task)| check("task", key.as_str(), task.id.as_str()));
    pipeline.arrows.iter().for_each(|(key, arrow)| check("arrow", key.as_str(), arrow.id.as_str()));
    pipeline.notes.iter().for_each(|(key, note)| check("note", key.as_str(), note.id.as_str()));
    pipeline.groups.iter().for_each(|(key, group)| check("group", key.as_str(), group.id.as_str()));
}

fn ends(pipeline: &Pipeline, sentences: &mut Vec<String>) {
    for arrow in pipeline.arrows.values() {
        for (side, task) in [("begins", &arrow.from_task), ("ends", &arrow.to_task)] {
            if !pipeline.tasks.contains_key(task) {
                sentences.push(format!("The arrow \"{}\" {side} at \"{task}\", which is no task.", arrow.id));
            }
        }
    }
}

fn groups(pipeline: &Pipeline, sentences: &mut Vec<String>) {
    let mut owner = BTreeMap::new();
    for group in pipeline.groups.values() {
        for task in &group.tasks {
            if !pipeline.tasks.contains_key(task) {
                sentences.push(format!("The group \"{}\" holds \"{task}\", which is no task.", group.name));
            }
            if let Some(other) = owner.insert(task, &group.name) {
                sentences.push(format!("The task \"{task}\" is in two groups, \"{other}\" and \"{}\".", group.name));
            }
        }
    }
}

fn places(pipeline: &Pipeline, sentences: &mut Vec<String>) {
    let mut check = |what: &str, id: &str, exists: bool, place: &Place| {
        if !exists {
            sentences.push(format!("There is a place for the {what} \"{id}\", which does not exist."));
        }
        if !record::is_finite(place) {
            sentences.push(format!("The place of the {what} \"{id}\" is no number."));
        }
    };
    for (id, place) in &pipeline.task_places {
        check("task", id.as_str(), pipeline.tasks.contains_key(id), place);
    }
    for (id, place) in &pipeline.note_places {
        check("note", id.as_str(), pipeline.notes.contains_key(id), place);
    }
}
