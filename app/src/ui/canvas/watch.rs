//! What happens around the canvas that changes its picture?
//!
//! Its size, the screen's density, the theme, and fonts that arrive late.

use std::rc::Rc;

use editor::{Size, input::Input};
use gloo::events::EventListener;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{HtmlElement, MutationObserver, MutationObserverInit, ResizeObserver};

use super::{EditorHandle, painter::Painter};

/// Everything that must be let go of when the page goes.
struct Watchers {
    sizes: ResizeObserver,
    theme: MutationObserver,
    _listeners: Vec<EventListener>,
    _sized: Closure<dyn FnMut()>,
    _themed: Closure<dyn FnMut()>,
    painter: Rc<Painter>,
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.sizes.disconnect();
        self.theme.disconnect();
        self.painter.stop();
    }
}

/// Until the component goes. `look` counts up when the theme or the fonts have changed.
pub fn follow(handle: EditorHandle, host: &HtmlElement, painter: &Rc<Painter>, look: RwSignal<u64>) {
    if let Some(watchers) = watchers(handle, host, painter, look) {
        let kept = StoredValue::new_local(Some(watchers));
        on_cleanup(move || drop(kept.try_update_value(Option::take)));
    }
}

fn watchers(handle: EditorHandle, host: &HtmlElement, painter: &Rc<Painter>, look: RwSignal<u64>) -> Option<Watchers> {
    let window = web_sys::window()?;
    let document = window.document()?;
    let (element, pictures) = (host.clone(), painter.clone());
    let sized = Closure::<dyn FnMut()>::new(move || measure(handle, &element, &pictures));
    let sizes = ResizeObserver::new(sized.as_ref().unchecked_ref()).ok()?;
    sizes.observe(host);
    let (element, pictures) = (host.clone(), painter.clone());
    let refresh = Rc::new(move || {
        pictures.refresh(&element);
        look.try_update(|count| *count += 1);
    });
    let again = refresh.clone();
    let themed = Closure::<dyn FnMut()>::new(move || again());
    let theme = MutationObserver::new(themed.as_ref().unchecked_ref()).ok()?;
    let options = MutationObserverInit::new();
    options.set_attributes(true);
    let root: web_sys::Element = document.document_element()?;
    theme.observe_with_options(&root, &options).ok()?;
    let mut listeners = Vec::new();
    if let Ok(Some(dark)) = window.match_media("(prefers-color-scheme: dark)") {
        let again = refresh.clone();
        listeners.push(EventListener::new(&dark, "change", move |_| again()));
    }
    if let Ok(fonts) =
        js_sys::Reflect::get(&document, &"fonts".into()).map(JsCast::unchecked_into::<web_sys::EventTarget>)
    {
        listeners.push(EventListener::new(&fonts, "loadingdone", move |_| refresh()));
    }
    Some(Watchers { sizes, theme, _listeners: listeners, _sized: sized, _themed: themed, painter: painter.clone() })
}

fn measure(handle: EditorHandle, host: &HtmlElement, painter: &Painter) {
    let (width, height) = (f64::from(host.client_width()), f64::from(host.client_height()));
    if width <= 0.0 || height <= 0.0 {
        return;
    }
    let density = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
    painter.resize(width, height, density);
    handle.handle(Input::Resize(Size { width, height }));
}
