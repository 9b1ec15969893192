//! How do things follow the pointer?

use model::{Gather, Place};

use super::*;
use crate::{
    board::{CARD, NOTE, sized},
    geometry::snap,
};

const LEAST_NOTE: f64 = 40.0;

/// What was grabbed moves with everything that is selected; something unselected is selected first.
pub fn begin_move(editor: &mut Editor, on: &Hit, from: Point, modifiers: Modifiers) {
    let before = editor.selection().clone();
    let meant = on.selection();
    if meant.clone().with(&before) != before {
        let selection = if modifiers.shift { before.clone().with(&meant) } else { meant };
        editor.set_selection(selection);
    }
    let starts = starts(editor);
    let Some(grabbed) = grabbed(&starts, on) else { return };
    editor.gesture = Gesture::Move { from, grabbed, starts, before };
}

/// The thing under the pointer snaps; the others keep their distance to it.
fn grabbed(starts: &[(Thing, Place)], on: &Hit) -> Option<Place> {
    let is_it = |thing: &Thing| match (thing, on) {
        (Thing::Task(own), Hit::Task(other)) => own == other,
        (Thing::Note(own), Hit::Note(other)) => own == other,
        (Thing::Task(_) | Thing::Note(_), _) => false,
    };
    starts.iter().find(|(thing, _)| is_it(thing)).or(starts.first()).map(|(_, place)| *place)
}

fn starts(editor: &Editor) -> Vec<(Thing, Place)> {
    let (pipeline, selection) = (editor.pipeline(), editor.selection());
    let framed = selection.groups.iter().filter_map(|id| pipeline.groups.get(id)).flat_map(|group| &group.tasks);
    let tasks: std::collections::BTreeSet<_> = selection.tasks.iter().chain(framed).gather();
    let place = |id: &TaskId| pipeline.task_places.get(id).copied().unwrap_or_default();
    let tasks = tasks.into_iter().map(|id| (Thing::Task(id.clone()), place(id)));
    let notes = selection
        .notes
        .iter()
        .map(|id| (Thing::Note(id.clone()), pipeline.note_places.get(id).copied().unwrap_or_default()));
    tasks.chain(notes).collect()
}

/// From the places of the start by the pointer's whole way; `free`: off the grid.
pub fn move_to(editor: &mut Editor, from: Point, to: Point, grabbed: Place, starts: &[(Thing, Place)], free: bool) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    // An axis on which the pointer did not move stays as it is, on the grid or not.
    let way = |start: f64, by: f64| match by {
        0.0 => 0.0,
        by if free => by.round(),
        by => snap(start + by, GRID) - start,
    };
    let (dx, dy) = (way(grabbed.x, dx), way(grabbed.y, dy));
    editor.edit(|edits| {
        for (thing, start) in starts {
            let place = Place { x: start.x + dx, y: start.y + dy, ..*start };
            match thing {
                Thing::Task(id) => edits.place_task(id, place),
                Thing::Note(id) => edits.place_note(id, place),
            }
        }
    });
}

pub fn begin_resize(editor: &mut Editor, note: NoteId, from: Point) -> Gesture {
    let place = editor.pipeline().note_places.get(&note).copied().unwrap_or_default();
    editor.set_selection(Selection::note(note.clone()));
    Gesture::Resize { note, from, start: sized(place, NOTE) }
}

pub fn resize_to(editor: &mut Editor, note: &NoteId, from: Point, to: Point, start: Rect) {
    let length = |start: f64, by: f64| snap(start + by, GRID).max(LEAST_NOTE);
    let (width, height) = (length(start.width, to.x - from.x), length(start.height, to.y - from.y));
    let place = Place { x: start.x, y: start.y, width: Some(width), height: Some(height) };
    editor.edit(|edits| edits.place_note(note, place));
}

/// Where a card stands whose middle is at `at`, on the grid.
pub fn card_at(at: Point) -> Point {
    Point::new(snap(at.x - CARD.width / 2.0, GRID), snap(at.y - CARD.height / 2.0, GRID))
}
