//! How does text get onto the canvas?

use model::{Note, NoteId, Place, Unknown};

use super::{Ids, Outcome, Refusal, tasks};
use crate::{board::NOTE, document::Edits, geometry::Point, selection::Selection};

pub fn new_note_id(edits: &Edits<'_>, ids: Ids<'_>) -> NoteId {
    tasks::new_id(ids, |text| NoteId::new(text).ok(), |id| edits.pipeline().notes.contains_key(id))
}

pub fn add(edits: &mut Edits<'_>, at: Point, text: String, ids: Ids<'_>) -> Outcome {
    let id = new_note_id(edits, ids);
    edits.put_note(Note { id: id.clone(), text, unknown: Unknown::new() });
    edits.place_note(&id, Place { x: at.x, y: at.y, width: Some(NOTE.width), height: Some(NOTE.height) });
    Ok(Selection::note(id))
}

pub fn set(edits: &mut Edits<'_>, note: &NoteId, text: String, selection: &Selection) -> Outcome {
    let old = edits.pipeline().notes.get(note).ok_or_else(|| Refusal::Gone("such note".into()))?;
    let new = Note { text, ..Note::clone(old) };
    edits.put_note(new);
    Ok(selection.clone())
}
