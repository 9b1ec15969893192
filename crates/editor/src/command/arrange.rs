//! How do the selected things line up?

use model::{NoteId, Place, TaskId};

use super::{Outcome, Refusal};
use crate::{
    board::{self, NOTE},
    document::Edits,
    geometry::{Point, Rect, as_one_reads},
    selection::Selection,
};

/// A side or a middle line on which things line up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Left,
    Centre,
    Right,
    Top,
    Middle,
    Bottom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Horizontal,
    Vertical,
}

/// Something that has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Task(TaskId),
    Note(NoteId),
}

/// What is selected that can be moved (members of selected groups included), with its place and rectangle.
pub fn movable(edits: &Edits<'_>, selection: &Selection) -> Vec<(Thing, Place, Rect)> {
    let pipeline = edits.pipeline();
    let grouped = selection.groups.iter().filter_map(|id| pipeline.groups.get(id));
    let mut tasks = selection.tasks.clone();
    tasks.extend(grouped.flat_map(|group| group.tasks.iter().cloned()));
    let tasks = tasks.into_iter().filter(|id| pipeline.tasks.contains_key(id)).map(|id| {
        let place = pipeline.task_places.get(&id).copied().unwrap_or_default();
        (Thing::Task(id), place, board::card(place))
    });
    let notes = selection.notes.iter().filter(|id| pipeline.notes.contains_key(*id)).map(|id| {
        let place = pipeline.note_places.get(id).copied().unwrap_or_default();
        (Thing::Note(id.clone()), place, board::sized(place, NOTE))
    });
    tasks.chain(notes).collect()
}

/// Puts a thing so that its upper left corner is at `x`, `y`.
pub fn put(edits: &mut Edits<'_>, thing: &Thing, place: Place, x: f64, y: f64) {
    let place = Place { x, y, ..place };
    match thing {
        Thing::Task(id) => edits.place_task(id, place),
        Thing::Note(id) => edits.place_note(id, place),
    }
}

fn several(edits: &Edits<'_>, selection: &Selection, least: usize) -> Result<Vec<(Thing, Place, Rect)>, Refusal> {
    let things = movable(edits, selection);
    if things.len() < least { Err(Refusal::NothingSelected) } else { Ok(things) }
}

pub fn nudge(edits: &mut Edits<'_>, selection: &Selection, dx: f64, dy: f64) -> Outcome {
    for (thing, place, _) in several(edits, selection, 1)? {
        put(edits, &thing, place, place.x + dx, place.y + dy);
    }
    Ok(selection.clone())
}

pub fn align(edits: &mut Edits<'_>, selection: &Selection, edge: Edge) -> Outcome {
    let things = several(edits, selection, 2)?;
    let all = Rect::around(things.iter().map(|(_, _, rect)| *rect)).unwrap_or_default();
    for (thing, place, rect) in things {
        let (x, y) = match edge {
            Edge::Left => (all.x, place.y),
            Edge::Centre => (all.centre().x - rect.width / 2.0, place.y),
            Edge::Right => (all.right() - rect.width, place.y),
            Edge::Top => (place.x, all.y),
            Edge::Middle => (place.x, all.centre().y - rect.height / 2.0),
            Edge::Bottom => (place.x, all.bottom() - rect.height),
        };
        put(edits, &thing, place, x, y);
    }
    Ok(selection.clone())
}

/// Equal gaps between neighbours; the outermost two stay where they are.
pub fn distribute(edits: &mut Edits<'_>, selection: &Selection, axis: Axis) -> Outcome {
    let things = several(edits, selection, 3)?;
    let span = |rect: &Rect| match axis {
        Axis::Horizontal => (rect.x, rect.width),
        Axis::Vertical => (rect.y, rect.height),
    };
    let starts: Vec<Point> = things.iter().map(|(_, _, rect)| Point::new(span(rect).0, 0.0)).collect();
    let all = Rect::around(things.iter().map(|(_, _, rect)| *rect)).unwrap_or_default();
    let lengths: f64 = things.iter().map(|(_, _, rect)| span(rect).1).sum();
    let gap = (span(&all).1 - lengths) / (things.len() - 1) as f64;
    let mut at = span(&all).0;
    for (thing, place, rect) in as_one_reads(&starts).into_iter().map(|next| &things[next]) {
        let (x, y) = match axis {
            Axis::Horizontal => (at, place.y),
            Axis::Vertical => (place.x, at),
        };
        put(edits, thing, *place, x, y);
        at += span(rect).1 + gap;
    }
    Ok(selection.clone())
}
