//! What ran, and how did it end?

mod whole;

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{components::A, hooks::use_query_map};
use model::{
    PipelineId,
    run::{RunStatus, RunSummary},
};

use self::whole::Space;
pub use self::whole::{DroppedMark, PinMark, RemoveRun, RunMenu};
use super::pipelines::SearchField;
use crate::{
    api::runs::{RunFilter, list_runs},
    error::ApiError,
    live::{Ask, Tell},
    ui::{
        kit::{Asked, Empty, Failed, Loading, RunPill, Time, line, rows},
        live_socket::Live,
        routes,
        shell::TopBar,
        words,
    },
};

const STATUSES: [RunStatus; 6] = [
    RunStatus::Running,
    RunStatus::WaitingForYou,
    RunStatus::Cancelling,
    RunStatus::Succeeded,
    RunStatus::Failed,
    RunStatus::Cancelled,
];

/// How many the server gives at a time.
const PAGE: usize = 100;

/// How soon the space of runs is asked for again: the server counts it beside the first answer.
const SOON: Duration = Duration::from_secs(1);

/// What the page shows, kept true by the live connection.
#[derive(Clone, Copy)]
struct List {
    filter: Memo<RunFilter>,
    first: Asked<Result<Vec<RunSummary>, ApiError>>,
    runs: RwSignal<Vec<RunSummary>>,
    /// There may be older ones than those that are shown.
    more: RwSignal<bool>,
}

impl List {
    fn follow(filter: Memo<RunFilter>) -> List {
        let first = Asked::new(move || list_runs(filter.get()));
        let list = List { filter, first, runs: RwSignal::default(), more: RwSignal::new(false) };
        Effect::new(move |_| {
            let Some(Ok(runs)) = first.get() else { return };
            let uncounted = runs.iter().any(|run| run.status.has_ended() && run.space.is_none());
            list.more.set(runs.len() >= PAGE);
            list.runs.set(runs);
            let timer = uncounted.then(|| set_timeout_with_handle(move || first.refetch(), SOON).ok()).flatten();
            on_cleanup(move || timer.into_iter().for_each(|timer| timer.clear()));
        });
        Live::here().watch(
            || Ask::Runs,
            move |tell| {
                if let Tell::RunLine { summary } = tell {
                    list.hear(summary);
                }
            },
        );
        list
    }

    /// A run that moves on changes its line; one that is new, ends or begins to wait may belong into another list.
    fn hear(self, summary: &RunSummary) {
        let known = self.runs.try_with_untracked(|runs| runs.iter().find(|run| run.id == summary.id).cloned());
        let oldest = self.runs.try_with_untracked(|runs| runs.last().map_or(0, |run| run.started)).unwrap_or(0);
        match known.flatten() {
            Some(known) if known.status != summary.status || known.dropped != summary.dropped => self.first.refetch(),
            Some(known) => self.put(RunSummary { space: known.space, ..summary.clone() }),
            None if summary.started > oldest => self.first.refetch(),
            None => {}
        }
    }

    fn put(self, new: RunSummary) {
        let differs = self.runs.with_untracked(|runs| !runs.contains(&new));
        if differs {
            self.runs.update(|runs| runs.iter_mut().filter(|run| run.id == new.id).for_each(|run| *run = new.clone()));
        }
    }

    fn older(self, failure: RwSignal<Option<ApiError>>) {
        let before = self.runs.with_untracked(|runs| runs.last().map(|run| run.started));
        let filter = RunFilter { before, ..self.filter.get_untracked() };
        spawn_local(async move {
            match list_runs(filter).await {
                Ok(older) => {
                    self.more.try_set(older.len() >= PAGE);
                    self.runs.try_update(|runs| runs.extend(older));
                }
                Err(error) => drop(failure.try_set(Some(error))),
            }
        });
    }
}

/// Which face the page shows; the table stays while its lines change.
#[derive(Clone, PartialEq)]
enum Face {
    Loading,
    Failed(ApiError),
    Nothing { filtered: bool },
    Table,
}

#[component]
pub fn RunsPage() -> impl IntoView {
    let search = RwSignal::new(String::new());
    let status = RwSignal::new(None::<RunStatus>);
    let query = use_query_map();
    let pipeline =
        Memo::new(move |_| query.with(|query| query.get("pipeline").and_then(|id| PipelineId::new(id).ok())));
    let filter = Memo::new(move |_| RunFilter {
        pipeline: pipeline.get(),
        status: status.get(),
        text: search.get(),
        before: None,
    });
    let list = List::follow(filter);
    let face = Memo::new(move |_| match list.first.get() {
        None => Face::Loading,
        Some(Err(error)) => Face::Failed(error),
        Some(Ok(_)) if list.runs.with(Vec::is_empty) => {
            Face::Nothing { filtered: filter.get() != RunFilter::default() }
        }
        Some(Ok(_)) => Face::Table,
    });
    view! {
        <TopBar />
        <main class="page">
            <div class="page-head">
                <h1>"Runs"</h1>
                <span class="grow"></span>
                <SearchField search=search label="Search runs by pipeline" />
                <StatusChoice status=status />
            </div>
            {move || match face.get() {
                Face::Loading => view! { <div class="panel"><Loading lines=5 /></div> }.into_any(),
                Face::Failed(error) => {
                    view! { <div class="panel"><Failed error=error again=move |()| list.first.refetch() /></div> }.into_any()
                }
                Face::Nothing { filtered } => view! { <NoRuns filtered=filtered /> }.into_any(),
                Face::Table => view! { <Table list=list /> }.into_any(),
            }}
        </main>
    }
}

#[component]
fn StatusChoice(status: RwSignal<Option<RunStatus>>) -> impl IntoView {
    let choose = move |event| {
        let at: Option<usize> = event_target_value(&event).parse().ok();
        status.set(at.and_then(|at| STATUSES.get(at).copied()));
    };
    let option = |(at, status): (usize, &RunStatus)| {
        view! { <option value=at.to_string()>{words::run_look(*status).2}</option> }
    };
    view! {
        <select class="field select" aria-label="Show which runs" on:change=choose>
            <option value="">"All"</option>
            {STATUSES.iter().enumerate().map(option).collect_view()}
        </select>
    }
}

#[component]
fn NoRuns(filtered: bool) -> impl IntoView {
    let title = if filtered { "No run fits" } else { "Nothing has run yet" };
    view! {
        <div class="panel">
            <Empty icon="play" title=title>
                "Open a pipeline and press Run. " <A href="/">"Go to your pipelines"</A>
            </Empty>
        </div>
    }
}

#[component]
fn Table(list: List) -> impl IntoView {
    let List { runs, more, .. } = list;
    let failure = RwSignal::new(None::<ApiError>);
    let removing = RwSignal::new(None::<RunSummary>);
    let gone = move |run: &RunSummary| {
        let id = run.id.clone();
        move |()| runs.update(|runs| runs.retain(|run| run.id != id))
    };
    let row = move |run: RunSummary| {
        view! { <Row run=line(runs, run, |run| &run.id) removing=removing /> }
    };
    view! {
        <div class="panel table-panel">
            <table class="table">
                <thead>
                    <tr>
                        <th>"Run"</th>
                        <th>"Pipeline"</th>
                        <th>"Status"</th>
                        <th class="narrow-hide">"Started"</th>
                        <th class="narrow-hide">"Took"</th>
                        <th class="narrow-hide">"Space"</th>
                        <th><span class="for-readers">"More"</span></th>
                    </tr>
                </thead>
                <tbody>
                    {rows(move || runs.get(), |run| run.id.clone(), row)}
                </tbody>
            </table>
            {move || failure.get().map(|error| view! { <p class="no-match" role="alert">{error.to_string()}</p> })}
            {move || {
                more.get().then(|| {
                    view! { <button class="button table-more" on:click=move |_| list.older(failure)>"Older runs"</button> }
                })
            }}
        </div>
        {move || removing.get().map(|run| {
            view! { <RemoveRun on_gone=gone(&run) on_close=move |()| removing.set(None) run=run /> }
        })}
    }
}

#[component]
fn Row(run: Memo<RunSummary>, removing: RwSignal<Option<RunSummary>>) -> impl IntoView {
    let fixed = run.get_untracked();
    let (title, name) = (format!("Run {}", fixed.number), fixed.pipeline_name.clone());
    let took = move || run.with(|run| words::took(Some(run.started), run.ended));
    let sentence = move || run.with(|run| run.sentence.clone());
    view! {
        <tr>
            <td class="run-cell">
                <A href=routes::run(&fixed.id) attr:class="name">{title}</A>
                <PinMark run=run />
            </td>
            <td>
                <A href=routes::pipeline(&fixed.pipeline) attr:class="ellipsis plain" attr:title=fixed.pipeline_name.clone()>
                    {name}
                </A>
            </td>
            <td>
                <span class="last-run">
                    {move || view! { <RunPill status=run.with(|run| run.status) /> }}
                    <span class="hint ellipsis" title=sentence>{sentence}</span>
                </span>
            </td>
            <td class="narrow-hide hint"><Time at=fixed.started /></td>
            <td class="narrow-hide hint numbers">{took}</td>
            <td class="narrow-hide hint numbers"><Space run=run /></td>
            <td class="menu-cell"><RunMenu run=run removing=removing /></td>
        </tr>
    }
}
