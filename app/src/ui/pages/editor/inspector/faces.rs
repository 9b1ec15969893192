//! What does a task find where, in which copies does it run, and how is it written?

use leptos::prelude::*;
use model::{TaskId, copies as model_copies, launch::Mount, mounts as plan};

use super::{super::desk::Desk, form::Form};
use crate::{
    api::pipelines::manifests,
    ui::kit::{Asked, Icon, Loading, copy_text},
};

pub fn mounts(desk: Desk, task: &TaskId) -> Vec<Mount> {
    let resolved = desk.resolved.get();
    desk.site.with(|site| desk.handle.with_pipeline(|pipeline| plan::plan_resolved(pipeline, site, &resolved, task)))
}

pub fn copies(desk: Desk, task: &TaskId) -> u32 {
    let grid = |task: &model::Task| task.kind.grid().and_then(model_copies::count);
    desk.handle.task(task).and_then(|task| grid(&task)).unwrap_or(0)
}

/// The request form, as it will be sent.
pub fn request(mounts: &[Mount]) -> String {
    serde_json::to_string_pretty(&serde_json::json!({ "volumes": mounts })).unwrap_or_default()
}

#[component]
pub fn Mounts(desk: Desk, id: TaskId) -> impl IntoView {
    let all = Memo::new(move |_| mounts(desk, &id));
    let row = |mount: Mount| {
        let access = match mount.acl {
            model::Acl::ReadOnly => "RO",
            model::Acl::ReadWrite => "RW",
        };
        let from = mount.sub_path.unwrap_or_else(|| "all of it".into());
        view! {
            <li class="mount">
                <code class="wrap">{mount.mount_path.0}</code>
                <span class="pill idle">{access}</span>
                <p class="hint wrap">{mount.id} " · " {from}</p>
            </li>
        }
    };
    view! {
        <p class="hint">"Planned by the same code that runs it; n is the execution's number."</p>
        <ul class="lines-plain">{move || all.get().into_iter().map(row).collect_view()}</ul>
        <Text text=Signal::derive(move || request(&all.get())) label="Request" />
    }
}

/// What the cluster would get, asked again after each change of what it means.
#[component]
pub fn Manifests(desk: Desk, id: TaskId) -> impl IntoView {
    let asked = Asked::new(move || manifests(desk.handle.with_meaning(model::document::write), id.clone()));
    move || match asked.get() {
        None => view! { <Loading /> }.into_any(),
        Some(Err(error)) => view! { <p class="says" role="alert">{error.to_string()}</p> }.into_any(),
        Some(Ok(text)) => view! { <Text text=Signal::stored(text) label="Manifests of a first run" /> }.into_any(),
    }
}

#[component]
pub fn Copies(desk: Desk, id: TaskId) -> impl IntoView {
    let lines = move || {
        let task = desk.handle.task(&id)?;
        let grid = task.kind.grid()?;
        let count = model_copies::count(grid)?;
        let line = |copy: u32| {
            let values = model_copies::values(grid, copy)?;
            let text = values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("  ");
            Some(
                view! { <li class="mount"><span class="hint numbers">{copy}</span> <code class="wrap">{text}</code></li> },
            )
        };
        let more = count.saturating_sub(200);
        let more = (more > 0).then(|| view! { <li class="hint">{format!("and {more} more")}</li> });
        Some(((0..count.min(200)).filter_map(line).collect_view(), more))
    };
    view! {
        <ul class="lines-plain">
            {move || lines().map_or_else(|| view! { <p class="hint">"It runs once. Name what varies under Settings, Copies."</p> }.into_any(), |lines| lines.into_any())}
        </ul>
    }
}

#[component]
pub fn Json(form: Form) -> impl IntoView {
    let text =
        move || form.read("").map(|task| serde_json::to_string_pretty(&task).unwrap_or_default()).unwrap_or_default();
    view! { <Text text=Signal::derive(text) label="As in the document" /> }
}

/// A text to read and to copy.
#[component]
pub fn Text(#[prop(into)] text: Signal<String>, label: &'static str) -> impl IntoView {
    let toasts = crate::ui::kit::Toasts::here();
    view! {
        <figure class="code-block">
            <figcaption>
                <span class="form-label grow">{label}</span>
                <button
                    class="button quiet icon-only small"
                    aria-label="Copy"
                    title="Copy"
                    on:click=move |_| copy_text(text.get_untracked(), toasts)
                >
                    <Icon name="copy" size=14 />
                </button>
            </figcaption>
            <pre tabindex="0">{text}</pre>
        </figure>
    }
}
