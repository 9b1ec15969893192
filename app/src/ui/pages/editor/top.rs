//! What stands above the canvas?

use leptos::{prelude::*, task::spawn_local};
use leptos_router::components::A;
use model::{Pipeline, PipelineId, Severity, run::Part};

use super::{desk::Desk, saver::Saving};
use crate::ui::{
    canvas::Command,
    files,
    kit::{Icon, Item, Menu},
    pages::export::ExportJson,
    routes,
    shell::{ThemeSwitch, TopBar},
    words,
};

#[component]
pub fn Top(desk: Desk) -> impl IntoView {
    let crumbs = view! {
        <nav class="crumbs" aria-label="Where you are">
            <A href="/" attr:class="crumb">"Pipelines"</A>
            <span class="hint">"/"</span>
            <Name desk=desk />
            <Saved desk=desk />
        </nav>
    };
    let tools = view! {
        <Steps desk=desk />
        <Problems desk=desk />
        <Menu label="More" items=items(desk) />
        <ThemeSwitch />
        <RunButton desk=desk />
    };
    view! { <TopBar crumbs=crumbs.into_any() tools=tools.into_any() /> }
}

fn items(desk: Desk) -> Signal<Vec<Item>> {
    // What goes out is what is saved.
    let saved = move |go: fn(Desk, &PipelineId)| {
        let id = desk.id();
        spawn_local(async move {
            match desk.saver.save(desk).await {
                Ok(_) => go(desk, &id),
                Err(error) => desk.toasts.fail(error),
            }
        });
    };
    Signal::stored(vec![
        Item::new("wand-sparkles", "Tidy up", move || desk.handle.act(Command::Layout)),
        Item::new("sticky-note", "Add a note", move || {
            let at = crate::ui::canvas::Point::new(0.0, -180.0);
            desk.handle.act(Command::AddNote { at, text: String::new() });
        }),
        Item::new("settings", "Pipeline and parameters", move || {
            desk.handle.select(Default::default());
            desk.sheet.set(Some("inspector"));
        }),
        Item::new("list", "Runs of this pipeline", move || desk.go.run(routes::runs_of(&desk.id()))),
        Item::new("file-json", "Export as JSON", move || {
            saved(|desk, _| {
                desk.exporting.try_set(true);
            });
        }),
        Item::new("archive", "Export as zip with work folders", move || {
            saved(|_, id| files::save_pipeline(id, "zip"));
        }),
    ])
}

#[component]
pub fn Export(desk: Desk) -> impl IntoView {
    let take = Callback::new(move |task| desk.taking.set(Some(task)));
    let live = |pipeline: &Pipeline| {
        let steps = pipeline.tasks.iter().filter(|(_, task)| task.kind.name().is_live_step());
        steps.map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    let takers = desk.handle.with_pipeline_untracked(live);
    view! { <ExportJson id=desk.id() take=take takers=takers on_close=move |()| desk.exporting.set(false) /> }
}

#[component]
fn Name(desk: Desk) -> impl IntoView {
    let name = Memo::new(move |_| desk.handle.with_pipeline(|pipeline| pipeline.settings.name.clone()));
    let typing = StoredValue::new(None::<u64>);
    let typed = move |event| {
        let value = Some(serde_json::Value::String(event_target_value(&event)));
        desk.handle.act(Command::SetPipelineField { field: "name".into(), value, typing: typing.get_value() });
    };
    view! {
        <input
            class="field crumb-name"
            aria-label="Name of the pipeline"
            title=name
            size=move || name.with(|name| name.chars().count().clamp(8, 36)).to_string()
            prop:value=name
            on:focus=move |_| typing.set_value(Some(desk.handle.new_focus()))
            on:input=typed
        />
    }
}

#[component]
fn Saved(desk: Desk) -> impl IntoView {
    let state = desk.saver.state;
    let words = move || match state.get() {
        Saving::Saved => ("Saved", "Everything is in the server.".to_owned()),
        Saving::Unsaved | Saving::Going => ("Saving…", "Kept in this browser, on its way to the server.".to_owned()),
        Saving::Kept { sentence } => ("Kept in this browser", sentence),
        Saving::Stale { .. } => {
            ("Changed in another place", "Both versions are kept; choose which one stays.".to_owned())
        }
    };
    let loud = move || matches!(state.get(), Saving::Kept { .. } | Saving::Stale { .. });
    view! {
        <span class="saved" class:loud=loud role="status" title=move || words().1>
            {move || words().0}
        </span>
    }
}

#[component]
fn Steps(desk: Desk) -> impl IntoView {
    let undo =
        move || desk.handle.undo_name().get().map_or("Nothing to undo".into(), |name| format!("Undo: {name} (Ctrl+Z)"));
    let redo = move || {
        desk.handle.redo_name().get().map_or("Nothing to redo".into(), |name| format!("Redo: {name} (Ctrl+Shift+Z)"))
    };
    view! {
        <button
            class="button quiet icon-only"
            aria-label="Undo"
            title=undo
            disabled=move || !desk.handle.can_undo().get()
            on:click=move |_| desk.handle.undo()
        >
            <Icon name="undo-2" />
        </button>
        <button
            class="button quiet icon-only"
            aria-label="Redo"
            title=redo
            disabled=move || !desk.handle.can_redo().get()
            on:click=move |_| desk.handle.redo()
        >
            <Icon name="redo-2" />
        </button>
    }
}

#[component]
fn Problems(desk: Desk) -> impl IntoView {
    let count =
        move |severity: Severity| desk.problems.with(|all| all.iter().filter(|one| one.severity == severity).count());
    let label = move || match (count(Severity::Problem), count(Severity::Warning)) {
        (0, 0) => "No problems".to_owned(),
        (0, warnings) => words::count(warnings, "warning", "warnings"),
        (problems, _) => words::count(problems, "problem", "problems"),
    };
    let open = move |_| {
        let shown = desk.dock_open.get_untracked() && desk.dock.get_untracked() == "problems";
        desk.dock.set("problems");
        desk.dock_open.set(!shown);
    };
    view! {
        <button class="button quiet problems" class:bad=move || count(Severity::Problem) != 0 on:click=open>
            {move || {
                let fine = desk.problems.with(|all| all.is_empty());
                view! { <Icon name=if fine { "circle-check" } else { "triangle-alert" } /> }
            }}
            <span class="problems-label">{label}</span>
        </button>
    }
}

#[component]
fn RunButton(desk: Desk) -> impl IntoView {
    let empty = move || desk.handle.with_pipeline(|pipeline| pipeline.tasks.is_empty());
    view! {
        <button
            class="button primary"
            aria-label="Run"
            disabled=empty
            title=move || if empty() { "Add a task first" } else { "Run the whole pipeline" }
            on:click=move |_| desk.wish.set(Some(Part::All))
        >
            <Icon name="play" />
            "Run"
        </button>
    }
}
