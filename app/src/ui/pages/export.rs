//! What does a pipeline leave behind when it goes out as JSON?

use leptos::prelude::*;
use model::{PipelineId, TaskId};

use crate::{
    api::work::{WorkFolder, work_folders},
    ui::{
        files,
        kit::{Asked, Dialog, Toasts},
        words,
    },
};

/// The document goes at once when there is no work folder; else it is said what stays, and the zip is offered.
#[component]
pub fn ExportJson(
    id: PipelineId,
    /// Puts files of a task's work folder into the document, where one can edit it.
    #[prop(optional, into)]
    take: Option<Callback<TaskId>>,
    /// The tasks that can: a folder may have outlived its task.
    #[prop(optional)]
    takers: Vec<TaskId>,
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView {
    let (asked, toasts) = (id.clone(), Toasts::here());
    let folders = Asked::new(move || work_folders(asked.clone()));
    let (id, takers) = (StoredValue::new(id), StoredValue::new(takers));
    let take = move |task: &TaskId| take.filter(|_| takers.with_value(|takers| takers.contains(task)));
    let go = move |kind: &'static str| {
        id.with_value(|id| files::save_pipeline(id, kind));
        on_close.run(());
    };
    Effect::new(move |_| match folders.get() {
        Some(Ok(folders)) if folders.is_empty() => go("json"),
        Some(Err(error)) => {
            toasts.fail(error);
            on_close.run(());
        }
        None | Some(Ok(_)) => {}
    });
    move || {
        let folders = folders.get()?.ok().filter(|folders| !folders.is_empty())?;
        Some(view! {
            <Dialog title="Export as JSON" on_close=on_close>
                <div class="dialog-body">
                    <p>"A JSON file holds the document. What lies in these work folders stays here:"</p>
                    <ul class="lines-plain">
                        {folders.into_iter().map(|folder| view! { <Left take=take(&folder.task) folder=folder close=on_close /> }).collect_view()}
                    </ul>
                </div>
                <div class="dialog-foot">
                    <button class="button" on:click=move |_| on_close.run(())>
                        "Cancel"
                    </button>
                    <button class="button" on:click=move |_| go("zip")>
                        "Zip with work folders"
                    </button>
                    <button class="button primary" on:click=move |_| go("json")>
                        "Export JSON"
                    </button>
                </div>
            </Dialog>
        })
    }
}

#[component]
fn Left(folder: WorkFolder, take: Option<Callback<TaskId>>, close: Callback<()>) -> impl IntoView {
    let more = if folder.more { "more than " } else { "" };
    let held = format!("{more}{}, {}", words::count(folder.files.len(), "file", "files"), words::size(folder.bytes()));
    let task = folder.task;
    let button = take.map(|take| {
        view! {
            <button
                class="button small"
                on:click=move |_| {
                    close.run(());
                    take.run(task.clone());
                }
            >
                "Put into its files…"
            </button>
        }
    });
    view! {
        <li class="row">
            <b class="ellipsis" title=folder.title.clone()>{folder.title.clone()}</b>
            <span class="hint grow held">{held}</span>
            {button}
        </li>
    }
}
