//! What goes when a pipeline is deleted?

use leptos::{prelude::*, task::spawn_local};

use super::List;
use crate::{
    api::pipelines::{PipelineSummary, Removal, delete_pipeline, pipeline_removal},
    ui::{
        kit::{Dialog, Loading, Toasts},
        words,
    },
};

#[component]
pub fn Remove(one: PipelineSummary, #[prop(into)] close: Callback<()>, list: List) -> impl IntoView {
    let id = one.id.clone();
    let removal = LocalResource::new(move || pipeline_removal(id.clone()));
    let allowed = move || matches!(removal.get(), Some(Ok(removal)) if removal.held_by.is_empty());
    let busy = RwSignal::new(false);
    let toasts = Toasts::here();
    let (id, name) = (one.id, one.name.clone());
    let delete = move |_| {
        let (id, name) = (id.clone(), name.clone());
        busy.set(true);
        spawn_local(async move {
            let answer = delete_pipeline(id).await;
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    toasts.say(format!("{name} was deleted"));
                    close.try_run(());
                    list.refetch();
                }
                Err(error) => toasts.fail(error),
            }
        });
    };
    view! {
        <Dialog title=format!("Delete {}?", one.name) on_close=close>
            <div class="dialog-body">
                {move || match removal.get() {
                    None => view! { <Loading lines=2 /> }.into_any(),
                    Some(Err(error)) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
                    Some(Ok(removal)) => view! { <What removal=removal /> }.into_any(),
                }}
            </div>
            <div class="dialog-foot">
                <button class="button" on:click=move |_| close.run(())>
                    "Cancel"
                </button>
                <button class="button danger" disabled=move || busy.get() || !allowed() on:click=delete>
                    "Delete"
                </button>
            </div>
        </Dialog>
    }
}

#[component]
fn What(removal: Removal) -> impl IntoView {
    let runs = words::count(removal.runs as usize, "run", "runs");
    let held = !removal.held_by.is_empty();
    view! {
        <p>
            "This removes the pipeline, " {runs} " with results, work folders and logs: "
            <b>{words::size(removal.space)}</b> ". It cannot be undone."
        </p>
        {held
            .then(|| {
                view! {
                    <p class="note waits">"It is still used, so it cannot be deleted yet:"</p>
                    <ul>{removal.held_by.into_iter().map(|who| view! { <li>{who}</li> }).collect_view()}</ul>
                }
            })}
    }
}
