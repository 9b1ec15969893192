//! What does a person see of a run?

mod actions;
mod events;
mod log;
mod panel;
mod state;
mod timeline;

use std::{collections::BTreeMap, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::{use_navigate, use_params_map};
use model::{
    Gather, Pipeline, RunId, TaskId, document,
    run::{Part, RunStatus, RunSummary, TaskStatus, TaskView},
};

use self::{events::Events, panel::TaskPanel, state::LiveRun, timeline::Timeline};
use crate::ui::{
    canvas::{Canvas, CardStatus, EditorHandle, Mode, Selection},
    kit::{Asked, Failed, Icon, Loading, RunPill, Tab, Tabs},
    pages::runs::{DroppedMark, PinMark, RemoveRun, RunMenu},
    shell::TopBar,
    words,
};
use crate::{
    api::runs::{RunPage as Page, cancel_run, open_run},
    error::ApiError,
};

#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let page = Asked::new(move || {
        let run = params.with(|params| params.get("id").unwrap_or_default());
        async move {
            let missing = ApiError::NotFound { sentence: format!("There is no run \"{run}\".") };
            let run = RunId::new(run).map_err(|_| missing)?;
            let page = open_run(run).await?;
            let sentence = |error: document::ReadError| ApiError::Internal { sentence: error.to_string() };
            let pipeline = document::read(&page.snapshot).map_err(sentence)?.pipeline;
            Ok::<_, ApiError>((page, pipeline))
        }
    });
    move || match page.get() {
        None => apart(view! { <Loading lines=6/> }.into_any()),
        Some(Err(error)) => apart(view! { <Failed error again=move |()| page.refetch()/> }.into_any()),
        Some(Ok((page, pipeline))) => view! { <Run page pipeline/> }.into_any(),
    }
}

/// Where there is no run to show.
fn apart(inside: AnyView) -> AnyView {
    view! {
        <TopBar/>
        <main class="page"><div class="panel">{inside}</div></main>
    }
    .into_any()
}

#[component]
fn Run(page: Page, pipeline: Pipeline) -> impl IntoView {
    let live = LiveRun::follow(&page);
    let snapshot = StoredValue::new(pipeline.clone());
    let handle = EditorHandle::new(pipeline, Mode::Run);
    let now = ticking(live);
    Effect::new(move |_| handle.set_statuses(&live.tasks.with(|tasks| cards(tasks, now.get()))));
    Effect::new(move |_| select_what_waits(live, handle));
    let chosen = Memo::new(move |_| handle.selection().with(only_task));
    view! {
        <div class="run-page">
            <Bar live changed_since=page.changed_since now/>
            <div class="run-canvas"><Canvas handle/></div>
            <aside class="run-panel" aria-label="Chosen task">
                {move || match chosen.get() {
                    Some(task) => view! { <TaskPanel live snapshot task/> }.into_any(),
                    None => view! { <Overview live/> }.into_any(),
                }}
            </aside>
            <Dock live snapshot now/>
        </div>
    }
}

/// Who has chosen nothing finds what waits for them chosen, or what failed, when they come and as soon as it does.
fn select_what_waits(live: LiveRun, handle: EditorHandle) {
    let first = live.tasks.with(|tasks| {
        let of = |status: TaskStatus| tasks.iter().find(|(_, view)| view.status == status).map(|(id, _)| id.clone());
        of(TaskStatus::WaitingForYou).or_else(|| of(TaskStatus::Failed))
    });
    if let Some(task) = first.filter(|_| handle.selection().with_untracked(Selection::is_empty)) {
        handle.select(Selection::task(task));
    }
}

fn only_task(selection: &Selection) -> Option<TaskId> {
    let mut tasks = selection.tasks.iter();
    tasks.next().filter(|_| tasks.next().is_none()).cloned()
}

/// Now, each second while the run goes on.
fn ticking(live: LiveRun) -> Signal<u64> {
    let now = RwSignal::new(words::now());
    let tick = move || {
        let is_over = live.summary.try_with_untracked(|summary| summary.status.has_ended());
        if is_over == Some(false) {
            now.try_set(words::now());
        }
    };
    if let Ok(timer) = set_interval_with_handle(tick, Duration::from_secs(1)) {
        on_cleanup(move || timer.clear());
    }
    now.into()
}

/// What the cards say: "Done · 4 s".
fn cards(tasks: &BTreeMap<TaskId, TaskView>, now: u64) -> BTreeMap<TaskId, CardStatus> {
    tasks
        .iter()
        .map(|(id, view)| {
            let (_, _, word) = words::task_look(view.status);
            let sentence = match (view.status, view.started) {
                (TaskStatus::Waiting | TaskStatus::Skipped | TaskStatus::Starting, _) => short(&view.sentence),
                (_, Some(started)) => {
                    format!("{word} · {}", words::duration(view.ended.unwrap_or(now).saturating_sub(started)))
                }
                (_, None) => word.to_owned(),
            };
            (id.clone(), CardStatus { status: view.status, words: sentence })
        })
        .gather()
}

/// A card has room for what; the panel says because of whom.
fn short(sentence: &str) -> String {
    sentence.split(", ").next().unwrap_or_default().to_owned()
}

#[component]
fn Bar(live: LiveRun, changed_since: bool, now: Signal<u64>) -> impl IntoView {
    let summary = live.summary;
    let status = Memo::new(move |_| summary.with(|summary| summary.status));
    let outcome = RwSignal::new(None::<String>);
    let cancel = move |_| {
        let run = summary.with_untracked(|summary| summary.id.clone());
        spawn_local(async move {
            let answer = cancel_run(run).await;
            outcome.try_set(answer.err().map(|error| error.to_string()));
        });
    };
    let lasted =
        move || summary.with(|one| words::duration(one.ended.unwrap_or_else(|| now.get()).saturating_sub(one.started)));
    let editor = move || summary.with(|summary| format!("/pipelines/{}", summary.pipeline));
    let crumbs = view! {
        <nav class="crumbs" aria-label="Place">
            <a class="crumb" href=editor>{move || summary.with(|summary| summary.pipeline_name.clone())}</a>
            <span aria-hidden="true">"/"</span>
            <h1>{move || summary.with(|summary| format!("Run {}", summary.number))}</h1>
        </nav>
        {move || view! { <RunPill status=status.get()/> }}
        <span class="hint" title=move || summary.with(|summary| words::exact(summary.started))>{lasted}</span>
        <PinMark run=summary/>
        <DroppedMark run=summary/>
        <Show when=move || changed_since>
            <span class="hint">"The pipeline has changed since."</span>
        </Show>
        <span class="problem" role="alert">{move || outcome.get()}</span>
    };
    let removing = RwSignal::new(None::<RunSummary>);
    let navigate = use_navigate();
    let gone = Callback::new(move |()| navigate("/runs", Default::default()));
    let tools = view! {
        <RunMenu run=summary removing/>
        <a class="button" href=editor><Icon name="pencil"/>"Edit pipeline"</a>
        <Show when=move || status.get().has_ended()>
            <button class="button" on:click=move |_| actions::start(live, Part::All, outcome)>
                <Icon name="play"/>
                "Run again"
            </button>
        </Show>
        <Show when=move || !status.get().has_ended()>
            <button class="button danger" disabled=move || status.get() == RunStatus::Cancelling on:click=cancel>
                <Icon name="square"/>
                "Cancel run"
            </button>
        </Show>
    };
    view! {
        <TopBar crumbs=crumbs.into_any() tools=tools.into_any()/>
        {move || removing.get().map(|run| {
            view! { <RemoveRun run on_gone=gone on_close=move |()| removing.set(None)/> }
        })}
    }
}

/// Nothing is chosen: what the run does, and how to look closer.
#[component]
fn Overview(live: LiveRun) -> impl IntoView {
    let parameters = live.parameters.get_value();
    view! {
        <section class="panel" aria-label="Run">
            <div class="sentence"><p>{move || live.summary.with(|summary| summary.sentence.clone())}</p></div>
            <p class="hint">"Choose a task to see its log, what it waits for and what you can do."</p>
            <Show when={
                let is_empty = parameters.is_empty();
                move || !is_empty
            }>
                <h3>"Parameters"</h3>
            </Show>
            <dl class="values">
                {parameters
                    .into_iter()
                    .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
                    .collect_view()}
            </dl>
        </section>
    }
}

#[component]
fn Dock(live: LiveRun, snapshot: StoredValue<Pipeline>, now: Signal<u64>) -> impl IntoView {
    let shown = RwSignal::new("timeline");
    let tabs = vec![Tab::new("timeline", "Timeline"), Tab::new("events", "Events")];
    view! {
        <section class="run-dock" aria-label="What happened">
            <Tabs label="What happened" tabs=Signal::stored(tabs) active=shown />
            <div class="dock-body" role="tabpanel">
                {move || match shown.get() {
                    "events" => view! { <Events live/> }.into_any(),
                    _ => view! { <Timeline live snapshot now/> }.into_any(),
                }}
            </div>
        </section>
    }
}
