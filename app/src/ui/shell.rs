//! What stands around every page?

use gloo::storage::{LocalStorage, Storage};
use leptos::prelude::*;
use leptos_router::components::A;

use super::{
    kit::Icon,
    live_socket::{Connection, Live},
};

/// The 48 pixels at the top: logo, where one is, and what the page puts at the right end.
#[component]
pub fn TopBar(#[prop(optional)] crumbs: Option<AnyView>, #[prop(optional)] tools: Option<AnyView>) -> impl IntoView {
    let plain = crumbs.is_none();
    view! {
        <header class="topbar">
            <A href="/" attr:class="brand" attr:aria-label="Fletchline, all pipelines">
                <Logo />
                <span class="brand-name">"Fletchline"</span>
            </A>
            <span class="topbar-rule"></span>
            {crumbs}
            {plain.then(|| view! { <Places /> })}
            <span class="grow"></span>
            <Line />
            {tools}
            {plain.then(|| view! { <ThemeSwitch /> })}
        </header>
    }
}

#[component]
fn Places() -> impl IntoView {
    view! {
        <nav class="places" aria-label="Pages">
            <A href="/" exact=true>"Pipelines"</A>
            <A href="/runs">"Runs"</A>
            <A href="/services">"Services"</A>
            <A href="/settings">"Settings"</A>
        </nav>
    }
}

/// An arrow in flight: a shaft, a head, two feathers.
#[component]
fn Logo() -> impl IntoView {
    view! {
        <svg
            class="logo"
            width="22"
            height="22"
            viewBox="0 0 24 24"
            fill="none"
            stroke-width="2"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path class="logo-shaft" d="M7 17 20 4 M13.5 4H20v6.5" />
            <path class="logo-feather" d="M9.4 14.6 4.6 15.2 2.4 19.2 6.4 18.8 Z" />
            <path class="logo-feather" d="M9.4 14.6 8.8 19.4 4.8 21.6 5.2 17.6 Z" />
        </svg>
    }
}

/// Silent while the server is there.
#[component]
fn Line() -> impl IntoView {
    let connection = Live::here().connection();
    move || {
        (connection.get() == Connection::Lost).then(|| {
            view! {
                <span class="pill waits" role="status" title="Tried again by itself. What you change is kept here.">
                    <Icon name="wifi-off" size=14 />
                    "Connecting again"
                </span>
            }
        })
    }
}

/// Or the browser leaves the page for a file that misses the place that takes it.
pub fn keep_the_page_when_files_are_dropped() {
    let keep = |event: web_sys::DragEvent| {
        let has_files = event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0));
        if has_files {
            event.prevent_default();
        }
    };
    window_event_listener(leptos::ev::dragover, keep);
    window_event_listener(leptos::ev::drop, keep);
}

const THEME: &str = "fletchline.theme";

/// The theme that a person chose; none: the system's.
pub fn apply_theme() {
    let theme: Option<String> = LocalStorage::get(THEME).ok();
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = match theme {
            Some(theme) => root.set_attribute("data-theme", &theme),
            None => root.remove_attribute("data-theme"),
        };
    }
}

fn is_dark() -> bool {
    let chosen: Option<String> = LocalStorage::get(THEME).ok();
    let system = || {
        let media = gloo::utils::window().match_media("(prefers-color-scheme: dark)");
        media.ok().flatten().is_some_and(|media| media.matches())
    };
    chosen.map_or_else(system, |theme| theme == "dark")
}

#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let dark = RwSignal::new(is_dark());
    let label = move || if dark.get() { "Light colours" } else { "Dark colours" };
    let switch = move |_| {
        dark.update(|dark| *dark = !*dark);
        // Without storage the choice holds until the page is loaded again.
        let theme = if dark.get_untracked() { "dark" } else { "light" };
        let _ = LocalStorage::set(THEME, theme);
        if let Some(root) = gloo::utils::document().document_element() {
            let _ = root.set_attribute("data-theme", theme);
        }
    };
    view! {
        <button class="button quiet icon-only" aria-label=label title=label on:click=switch>
            {move || if dark.get() { view! { <Icon name="sun" /> } } else { view! { <Icon name="moon" /> } }}
        </button>
    }
}
