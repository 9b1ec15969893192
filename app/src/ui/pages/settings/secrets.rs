//! Which secrets can tasks name?

use leptos::{prelude::*, task::spawn_local};
use model::Site;

use crate::{
    api::site::set_secret,
    ui::kit::{Icon, Toasts},
};

#[component]
pub fn Secrets(site: RwSignal<Site>, name: String) -> impl IntoView {
    let (name, value) = (RwSignal::new(name), RwSignal::new(String::new()));
    let toasts = Toasts::here();
    let store = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (wanted, hidden) = (name.get_untracked().trim().to_owned(), value.get_untracked());
        // What was typed is gone from the page before the server answers.
        value.set(String::new());
        spawn_local(async move {
            match set_secret(wanted.clone(), hidden).await {
                Ok(new) => {
                    site.try_set(new);
                    name.try_set(String::new());
                    toasts.say(format!("The secret {wanted} is stored"));
                }
                Err(error) => toasts.fail(error),
            }
        });
    };
    let ready = move || !name.with(|name| name.trim().is_empty()) && !value.with(String::is_empty);
    let rows = move || {
        site.with(|site| {
            let row = |name: &String| view! { <li><Icon name="key-round" size=14 /> <code>{name.clone()}</code></li> };
            site.secrets.iter().map(row).collect_view()
        })
    };
    view! {
        <section class="panel section" aria-label="Secrets">
            <h2>"Secrets"</h2>
            <p class="hint">"Named in a task's environment. A value is never shown again, and is in no document and no log."</p>
            <ul class="lines">{rows}</ul>
            <form class="row form-row" on:submit=store autocomplete="off">
                <label class="labelled">
                    "Name"
                    <input class="field mono" prop:value=name on:input=move |event| name.set(event_target_value(&event)) />
                </label>
                <label class="labelled grow">
                    "Value"
                    <input
                        class="field mono"
                        type="password"
                        autocomplete="new-password"
                        prop:value=value
                        on:input=move |event| value.set(event_target_value(&event))
                    />
                </label>
                <button class="button" disabled=move || !ready()>
                    "Store secret"
                </button>
            </form>
        </section>
    }
}
