//! How do files of a work folder come into the task's files?

use std::collections::BTreeSet;

use leptos::{prelude::*, task::spawn_local};
use model::{TaskId, kind::File};
use serde_json::json;

use super::desk::Desk;
use crate::{
    api::work::{WorkFile, WorkFolder, work_folders, work_texts},
    ui::{
        canvas::Command,
        kit::{Asked, Dialog, Loading},
        words,
    },
};

/// A list to choose from; what is chosen comes in as one step.
#[component]
pub fn Take(desk: Desk, task: TaskId) -> impl IntoView {
    let close = move || desk.taking.set(None);
    let (title, whose) = (format!("Work folder of {}", desk.title(&task)), task.clone());
    let folder = Asked::new(move || {
        let task = whose.clone();
        async move {
            Ok::<_, crate::error::ApiError>(work_folders(desk.id()).await?.into_iter().find(|one| one.task == task))
        }
    });
    let (chosen, busy) = (RwSignal::new(BTreeSet::new()), RwSignal::new(false));
    let put = move |_| {
        busy.set(true);
        spawn_local(bring(desk, task.clone(), chosen.get_untracked(), busy));
    };
    view! {
        <Dialog title=title on_close=move |()| close()>
            <div class="dialog-body">
                {move || match folder.get() {
                    None => view! { <Loading lines=3 /> }.into_any(),
                    Some(Err(error)) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
                    Some(Ok(None)) => view! { <p>"Nothing lies in it: it is filled when the task first starts."</p> }.into_any(),
                    Some(Ok(Some(folder))) => view! { <Choices folder=folder chosen=chosen /> }.into_any(),
                }}
            </div>
            <div class="dialog-foot">
                <button class="button" on:click=move |_| close()>
                    "Cancel"
                </button>
                <button
                    class="button primary"
                    disabled=move || busy.get() || chosen.with(BTreeSet::is_empty)
                    on:click=put
                >
                    "Put into its files"
                </button>
            </div>
        </Dialog>
    }
}

#[component]
fn Choices(folder: WorkFolder, chosen: RwSignal<BTreeSet<String>>) -> impl IntoView {
    let more = folder.more.then(|| {
        view! { <p class="hint">{format!("There are more; the first {} are listed.", folder.files.len())}</p> }
    });
    let row = |file: WorkFile| view! { <Choice file=file chosen=chosen /> };
    view! {
        <p class="hint">"Texts that you choose become part of the document: they go along in its JSON, and other runs begin with them."</p>
        <ul class="lines-plain take-list">{folder.files.into_iter().map(row).collect_view()}</ul>
        {more}
    }
}

#[component]
fn Choice(file: WorkFile, chosen: RwSignal<BTreeSet<String>>) -> impl IntoView {
    let WorkFile { name, bytes } = file;
    let shown = name.clone();
    let change = move |event| {
        let (on, name) = (event_target_checked(&event), name.clone());
        chosen.update(|chosen| {
            if on {
                chosen.insert(name);
            } else {
                chosen.remove(&name);
            }
        });
    };
    view! {
        <li>
            <label class="check row">
                <input type="checkbox" on:change=change />
                <span class="mono grow ellipsis" title=shown.clone()>{shown.clone()}</span>
                <span class="hint">{words::size(bytes)}</span>
            </label>
        </li>
    }
}

/// One that the task has already is written anew.
async fn bring(desk: Desk, task: TaskId, names: BTreeSet<String>, busy: RwSignal<bool>) {
    let count = words::count(names.len(), "file was", "files were");
    let texts = work_texts(desk.id(), task.clone(), names.into_iter().collect()).await;
    busy.try_set(false);
    let texts = match texts {
        Ok(texts) => texts,
        Err(error) => return desk.toasts.fail(error),
    };
    let Some(mut files) = files(desk, &task) else {
        return desk.toasts.fail("This task is not in the pipeline any more, so it has no files to put them into.");
    };
    for text in texts {
        match files.iter_mut().find(|file| file.name == text.name) {
            Some(file) => file.text = text.text,
            None => files.push(text),
        }
    }
    let set = Command::SetField { task, field: "files".into(), value: Some(json!(files)), typing: None };
    match desk.handle.dispatch(set) {
        Ok(_) => {
            desk.taking.try_set(None);
            desk.toasts.say(format!("{count} put into the task's files."));
        }
        Err(refusal) => desk.toasts.fail(refusal),
    }
}

/// `None`: it is not in the document (any more).
fn files(desk: Desk, task: &TaskId) -> Option<Vec<File>> {
    desk.handle.with_pipeline_untracked(|pipeline| Some(pipeline.tasks.get(task)?.kind.files().to_vec()))
}
