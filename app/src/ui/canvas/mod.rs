//! How is a pipeline drawn and edited in the page?
//!
//! One `<canvas>` drawn from the editor's scene. The page makes an [`EditorHandle`] and hands it around; `<Canvas/>` shows
//! it, editable or as a run's snapshot as the handle's mode says.

mod bench;
mod colours;
mod controls;
mod events;
mod handle;
mod icons;
mod ids;
mod minimap;
mod mirror;
mod paint;
mod painter;
mod palette;
mod pen;
mod watch;

use std::rc::Rc;

use leptos::{html, prelude::*};
use web_sys::HtmlElement;

pub use editor::{
    Ask, Axis, CardStatus, Command, Edge, HistoryLine, Hit, Mode, Point, Refusal, Selection, command::obstacle,
    geometry::as_one_reads,
};
pub use handle::EditorHandle;

use self::{controls::Controls, minimap::Minimap, mirror::Mirror, paint::Surface, painter::Painter};

/// The elements that are drawn on.
#[derive(Clone, Copy)]
struct Parts {
    host: NodeRef<html::Div>,
    canvas: NodeRef<html::Canvas>,
    map: NodeRef<html::Canvas>,
    frame: NodeRef<html::Div>,
}

/// The drawing surface; fills its parent, which must have a size.
#[component]
pub fn Canvas(handle: EditorHandle) -> impl IntoView {
    let parts = Parts { host: NodeRef::new(), canvas: NodeRef::new(), map: NodeRef::new(), frame: NodeRef::new() };
    let (seen, at_rest) = (RwSignal::new(0u64), RwSignal::new(0u64));
    parts.host.on_load(move |host| {
        if let Some(canvas) = parts.canvas.get_untracked() {
            start(handle, parts, &host, canvas, (seen, at_rest));
        }
    });
    let active = move || handle.selection().with(|selection| selection.only_task().map(mirror::element_id));
    let label = move || {
        let (tasks, arrows) = handle.with_pipeline(|pipeline| (pipeline.tasks.len(), pipeline.arrows.len()));
        format!("Pipeline: {tasks} tasks, {arrows} arrows. Tab goes from task to task, Enter opens one.")
    };
    view! {
        <div class="canvas">
            <div
                class="canvas-host"
                node_ref=parts.host
                tabindex="0"
                role="application"
                aria-label=label
                aria-activedescendant=active
                on:pointerdown=move |event| with_host(&event, |host| events::pointer_down(handle, host, &event))
                on:pointermove=move |event| with_host(&event, |host| events::pointer_move(handle, host, &event))
                on:pointerup=move |event| with_host(&event, |host| events::pointer_up(handle, host, &event))
                on:pointercancel=move |_| lost(handle)
                on:pointerleave=move |_| left(handle)
                on:dblclick=move |event| with_host(&event, |host| events::double_click(handle, host, &event))
                on:wheel=move |event| with_host(&event, |host| events::wheel(handle, host, &event))
                on:keydown=move |event| events::key_down(handle, &event)
                on:keyup=move |event| events::key_up(handle, &event)
                on:copy=move |event| events::copy(handle, &event)
                on:cut=move |event| events::cut(handle, &event)
                on:paste=move |event| events::paste(handle, &event)
                on:blur=move |event| with_host(&event, |host| events::blur(handle, host))
                on:contextmenu=move |event| event.prevent_default()
            >
                <canvas class="canvas-surface" node_ref=parts.canvas></canvas>
                <Mirror handle at_rest />
            </div>
            <Minimap handle canvas=parts.map frame=parts.frame />
            <Controls handle seen />
            <p class="canvas-said" role="status">{move || handle.said().get()}</p>
        </div>
    }
}

fn with_host(event: &web_sys::Event, act: impl FnOnce(&HtmlElement)) {
    if let Some(host) = events::host(event) {
        act(&host);
    }
}

fn left(handle: EditorHandle) {
    handle.handle(editor::input::Input::Leave);
}

fn lost(handle: EditorHandle) {
    handle.handle(editor::input::Input::Lost);
}

/// The elements are in the page: from here on pictures follow the editor.
fn start(
    handle: EditorHandle,
    parts: Parts,
    host: &HtmlElement,
    canvas: web_sys::HtmlCanvasElement,
    (seen, at_rest): (RwSignal<u64>, RwSignal<u64>),
) {
    let Some(surface) = Surface::new(canvas, host) else {
        handle.said().set("This browser gives no 2D canvas, without which a pipeline cannot be drawn.".into());
        return;
    };
    let on_picture = move || {
        seen.try_update(|count| *count += 1);
        if let Some(frame) = parts.frame.try_get_untracked().flatten() {
            handle.with(|editor| minimap::move_frame(&frame, editor));
        }
    };
    let on_rest = move || {
        at_rest.try_update(|count| *count += 1);
    };
    let painter = Painter::new(handle, surface, Box::new(on_picture), Box::new(on_rest));
    let schedule = painter.clone();
    handle.attach(host.clone(), Rc::new(move || schedule.schedule()));
    let look = RwSignal::new(0);
    watch::follow(handle, host, &painter, look);
    bench::offer(handle);
    draw_map(handle, parts, (at_rest, look));
    painter.schedule();
}

/// The map follows what has come to rest: statuses and the document, never a drag.
fn draw_map(handle: EditorHandle, parts: Parts, (at_rest, look): (RwSignal<u64>, RwSignal<u64>)) {
    let drawn = StoredValue::new(None::<(u64, u64)>);
    Effect::new(move |_| {
        at_rest.track();
        let version = (handle.with(|editor| editor.versions().board), look.get());
        if drawn.get_value() == Some(version) {
            return;
        }
        if let (Some(map), Some(host)) = (parts.map.get_untracked(), parts.host.get_untracked()) {
            drawn.set_value(Some(version));
            handle.with(|editor| minimap::draw(&map, &host, editor));
        }
    });
}
