//! Which pipelines are there, and how do new ones come in?

mod arrive;
mod examples;
mod list;
mod picture;
mod remove;

use leptos::prelude::*;

use crate::{
    api::pipelines::{Example, PipelineSummary, list_examples, list_pipelines},
    error::ApiError,
    live::{Ask, Tell},
    ui::{
        files,
        kit::{Asked, Empty, Failed, Icon, Loading},
        live_socket::Live,
        shell::TopBar,
    },
};
use arrive::{Arrive, ImportButton};
use examples::Examples;
use list::Table;

type List = Asked<Result<Vec<PipelineSummary>, ApiError>>;

/// Which face the page shows; the table stays while its lines change.
#[derive(Clone, PartialEq)]
enum Face {
    Loading,
    Failed(ApiError),
    Nothing,
    Table,
}

#[component]
pub fn PipelinesPage() -> impl IntoView {
    let list: List = Asked::new(list_pipelines);
    let examples = Asked::new(list_examples);
    let search = RwSignal::new(String::new());
    let arrive = Arrive::new();
    // A run that begins, waits or ends changes a line of the list.
    Live::here().watch(
        || Ask::Runs,
        move |tell| {
            if let Tell::RunLine { .. } = tell {
                list.refetch();
            }
        },
    );
    let all = Memo::new(move |before: Option<&Vec<PipelineSummary>>| match list.get() {
        Some(Ok(all)) => all,
        // While it is asked again, the last answer stays.
        None | Some(Err(_)) => before.cloned().unwrap_or_default(),
    });
    let face = Memo::new(move |_| match list.get() {
        None => Face::Loading,
        Some(Err(error)) => Face::Failed(error),
        Some(Ok(all)) if all.is_empty() => Face::Nothing,
        Some(Ok(_)) => Face::Table,
    });
    view! {
        <TopBar />
        <main class="page" on:drop=move |event| files::dropped(&event).into_iter().for_each(|file| arrive.import(file))>
            <div class="page-head">
                <h1>"Pipelines"</h1>
                <span class="grow"></span>
                <SearchField search=search label="Search pipelines" />
                <ImportButton arrive=arrive />
                <button class="button primary" on:click=move |_| arrive.empty() disabled=move || arrive.busy()>
                    <Icon name="plus" />
                    "New pipeline"
                </button>
            </div>
            {move || examples.get().and_then(Result::ok).map(|list: Vec<Example>| view! { <Examples list=list arrive=arrive /> })}
            {move || match face.get() {
                Face::Loading => view! { <div class="panel"><Loading lines=4 /></div> }.into_any(),
                Face::Failed(error) => {
                    view! { <div class="panel"><Failed error=error again=move |()| list.refetch() /></div> }.into_any()
                }
                Face::Nothing => view! { <NoPipelines /> }.into_any(),
                Face::Table => view! { <Table all=all search=search arrive=arrive list=list /> }.into_any(),
            }}
        </main>
    }
}

#[component]
fn NoPipelines() -> impl IntoView {
    view! {
        <div class="panel">
            <Empty icon="waypoints" title="No pipeline yet">
                "Begin with one of the examples above, or press New pipeline and draw your own."
            </Empty>
        </div>
    }
}

#[component]
pub fn SearchField(search: RwSignal<String>, label: &'static str) -> impl IntoView {
    view! {
        <label class="search">
            <Icon name="search" />
            <input
                type="search"
                class="field"
                placeholder="Search"
                aria-label=label
                prop:value=search
                on:input=move |event| search.set(event_target_value(&event))
            />
        </label>
    }
}
