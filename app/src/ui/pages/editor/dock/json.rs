//! How is the whole pipeline written, and how does another take its place?

use leptos::{html, prelude::*, task::spawn_local};
use model::document;

use super::super::desk::Desk;
use crate::ui::{canvas::Command, files, kit::Icon};

#[component]
pub fn Json(desk: Desk) -> impl IntoView {
    let stored = move || desk.handle.with_pipeline(document::write);
    let typed = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<String>);
    let take = move |text: String| match document::read(&text) {
        Ok(read) => match desk.handle.dispatch(Command::Import(Box::new(read.pipeline))) {
            Ok(()) => {
                typed.set(None);
                error.set(None);
                desk.handle.fit();
                desk.toasts.say("The document was taken in; undo brings the old one back.");
            }
            Err(refusal) => error.set(Some(refusal.to_string())),
        },
        Err(refusal) => error.set(Some(format!("{refusal}. Nothing was changed."))),
    };
    let apply = move |_| typed.get_untracked().into_iter().for_each(take);
    view! {
        <div class="dock-tools">
            <button class="button small" on:click=move |_| files::save_text(&format!("{}.json", desk.id()), &desk.text())>
                <Icon name="download" size=14 />
                "Export"
            </button>
            <Import take=Callback::new(take) error=error />
            <span class="grow"></span>
            <button class="button small" disabled=move || typed.with(Option::is_none) on:click=apply>
                "Take this text"
            </button>
        </div>
        {move || error.get().map(|error| view! { <p class="says" role="alert">{error}</p> })}
        <textarea
            class="field code dock-json"
            aria-label="The pipeline as JSON"
            wrap="off"
            spellcheck="false"
            prop:value=move || typed.get().unwrap_or_else(stored)
            on:input=move |event| typed.set(Some(event_target_value(&event)))
        ></textarea>
    }
}

#[component]
fn Import(take: Callback<String>, error: RwSignal<Option<String>>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(input) = input.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        input.set_value("");
        let Some(file) = file else { return };
        spawn_local(async move {
            match files::text_of(&file).await {
                Ok(text) => drop(take.try_run(text)),
                Err(refusal) => drop(error.try_set(Some(refusal.to_string()))),
            }
        });
    };
    view! {
        <button class="button small" on:click=move |_| input.get_untracked().iter().for_each(|input| input.click())>
            <Icon name="import" size=14 />
            "Import into this pipeline"
        </button>
        <input node_ref=input type="file" accept=".json,application/json" hidden aria-label="Document to import" on:change=chosen />
    }
}
