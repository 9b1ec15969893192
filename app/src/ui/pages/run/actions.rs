//! What can a person do with a task of a run?

use leptos::{prelude::*, task::spawn_local};
use model::{
    ExecutionId, RunId, TaskId,
    run::{Deed, OpenPort, Part, TaskView},
};

use super::state::LiveRun;
use crate::{
    api::{
        pipelines::open_pipeline,
        runs::{NewRun, do_deed, start_run},
    },
    error::ApiError,
    ui::{kit::Icon, opening::Opener},
};

/// What the last try answered, shown until the next.
pub type Outcome = RwSignal<Option<String>>;

fn wording(deed: Deed) -> (&'static str, &'static str) {
    match deed {
        Deed::Advance => ("skip-forward", "Advance"),
        Deed::StartAgain => ("rotate-ccw", "Start again"),
        Deed::FailIt => ("x", "Fail it"),
        Deed::Retry => ("rotate-ccw", "Retry what failed"),
        Deed::Pause => ("pause", "Pause"),
        Deed::Resume => ("play", "Resume"),
        Deed::MakeLive => ("radio", "Make live"),
        Deed::Stop => ("square", "Stop"),
    }
}

/// The buttons of a task, Open first; the first one is the screen's primary button.
#[component]
pub fn TaskActions(live: LiveRun, task: TaskId, view: Memo<Option<TaskView>>, outcome: Outcome) -> impl IntoView {
    let open = Memo::new(move |_| view.get().map(|view| view.open).unwrap_or_default());
    let deeds = Memo::new(move |_| view.get().map(|view| view.may).unwrap_or_default());
    let run = move || live.summary.with_untracked(|summary| (summary.id.clone(), summary.pipeline.clone()));
    let id = StoredValue::new(task);
    view! {
        <div class="run-actions" class:none=move || open.with(Vec::is_empty) && deeds.with(Vec::is_empty)>
            {move || {
                open.get()
                    .into_iter()
                    .enumerate()
                    .map(|(index, port)| {
                        let execution =
                            ExecutionId { pipeline: run().1, task: id.get_value(), n: port.n };
                        view! { <OpenButton port execution outcome is_primary=index == 0/> }
                    })
                    .collect_view()
            }}
            {move || {
                let nothing_to_open = open.with(Vec::is_empty);
                deeds
                    .get()
                    .into_iter()
                    .enumerate()
                    .map(|(index, deed)| {
                        let is_primary = nothing_to_open && index == 0;
                        view! { <DeedButton run=run().0 task=id.get_value() deed outcome is_primary/> }
                    })
                    .collect_view()
            }}
        </div>
    }
}

#[component]
fn OpenButton(port: OpenPort, execution: ExecutionId, outcome: Outcome, is_primary: bool) -> impl IntoView {
    let label = port.label.clone();
    let opener = Opener::here();
    let clicked = move |_| {
        outcome.set(None);
        opener.open(execution.clone(), port.port, move |why| drop(outcome.try_set(Some(why))));
    };
    view! {
        <button class="button" class:primary=is_primary on:click=clicked>
            <Icon name="external-link"/>
            {label}
        </button>
    }
}

#[component]
fn DeedButton(run: RunId, task: TaskId, deed: Deed, outcome: Outcome, is_primary: bool) -> impl IntoView {
    let (icon, word) = wording(deed);
    let busy = RwSignal::new(false);
    let asked = RwSignal::new(false);
    let act = move |anyway: bool| {
        let (run, task) = (run.clone(), task.clone());
        busy.set(true);
        outcome.set(None);
        spawn_local(async move {
            let answer = do_deed(run, task, deed, anyway).await;
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    asked.try_set(false);
                }
                Err(error) => {
                    // A busy kernel is a question, not a failure.
                    asked.try_set(deed == Deed::Advance && matches!(error, ApiError::Conflict { .. }));
                    outcome.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <button
            class="button"
            class:primary=is_primary
            class:danger=matches!(deed, Deed::FailIt | Deed::Stop)
            disabled=move || busy.get()
            on:click=move |_| act(asked.get_untracked())
        >
            <Icon name=icon/>
            {move || if asked.get() { "Advance anyway" } else { word }}
        </button>
    }
}

/// A new run with today's document, from, up to or of this task alone.
#[component]
pub fn RunFromHere(live: LiveRun, task: TaskId, outcome: Outcome) -> impl IntoView {
    let parts = [
        ("Run from here", Part::FromHere { task: task.clone() }),
        ("Run only this", Part::OnlyThis { task: task.clone() }),
        ("Run up to here", Part::UpToHere { task }),
    ];
    view! {
        <details class="menu">
            <summary class="button small">
                "New run"
                <Icon name="chevron-down"/>
            </summary>
            <div class="menu-items" role="menu">
                {parts
                    .into_iter()
                    .map(|(label, part)| {
                        view! {
                            <button role="menuitem" on:click=move |_| start(live, part.clone(), outcome)>{label}</button>
                        }
                    })
                    .collect_view()}
            </div>
        </details>
    }
}

/// What is not run is read from the run on this page, with its parameters.
pub fn start(live: LiveRun, part: Part, outcome: Outcome) {
    let summary = live.summary.get_untracked();
    let reading = (part != Part::All).then(|| summary.id.clone());
    let parameters = live.parameters.get_value();
    outcome.set(None);
    spawn_local(async move {
        let started = async {
            let revision = open_pipeline(summary.pipeline.clone()).await?.revision;
            let download_again = Default::default();
            let new = NewRun { pipeline: summary.pipeline, revision, part, parameters, download_again, reading };
            start_run(new).await
        };
        match started.await {
            Ok(run) => drop(window().location().set_href(&format!("/runs/{run}"))),
            Err(ApiError::Problems { problems }) => {
                let sentences: Vec<String> = problems.into_iter().map(|problem| problem.sentence).collect();
                outcome.try_set(Some(sentences.join(" ")));
            }
            Err(error) => {
                outcome.try_set(Some(error.to_string()));
            }
        }
    });
}
