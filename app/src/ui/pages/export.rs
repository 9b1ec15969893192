//! What does a pipeline leave behind when it goes out as JSON?

use leptos::prelude::*;
use model::{PipelineId, TaskId};

use crate::{
    api::work::{WorkFolder, work_folders},
    ui::{
        files,
        kit::{Dialog, Toasts},
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
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView {
    let (asked, toasts) = (id.clone(), Toasts::here());
    let folders = LocalResource::new(move || work_folders(asked.clone()));
    let id = StoredValue::new(id);
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
                        {folders.into_iter().map(|folder| view! { <Left folder=folder take=take close=on_close /> }).collect_view()}
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
            <span class="grow ellipsis">
                <b>{folder.title}</b>
                <span class="hint">" " {held}</span>
            </span>
            {button}
        </li>
    }
}
