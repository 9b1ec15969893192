//! How are lists of sources, ports, paths and values edited?

use leptos::{html, prelude::*, task::spawn_local};
use serde_json::{Value, json};

use super::{
    super::arrivals,
    codec::Codec,
    fields::{Bare, Choice, Head, Out, Says, Typing},
    form::Form,
};
use crate::ui::{files, kit::rows};

const UNPACK: [(&str, &str); 13] = [
    ("auto", "Unpack: as it is"),
    ("never", "Do not unpack"),
    ("zip", "zip"),
    ("tar", "tar"),
    ("tar.gz", "tar.gz"),
    ("tar.bz2", "tar.bz2"),
    ("tar.xz", "tar.xz"),
    ("tar.zst", "tar.zst"),
    ("7z", "7z"),
    ("gz", "gz"),
    ("bz2", "bz2"),
    ("xz", "xz"),
    ("zst", "zst"),
];

#[component]
pub fn Sources(form: Form) -> impl IntoView {
    let count = Memo::new(move |_| form.len("sources"));
    let add = move |()| {
        form.push("sources", json!({ "url": "" }));
        super::super::desk::focus_field(format!("sources.{}.url", count.get_untracked().saturating_sub(1)));
    };
    let source = move |at: usize| {
        let place = format!("sources.{at}");
        let gone = place.clone();
        view! {
            <div class="entry">
                <div class="row tight nowrap">
                    <Bare form=form label="Source" field=format!("{place}.url") placeholder="https://… or example:digits.zip" mono=true />
                    <Out label="Remove source" act=move |()| form.remove(&gone) />
                </div>
                <div class="row tight nowrap">
                    <Choice form=form label="Unpack" field=format!("{place}.unpack") options=UNPACK.to_vec() bare=true />
                    <Bare
                        form=form
                        label="SHA-256"
                        field=format!("{place}.sha256")
                        codec=Codec::OptionalText
                        placeholder="SHA-256, if you have it"
                        mono=true
                    />
                </div>
                <Says form=form field=place typing=Typing::new() deep=true />
            </div>
        }
    };
    view! {
        <section class="form-group" data-field="sources">
            <Head label="Sources" add=add word="Add source" />
            {rows(move || 0..count.get(), |at| *at, source)}
            <Says form=form field="sources" typing=Typing::new() />
            <Drop form=form />
        </section>
    }
}

/// A file of a person's disk becomes a source.
#[component]
fn Drop(form: Form) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let busy = RwSignal::new(false);
    let send = move |file: web_sys::File| {
        let Some(task) = form.task() else { return };
        busy.set(true);
        spawn_local(async move {
            arrivals::load(form.desk, task, file).await;
            busy.try_set(false);
        });
    };
    let dropped = move |event: web_sys::DragEvent| files::dropped(&event).into_iter().for_each(send);
    let chosen = move |_| {
        let file = input.get_untracked().and_then(|input| input.files()).and_then(|files| files.get(0));
        file.into_iter().for_each(send);
    };
    view! {
        <div class="drop" on:drop=dropped>
            <span class="hint">{move || if busy.get() { "Taking the file in…" } else { "Drop a file here, or" }}</span>
            <button class="button small" disabled=busy on:click=move |_| input.get_untracked().iter().for_each(|input| input.click())>
                "Choose a file"
            </button>
            <input node_ref=input type="file" hidden aria-label="File to load" on:change=chosen />
        </div>
    }
}

#[component]
pub fn Ports(form: Form) -> impl IntoView {
    let count = Memo::new(move |_| form.len("ports"));
    let port = move |at: usize| {
        let place = format!("ports.{at}");
        let gone = place.clone();
        view! {
            <div class="row tight nowrap">
                <Bare form=form label="Port" field=format!("{place}.port") codec=Codec::Count mono=true />
                <Bare form=form label="What answers there" field=format!("{place}.name") placeholder="name of the button" />
                <Out label="Remove port" act=move |()| form.remove(&gone) />
            </div>
            <Says form=form field=place typing=Typing::new() deep=true />
        }
    };
    view! {
        <section class="form-group" data-field="ports">
            <Head label="Ports" add=move |()| form.push("ports", json!({ "port": 8000 })) word="Add port" />
            {rows(move || 0..count.get(), |at| *at, port)}
        </section>
    }
}

/// Paths that are kept though no arrow reads them.
#[component]
pub fn Keep(form: Form) -> impl IntoView {
    let count = Memo::new(move |_| form.len("keep"));
    let path = move |at: usize| {
        let place = format!("keep.{at}");
        let gone = place.clone();
        view! {
            <div class="row tight nowrap">
                <Bare form=form label="Path to keep" field=place.clone() mono=true />
                <Out label="Remove path" act=move |()| form.remove(&gone) />
            </div>
            <Says form=form field=place typing=Typing::new() />
        }
    };
    view! {
        <section class="form-group" data-field="keep">
            <Head label="Keep" note="also without an arrow" add=move |()| form.push("keep", json!("/out")) word="Add path" />
            {rows(move || 0..count.get(), |at| *at, path)}
            <Says form=form field="keep" typing=Typing::new() />
        </section>
    }
}

/// A Job's grid: one list of values a name.
#[component]
pub fn Grid(form: Form) -> impl IntoView {
    let names = Memo::new(move |_| match form.read("copies") {
        Some(Value::Object(grid)) => grid.keys().cloned().collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let name = RwSignal::new(String::new());
    let add = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if wanted.is_empty() || wanted.contains('.') {
            return;
        }
        form.set(&format!("copies.{wanted}"), Some(json!([])), None);
        name.set(String::new());
        super::super::desk::focus_field(format!("copies.{wanted}"));
    };
    let total = move || {
        let lengths = names.get().into_iter().map(|name| form.len(&format!("copies.{name}")) as u64);
        match names.with(Vec::len) {
            0 => "one run".to_owned(),
            _ => format!("{} copies", lengths.product::<u64>()),
        }
    };
    let row = move |name: String| {
        let place = format!("copies.{name}");
        let gone = place.clone();
        let out = move |()| match names.with_untracked(Vec::len) {
            1 => form.remove("copies"),
            _ => form.remove(&gone),
        };
        view! {
            <div class="pair">
                <code class="pair-name" title=name.clone()>{name.clone()}</code>
                <Bare form=form label=format!("Values of {name}") field=place.clone() codec=super::env::VALUES placeholder="0.1, 0.03, 0.01" mono=true />
                <Out label=format!("Remove {name}") act=out />
            </div>
            <Says form=form field=place typing=Typing::new() deep=true />
        }
    };
    view! {
        <section class="form-group" data-field="copies">
            <Head label="Copies" note=Signal::derive(total) />
            {rows(move || names.get(), Clone::clone, row)}
            <form class="row tight" on:submit=add>
                <input
                    class="field mono grow"
                    aria-label="New name in the grid"
                    placeholder="LR"
                    spellcheck="false"
                    autocomplete="off"
                    prop:value=name
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <button class="button" disabled=move || name.with(|name| name.trim().is_empty())>
                    "Vary it"
                </button>
            </form>
            <Says form=form field="copies" typing=Typing::new() />
        </section>
    }
}
