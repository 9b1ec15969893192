//! Which shared volumes can tasks mount?

use leptos::{prelude::*, task::spawn_local};
use model::{Acl, Site, site::RunnerName};

use super::with_code;
use crate::{api::site::make_volume, ui::kit::Toasts};

fn access_word(access: Acl) -> &'static str {
    match access {
        Acl::ReadOnly => "read only",
        Acl::ReadWrite => "read and write",
    }
}

/// What a volume is where tasks run, and how its place is written.
struct Words {
    hint: &'static str,
    place: &'static str,
    example: &'static str,
}

fn words(runner: RunnerName) -> Words {
    match runner {
        RunnerName::Local => Words {
            hint: "Folders of this machine that tasks can share, by name.",
            place: "Folder",
            example: "/srv/shared",
        },
        RunnerName::Kubernetes => Words {
            hint: "PersistentVolumeClaims of the namespace that tasks can share, by name.",
            place: "Claim",
            example: "team-nas",
        },
    }
}

#[component]
pub fn Volumes(site: RwSignal<Site>, name: String) -> impl IntoView {
    let rows = move || {
        site.with(|site| {
            let row = |(name, volume): (&String, &model::site::SiteVolume)| {
                let more = if volume.holds_results { " · holds results" } else { "" };
                let fault =
                    site.faults.volumes.get(name).map(|fault| view! { <span class="fault">{with_code(fault)}</span> });
                view! {
                    <li>
                        <code>{name.clone()}</code>
                        <span class="hint">{access_word(volume.access)} {more}</span>
                        {fault}
                    </li>
                }
            };
            site.volumes.iter().map(row).collect_view()
        })
    };
    let hint = site.with_untracked(|site| words(site.runner).hint);
    let none = move || site.with(|site| site.volumes.is_empty());
    view! {
        <section class="panel section" aria-label="Volumes">
            <h2>"Volumes"</h2>
            <p class="hint">{hint}</p>
            {move || none().then(|| view! { <p class="hint">"There is none yet."</p> })}
            <ul class="lines">{rows}</ul>
            <MakeVolume site=site name=name />
        </section>
    }
}

#[component]
fn MakeVolume(site: RwSignal<Site>, name: String) -> impl IntoView {
    let (name, place) = (RwSignal::new(name), RwSignal::new(String::new()));
    let words = site.with_untracked(|site| words(site.runner));
    let writable = RwSignal::new(false);
    let toasts = Toasts::here();
    let make = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let access = if writable.get_untracked() { Acl::ReadWrite } else { Acl::ReadOnly };
        let (wanted, lies) = (name.get_untracked().trim().to_owned(), place.get_untracked().trim().to_owned());
        spawn_local(async move {
            match make_volume(wanted.clone(), lies, access).await {
                Ok(new) => {
                    site.try_set(new);
                    name.try_set(String::new());
                    place.try_set(String::new());
                    toasts.say(format!("The volume {wanted} is in the settings"));
                }
                Err(error) => toasts.fail(error),
            }
        });
    };
    let ready = move || [name, place].iter().all(|field| field.with(|text| !text.trim().is_empty()));
    view! {
        <form class="row form-row" on:submit=make>
            <label class="labelled">
                "Name"
                <input class="field" prop:value=name on:input=move |event| name.set(event_target_value(&event)) />
            </label>
            <label class="labelled grow">
                {words.place}
                <input
                    class="field mono"
                    placeholder=words.example
                    prop:value=place
                    on:input=move |event| place.set(event_target_value(&event))
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
