//! What stands there while something loads, when there is nothing, and when it failed?

use leptos::prelude::*;

use super::Icon;
use crate::error::ApiError;

/// Keeps the layout: as many grey lines as are about to come.
#[component]
pub fn Loading(#[prop(default = 3)] lines: usize) -> impl IntoView {
    view! {
        <div class="loading" role="status" aria-label="Loading">
            {(0..lines).map(|_| view! { <div class="skeleton"></div> }).collect_view()}
        </div>
    }
}

/// What would be here, and the next deed.
#[component]
pub fn Empty(icon: &'static str, #[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name=icon size=24 />
            <h3>{title}</h3>
            <div class="empty-text">{children()}</div>
        </div>
    }
}

/// One sentence and "Try again".
#[component]
pub fn Failed(error: ApiError, #[prop(into)] again: Callback<()>) -> impl IntoView {
    let signed_out = matches!(error, ApiError::SignedOut);
    view! {
        <div class="empty" role="alert">
            <Icon name=if signed_out { "key-round" } else { "triangle-alert" } size=24 />
            <h3>{if signed_out { "You are not signed in" } else { "This could not be loaded" }}</h3>
            <p class="empty-text">{error.to_string()}</p>
            <button class="button" on:click=move |_| again.run(())>
                "Try again"
            </button>
        </div>
    }
}
