//! What lies below the canvas?

mod history;
mod json;
mod mounts;
mod problems;

use leptos::prelude::*;

pub use problems::label as fix_label;

use super::{desk::Desk, sizer::Sizer};
use crate::ui::kit::{Icon, Tab, Tabs};

#[component]
pub fn Dock(desk: Desk) -> impl IntoView {
    let tabs = vec![
        Tab::new("problems", "Problems").count(move || desk.problems.with(|all| all.len())),
        Tab::new("mounts", "Mounts"),
        Tab::new("json", "JSON"),
        Tab::new("history", "History").count(move || desk.handle.history().iter().filter(|line| line.done).count()),
    ];
    // A tab that is chosen opens the dock.
    let open = move |event: web_sys::MouseEvent| {
        let tab = event.target().map(wasm_bindgen::JsCast::unchecked_into::<web_sys::Element>);
        if tab.is_some_and(|tab| tab.closest("[role=tab]").ok().flatten().is_some()) {
            desk.dock_open.set(true);
        }
    };
    let word = move || if desk.dock_open.get() { "Close the dock" } else { "Open the dock" };
    view! {
        <section class="dock" class:open=move || desk.dock_open.get() aria-label="Dock">
            <Sizer name="dock" label="Height of the dock" low=120.0 high=420.0 across=true />
            <div class="dock-head" on:click=open>
                <Tabs label="Dock" tabs=Signal::stored(tabs) active=desk.dock />
                <button
                    class="button quiet icon-only small"
                    aria-label=word
                    title=word
                    aria-expanded=move || desk.dock_open.get().to_string()
                    on:click=move |_| desk.dock_open.update(|open| *open = !*open)
                >
                    {move || view! { <Icon name=if desk.dock_open.get() { "chevron-down" } else { "chevron-up" } /> }}
                </button>
            </div>
            {move || {
                desk.dock_open.get().then(|| view! { <div class="dock-body" role="tabpanel"><Body desk=desk /></div> })
            }}
        </section>
    }
}

#[component]
fn Body(desk: Desk) -> impl IntoView {
    move || match desk.dock.get() {
        "mounts" => view! { <mounts::Mounts desk=desk /> }.into_any(),
        "json" => view! { <json::Json desk=desk /> }.into_any(),
        "history" => view! { <history::History desk=desk /> }.into_any(),
        _ => view! { <problems::Problems desk=desk /> }.into_any(),
    }
}
