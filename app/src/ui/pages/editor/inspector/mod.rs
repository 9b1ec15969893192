//! What are the settings of what is selected?

mod advance;
mod arrow;
mod codec;
mod env;
mod faces;
mod fields;
mod files;
mod form;
mod inherit;
mod kinds;
mod lists;
mod many;
pub mod paths;
mod volumes;
mod whole;

use leptos::prelude::*;
use model::{ArrowId, GroupId, KindName, NoteId, TaskId, run::Part, site::RunnerName};

use super::{desk::Desk, sizer::Sizer};
use crate::ui::{
    canvas::Command,
    kit::{Item, KindChip, Menu, Tab, Tabs},
    words,
};
use fields::Bare;
use form::{Form, Whose};

/// What the inspector is about.
#[derive(Clone, PartialEq)]
enum About {
    Pipeline,
    Task(TaskId),
    Arrow(ArrowId),
    Note(NoteId),
    Group(GroupId),
    Many(usize),
}

fn about(desk: Desk) -> About {
    desk.handle.selection().with(|selection| match selection.len() {
        0 => About::Pipeline,
        1 => {
            let task = selection.only_task().cloned().map(About::Task);
            let arrow = || selection.only_arrow().cloned().map(About::Arrow);
            let note = || selection.only_note().cloned().map(About::Note);
            let group = || selection.groups.first().cloned().map(About::Group);
            task.or_else(arrow).or_else(note).or_else(group).unwrap_or(About::Pipeline)
        }
        count => About::Many(count),
    })
}

#[component]
pub fn Inspector(desk: Desk) -> impl IntoView {
    let about = Memo::new(move |_| about(desk));
    let shown = move || desk.sheet.get() == Some("inspector");
    view! {
        <aside class="inspector" class:shown=shown aria-label="Inspector">
            <Sizer name="inspector" label="Width of the inspector" low=280.0 high=640.0 />
            {move || match about.get() {
                About::Pipeline => view! { <whole::PipelineForm desk=desk /> }.into_any(),
                About::Task(id) => view! { <TaskForm desk=desk id=id /> }.into_any(),
                About::Arrow(id) => view! { <arrow::ArrowForm desk=desk id=id /> }.into_any(),
                About::Note(id) => view! { <many::NoteForm desk=desk id=id /> }.into_any(),
                About::Group(id) => view! { <many::GroupForm desk=desk id=id /> }.into_any(),
                About::Many(count) => view! { <many::Many desk=desk count=count /> }.into_any(),
            }}
        </aside>
    }
}

#[component]
fn TaskForm(desk: Desk, id: TaskId) -> impl IntoView {
    let form = Form::new(desk, Whose::Task(id.clone()));
    let kind = desk.handle.with_pipeline_untracked(|pipeline| pipeline.tasks.get(&id).map(|task| task.kind.name()));
    kind.map(|kind| {
        view! {
            <header class="inspector-head">
                <KindChip kind=kind />
                <div class="grow">
                    <Bare form=form label="Name of the task" field="name" />
                    <p class="hint inspector-kind">{words::kind_sentence(kind)}</p>
                </div>
                <Menu label="More for this task" items=task_items(desk, &id) />
            </header>
            <Faces form=form kind=kind id=id />
        }
    })
}

fn task_items(desk: Desk, id: &TaskId) -> Signal<Vec<Item>> {
    let run = |part: Part| move || desk.wish.set(Some(part.clone()));
    Signal::stored(vec![
        Item::new("play", "Run from here", run(Part::FromHere { task: id.clone() })),
        Item::new("play", "Run only this", run(Part::OnlyThis { task: id.clone() })),
        Item::new("play", "Run up to here", run(Part::UpToHere { task: id.clone() })),
        Item::new("copy-plus", "Duplicate", move || desk.handle.act(Command::Duplicate)),
        Item::new("trash-2", "Delete", move || desk.handle.act(Command::Delete)).danger(),
    ])
}

#[component]
fn Faces(form: Form, kind: KindName, id: TaskId) -> impl IntoView {
    let desk = form.desk;
    let (mounts, copies) = (id.clone(), id.clone());
    let mut tabs = vec![Tab::new("settings", "Settings")];
    if kind != KindName::Volume {
        tabs.push(Tab::new("mounts", "Mounts").count(move || faces::mounts(desk, &mounts).len()));
    }
    if kind == KindName::Job {
        tabs.push(Tab::new("copies", "Copies").count(move || faces::copies(desk, &copies) as usize));
    }
    tabs.push(Tab::new("json", "JSON"));
    let is_on_a_cluster = desk.site.with_untracked(|site| site.runner == RunnerName::Kubernetes);
    if is_on_a_cluster && kind != KindName::Volume {
        tabs.push(Tab::new("yaml", "YAML"));
    }
    let keys: Vec<&str> = tabs.iter().map(|tab| tab.key).collect();
    let face = desk.face;
    let shown = move || Some(face.get()).filter(|face| keys.contains(face)).unwrap_or("settings");
    let shown = Memo::new(move |_| shown());
    view! {
        <Tabs label="Faces of the task" tabs=Signal::stored(tabs) active=face />
        <div class="inspector-body" role="tabpanel">
            {move || match shown.get() {
                "mounts" => view! { <faces::Mounts desk=desk id=id.clone() /> }.into_any(),
                "copies" => view! { <faces::Copies desk=desk id=id.clone() /> }.into_any(),
                "json" => view! { <faces::Json form=form /> }.into_any(),
                "yaml" => view! { <faces::Manifests desk=desk id=id.clone() /> }.into_any(),
                _ => view! { <kinds::KindForm form=form kind=kind /> }.into_any(),
            }}
        </div>
    }
}
