//! How does a panel show one of several faces?

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::rows;

#[derive(Clone)]
pub struct Tab {
    pub key: &'static str,
    pub label: &'static str,
    /// A number beside the label; empty: none.
    pub count: Signal<String>,
}

impl Tab {
    pub fn new(key: &'static str, label: &'static str) -> Self {
        Tab { key, label, count: Signal::stored(String::new()) }
    }

    pub fn count(self, count: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        let count = Signal::derive(move || match count() {
            0 => String::new(),
            number => number.to_string(),
        });
        Tab { count, ..self }
    }
}

/// The row of tabs; the panel below reads `active`. Arrow keys move along.
#[component]
pub fn Tabs(
    #[prop(into)] label: String,
    #[prop(into)] tabs: Signal<Vec<Tab>>,
    active: RwSignal<&'static str>,
) -> impl IntoView {
    let button = move |tab: Tab| {
        let key = tab.key;
        let chosen = move || active.get() == key;
        view! {
            <button
                role="tab"
                class="tab"
                aria-selected=move || chosen().to_string()
                tabindex=move || if chosen() { 0 } else { -1 }
                on:click=move |_| active.set(key)
            >
                {tab.label}
                <span class="tab-count">{tab.count}</span>
            </button>
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label=label on:keydown=move |event| keys(&event, tabs, active)>
            {rows(move || tabs.get(), |tab| tab.key, button)}
        </div>
    }
}

fn keys(event: &web_sys::KeyboardEvent, tabs: Signal<Vec<Tab>>, active: RwSignal<&'static str>) {
    let step = match event.key().as_str() {
        "ArrowRight" => 1,
        "ArrowLeft" => -1,
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    let keys: Vec<&'static str> = tabs.get_untracked().iter().map(|tab| tab.key).collect();
    let here = keys.iter().position(|key| *key == active.get_untracked()).unwrap_or(0) as i32;
    let next = (here + step).rem_euclid(keys.len().max(1) as i32) as usize;
    if let Some(key) = keys.get(next) {
        active.set(key);
    }
    let row = event.current_target().and_then(|row| row.dyn_into::<web_sys::Element>().ok());
    let button = row.and_then(|row| row.children().item(next as u32));
    if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = button.focus();
    }
}
