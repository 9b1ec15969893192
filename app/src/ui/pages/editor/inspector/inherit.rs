//! How does a field look whose value comes from upstream?

use leptos::prelude::*;
use model::{
    TaskId,
    inherit::{Effective, Field},
};
use serde_json::Value;

use super::{
    codec::Codec,
    fields::{Says, Typing},
    form::Form,
};

/// Where a value comes from, ready to be shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    Own,
    Inherited { value: String, from: String },
    Default { value: String },
    Cleared,
    Unset,
    Conflict,
}

/// Shows a field's value and names the tasks that say it.
pub fn origin<T>(form: Form, field: &Field<T>, show: impl Fn(&T) -> String) -> Origin {
    let names = |from: &[TaskId]| from.iter().map(|task| form.desk.title(task)).collect::<Vec<_>>().join(", ");
    match field {
        Field::Own(_) => Origin::Own,
        Field::Inherited { value, from } => Origin::Inherited { value: show(value), from: names(from) },
        Field::Default(value) => Origin::Default { value: show(value) },
        Field::Cleared => Origin::Cleared,
        Field::Unset => Origin::Unset,
        Field::Conflict(_) => Origin::Conflict,
    }
}

/// The effective settings of the form's task; follows changes.
pub fn effective<T>(form: Form, read: impl FnOnce(&Effective) -> T) -> Option<T> {
    let task = form.task()?;
    form.desk.resolved.with(|resolved| resolved.effective.get(&task).map(read))
}

/// An input that shows what is inherited until one types into it.
#[component]
pub fn HeirLine(
    form: Form,
    label: &'static str,
    field: &'static str,
    #[prop(into)] origin: Signal<Origin>,
    #[prop(default = Codec::OptionalText)] codec: Codec,
    #[prop(optional, into)] placeholder: String,
) -> impl IntoView {
    let typing = Typing::new();
    let shown = move || {
        typing.shown(|| match origin.get() {
            Origin::Inherited { value, .. } => value,
            Origin::Own | Origin::Conflict => codec.show(form.read(field).as_ref()),
            Origin::Default { .. } | Origin::Cleared | Origin::Unset => String::new(),
        })
    };
    let hint = placeholder.clone();
    let empty = move || match origin.get() {
        Origin::Default { value } => value,
        Origin::Cleared => "none".into(),
        Origin::Conflict => "choose one".into(),
        Origin::Own | Origin::Inherited { .. } | Origin::Unset => hint.clone(),
    };
    let class = move || {
        let bad = typing.error().is_some() || !form.sentences(field, true).is_empty();
        match origin.get() {
            Origin::Inherited { .. } | Origin::Cleared => "field mono inherited",
            _ if bad => "field mono bad",
            Origin::Own | Origin::Default { .. } | Origin::Unset | Origin::Conflict => "field mono",
        }
    };
    view! {
        <div class="form-field">
            <span class="form-label">{label}</span>
            <input
                class=class
                data-field=field
                aria-label=label
                placeholder=empty
                autocomplete="off"
                spellcheck="false"
                prop:value=shown
                on:focus=move |_| typing.focus(form)
                on:blur=move |_| typing.blur()
                on:input=move |event| typing.typed(form, field, codec, event_target_value(&event))
            />
            <Origins form=form field=field origin=origin codec=codec />
            <Says form=form field=field typing=typing />
        </div>
    }
}

/// "inherited from Explore · override · clear".
#[component]
fn Origins(form: Form, field: &'static str, origin: Signal<Origin>, codec: Codec) -> impl IntoView {
    let word = move |text: &'static str, act: Callback<()>| {
        view! {
            " · "
            <button class="link" on:click=move |_| act.run(())>
                {text}
            </button>
        }
    };
    let clear = Callback::new(move |()| form.set(field, Some(Value::Null), None));
    let inherit = Callback::new(move |()| form.remove(field));
    move || {
        let body = match origin.get() {
            Origin::Inherited { value, from } => {
                let own = Callback::new(move |()| {
                    if let Ok(value) = codec.read(&value) {
                        form.set(field, value, None);
                        super::super::desk::focus_field(field.into());
                    }
                });
                view! { "inherited from " {from} {word("override", own)} {word("clear", clear)} }.into_any()
            }
            Origin::Cleared => view! { "none, whatever the upstreams say" {word("inherit", inherit)} }.into_any(),
            Origin::Default { .. } => view! { "the installation's default" }.into_any(),
            Origin::Own if form.task().is_some() => view! { "said here" {word("remove", inherit)} }.into_any(),
            Origin::Own | Origin::Unset | Origin::Conflict => return None,
        };
        Some(view! { <p class="hint form-hint">{body}</p> })
    }
}

/// Image, where images mean something.
#[component]
pub fn Image(form: Form) -> impl IntoView {
    let local = form.desk.site.with_untracked(|site| site.runner == model::site::RunnerName::Local);
    let shown = move || effective(form, |all| origin(form, &all.image, String::clone)).unwrap_or(Origin::Unset);
    let placeholder = if local { "this machine's own programs" } else { "the installation's default" };
    view! {
        <HeirLine form=form label="Image" field="image" origin=Signal::derive(shown) placeholder=placeholder />
        {local.then(|| view! { <p class="hint form-hint lifted">"On this machine its own programs stand in place of images."</p> })}
    }
}

/// CPU, memory and GPU in a row.
#[component]
pub fn Resources(form: Form) -> impl IntoView {
    let cpu = move || effective(form, |all| origin(form, &all.cpu, ToString::to_string)).unwrap_or(Origin::Unset);
    let memory = move || effective(form, |all| origin(form, &all.memory, ToString::to_string)).unwrap_or(Origin::Unset);
    let gpu = move || effective(form, |all| origin(form, &all.gpu, ToString::to_string)).unwrap_or(Origin::Unset);
    view! {
        <div class="form-three">
            <HeirLine form=form label="CPU" field="resources.cpu" origin=Signal::derive(cpu) codec=Codec::Cpu placeholder="any" />
            <HeirLine
                form=form
                label="Memory"
                field="resources.memory"
                origin=Signal::derive(memory)
                codec=Codec::Memory
                placeholder="any"
            />
            <HeirLine form=form label="GPU" field="resources.gpu" origin=Signal::derive(gpu) codec=Codec::Count placeholder="0" />
        </div>
    }
}
