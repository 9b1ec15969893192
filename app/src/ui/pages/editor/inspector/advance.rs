//! When does a live step let the run go on?

use leptos::prelude::*;
use serde_json::{Value, json};

use super::{
    codec::Codec,
    fields::{Line, Says, Typing},
    form::Form,
};

const RULES: [(&str, &str); 5] = [
    ("hand", "By hand: I press Advance"),
    ("exit", "When it ends with exit code 0"),
    ("file", "When a file exists"),
    ("time", "After a time"),
    ("port", "When a port answers"),
];

#[component]
pub fn AdvanceRule(form: Form) -> impl IntoView {
    let rule = Memo::new(move |_| {
        form.read("advance.by").and_then(|by| by.as_str().map(str::to_owned)).unwrap_or_else(|| "hand".into())
    });
    let choose = move |event| {
        let value = match event_target_value(&event).as_str() {
            "file" => json!({ "by": "file", "path": "/out/done" }),
            "time" => json!({ "by": "time", "seconds": 600 }),
            "port" => json!({ "by": "port", "port": first_port(form) }),
            by => json!({ "by": by }),
        };
        form.set("advance", Some(value), None);
    };
    let option = move |(value, title): (&'static str, &'static str)| {
        view! { <option value=value prop:selected=move || rule.get() == value>{title}</option> }
    };
    view! {
        <div class="form-field" data-field="advance">
            <span class="form-label">"Advance"</span>
            <select class="field" aria-label="Advance" on:change=choose>
                {RULES.into_iter().map(option).collect_view()}
            </select>
            <Says form=form field="advance" typing=Typing::new() />
        </div>
        {move || match rule.get().as_str() {
            "file" => Some(view! { <Line form=form label="File" field="advance.path" mono=true /> }.into_any()),
            "time" => {
                Some(view! { <Line form=form label="Time" field="advance.seconds" codec=Codec::Seconds /> }.into_any())
            }
            "port" => Some(view! { <Line form=form label="Port" field="advance.port" codec=Codec::Count /> }.into_any()),
            _ => None,
        }}
        <StayOpen form=form />
    }
}

fn first_port(form: Form) -> Value {
    form.read("ports.0.port").unwrap_or(json!(8000))
}

/// Absent: only with the rule "a port answers".
#[component]
fn StayOpen(form: Form) -> impl IntoView {
    let on = move || match form.read("stay_open") {
        Some(Value::Bool(choice)) => choice,
        _ => form.read("advance.by") == Some(json!("port")),
    };
    let change = move |event| form.set("stay_open", Some(Value::Bool(event_target_checked(&event))), None);
    view! {
        <div class="form-field">
            <label class="check">
                <input type="checkbox" data-field="stay_open" prop:checked=on on:change=change />
                "Stay open until the run ends"
            </label>
            <Says form=form field="stay_open" typing=Typing::new() />
        </div>
    }
}
