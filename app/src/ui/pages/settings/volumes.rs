//! Which shared volumes can tasks mount?

use leptos::{prelude::*, task::spawn_local};
use model::{Acl, Site};

use crate::{api::site::make_volume, ui::kit::Toasts};

fn access_word(access: Acl) -> &'static str {
    match access {
        Acl::ReadOnly => "read only",
        Acl::ReadWrite => "read and write",
    }
}

#[component]
pub fn Volumes(site: RwSignal<Site>, name: String) -> impl IntoView {
    let rows = move || {
        site.with(|site| {
            let row = |(name, volume): (&String, &model::site::SiteVolume)| {
                let more = if volume.holds_results { " · holds results" } else { "" };
                view! {
                    <li>
                        <code>{name.clone()}</code>
                        <span class="hint">{access_word(volume.access)} {more}</span>
                    </li>
                }
            };
            site.volumes.iter().map(row).collect_view()
        })
    };
    let none = move || site.with(|site| site.volumes.is_empty());
    view! {
        <section class="panel section" aria-label="Volumes">
            <h2>"Volumes"</h2>
            <p class="hint">"Folders of this machine that tasks can share, by name."</p>
            {move || none().then(|| view! { <p class="hint">"There is none yet."</p> })}
            <ul class="lines">{rows}</ul>
            <MakeVolume site=site name=name />
        </section>
    }
}

#[component]
fn MakeVolume(site: RwSignal<Site>, name: String) -> impl IntoView {
    let (name, folder) = (RwSignal::new(name), RwSignal::new(String::new()));
    let writable = RwSignal::new(false);
    let toasts = Toasts::here();
    let make = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let access = if writable.get_untracked() { Acl::ReadWrite } else { Acl::ReadOnly };
        let (wanted, place) = (name.get_untracked().trim().to_owned(), folder.get_untracked().trim().to_owned());
        spawn_local(async move {
            match make_volume(wanted.clone(), place, access).await {
                Ok(new) => {
                    site.try_set(new);
                    name.try_set(String::new());
                    folder.try_set(String::new());
                    toasts.say(format!("The volume {wanted} can be mounted now"));
                }
                Err(error) => toasts.fail(error),
            }
        });
    };
    let ready =
        move || !name.with(|name| name.trim().is_empty()) && folder.with(|folder| folder.trim().starts_with('/'));
    view! {
        <form class="row form-row" on:submit=make>
            <label class="labelled">
                "Name"
                <input class="field" prop:value=name on:input=move |event| name.set(event_target_value(&event)) />
            </label>
            <label class="labelled grow">
                "Folder"
                <input
                    class="field mono"
                    placeholder="/srv/shared"
                    prop:value=folder
                    on:input=move |event| folder.set(event_target_value(&event))
                />
            </label>
            <label class="check">
                <input type="checkbox" prop:checked=writable on:change=move |event| writable.set(event_target_checked(&event)) />
                "Tasks may write"
            </label>
            <button class="button" disabled=move || !ready()>
                "Make volume"
            </button>
        </form>
    }
}
