//! Which fields is a form made of?

use leptos::prelude::*;
use model::Severity;
use serde_json::Value;

use super::{codec::Codec, form::Form};
use crate::ui::kit::Icon;

/// What is typed and not yet (or never) in the document. One stay in the field is one step.
#[derive(Clone, Copy)]
pub struct Typing {
    draft: RwSignal<Option<String>>,
    error: RwSignal<Option<String>>,
    step: StoredValue<Option<u64>>,
}

impl Typing {
    pub fn new() -> Self {
        Typing { draft: RwSignal::new(None), error: RwSignal::new(None), step: StoredValue::new(None) }
    }

    pub fn focus(self, form: Form) {
        self.step.set_value(Some(form.desk.handle.new_focus()));
    }

    pub fn blur(self) {
        self.step.try_set_value(None);
        self.draft.try_set(None);
        self.error.try_set(None);
    }

    pub fn typed(self, form: Form, field: &str, codec: Codec, text: String) {
        match codec.read(&text) {
            Ok(value) => {
                self.error.set(None);
                form.set(field, value, self.step.get_value());
            }
            Err(sentence) => self.error.set(Some(sentence)),
        }
        self.draft.set(Some(text));
    }

    /// What the field shows: what was typed while it has the focus, else what the document says.
    pub fn shown(self, stored: impl FnOnce() -> String) -> String {
        self.draft.get().unwrap_or_else(stored)
    }

    pub fn error(self) -> Option<String> {
        self.error.get()
    }
}

/// The sentences at a field.
#[component]
pub fn Says(form: Form, #[prop(into)] field: String, typing: Typing, #[prop(optional)] deep: bool) -> impl IntoView {
    let said = move || {
        let mut all = form.sentences(&field, deep);
        all.extend(typing.error().map(|sentence| (Severity::Problem, sentence)));
        all
    };
    let line = |(severity, sentence): (Severity, String)| {
        view! {
            <p class="says" class:warning=severity == Severity::Warning>
                <Icon name="triangle-alert" size=14 />
                <span>{sentence}</span>
            </p>
        }
    };
    view! { <div class="says-all" aria-live="polite">{move || said().into_iter().map(line).collect_view()}</div> }
}

fn tone(form: Form, field: &str, typing: Typing) -> &'static str {
    let all = form.sentences(field, true);
    if typing.error().is_some() || all.iter().any(|(severity, _)| *severity == Severity::Problem) {
        "bad"
    } else if all.is_empty() {
        ""
    } else {
        "warned"
    }
}

/// The bare input, for rows; the label is read out only.
#[component]
pub fn Bare(
    form: Form,
    #[prop(into)] label: String,
    #[prop(into)] field: String,
    #[prop(default = Codec::Text)] codec: Codec,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional)] mono: bool,
    #[prop(optional, into)] list: String,
    #[prop(optional)] typing: Option<Typing>,
) -> impl IntoView {
    let typing = typing.unwrap_or_else(Typing::new);
    let place = StoredValue::new(field.clone());
    let shown = move || typing.shown(|| place.with_value(|field| codec.show(form.read(field).as_ref())));
    let class = move || {
        let tone = place.with_value(|field| tone(form, field, typing));
        format!("field {tone} {}", if mono { "mono" } else { "" })
    };
    view! {
        <input
            class=class
            data-field=field
            aria-label=label
            placeholder=placeholder
            list=list
            autocomplete="off"
            spellcheck="false"
            prop:value=shown
            on:focus=move |_| typing.focus(form)
            on:blur=move |_| typing.blur()
            on:input=move |event| place.with_value(|field| typing.typed(form, field, codec, event_target_value(&event)))
        />
    }
}

/// Label, input, sentences.
#[component]
pub fn Line(
    form: Form,
    label: &'static str,
    #[prop(into)] field: String,
    #[prop(default = Codec::Text)] codec: Codec,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] mono: bool,
    #[prop(optional, into)] list: String,
) -> impl IntoView {
    let typing = Typing::new();
    view! {
        <div class="form-field">
            <span class="form-label">{label}</span>
            <Bare form=form label=label field=field.clone() codec=codec placeholder=placeholder mono=mono list=list typing=typing />
            {(!hint.is_empty()).then(|| view! { <p class="hint form-hint">{hint}</p> })}
            <Says form=form field=field typing=typing deep=true />
        </div>
    }
}

/// A text of several lines.
#[component]
pub fn Area(
    form: Form,
    label: &'static str,
    #[prop(into)] field: String,
    #[prop(default = Codec::Text)] codec: Codec,
    #[prop(default = 4)] rows: u32,
    #[prop(optional)] prose: bool,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] hint: String,
) -> impl IntoView {
    let typing = Typing::new();
    let place = StoredValue::new(field.clone());
    let shown = move || typing.shown(|| place.with_value(|field| codec.show(form.read(field).as_ref())));
    view! {
        <div class="form-field">
            <span class="form-label">{label}</span>
            <textarea
                class="field"
                class:prose=prose
                data-field=field.clone()
                aria-label=label
                rows=rows
                placeholder=placeholder
                spellcheck=if prose { "true" } else { "false" }
                prop:value=shown
                on:focus=move |_| typing.focus(form)
                on:blur=move |_| typing.blur()
                on:input=move |event| place.with_value(|field| typing.typed(form, field, codec, event_target_value(&event)))
            ></textarea>
            {(!hint.is_empty()).then(|| view! { <p class="hint form-hint">{hint}</p> })}
            <Says form=form field=field typing=typing deep=true />
        </div>
    }
}

/// One of a few; each `(as in the document, for people)`.
#[component]
pub fn Choice(
    form: Form,
    label: &'static str,
    #[prop(into)] field: String,
    options: Vec<(&'static str, &'static str)>,
    #[prop(optional)] bare: bool,
) -> impl IntoView {
    let place = StoredValue::new(field.clone());
    let chosen = move || place.with_value(|field| form.read(field)).and_then(|value| value.as_str().map(str::to_owned));
    let first = options.first().map_or("", |option| option.0);
    let option = move |(value, title): (&'static str, &'static str)| {
        let selected = move || chosen().map_or(value == first, |chosen| chosen == value);
        view! { <option value=value prop:selected=selected>{title}</option> }
    };
    let choose = move |event| {
        let value = Some(Value::String(event_target_value(&event)));
        place.with_value(|field| form.set(field, value, None));
    };
    let select = view! {
        <select class="field" data-field=field aria-label=label on:change=choose>
            {options.into_iter().map(option).collect_view()}
        </select>
    };
    if bare {
        return select.into_any();
    }
    view! {
        <div class="form-field">
            <span class="form-label">{label}</span>
            {select}
        </div>
    }
    .into_any()
}

/// Yes or no; no is not written.
#[component]
pub fn Check(
    form: Form,
    label: &'static str,
    #[prop(into)] field: String,
    #[prop(optional, into)] hint: String,
) -> impl IntoView {
    let place = StoredValue::new(field.clone());
    let on = move || place.with_value(|field| form.read(field)) == Some(Value::Bool(true));
    let change = move |event| {
        let value = event_target_checked(&event).then_some(Value::Bool(true));
        place.with_value(|field| form.set(field, value, None));
    };
    view! {
        <div class="form-field">
            <label class="check">
                <input type="checkbox" data-field=field prop:checked=on on:change=change />
                {label}
            </label>
            {(!hint.is_empty()).then(|| view! { <p class="hint form-hint">{hint}</p> })}
        </div>
    }
}

/// A heading with what it counts and a button that adds.
#[component]
pub fn Head(
    label: &'static str,
    #[prop(optional, into)] note: MaybeProp<String>,
    #[prop(optional, into)] add: Option<Callback<()>>,
    #[prop(default = "Add")] word: &'static str,
) -> impl IntoView {
    view! {
        <div class="form-head">
            <span class="form-label">{label}</span>
            <span class="hint grow form-note">{move || note.get()}</span>
            {add.map(|add| {
                view! {
                    <button class="button quiet small" aria-label=format!("{word}: {label}") on:click=move |_| add.run(())>
                        <Icon name="plus" size=14 />
                        {word}
                    </button>
                }
            })}
        </div>
    }
}

/// Takes one entry out.
#[component]
pub fn Out(#[prop(into)] label: String, #[prop(into)] act: Callback<()>) -> impl IntoView {
    view! {
        <button class="button quiet icon-only small" aria-label=label.clone() title=label on:click=move |_| act.run(())>
            <Icon name="x" size=14 />
        </button>
    }
}
