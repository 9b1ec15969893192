//! Which variables does a task see?

use std::collections::BTreeMap;

use leptos::prelude::*;
use model::{EnvValue, Gather, inherit::Field};
use serde_json::{Value, json};

use super::{
    codec::Codec,
    fields::{Bare, Head, Out, Says, Typing},
    form::Form,
    inherit::{Origin, effective, origin},
};
use crate::ui::kit::{Icon, rows};

fn shown(value: &EnvValue) -> String {
    match value {
        EnvValue::Value(text) => text.clone(),
        EnvValue::Secret(name) => format!("secret {name}"),
    }
}

#[component]
pub fn Environment(form: Form) -> impl IntoView {
    let all = Memo::new(move |_| {
        let read = |fields: &BTreeMap<String, Field<EnvValue>>| {
            fields.iter().map(|(name, field)| (name.clone(), origin(form, field, shown))).gather::<BTreeMap<_, _>>()
        };
        let mut all = effective(form, |all| read(&all.env)).unwrap_or_default();
        // Half-typed names, which are no variables yet, are shown all the same.
        if let Some(Value::Object(own)) = form.read("env") {
            for (name, value) in own {
                all.insert(name, if value.is_null() { Origin::Cleared } else { Origin::Own });
            }
        }
        all
    });
    let note = move || {
        all.with(|all| {
            let own = all.values().filter(|origin| **origin == Origin::Own).count();
            let inherited = all.values().filter(|origin| matches!(origin, Origin::Inherited { .. })).count();
            if all.is_empty() { String::new() } else { format!("{own} own, {inherited} inherited") }
        })
    };
    let row = move |(name, origin): (String, Origin)| match origin {
        Origin::Own => view! { <OwnRow form=form name=name /> }.into_any(),
        Origin::Inherited { .. } | Origin::Cleared | Origin::Default { .. } | Origin::Unset | Origin::Conflict => {
            view! { <OtherRow form=form name=name origin=origin /> }.into_any()
        }
    };
    view! {
        <section class="form-group" data-field="env">
            <Head label="Environment" note=Signal::derive(note) />
            {rows(move || all.get(), |(name, origin)| if let Origin::Own = origin { name.clone() } else { format!("{name} {origin:?}") }, row)}
            <NewVariable form=form />
            <datalist id="secrets">
                {move || form.desk.site.with(|site| site.secrets.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view())}
            </datalist>
        </section>
    }
}

#[component]
fn OwnRow(form: Form, name: String) -> impl IntoView {
    let place = format!("env.{name}");
    let (here, gone) = (place.clone(), place.clone());
    let secret = Memo::new(move |_| form.read(&format!("{here}.secret")).is_some());
    let (switched, label) = (place.clone(), name.clone());
    let switch = move |_| {
        let now = form.read(&switched).unwrap_or_default();
        let text = |key: &str| now.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        // A plain value is never carried over as a secret's name, nor the other way round.
        let value = if text("secret").is_empty() { json!({ "secret": label }) } else { json!({ "value": "" }) };
        form.set(&switched, Some(value), None);
    };
    let input = {
        let (place, name) = (place.clone(), name.clone());
        move || {
            let (key, list, placeholder) =
                if secret.get() { ("secret", "secrets", "name of a secret") } else { ("value", "", "empty") };
            let label = if secret.get() { format!("Secret of {name}") } else { format!("Value of {name}") };
            view! { <Bare form=form label=label field=format!("{place}.{key}") placeholder=placeholder mono=true list=list /> }
        }
    };
    let toggle = move || if secret.get() { "Use a plain value" } else { "Use a secret" };
    view! {
        <div class="pair" data-field=place.clone()>
            <code class="pair-name" title=name.clone()>{name.clone()}</code>
            {input}
            <button class="button quiet icon-only small" class:on=move || secret.get() aria-label=toggle title=toggle on:click=switch>
                <Icon name="key-round" size=14 />
            </button>
            <Out label=format!("Remove {name}") act=move |()| form.remove(&gone) />
        </div>
        <Says form=form field=place typing=Typing::new() deep=true />
    }
}

#[component]
fn OtherRow(form: Form, name: String, origin: Origin) -> impl IntoView {
    let place = format!("env.{name}");
    let (value, from, cleared) = match origin {
        Origin::Inherited { value, from } => (value, format!("from {from}"), false),
        Origin::Cleared => ("none".into(), "cleared here".into(), true),
        Origin::Own | Origin::Default { .. } | Origin::Unset | Origin::Conflict => {
            ("?".into(), "unequal upstreams".into(), false)
        }
    };
    let (own, clear, text) = (place.clone(), place.clone(), value.clone());
    let take = move |_| {
        let value = match text.strip_prefix("secret ") {
            Some(secret) => json!({ "secret": secret }),
            None => json!({ "value": text }),
        };
        form.set(&own, Some(value), None);
    };
    let drop_it = move |_| match cleared {
        true => form.remove(&clear),
        false => form.set(&clear, Some(Value::Null), None),
    };
    view! {
        <div class="pair inherited" data-field=place.clone()>
            <code class="pair-name" title=name.clone()>{name.clone()}</code>
            <code class="pair-value ellipsis" title=value.clone()>{value.clone()}</code>
        </div>
        <p class="hint form-hint">
            {from} " · "
            {(!cleared).then(|| view! { <button class="link" on:click=take>"override"</button> " · " })}
            <button class="link" on:click=drop_it>{if cleared { "inherit" } else { "clear" }}</button>
        </p>
        <Says form=form field=place typing=Typing::new() deep=true />
    }
}

#[component]
fn NewVariable(form: Form) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let add = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if wanted.is_empty() || wanted.contains('.') {
            return;
        }
        form.set(&format!("env.{wanted}"), Some(json!({ "value": "" })), None);
        name.set(String::new());
        super::super::desk::focus_field(format!("env.{wanted}.value"));
    };
    view! {
        <form class="row tight" on:submit=add>
            <input
                class="field mono grow"
                aria-label="New variable"
                placeholder="NAME"
                spellcheck="false"
                autocomplete="off"
                prop:value=name
                on:input=move |event| name.set(event_target_value(&event))
            />
            <button class="button" disabled=move || name.with(|name| name.trim().is_empty())>
                "Add variable"
            </button>
        </form>
    }
}

/// For rows elsewhere that hold a name and a list of values.
pub const VALUES: Codec = Codec::List;
