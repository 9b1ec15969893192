//! How do tasks travel through the clipboard?
//!
//! As JSON text of a form of its own, so that they can be pasted into another tab, another pipeline or a mail.

use std::{collections::BTreeMap, sync::Arc};

use model::{Arrow, Group, GroupId, Note, NoteId, Pipeline, Place, Task, TaskId};
use serde::{Deserialize, Serialize};

use super::{Ids, Outcome, Refusal, arrows, groups, notes, tasks};
use crate::{
    board::{self, NOTE},
    document::Edits,
    geometry::{Point, Rect},
    selection::Selection,
};

const FORMAT: &str = "fletchline/clipboard-v1";
/// Where a copy stands when nobody says where: just beside the original.
const BESIDE: f64 = 40.0;

#[derive(Serialize, Deserialize)]
struct Clipboard {
    format: String,
    #[serde(default)]
    tasks: Vec<Placed<Arc<Task>>>,
    #[serde(default)]
    arrows: Vec<Arc<Arrow>>,
    #[serde(default)]
    notes: Vec<Placed<Arc<Note>>>,
    #[serde(default)]
    groups: Vec<Arc<Group>>,
}

#[derive(Serialize, Deserialize)]
struct Placed<T> {
    #[serde(flatten)]
    what: T,
    place: Place,
}

impl Clipboard {
    fn of(pipeline: &Pipeline, selection: &Selection) -> Self {
        let inside = |task: &TaskId| selection.tasks.contains(task);
        let places = |id: &TaskId| pipeline.task_places.get(id).copied().unwrap_or_default();
        let note_places = |id: &NoteId| pipeline.note_places.get(id).copied().unwrap_or_default();
        let chosen = pipeline.tasks.values().filter(|task| inside(&task.id)).cloned();
        let written = pipeline.notes.values().filter(|note| selection.notes.contains(&note.id)).cloned();
        let arrows = pipeline.arrows.values().filter(|arrow| inside(&arrow.from_task) && inside(&arrow.to_task));
        let groups = pipeline.groups.values().filter(|group| group.tasks.iter().all(inside));
        Clipboard {
            format: FORMAT.into(),
            tasks: chosen.map(|task| Placed { place: places(&task.id), what: task }).collect(),
            arrows: arrows.cloned().collect(),
            notes: written.map(|note| Placed { place: note_places(&note.id), what: note }).collect(),
            groups: groups.cloned().collect(),
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let clipboard: Clipboard =
            serde_json::from_str(text).map_err(|error| Refusal::Clipboard(format!("it cannot be read ({error})")))?;
        if clipboard.format != FORMAT {
            return Err(Refusal::Clipboard(format!("its format is \"{}\"", clipboard.format)));
        }
        if clipboard.tasks.is_empty() && clipboard.notes.is_empty() {
            return Err(Refusal::Clipboard("it is empty".into()));
        }
        Ok(clipboard)
    }

    fn bounds(&self) -> Rect {
        let tasks = self.tasks.iter().map(|task| board::card(task.place));
        let notes = self.notes.iter().map(|note| board::sized(note.place, NOTE));
        Rect::around(tasks.chain(notes)).unwrap_or_default()
    }
}

/// What is selected as text; `None` when there is neither task nor note in it.
pub fn copy(pipeline: &Pipeline, selection: &Selection) -> Option<String> {
    let clipboard = Clipboard::of(pipeline, selection);
    let empty = clipboard.tasks.is_empty() && clipboard.notes.is_empty();
    if empty { None } else { serde_json::to_string_pretty(&clipboard).ok() }
}

pub fn paste(edits: &mut Edits<'_>, text: &str, at: Option<Point>, ids: Ids<'_>) -> Outcome {
    let clipboard = Clipboard::read(text)?;
    let bounds = clipboard.bounds();
    let (dx, dy) = match at {
        Some(at) => (at.x - bounds.centre().x, at.y - bounds.centre().y),
        None => (BESIDE, BESIDE),
    };
    let offset = |place: Place| Place { x: (place.x + dx).round(), y: (place.y + dy).round(), ..place };
    insert(edits, clipboard, offset, ids)
}

/// Twice the same beside itself, without the clipboard.
pub fn duplicate(edits: &mut Edits<'_>, selection: &Selection, ids: Ids<'_>) -> Outcome {
    let clipboard = Clipboard::of(edits.pipeline(), selection);
    if clipboard.tasks.is_empty() && clipboard.notes.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    insert(edits, clipboard, |place| Place { x: place.x + BESIDE, y: place.y + BESIDE, ..place }, ids)
}

/// Everything gets a new id; an arrow or a group that names something else than what came along stays away.
fn insert(edits: &mut Edits<'_>, clipboard: Clipboard, offset: impl Fn(Place) -> Place, ids: Ids<'_>) -> Outcome {
    let mut selection = Selection::default();
    let mut names = BTreeMap::<TaskId, TaskId>::new();
    for Placed { what, place } in clipboard.tasks {
        let id = tasks::new_task_id(edits, ids);
        let name = tasks::free_name(edits.pipeline(), &what.name);
        edits.put_task(Task { id: id.clone(), name, ..Task::clone(&what) });
        edits.place_task(&id, offset(place));
        selection.tasks.insert(id.clone());
        names.insert(what.id.clone(), id);
    }
    for arrow in clipboard.arrows {
        if let (Some(from), Some(to)) = (names.get(&arrow.from_task), names.get(&arrow.to_task)) {
            let id = arrows::new_arrow_id(edits, ids);
            let (from_task, to_task) = (from.clone(), to.clone());
            edits.put_arrow(Arrow { id: id.clone(), from_task, to_task, ..Arrow::clone(&arrow) });
            selection.arrows.insert(id);
        }
    }
    for Placed { what, place } in clipboard.notes {
        let id: NoteId = notes::new_note_id(edits, ids);
        edits.put_note(Note { id: id.clone(), ..Note::clone(&what) });
        edits.place_note(&id, offset(place));
        selection.notes.insert(id);
    }
    for group in clipboard.groups {
        let members: Vec<TaskId> = group.tasks.iter().filter_map(|task| names.remove(task)).collect();
        if !members.is_empty() {
            let id: GroupId = groups::new_group_id(edits, ids);
            edits.put_group(Group { id, tasks: members, ..Group::clone(&group) });
        }
    }
    Ok(selection)
}
