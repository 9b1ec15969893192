//! How does the whole document change at once, and still in one step that can be undone?

use std::collections::BTreeSet;

use model::{Gather, Parameter, Pipeline, Settings};

use super::Outcome;
use crate::{
    document::Edits,
    merge,
    record::{self, RecordId},
    selection::Selection,
};

/// The document becomes `pipeline`, but keeps its own id: results belong to that id.
pub fn import(edits: &mut Edits<'_>, pipeline: Pipeline) -> Selection {
    let own: BTreeSet<RecordId> = record::all(edits.pipeline()).gather();
    let new: BTreeSet<RecordId> = record::all(&pipeline).gather();
    for id in own.union(&new) {
        edits.set(id.clone(), record::read(&pipeline, id));
    }
    Selection::default()
}

pub fn merge(edits: &mut Edits<'_>, base: &Pipeline, theirs: &Pipeline, selection: &Selection) -> Selection {
    merge::merge(edits, base, theirs);
    selection.clone()
}

pub fn set_parameters(edits: &mut Edits<'_>, parameters: Vec<Parameter>, selection: &Selection) -> Outcome {
    let settings = Settings { parameters, ..Settings::clone(&edits.pipeline().settings) };
    edits.set_settings(settings);
    Ok(selection.clone())
}
