//! What does one see of each pipeline?

use leptos::prelude::*;
use leptos_router::components::A;
use model::run::{RunStatus, RunSummary};

use super::{List, arrive::Arrive, picture::SmallPicture, remove::Remove};
use crate::{
    api::pipelines::{NewPipeline, PipelineSummary},
    ui::{
        kit::{Item, Menu, RunPill, StatusPill, Time},
        routes, words,
    },
};

#[component]
pub fn Table(all: Vec<PipelineSummary>, search: RwSignal<String>, arrive: Arrive, list: List) -> impl IntoView {
    let removing = RwSignal::new(None::<PipelineSummary>);
    let found = Memo::new(move |_| {
        let wanted = search.get().to_lowercase();
        all.iter().filter(|one| one.name.to_lowercase().contains(&wanted)).cloned().collect::<Vec<_>>()
    });
    view! {
        <div class="panel table-panel">
            <table class="table">
                <thead>
                    <tr>
                        <th class="picture-cell"><span class="for-readers">"Picture"</span></th>
                        <th>"Name"</th>
                        <th>"Last run"</th>
                        <th class="narrow-hide">"Runs"</th>
                        <th class="narrow-hide">"Changed"</th>
                        <th><span class="for-readers">"More"</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || found.get()
                        key=|one| (one.id.clone(), one.changed, one.recent.clone().len(), one.last_run.clone().map(|run| (run.id, run.sentence)))
                        children=move |one| view! { <Row one=one arrive=arrive removing=removing /> }
                    />
                </tbody>
            </table>
            {move || found.with(Vec::is_empty).then(|| view! { <p class="no-match">"No pipeline has this in its name."</p> })}
        </div>
        {move || removing.get().map(|one| view! { <Remove one=one close=move |()| removing.set(None) list=list /> })}
    }
}

#[component]
fn Row(one: PipelineSummary, arrive: Arrive, removing: RwSignal<Option<PipelineSummary>>) -> impl IntoView {
    let href = routes::pipeline(&one.id);
    let space = one.space.map(|space| format!(" · {}", words::size(space))).unwrap_or_default();
    let tasks = words::count(one.picture.tasks.len(), "task", "tasks") + &space;
    let name = if one.name.trim().is_empty() { "Unnamed".to_owned() } else { one.name.clone() };
    let items = items(&one, arrive, removing);
    let (title, menu) = (name.clone(), format!("More for {name}"));
    view! {
        <tr>
            <td class="picture-cell">
                <A href=href.clone() attr:tabindex="-1" attr:aria-hidden="true">
                    <SmallPicture picture=one.picture.clone() />
                </A>
            </td>
            <td class="name-cell">
                <A href=href attr:class="name" attr:title=title>{name}</A>
                <span class="hint">{tasks}</span>
            </td>
            <td><LastRun run=one.last_run.clone() /></td>
            <td class="narrow-hide"><Bars recent=one.recent.clone() /></td>
            <td class="narrow-hide hint"><Time at=one.changed /></td>
            <td class="menu-cell"><Menu label=menu items=items /></td>
        </tr>
    }
}

fn items(one: &PipelineSummary, arrive: Arrive, removing: RwSignal<Option<PipelineSummary>>) -> Signal<Vec<Item>> {
    let (id, whole, file) = (one.id.clone(), one.clone(), one.id.clone());
    let save = move |kind: &'static str| {
        let id = file.clone();
        move || crate::ui::files::save_as(&format!("/files/pipeline/{id}.{kind}"))
    };
    Signal::stored(vec![
        Item::new("copy-plus", "Duplicate", move || arrive.make(NewPipeline::CopyOf { id: id.clone() })),
        Item::new("file-json", "Export as JSON", save("json")),
        Item::new("archive", "Export as zip with work folders", save("zip")),
        Item::new("trash-2", "Delete…", move || removing.set(Some(whole.clone()))).danger(),
    ])
}

#[component]
fn LastRun(run: Option<RunSummary>) -> impl IntoView {
    match run {
        None => view! { <StatusPill look=("idle", "clock", "Never run") /> }.into_any(),
        Some(run) => {
            let href = routes::run(&run.id);
            let label = format!("Run {}", run.number);
            view! {
                <A href=href attr:class="last-run" attr:aria-label=label>
                    <RunPill status=run.status />
                    <span class="hint ellipsis" title=run.sentence.clone()>{run.sentence.clone()}</span>
                </A>
            }
            .into_any()
        }
    }
}

/// Ten small bars, the newest at the right.
#[component]
fn Bars(recent: Vec<RunStatus>) -> impl IntoView {
    let words: Vec<&str> = recent.iter().map(|status| words::run_look(*status).2).collect();
    let label = format!("The last runs, oldest first: {}", words.join(", "));
    let bar = |status: RunStatus| {
        let (tone, _, _) = words::run_look(status);
        view! { <i class=format!("bar {tone}") class:short=!status.has_ended()></i> }
    };
    (!recent.is_empty()).then(|| {
        view! { <span class="bars" role="img" aria-label=label.clone() title=label>{recent.into_iter().map(bar).collect_view()}</span> }
    })
}
