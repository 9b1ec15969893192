//! Which keys work wherever the focus is?

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::desk::Desk;

/// Undo and redo beside the canvas, and all the canvas's keys where nothing has the focus. A text field keeps its own.
pub fn listen(desk: Desk) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if is_nobodys(&event) {
            desk.handle.take_key(&event);
            return;
        }
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

/// Pressed on the page as a whole. Tab finds its own way, and text that is selected is there to be copied.
fn is_nobodys(event: &web_sys::KeyboardEvent) -> bool {
    let document = gloo::utils::document();
    let on_page = event.target().is_some_and(|target| target.dyn_ref() == Some(&gloo::utils::body()));
    let in_dialog = || document.query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some());
    let selects = || document.get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed());
    on_page && event.key() != "Tab" && !in_dialog() && !selects()
}

fn in_text(target: Option<web_sys::EventTarget>) -> bool {
    let element = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| element.matches("input, textarea, select, [contenteditable]").unwrap_or(false))
}
