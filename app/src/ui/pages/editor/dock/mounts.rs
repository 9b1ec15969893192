//! What will each task find where, in the request form?

use leptos::prelude::*;
use model::{TaskId, launch::Mount, mounts as plan};

use super::super::desk::Desk;

/// The selected tasks, or all.
#[component]
pub fn Mounts(desk: Desk) -> impl IntoView {
    let all = move || -> Vec<(TaskId, String, Vec<Mount>)> {
        let chosen = desk.handle.selection().with(|selection| selection.tasks.clone());
        let resolved = desk.resolved.get();
        desk.site.with(|site| {
            desk.handle.with_pipeline(|pipeline| {
                let tasks =
                    pipeline.tasks.values().filter(|task| chosen.is_empty() || chosen.contains(&task.id)).take(100);
                let planned =
                    |task: &std::sync::Arc<model::Task>| plan::plan_resolved(pipeline, site, &resolved, &task.id);
                tasks.map(|task| (task.id.clone(), task.title().to_owned(), planned(task))).collect()
            })
        })
    };
    let line = |mount: &Mount| serde_json::to_string(mount).unwrap_or_default();
    let one = move |(id, name, mounts): (TaskId, String, Vec<Mount>)| {
        let lines = mounts.iter().map(line).map(|line| format!("  {line}")).collect::<Vec<_>>().join(",\n");
        let text = if mounts.is_empty() { "\"volumes\": []".into() } else { format!("\"volumes\": [\n{lines}\n]") };
        view! {
            <section class="dock-block">
                <button class="link name" on:click=move |_| desk.handle.show_task(&id)>
                    {name}
                </button>
                <pre tabindex="0">{text}</pre>
            </section>
        }
    };
    view! { <div class="dock-text">{move || all().into_iter().map(one).collect_view()}</div> }
}
