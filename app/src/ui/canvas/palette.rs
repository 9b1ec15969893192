//! How is a kind dragged from the palette onto the canvas?

use std::{cell::RefCell, rc::Rc};

use editor::{
    geometry::Point,
    input::{Input, Key, Modifiers},
};
use gloo::events::EventListener;
use model::KindName;
use wasm_bindgen::JsCast;
use web_sys::{KeyboardEvent, MouseEvent, PointerEvent};

use super::EditorHandle;

type Listeners = Rc<RefCell<Vec<EventListener>>>;

impl EditorHandle {
    /// Call it from `pointerdown` on a palette's item. What follows is the canvas': a ghost under the pointer, a task
    /// where it is dropped, nothing beside the canvas or after Escape. A press that never comes over the canvas does
    /// nothing, so that the item's own click stays free.
    pub fn drag_from_palette(self, kind: KindName, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        // No selection of texts on the way.
        event.prevent_default();
        let Some(window) = web_sys::window() else { return };
        let listeners = Listeners::default();
        let over = EventListener::new(&window, "pointermove", move |event| {
            self.handle(Input::PaletteOver { kind, at: self.over_canvas(event) });
        });
        let all = listeners.clone();
        let dropped = EventListener::new(&window, "pointerup", move |_| {
            self.handle(Input::PaletteDrop);
            end(&all);
        });
        let all = listeners.clone();
        let lost = EventListener::new(&window, "pointercancel", move |_| {
            self.handle(Input::Lost);
            end(&all);
        });
        let all = listeners.clone();
        let escaped = EventListener::new(&window, "keydown", move |event| {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
                self.handle(Input::Key { key: Key::Escape, modifiers: Modifiers::default() });
                end(&all);
            }
        });
        *listeners.borrow_mut() = vec![over, dropped, lost, escaped];
    }

    /// Where the pointer is on the canvas; `None`: beside it.
    fn over_canvas(self, event: &web_sys::Event) -> Option<Point> {
        let event = event.dyn_ref::<MouseEvent>()?;
        let host = self.canvas_element()?;
        let at = super::events::point(&host, event);
        let (width, height) = (f64::from(host.client_width()), f64::from(host.client_height()));
        (at.x >= 0.0 && at.y >= 0.0 && at.x <= width && at.y <= height).then_some(at)
    }
}

/// A listener may not be dropped while it runs: the next turn of the event loop does it.
fn end(listeners: &Listeners) {
    let all = std::mem::take(&mut *listeners.borrow_mut());
    gloo::timers::callback::Timeout::new(0, move || drop(all)).forget();
}
