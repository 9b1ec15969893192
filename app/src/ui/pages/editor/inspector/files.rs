//! Which text files does a task begin with?

use leptos::prelude::*;
use serde_json::{Value, json};

use super::{
    codec::Codec,
    fields::{Bare, Head, Out, Says, Typing},
    form::Form,
};
use crate::ui::{
    kit::{Icon, rows},
    words,
};

#[component]
pub fn Files(
    form: Form,
    #[prop(optional, into)] hint: String,
    /// The task keeps its work folder, so that files can be taken from there.
    #[prop(optional)]
    keeps_work: bool,
) -> impl IntoView {
    let open = RwSignal::new(None::<usize>);
    let count = Memo::new(move |_| form.len("files"));
    let add = move |()| {
        let at = count.get_untracked();
        form.push("files", json!({ "name": format!("file{}.py", at + 1), "text": "" }));
        open.set(Some(at));
        super::super::desk::focus_field(format!("files.{at}.name"));
    };
    let note = move || {
        let bytes = (0..count.get())
            .filter_map(|at| form.read(&format!("files.{at}.text")))
            .filter_map(|text| text.as_str().map(str::len));
        match bytes.sum::<usize>() {
            0 => String::new(),
            bytes => words::size(bytes as u64),
        }
    };
    view! {
        <section class="form-group" data-field="files">
            <Head label="Files" note=Signal::derive(note) add=add word="Add file" />
            {(!hint.is_empty()).then(|| view! { <p class="hint form-hint">{hint}</p> })}
            {rows(move || 0..count.get(), |at| *at, move |at| view! { <One form=form at=at open=open /> })}
            {keeps_work.then(|| {
                view! {
                    <button class="button quiet small" on:click=move |_| form.desk.taking.set(form.task())>
                        <Icon name="file-text" size=14 />
                        "Take from its work folder…"
                    </button>
                }
            })}
            <Says form=form field="files" typing=Typing::new() />
        </section>
    }
}

#[component]
fn One(form: Form, at: usize, open: RwSignal<Option<usize>>) -> impl IntoView {
    let place = format!("files.{at}");
    let (name, text) = (format!("{place}.name"), format!("{place}.text"));
    let title = {
        let name = name.clone();
        move || form.read(&name).and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let shown = move || open.get() == Some(at);
    let gone = place.clone();
    let out = move |()| {
        form.remove(&gone);
        open.set(None);
    };
    view! {
        <div class="file">
            <div class="file-head">
                <button
                    class="file-name"
                    aria-expanded=move || shown().to_string()
                    on:click=move |_| open.update(|open| *open = if *open == Some(at) { None } else { Some(at) })
                >
                    <Icon name="file-text" size=14 />
                    <span class="ellipsis mono">{title}</span>
                    {move || view! { <Icon name=if shown() { "chevron-down" } else { "chevron-right" } size=14 /> }}
                </button>
                <Out label="Remove file" act=out />
            </div>
            {move || {
                let (name, text) = (name.clone(), text.clone());
                shown().then(|| view! { <Body form=form name=name text=text /> })
            }}
            <Says form=form field=place typing=Typing::new() deep=true />
        </div>
    }
}

#[component]
fn Body(form: Form, name: String, text: String) -> impl IntoView {
    let typing = Typing::new();
    let place = StoredValue::new(text.clone());
    let stored = move || place.with_value(|place| Codec::Text.show(form.read(place).as_ref()));
    let typed =
        move |event| place.with_value(|place| typing.typed(form, place, Codec::Text, event_target_value(&event)));
    view! {
        <div class="file-body">
            <Bare form=form label="File name" field=name mono=true />
            <textarea
                class="field code"
                data-field=text
                aria-label="Text of the file"
                rows=14
                wrap="off"
                spellcheck="false"
                prop:value=move || typing.shown(stored)
                on:focus=move |_| typing.focus(form)
                on:blur=move |_| typing.blur()
                on:input=typed
                on:keydown=move |event| indent(&event)
            ></textarea>
        </div>
    }
}

/// Tab writes spaces; Escape and then Tab leaves the field. Through the browser's own editing, so that Ctrl+Z undoes it.
fn indent(event: &web_sys::KeyboardEvent) {
    if event.key() == "Tab" && !event.shift_key() && !event.ctrl_key() && !event.alt_key() {
        use wasm_bindgen::JsCast;
        let document = gloo::utils::document();
        if let Some(document) = document.dyn_ref::<web_sys::HtmlDocument>()
            && document.exec_command_with_show_ui_and_value("insertText", false, "    ").unwrap_or(false)
        {
            event.prevent_default();
        }
    }
    if event.key() == "Escape" {
        use wasm_bindgen::JsCast;
        event.stop_propagation();
        if let Some(field) = event.target().and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = field.blur();
        }
    }
}

/// All at once, for templates.
pub fn replace(form: Form, files: &[model::kind::File]) {
    form.set("files", serde_json::to_value(files).ok().or(Some(Value::Array(Vec::new()))), None);
}
