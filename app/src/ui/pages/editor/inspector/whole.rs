//! What belongs to the pipeline as a whole?

use leptos::prelude::*;
use serde_json::json;

use super::{
    super::desk::Desk,
    fields::{Area, Bare, Choice, Head, Line, Out, Says, Typing},
    form::{Form, Whose},
};
use crate::ui::kit::{Icon, rows};

const TYPES: [(&str, &str); 4] =
    [("text", "Text"), ("integer", "Integer"), ("number", "Number"), ("boolean", "Yes or no")];

#[component]
pub fn PipelineForm(desk: Desk) -> impl IntoView {
    let form = Form::new(desk, Whose::Pipeline);
    view! {
        <header class="inspector-head">
            <Icon name="waypoints" />
            <div class="grow">
                <h2>"Pipeline"</h2>
                <p class="hint">"Select a task or an arrow to see its settings"</p>
            </div>
        </header>
        <div class="inspector-body">
            <Line form=form label="Name" field="name" />
            <Area form=form label="Description" field="description" rows=3 prose=true />
            <Parameters form=form />
        </div>
    }
}

#[component]
fn Parameters(form: Form) -> impl IntoView {
    let count = Memo::new(move |_| form.len("parameters"));
    let add = move |()| {
        let name = format!("parameter{}", count.get_untracked() + 1);
        form.push("parameters", json!({ "name": name, "type": "text", "default": "" }));
    };
    view! {
        <section class="form-group" data-field="parameters">
            <Head label="Parameters" add=add word="Add parameter" />
            <p class="hint form-hint">"Run asks for them. Write {{name}} in commands and values; scripts read FLETCHLINE_PARAM_NAME."</p>
            {rows(move || 0..count.get(), |at| *at, move |at| view! { <One form=form at=at /> })}
        </section>
    }
}

#[component]
fn One(form: Form, at: usize) -> impl IntoView {
    let place = format!("parameters.{at}");
    let gone = place.clone();
    view! {
        <div class="entry">
            <div class="row tight nowrap">
                <Bare form=form label="Parameter's name" field=format!("{place}.name") mono=true />
                <Choice form=form label="Type" field=format!("{place}.type") options=TYPES.to_vec() bare=true />
                <Out label="Remove parameter" act=move |()| form.remove(&gone) />
            </div>
            <Bare form=form label="Default" field=format!("{place}.default") placeholder="default" mono=true />
            <Bare form=form label="What it is for" field=format!("{place}.description") placeholder="what it is for" />
            <Says form=form field=place typing=Typing::new() deep=true />
        </div>
    }
}
