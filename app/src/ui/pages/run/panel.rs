//! What does a person see of one task of a run?

use leptos::prelude::*;
use model::{
    ExecutionId, Pipeline, TaskId,
    kind::KindName,
    run::{ExecutionView, Progress, TaskStatus, TaskView},
};

use super::{
    actions::{Outcome, RunFromHere, TaskActions},
    log::Log,
    state::LiveRun,
};
use crate::{
    api::site::get_site,
    ui::{
        kit::{Asked, Copyable, KindChip, Tab, Tabs, TaskPill},
        pages::services,
        words,
    },
};

const LOG: &str = "log";
const TRIES: &str = "tries";
const MOUNTS: &str = "mounts";

#[component]
pub fn TaskPanel(live: LiveRun, snapshot: StoredValue<Pipeline>, task: TaskId) -> impl IntoView {
    let view = live.task(task.clone());
    let outcome = Outcome::new(None);
    let drawn = snapshot.with_value(|pipeline| pipeline.tasks.get(&task).cloned());
    let (name, kind) = drawn.map_or((String::new(), KindName::Job), |task| (task.name.clone(), task.kind.name()));
    let is_over = Memo::new(move |_| live.summary.with(|summary| summary.status.has_ended()));
    let (id, from_here) = (task.clone(), task.clone());
    let (label, shell_name) = (format!("Task {name}"), name.clone());
    view! {
        <section class="panel" aria-label=label>
            <header class="panel-head">
                <KindChip kind/>
                <div class="grow">
                    <h2 title=name.clone()>{name.clone()}</h2>
                    <p class="hint">{kind.title()}</p>
                </div>
                {move || view.get().map(|view| view! { <TaskPill status=view.status/> })}
            </header>
            <Show when=move || view.with(Option::is_some)>
                <Sentence view/>
            </Show>
            <TaskActions live task=id view outcome/>
            <p class="problem" role="alert" class:none=move || outcome.with(Option::is_none)>{move || outcome.get()}</p>
            <Show when=move || kind == KindName::Container && view.with(is_live)>
                <ShellLine name=shell_name.clone()/>
            </Show>
            {(kind == KindName::Serving).then(|| view! { <ServingAddress live task=task.clone()/> })}
            <Show when=move || is_over.get() && kind != KindName::Volume>
                <RunFromHere live task=from_here.clone() outcome/>
            </Show>
            {match kind {
                KindName::Volume => view! { <p class="hint">"A shared folder: tasks mount it, it does not run itself."</p> }.into_any(),
                _ => view! { <Details live snapshot task view/> }.into_any(),
            }}
        </section>
    }
}

fn is_live(view: &Option<TaskView>) -> bool {
    view.as_ref().is_some_and(|view| matches!(view.status, TaskStatus::Running | TaskStatus::WaitingForYou))
}

/// The first thing: what is, and what to do.
#[component]
fn Sentence(view: Memo<Option<TaskView>>) -> impl IntoView {
    let status = move || view.with(|view| view.as_ref().map(|view| view.status));
    view! {
        <div
            class="sentence"
            class:waits=move || status() == Some(TaskStatus::WaitingForYou)
            class:failed=move || status() == Some(TaskStatus::Failed)
        >
            <p>{move || view.get().map(|view| view.sentence)}</p>
            {move || view.get().and_then(|view| view.progress).map(|progress| view! { <ProgressBar progress/> })}
        </div>
    }
}

#[component]
fn ProgressBar(progress: Progress) -> impl IntoView {
    let Progress { bytes, total, bytes_per_second, seconds_left, phase } = progress;
    let of = total.map(|total| format!(" of {}", words::size(total))).unwrap_or_default();
    let left = seconds_left.map(|left| format!(" · {} left", words::duration(left * 1000))).unwrap_or_default();
    let line = format!("{}{of} · {}/s{left}", words::size(bytes), words::size(bytes_per_second));
    view! {
        <div class="progress">
            <progress aria-label=phase.clone() value=bytes max=total.unwrap_or(bytes.max(1))></progress>
            <p class="hint" title=phase.clone()>{phase.clone()}</p>
            <p class="hint">{line}</p>
        </div>
    }
}

/// The command that opens a shell inside, to copy.
#[component]
fn ShellLine(name: String) -> impl IntoView {
    let quoted = if name.contains(|c: char| !c.is_ascii_alphanumeric()) {
        format!("'{}'", name.replace('\'', "'\\''"))
    } else {
        name
    };
    view! {
        <Copyable text=format!("fletchline exec {quoted}") label="Copy the command" />
        <p class="hint">"Opens a shell inside the running task, on the server's machine."</p>
    }
}

/// Where programs find this run's version.
#[component]
fn ServingAddress(live: LiveRun, task: TaskId) -> impl IntoView {
    let services = services::follow();
    let run = live.summary.with_untracked(|summary| summary.id.clone());
    let own = Memo::new(move |_| {
        let all = services.get()?.ok()?;
        all.into_iter().find(|service| service.run == run && service.execution.task == task)
    });
    move || own.get().map(|service| view! { <services::Address service=service /> })
}

#[component]
fn Details(
    live: LiveRun,
    snapshot: StoredValue<Pipeline>,
    task: TaskId,
    view: Memo<Option<TaskView>>,
) -> impl IntoView {
    let tab = RwSignal::new(LOG);
    let pipeline = live.summary.with_untracked(|summary| summary.pipeline.clone());
    let chosen = RwSignal::new(None::<u64>);
    let newest = Memo::new(move |_| view.get().and_then(|view| view.executions.last().map(|execution| execution.n)));
    let shown = Memo::new(move |_| chosen.get().or(newest.get()));
    let (id, mounts_of) = (task.clone(), task);
    let count = move || view.with(|view| view.as_ref().map_or(0, |view| view.executions.len()));
    let tries = Tab::new(TRIES, "Executions").count(count);
    let tabs = vec![Tab::new(LOG, "Log"), tries, Tab::new(MOUNTS, "Mounts")];
    view! {
        <Tabs label="About the task" tabs=Signal::stored(tabs) active=tab />
        <div class="panel-body" role="tabpanel">
            {move || match tab.get() {
                TRIES => view! { <Executions view chosen tab/> }.into_any(),
                MOUNTS => view! { <Mounts snapshot task=mounts_of.clone()/> }.into_any(),
                _ => match shown.get() {
                    Some(n) => {
                        let execution = ExecutionId { pipeline: pipeline.clone(), task: id.clone(), n };
                        view! { <Log execution/> }.into_any()
                    }
                    None => view! { <p class="hint">"There is no log before the task starts."</p> }.into_any(),
                },
            }}
        </div>
    }
}

/// Copies and tries; a click shows that one's log.
#[component]
fn Executions(
    view: Memo<Option<TaskView>>,
    chosen: RwSignal<Option<u64>>,
    tab: RwSignal<&'static str>,
) -> impl IntoView {
    let list = move || view.get().map(|view| view.executions).unwrap_or_default();
    let show = move |n| {
        chosen.set(Some(n));
        tab.set(LOG);
    };
    view! {
        <ul class="executions">
            {move || {
                list().into_iter()
                    .map(|one| {
                        let n = one.n;
                        view! {
                            <li>
                                <button on:click=move |_| show(n)>
                                    <span>{title(&one)}</span>
                                    <TaskPill status=one.status/>
                                    <span class="hint">{one.sentence.clone()}</span>
                                </button>
                            </li>
                        }
                    })
                    .collect_view()
            }}
        </ul>
        <Show when=move || list().is_empty()>
            <p class="hint">"It has not started yet."</p>
        </Show>
    }
}

fn title(execution: &ExecutionView) -> String {
    let values: Vec<String> = execution.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let copy = execution.copy.map(|copy| format!("copy {copy} ")).unwrap_or_default();
    let attempt = if execution.attempt > 1 { format!(" · try {}", execution.attempt) } else { String::new() };
    format!("{copy}{} · n {}{attempt}", values.join(" "), execution.n).trim_start_matches([' ', '·']).to_owned()
}

/// The request form, with "n" where a number is not decided before a run.
#[component]
fn Mounts(snapshot: StoredValue<Pipeline>, task: TaskId) -> impl IntoView {
    let site = Asked::new(get_site);
    move || {
        site.get().map(|answer| match answer {
            Ok(site) => {
                let mounts = snapshot.with_value(|pipeline| model::mounts::plan(pipeline, &site, &task));
                let text = serde_json::to_string_pretty(&mounts).unwrap_or_default();
                view! { <pre class="json">{text}</pre> }.into_any()
            }
            Err(error) => view! { <p class="problem" role="alert">{error.to_string()}</p> }.into_any(),
        })
    }
}
