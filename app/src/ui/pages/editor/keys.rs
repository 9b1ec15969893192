//! Which keys work wherever the focus is?

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::desk::Desk;

/// Undo and redo beside the canvas. A text field keeps its own.
pub fn listen(desk: Desk) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        let control = event.ctrl_key() || event.meta_key();
        if event.default_prevented() || !control || event.alt_key() || in_text(event.target()) {
            return;
        }
        match (event.key().to_ascii_lowercase().as_str(), event.shift_key()) {
            ("z", false) => desk.handle.undo(),
            ("z", true) | ("y", false) => desk.handle.redo(),
            ("s", false) => {}
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}

fn in_text(target: Option<web_sys::EventTarget>) -> bool {
    let element = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| element.matches("input, textarea, select, [contenteditable]").unwrap_or(false))
}
