//! What does an arrow carry, and where to?

use leptos::prelude::*;
use model::{ArrowId, KindName};
use serde_json::json;

use super::{
    super::desk::Desk,
    fields::{Choice, Line},
    form::{Form, Whose},
    paths,
    volumes::ACCESS,
};
use crate::ui::{canvas::Command, kit::Icon};

#[component]
pub fn ArrowForm(desk: Desk, id: ArrowId) -> impl IntoView {
    let form = Form::new(desk, Whose::Arrow(id.clone()));
    let ends = {
        let id = id.clone();
        Memo::new(move |_| desk.handle.arrow(&id).map(|arrow| (arrow.from_task.clone(), arrow.to_task.clone())))
    };
    let title = move || ends.get().map(|(from, to)| format!("{} → {}", desk.title(&from), desk.title(&to)));
    let lists = move || {
        let (from, to) = ends.get()?;
        Some(desk.handle.with_pipeline(|pipeline| paths::guess(pipeline, &from, &to)))
    };
    let options =
        |list: Vec<String>| list.into_iter().map(|path| view! { <option value=path></option> }).collect_view();
    let from_volume = move || {
        let task = ends.get().and_then(|(from, _)| desk.handle.task(&from));
        task.is_some_and(|task| task.kind.name() == KindName::Volume) || form.read("acl") == Some(json!("RW"))
    };
    view! {
        <header class="inspector-head">
            <Icon name="arrow-right" />
            <div class="grow">
                <h2 class="ellipsis">{title}</h2>
                <p class="hint">"Arrow: data and order"</p>
            </div>
        </header>
        <div class="inspector-body">
            <Line form=form label="From Path" field="from_path" mono=true list="arrow-from" hint="A folder of the upstream. Both empty: order alone." />
            <Line form=form label="To Path" field="to_path" mono=true list="arrow-to" hint="Where the downstream finds it." />
            <datalist id="arrow-from">{move || lists().map(|lists| options(lists.from_paths))}</datalist>
            <datalist id="arrow-to">{move || lists().map(|lists| options(lists.to_paths))}</datalist>
            {move || from_volume().then(|| view! { <Choice form=form label="Access" field="acl" options=ACCESS.to_vec() /> })}
            <super::fields::Says form=form field="" typing=super::fields::Typing::new() />
            <button
                class="button danger"
                on:click=move |_| desk.handle.act(Command::RemoveArrow { arrow: id.clone() })
            >
                <Icon name="trash-2" />
                "Delete arrow"
            </button>
        </div>
    }
}
