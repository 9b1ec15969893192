//! How do the browser's events become the editor's input?
//!
//! The one file that knows DOM events of the canvas.

use editor::{
    geometry::Point,
    input::{Button, Direction, Input, Key, Modifiers},
};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, Element, HtmlElement, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use super::{Command, EditorHandle};

/// CSS pixels from the host's upper left corner.
pub fn point(host: &HtmlElement, event: &MouseEvent) -> Point {
    let bounds = host.get_bounding_client_rect();
    Point::new(f64::from(event.client_x()) - bounds.x(), f64::from(event.client_y()) - bounds.y())
}

fn modifiers(event: &MouseEvent) -> Modifiers {
    Modifiers { shift: event.shift_key(), control: event.ctrl_key() || event.meta_key(), alt: event.alt_key() }
}

/// The canvas has the focus by a pointer.
const BY_POINTER: &str = "data-pointer";

pub fn pointer_down(handle: EditorHandle, host: &HtmlElement, event: &PointerEvent) {
    let button = match event.button() {
        0 => Button::Left,
        1 => Button::Middle,
        2 => Button::Right,
        _ => return,
    };
    // The middle button would start the browser's own scrolling.
    if button != Button::Left {
        event.prevent_default();
    }
    let _ = host.focus();
    // A browser takes focus that a program gives for a keyboard's, and would show a ring.
    let _ = host.set_attribute(BY_POINTER, "");
    // A pointer that is gone already cannot be captured; then its events simply end.
    let _ = host.set_pointer_capture(event.pointer_id());
    let at = point(host, event);
    handle.handle(Input::Down { at, button, modifiers: modifiers(event), double: false });
}

pub fn pointer_move(handle: EditorHandle, host: &HtmlElement, event: &PointerEvent) {
    handle.handle(Input::Move { at: point(host, event), modifiers: modifiers(event) });
}

pub fn pointer_up(handle: EditorHandle, host: &HtmlElement, event: &PointerEvent) {
    handle.handle(Input::Up { at: point(host, event), modifiers: modifiers(event) });
}

/// A double click comes as an event of its own: a pointer's events do not count clicks.
pub fn double_click(handle: EditorHandle, host: &HtmlElement, event: &MouseEvent) {
    let (at, modifiers) = (point(host, event), modifiers(event));
    handle.handle(Input::Down { at, button: Button::Left, modifiers, double: true });
}

pub fn wheel(handle: EditorHandle, host: &HtmlElement, event: &WheelEvent) {
    event.prevent_default();
    // Lines and pages become pixels.
    let unit = match event.delta_mode() {
        WheelEvent::DOM_DELTA_LINE => 16.0,
        WheelEvent::DOM_DELTA_PAGE => 400.0,
        _ => 1.0,
    };
    let (dx, dy) = (event.delta_x() * unit, event.delta_y() * unit);
    handle.handle(Input::Wheel { at: point(host, event), dx, dy, modifiers: modifiers(event) });
}

/// Keys that are of no use here go their own way.
pub fn key_down(handle: EditorHandle, event: &KeyboardEvent) {
    let Some(key) = key(event) else { return };
    let control = event.ctrl_key() || event.meta_key();
    let modifiers = Modifiers { shift: event.shift_key(), control, alt: event.alt_key() };
    // Copy, cut and paste come as events of their own, with the clipboard in their hands.
    if control && matches!(key, Key::Character('c' | 'x' | 'v')) {
        return;
    }
    if handle.handle(Input::Key { key, modifiers }) {
        event.prevent_default();
    }
}

pub fn key_up(handle: EditorHandle, event: &KeyboardEvent) {
    if let Some(key) = key(event) {
        handle.handle(Input::KeyUp { key });
    }
}

fn key(event: &KeyboardEvent) -> Option<Key> {
    let name = event.key();
    Some(match name.as_str() {
        "ArrowLeft" => Key::Arrow(Direction::Left),
        "ArrowRight" => Key::Arrow(Direction::Right),
        "ArrowUp" => Key::Arrow(Direction::Up),
        "ArrowDown" => Key::Arrow(Direction::Down),
        "Tab" => Key::Tab,
        "Enter" => Key::Enter,
        "Escape" => Key::Escape,
        "Delete" | "Backspace" => Key::Delete,
        "F2" => Key::F2,
        " " => Key::Space,
        other => {
            let mut letters = other.chars();
            let letter = letters.next().filter(|_| letters.next().is_none())?;
            Key::Character(letter.to_ascii_lowercase())
        }
    })
}

pub fn copy(handle: EditorHandle, event: &ClipboardEvent) {
    copied(handle, event);
}

fn copied(handle: EditorHandle, event: &ClipboardEvent) -> bool {
    let (Some(data), Some(text)) = (event.clipboard_data(), handle.copied()) else { return false };
    event.prevent_default();
    data.set_data("text/plain", &text).is_ok()
}

pub fn cut(handle: EditorHandle, event: &ClipboardEvent) {
    if copied(handle, event) {
        handle.act(Command::Cut);
    }
}

pub fn paste(handle: EditorHandle, event: &ClipboardEvent) {
    let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok()).unwrap_or_default();
    if !text.is_empty() {
        event.prevent_default();
        handle.handle(Input::Paste { text });
    }
}

/// The canvas itself, whose events these are.
pub fn host(event: &web_sys::Event) -> Option<HtmlElement> {
    event.current_target()?.dyn_into::<Element>().ok()?.dyn_into().ok()
}

/// The focus goes: a held key is released somewhere else.
pub fn blur(handle: EditorHandle, host: &HtmlElement) {
    let _ = host.remove_attribute(BY_POINTER);
    handle.handle(Input::KeyUp { key: Key::Space });
}
