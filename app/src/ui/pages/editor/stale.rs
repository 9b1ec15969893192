//! What if somebody else saved in between?

use std::collections::BTreeSet;

use leptos::{prelude::*, task::spawn_local};
use model::{Gather, Pipeline};

use super::{desk::Desk, draft::Place, saver::Saving};
use crate::{
    api::pipelines::{NewPipeline, create_pipeline},
    ui::{kit::Dialog, routes},
};

/// Both are shown; nothing is overwritten.
#[component]
pub fn Stale(desk: Desk) -> impl IntoView {
    let stale = Memo::new(move |_| match desk.saver.state.get() {
        Saving::Stale { revision, theirs } => Some((revision, theirs)),
        Saving::Saved | Saving::Unsaved | Saving::Going | Saving::Kept { .. } => None,
    });
    let later = RwSignal::new(false);
    move || {
        let (revision, theirs) = stale.get().filter(|_| !later.get())?;
        Some(view! { <Both desk=desk revision=revision theirs=theirs later=later /> })
    }
}

#[component]
fn Both(desk: Desk, revision: u64, theirs: String, later: RwSignal<bool>) -> impl IntoView {
    let mine = desk.text();
    let differs = differences(&mine, &theirs);
    let (merged, taken) = (theirs.clone(), theirs.clone());
    let copy = move |_| keep_copy(desk, revision, taken.clone());
    let taken = theirs.clone();
    view! {
        <Dialog title="This pipeline was changed in another place" wide=true on_close=move |()| later.set(true)>
            <div class="dialog-body">
                <p>"Somebody saved it since you opened it. Your changes are kept in this browser. " {differs}</p>
                <div class="both">
                    <figure>
                        <figcaption>"Yours"</figcaption>
                        <pre tabindex="0">{mine.to_string()}</pre>
                    </figure>
                    <figure>
                        <figcaption>"Theirs"</figcaption>
                        <pre tabindex="0">{theirs}</pre>
                    </figure>
                </div>
            </div>
            <div class="dialog-foot">
                <button class="button" on:click=move |_| desk.saver.take_theirs(desk, revision, &taken)>
                    "Take theirs"
                </button>
                <button class="button" on:click=copy>
                    "Keep mine as a copy"
                </button>
                <button class="button primary" on:click=move |_| desk.saver.merge(desk, revision, &merged)>
                    "Put both together"
                </button>
            </div>
        </Dialog>
    }
}

/// "Different: Train, Explore." by the tasks' names.
fn differences(mine: &str, theirs: &str) -> String {
    let (Ok(mine), Ok(theirs)) = (model::document::read(mine), model::document::read(theirs)) else {
        return String::new();
    };
    let (mine, theirs): (&Pipeline, &Pipeline) = (&mine.pipeline, &theirs.pipeline);
    let ids: BTreeSet<_> = mine.tasks.keys().chain(theirs.tasks.keys()).gather();
    let changed = ids.into_iter().filter(|id| mine.tasks.get(*id) != theirs.tasks.get(*id));
    let name = |id: &model::TaskId| {
        let task = mine.tasks.get(id).or_else(|| theirs.tasks.get(id));
        task.map_or_else(|| id.to_string(), |task| task.title().to_owned())
    };
    let names: Vec<String> = changed.map(name).collect();
    if names.is_empty() { "No task differs.".into() } else { format!("Different: {}.", names.join(", ")) }
}

fn keep_copy(desk: Desk, revision: u64, theirs: String) {
    let text = desk.text();
    spawn_local(async move {
        match create_pipeline(NewPipeline::Document { text: text.to_string() }).await {
            Ok(created) => {
                desk.saver.take_theirs(desk, revision, &theirs);
                desk.saver.place.with_value(Place::forget);
                desk.toasts.say("Your version is a pipeline of its own now.");
                desk.go.try_run(routes::pipeline(&created.id));
            }
            Err(error) => desk.toasts.fail(error),
        }
    });
}
