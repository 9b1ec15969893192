//! How does a measuring program reach the canvas of the real page?
//!
//! With `?bench` in the address the page has `window.fletchlineCanvas` with `open(document)`, `rect(task)`, `place(task)`,
//! `camera()` and `fit()`; `end2end/bench/canvas-adapter.js` makes of it what the driver expects. Without it, nothing.

use js_sys::{Function, Object, Reflect};
use model::{Pipeline, TaskId};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};

use super::EditorHandle;

pub fn offer(handle: EditorHandle) -> Option<()> {
    let window = web_sys::window()?;
    let search = window.location().search().ok()?;
    if !search.trim_start_matches('?').split('&').any(|part| part == "bench") {
        return None;
    }
    let hooks = Object::new();
    let set = |name: &str, hook: JsValue| Reflect::set(&hooks, &name.into(), &hook).ok();
    set("open", function(move |text| open(handle, &text)))?;
    set("rect", function(move |task| rect(handle, &task)))?;
    set("place", function(move |task| place(handle, &task)))?;
    set("camera", function(move |_| camera(handle)))?;
    let fit = move |_| {
        handle.fit();
        JsValue::UNDEFINED
    };
    set("fit", function(fit))?;
    Reflect::set(&window, &"fletchlineCanvas".into(), &hooks).ok()?;
    Some(())
}

/// Lives as long as the page: a measured page is thrown away whole.
fn function(act: impl Fn(String) -> JsValue + 'static) -> JsValue {
    let closure = Closure::<dyn Fn(JsValue) -> JsValue>::new(move |argument: JsValue| {
        act(argument.as_string().unwrap_or_default())
    });
    closure.into_js_value().unchecked_into::<Function>().into()
}

fn numbers(fields: &[(&str, f64)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), &(*value).into());
    }
    object.into()
}

fn open(handle: EditorHandle, text: &str) -> JsValue {
    match model::document::read(text) {
        // Under the page's own id, or it could not be saved.
        Ok(read) => {
            handle.open(Pipeline { id: handle.with_pipeline_untracked(|here| here.id.clone()), ..read.pipeline })
        }
        Err(error) => return JsValue::from_str(&error.to_string()),
    }
    handle.fit();
    JsValue::UNDEFINED
}

/// CSS pixels of the window.
fn rect(handle: EditorHandle, task: &str) -> JsValue {
    let origin = handle.canvas_element().map(|host| host.get_bounding_client_rect());
    let (left, top) = origin.map_or((0.0, 0.0), |origin| (origin.x(), origin.y()));
    let found = handle.with(|editor| {
        let card = editor.board().card_of(&TaskId::new(task).ok()?)?;
        Some(editor.camera().rect_to_screen(card.rect))
    });
    found.map_or(JsValue::UNDEFINED, |rect| {
        numbers(&[("x", rect.x + left), ("y", rect.y + top), ("w", rect.width), ("h", rect.height)])
    })
}

fn place(handle: EditorHandle, task: &str) -> JsValue {
    let place = handle.with_pipeline_untracked(|pipeline| pipeline.task_places.get(task).copied());
    place.map_or(JsValue::UNDEFINED, |place| numbers(&[("x", place.x), ("y", place.y)]))
}

fn camera(handle: EditorHandle) -> JsValue {
    let camera = handle.with(|editor| editor.camera());
    numbers(&[("zoom", camera.zoom), ("x", camera.x), ("y", camera.y)])
}
