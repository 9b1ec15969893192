//! What can be put onto the canvas, and what is on it?

use leptos::{ev, prelude::*};
use model::{KindName, TaskId};

use super::desk::Desk;
use crate::ui::{
    canvas::{Point, as_one_reads},
    kit::{Icon, KindChip, rows},
    words,
};

#[component]
pub fn Palette(desk: Desk) -> impl IntoView {
    let shown = move || desk.sheet.get() == Some("palette");
    view! {
        <aside class="palette" class:shown=shown aria-label="Palette">
            <h2 class="palette-title">"Drag onto the canvas"</h2>
            <div class="palette-kinds">
                {KindName::ALL.into_iter().map(|kind| view! { <Kind desk=desk kind=kind /> }).collect_view()}
            </div>
            <Outline desk=desk />
        </aside>
        <SheetButtons desk=desk />
    }
}

#[component]
fn Kind(desk: Desk, kind: KindName) -> impl IntoView {
    // A press that is let go on the item itself is a click; the canvas takes no part in it then.
    let add = move |_: ev::MouseEvent| desk.handle.add_from_palette(kind);
    view! {
        <button
            class="palette-kind"
            aria-label=kind.title()
            title=format!("{}: {}", kind.title(), words::kind_hint(kind))
            on:pointerdown=move |event| desk.handle.drag_from_palette(kind, &event)
            on:click=add
        >
            <KindChip kind=kind />
            <span class="palette-text">
                <span class="palette-name">{kind.title()}</span>
                <span class="hint">{words::kind_hint(kind)}</span>
            </span>
        </button>
    }
}

#[component]
fn Outline(desk: Desk) -> impl IntoView {
    let tasks = Memo::new(move |_| {
        desk.handle.with_pipeline(|pipeline| {
            let place = |id: &TaskId| {
                pipeline.task_places.get(id).map_or_else(Default::default, |place| Point::new(place.x, place.y))
            };
            let tasks: Vec<_> = pipeline.tasks.values().collect();
            let places: Vec<Point> = tasks.iter().map(|task| place(&task.id)).collect();
            let line = |task: &model::Task| (task.id.clone(), task.kind.name(), task.title().to_owned());
            as_one_reads(&places).into_iter().map(|at| line(tasks[at])).collect::<Vec<_>>()
        })
    });
    let line = move |(id, kind, name): (TaskId, KindName, String)| {
        let (shown, own, title) = (id.clone(), id.clone(), name.clone());
        let chosen = move || desk.handle.selection().with(|selection| selection.tasks.contains(&own));
        view! {
            <button
                class="outline-line"
                class:chosen=chosen
                title=title
                on:click=move |_| desk.handle.show_task(&shown)
            >
                <KindChip kind=kind small=true />
                <span class="ellipsis">{name}</span>
            </button>
        }
    };
    view! {
        <nav class="outline" aria-label="Outline">
            <h2 class="palette-title" hidden=move || tasks.with(Vec::is_empty)>"Outline"</h2>
            // More than a person scrolls through is found by the search of the list of problems and by the map.
            {rows(move || tasks.with(|tasks| tasks.iter().take(300).cloned().collect::<Vec<_>>()), |(id, kind, name)| format!("{id} {kind:?} {name}"), line)}
            {move || {
                let more = tasks.with(Vec::len).saturating_sub(300);
                (more > 0).then(|| view! { <p class="hint outline-more">{format!("and {more} more")}</p> })
            }}
        </nav>
    }
}

/// On an empty canvas: what to do first.
#[component]
pub fn FirstStep(desk: Desk) -> impl IntoView {
    let empty = move || desk.handle.with_pipeline(|pipeline| pipeline.tasks.is_empty() && pipeline.notes.is_empty());
    view! {
        <div class="first-step" hidden=move || !empty()>
            <p class="first-step-title">"Drag a task onto the canvas"</p>
            <p class="hint">"or choose one in the palette with Enter. Draw an arrow from a task's right port to the next task."</p>
        </div>
    }
}

/// Narrow windows: panels come as sheets.
#[component]
fn SheetButtons(desk: Desk) -> impl IntoView {
    let toggle = move |name: &'static str| {
        desk.sheet.update(|sheet| *sheet = if *sheet == Some(name) { None } else { Some(name) });
    };
    view! {
        <div class="sheet-buttons">
            <button class="button" on:click=move |_| toggle("palette")>
                <Icon name="panel-left" />
                "Palette"
            </button>
            <button class="button" on:click=move |_| toggle("inspector")>
                <Icon name="panel-right" />
                "Inspector"
            </button>
        </div>
    }
}
