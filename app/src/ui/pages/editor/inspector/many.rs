//! What can be done with several things at once, and with a note or a group?

use leptos::prelude::*;
use model::{GroupId, NoteId};

use super::super::desk::Desk;
use crate::ui::{
    canvas::{Axis, Command, Edge},
    kit::Icon,
};

#[component]
pub fn Many(desk: Desk, count: usize) -> impl IntoView {
    let act = move |label: &'static str, icon: &'static str, command: fn() -> Command| {
        view! {
            <button class="button" on:click=move |_| desk.handle.act(command())>
                <Icon name=icon />
                {label}
            </button>
        }
    };
    view! {
        <header class="inspector-head">
            <Icon name="layers" />
            <div class="grow">
                <h2>{format!("{count} things are selected")}</h2>
            </div>
        </header>
        <div class="inspector-body buttons">
            {act("Align left", "panel-left", || Command::Align(Edge::Left))}
            {act("Align top", "maximize", || Command::Align(Edge::Top))}
            {act("Distribute across", "minus", || Command::Distribute(Axis::Horizontal))}
            {act("Distribute down", "list", || Command::Distribute(Axis::Vertical))}
            {act("Tidy up", "wand-sparkles", || Command::Layout)}
            {act("Group", "layers", || Command::Group { name: "Group".into() })}
            {act("Duplicate", "copy-plus", || Command::Duplicate)}
            {act("Delete", "trash-2", || Command::Delete)}
        </div>
    }
}

#[component]
pub fn NoteForm(desk: Desk, id: NoteId) -> impl IntoView {
    let typing = StoredValue::new(None::<u64>);
    let (read, write) = (id.clone(), id);
    let text = move || {
        desk.handle
            .with_pipeline(|pipeline| pipeline.notes.get(&read).map(|note| note.text.clone()))
            .unwrap_or_default()
    };
    let typed = move |event| {
        let text = event_target_value(&event);
        desk.handle.act(Command::SetNote { note: write.clone(), text, typing: typing.get_value() });
    };
    view! {
        <header class="inspector-head">
            <Icon name="sticky-note" />
            <div class="grow">
                <h2>"Note"</h2>
            </div>
        </header>
        <div class="inspector-body">
            <textarea
                class="field prose"
                data-field="text"
                aria-label="Text of the note"
                rows=10
                prop:value=text
                on:focus=move |_| typing.set_value(Some(desk.handle.new_focus()))
                on:input=typed
            ></textarea>
        </div>
    }
}

#[component]
pub fn GroupForm(desk: Desk, id: GroupId) -> impl IntoView {
    let whose = id.clone();
    let name = move || {
        desk.handle
            .with_pipeline(|pipeline| pipeline.groups.get(&whose).map(|group| group.name.clone()))
            .unwrap_or_default()
    };
    let rename =
        move |event| desk.handle.act(Command::RenameGroup { group: id.clone(), name: event_target_value(&event) });
    view! {
        <header class="inspector-head">
            <Icon name="layers" />
            <div class="grow">
                <h2>"Group"</h2>
            </div>
        </header>
        <div class="inspector-body">
            <label class="labelled">
                "Name"
                <input class="field" prop:value=name on:change=rename />
            </label>
            <button class="button" on:click=move |_| desk.handle.act(Command::Ungroup)>
                "Ungroup"
            </button>
        </div>
    }
}
