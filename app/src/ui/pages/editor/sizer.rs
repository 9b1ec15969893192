//! How wide are the panels, and who remembers?

use gloo::storage::{LocalStorage, Storage};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The widths and heights that a person chose, as a style.
pub fn remembered() -> String {
    let one = |name: &str| {
        let size: Option<f64> = LocalStorage::get(format!("fletchline.{name}")).ok();
        size.map(|size| format!("--{name}: {size}px;")).unwrap_or_default()
    };
    one("inspector") + &one("run-panel") + &one("dock")
}

/// A bar to drag; arrow keys work as well. `name` is the variable of the page's grid, `across` says that it is a height.
#[component]
pub fn Sizer(
    name: &'static str,
    #[prop(into)] label: String,
    low: f64,
    high: f64,
    #[prop(optional)] across: bool,
) -> impl IntoView {
    let held = RwSignal::new(false);
    let moved = move |event: web_sys::PointerEvent| {
        if !held.get_untracked() {
            return;
        }
        let window = gloo::utils::window();
        let size = |value: Result<wasm_bindgen::JsValue, _>| value.ok().and_then(|value| value.as_f64()).unwrap_or(0.0);
        let wanted = if across {
            size(window.inner_height()) - f64::from(event.client_y())
        } else {
            size(window.inner_width()) - f64::from(event.client_x())
        };
        apply(&event, name, wanted.clamp(low, high));
    };
    let pressed = move |event: web_sys::PointerEvent| {
        held.set(true);
        if let Some(bar) = event.target().and_then(|bar| bar.dyn_into::<web_sys::Element>().ok()) {
            let _ = bar.set_pointer_capture(event.pointer_id());
        }
    };
    let keyed = move |event: web_sys::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowLeft" | "ArrowUp" => 20.0,
            "ArrowRight" | "ArrowDown" => -20.0,
            _ => return,
        };
        event.prevent_default();
        let now: f64 = LocalStorage::get(format!("fletchline.{name}")).unwrap_or(low);
        apply(&event, name, (now + step).clamp(low, high));
    };
    view! {
        <div
            class="sizer"
            class:across=across
            role="separator"
            aria-orientation=if across { "horizontal" } else { "vertical" }
            aria-label=label
            tabindex="0"
            on:pointerdown=pressed
            on:pointermove=moved
            on:pointerup=move |_| held.set(false)
            on:pointercancel=move |_| held.set(false)
            on:keydown=keyed
        ></div>
    }
}

fn apply(event: &web_sys::Event, name: &str, size: f64) {
    let bar = event.target().and_then(|bar| bar.dyn_into::<web_sys::Element>().ok());
    let page = bar.and_then(|bar| bar.closest(".desk").ok().flatten());
    if let Some(page) = page.and_then(|page| page.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = page.style().set_property(&format!("--{name}"), &format!("{size}px"));
    }
    // Without storage it holds until the page is loaded again.
    let _ = LocalStorage::set(format!("fletchline.{name}"), size);
}
