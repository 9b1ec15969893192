//! What ran, and how did it end?

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{components::A, hooks::use_query_map};
use model::{
    PipelineId,
    run::{RunStatus, RunSummary},
};

use super::pipelines::SearchField;
use crate::{
    api::runs::{RunFilter, list_runs},
    error::ApiError,
    live::{Ask, Tell},
    ui::{
        kit::{Empty, Failed, Loading, RunPill, Time},
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
    let list = LocalResource::new(move || list_runs(filter.get()));
    Live::here().watch(
        || Ask::Runs,
        move |tell| {
            if let Tell::RunLine { .. } = tell {
                list.refetch();
            }
        },
    );
    view! {
        <TopBar />
        <main class="page">
            <div class="page-head">
                <h1>"Runs"</h1>
                <span class="grow"></span>
                <SearchField search=search label="Search runs by pipeline" />
                <StatusChoice status=status />
            </div>
            {move || match list.get() {
                None => view! { <div class="panel"><Loading lines=5 /></div> }.into_any(),
                Some(Err(error)) => {
                    view! { <div class="panel"><Failed error=error again=move |()| list.refetch() /></div> }.into_any()
                }
                Some(Ok(runs)) if runs.is_empty() => view! { <NoRuns filtered=filter.get() != RunFilter::default() /> }.into_any(),
                Some(Ok(runs)) => view! { <Table first=runs filter=filter /> }.into_any(),
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
fn Table(first: Vec<RunSummary>, filter: Memo<RunFilter>) -> impl IntoView {
    let more = RwSignal::new(first.len() >= PAGE);
    let runs = RwSignal::new(first);
    let failure = RwSignal::new(None::<ApiError>);
    let load = move |_| {
        let before = runs.with_untracked(|runs| runs.last().map(|run| run.started));
        let filter = RunFilter { before, ..filter.get_untracked() };
        spawn_local(async move {
            match list_runs(filter).await {
                Ok(older) => {
                    more.try_set(older.len() >= PAGE);
                    runs.try_update(|runs| runs.extend(older));
                }
                Err(error) => drop(failure.try_set(Some(error))),
            }
        });
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
                    </tr>
                </thead>
                <tbody>
                    <For each=move || runs.get() key=|run| run.id.clone() children=|run| view! { <Row run=run /> } />
                </tbody>
            </table>
            {move || failure.get().map(|error| view! { <p class="no-match" role="alert">{error.to_string()}</p> })}
            {move || more.get().then(|| view! { <button class="button table-more" on:click=load>"Older runs"</button> })}
        </div>
    }
}

#[component]
fn Row(run: RunSummary) -> impl IntoView {
    let title = format!("Run {}", run.number);
    let (name, sentence) = (run.pipeline_name.clone(), run.sentence.clone());
    view! {
        <tr>
            <td class="run-cell">
                <A href=routes::run(&run.id) attr:class="name">{title}</A>
            </td>
            <td>
                <A href=routes::pipeline(&run.pipeline) attr:class="ellipsis plain" attr:title=run.pipeline_name.clone()>
                    {name}
                </A>
            </td>
            <td>
                <span class="last-run">
                    <RunPill status=run.status />
                    <span class="hint ellipsis" title=run.sentence.clone()>{sentence}</span>
                </span>
            </td>
            <td class="narrow-hide hint"><Time at=run.started /></td>
            <td class="narrow-hide hint numbers">{words::took(Some(run.started), run.ended)}</td>
        </tr>
    }
}
