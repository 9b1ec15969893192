//! What does a person see?

pub mod canvas;
pub mod kit;

use leptos::prelude::*;

#[component]
pub fn App() -> impl IntoView {
    view! { <main></main> }
}
