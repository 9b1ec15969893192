//! How are kinds, states and times shown in little room?

use leptos::prelude::*;
use model::{
    KindName,
    run::{Millis, RunStatus, TaskStatus},
};

use super::Icon;
use crate::ui::words;

/// The hue of a kind, on a chip.
#[component]
pub fn KindChip(kind: KindName, #[prop(optional)] small: bool) -> impl IntoView {
    let size = if small { 12 } else { 16 };
    view! {
        <span class=format!("chip kind-{}", words::kind_hue(kind)) class:small=small>
            <Icon name=words::kind_icon(kind) size=size />
        </span>
    }
}

/// Icon, word and colour together.
#[component]
pub fn StatusPill(look: words::Look) -> impl IntoView {
    let (tone, icon, word) = look;
    view! {
        <span class=format!("pill {tone}")>
            <Icon name=icon size=14 class=if icon == "loader-circle" { "turning" } else { "" } />
            {word}
        </span>
    }
}

#[component]
pub fn RunPill(status: RunStatus) -> impl IntoView {
    view! { <StatusPill look=words::run_look(status) /> }
}

#[component]
pub fn TaskPill(status: TaskStatus) -> impl IntoView {
    view! { <StatusPill look=words::task_look(status) /> }
}

/// Relative, exact on hover.
#[component]
pub fn Time(at: Millis) -> impl IntoView {
    view! { <time title=words::exact(at)>{words::when(at)}</time> }
}
