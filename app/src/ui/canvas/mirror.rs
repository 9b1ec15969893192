//! What can a screen reader, a keyboard and a test see of the canvas?
//!
//! One element for each task in view and the selected one, no more than [`MOST`], moved together by one transform, but
//! not in every picture of a movement (`painter.rs`). The canvas keeps the focus and names the selected element as its
//! active descendant: these elements take none, or a click would put it on one that the next picture makes anew.

use editor::{
    Editor, Selection,
    board::Card,
    geometry::{Point, Rect, as_one_reads},
};
use leptos::{html, prelude::*};
use model::{Severity, TaskId};

use super::EditorHandle;

/// Elements at once.
pub const MOST: usize = 60;

#[derive(Clone, PartialEq)]
pub struct Item {
    id: TaskId,
    label: String,
    rect: Rect,
    selected: bool,
}

/// The element id of a task, for `aria-activedescendant`.
pub fn element_id(task: &TaskId) -> String {
    format!("canvas-task-{task}")
}

/// What the mirror holds now: the selected task, then tasks in view, nearest to the middle first.
pub fn items(editor: &Editor) -> Vec<Item> {
    let seen = editor.camera().seen(editor.size());
    let middle = seen.centre();
    let only = editor.selection().only_task();
    let mut cards: Vec<(f64, &Card)> = editor
        .board()
        .cards()
        .filter(|card| card.rect.touches(&seen) || only == Some(&card.id))
        .map(|card| (if only == Some(&card.id) { -1.0 } else { card.rect.centre().distance(middle) }, card))
        .collect();
    if cards.len() > MOST {
        cards.select_nth_unstable_by(MOST, |(a, _), (b, _)| a.total_cmp(b));
        cards.truncate(MOST);
    }
    let corners: Vec<Point> = cards.iter().map(|(_, card)| card.rect.corner()).collect();
    as_one_reads(&corners).into_iter().map(|at| item(editor.selection(), cards[at].1)).collect()
}

fn item(selection: &Selection, card: &Card) -> Item {
    let problem = match card.problem {
        Some(Severity::Problem) => ", has a problem",
        Some(Severity::Warning) => ", has a warning",
        None => "",
    };
    let status = card.status.as_ref().map(|status| format!(", {}", status.words)).unwrap_or_default();
    Item {
        id: card.id.clone(),
        label: format!("{}, {}{status}{problem}", card.task.name, card.subtitle),
        rect: card.rect,
        selected: selection.tasks.contains(&card.id),
    }
}

/// The transform under which world units are CSS pixels.
fn transform(editor: &Editor) -> String {
    let camera = editor.camera();
    let at = camera.to_screen(Point::default());
    format!("transform: translate({}px, {}px) scale({})", at.x, at.y, camera.zoom)
}

/// `at_rest` counts up when the picture has come to rest.
#[component]
pub fn Mirror(handle: EditorHandle, at_rest: RwSignal<u64>) -> impl IntoView {
    let all = Memo::new(move |_| {
        at_rest.track();
        handle.with(items)
    });
    let place = move || {
        at_rest.track();
        handle.with(transform)
    };
    let element: NodeRef<html::Div> = NodeRef::new();
    view! {
        <div class="canvas-mirror" role="group" aria-label="Tasks in view" node_ref=element style=place>
            {move || all.get().into_iter().map(|item| one(handle, item)).collect_view()}
        </div>
    }
}

fn one(handle: EditorHandle, item: Item) -> impl IntoView {
    let Rect { x, y, width, height } = item.rect;
    let task = item.id.clone();
    // A press by an assistive program has no pointer; one with a pointer is the canvas' own.
    let press = move |event: web_sys::MouseEvent| {
        if event.detail() == 0 {
            handle.show_task(&task);
        }
    };
    view! {
        <div
            id=element_id(&item.id)
            role="button"
            data-task=item.id.to_string()
            aria-label=item.label
            aria-pressed=item.selected.to_string()
            style=format!("left:{x}px;top:{y}px;width:{width}px;height:{height}px")
            on:click=press
        ></div>
    }
}
