//! What does one see of each pipeline?

use leptos::prelude::*;
use leptos_router::components::A;
use model::{
    PipelineId,
    run::{RunStatus, RunSummary},
};

use super::{List, arrive::Arrive, picture::SmallPicture, remove::Remove};
use crate::{
    api::pipelines::{NewPipeline, PipelineSummary},
    ui::{
        files,
        kit::{Item, Menu, RunPill, StatusPill, Time, line, rows},
        pages::export::ExportJson,
        routes, words,
    },
};

#[component]
pub fn Table(all: Memo<Vec<PipelineSummary>>, search: RwSignal<String>, arrive: Arrive, list: List) -> impl IntoView {
    let (removing, exporting) = (RwSignal::new(None::<PipelineSummary>), RwSignal::new(None));
    let found = Memo::new(move |_| {
        let wanted = words::lowered(&search.get());
        let fits = |one: &&PipelineSummary| words::lowered(&one.name).contains(&wanted);
        all.with(|all| all.iter().filter(fits).cloned().collect::<Vec<_>>())
    });
    let row = move |one: PipelineSummary| {
        view! { <Row one=line(all, one, |one| &one.id) arrive=arrive removing=removing exporting=exporting /> }
    };
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
                    {rows(move || found.get(), |one| one.id.clone(), row)}
                </tbody>
            </table>
            {move || found.with(Vec::is_empty).then(|| view! { <p class="no-match">"No pipeline has this in its name."</p> })}
        </div>
        {move || removing.get().map(|one| view! { <Remove one=one close=move |()| removing.set(None) list=list /> })}
        {move || exporting.get().map(|id| view! { <ExportJson id=id on_close=move |()| exporting.set(None) /> })}
    }
}

/// Each cell is made again only when what it shows has changed.
#[component]
fn Row(
    one: Memo<PipelineSummary>,
    arrive: Arrive,
    removing: RwSignal<Option<PipelineSummary>>,
    exporting: RwSignal<Option<PipelineId>>,
) -> impl IntoView {
    let href = routes::pipeline(&one.with_untracked(|one| one.id.clone()));
    let name = Memo::new(move |_| one.with(|one| called(&one.name)));
    let picture = Memo::new(move |_| one.with(|one| one.picture.clone()));
    let (last, recent) =
        (Memo::new(move |_| one.with(|one| one.last_run.clone())), Memo::new(move |_| one.get().recent));
    let changed = Memo::new(move |_| one.with(|one| one.changed));
    let size = move || {
        let space = one
            .with(|one| one.space)
            .filter(|space| *space > 0)
            .map(|space| format!(" · {}", words::size(space)))
            .unwrap_or_default();
        words::count(picture.with(|picture| picture.tasks.len()), "task", "tasks") + &space
    };
    let items = items(one, arrive, removing, exporting);
    let menu = format!("More for {}", name.get_untracked());
    view! {
        <tr>
            <td class="picture-cell">
                <A href=href.clone() attr:tabindex="-1" attr:aria-hidden="true">
                    {move || view! { <SmallPicture picture=picture.get() /> }}
                </A>
            </td>
            <td class="name-cell">
                <A href=href attr:class="name" attr:title=move || name.get()>{name}</A>
                <span class="hint">{size}</span>
            </td>
            <td>{move || view! { <LastRun run=last.get() /> }}</td>
            <td class="narrow-hide">{move || view! { <Bars recent=recent.get() /> }}</td>
            <td class="narrow-hide hint">{move || view! { <Time at=changed.get() /> }}</td>
            <td class="menu-cell"><Menu label=menu items=items /></td>
        </tr>
    }
}

fn called(name: &str) -> String {
    if name.trim().is_empty() { "Unnamed".to_owned() } else { name.to_owned() }
}

fn items(
    one: Memo<PipelineSummary>,
    arrive: Arrive,
    removing: RwSignal<Option<PipelineSummary>>,
    exporting: RwSignal<Option<PipelineId>>,
) -> Signal<Vec<Item>> {
    let id = one.with_untracked(|one| one.id.clone());
    let (copied, json) = (id.clone(), id.clone());
    Signal::stored(vec![
        Item::new("copy-plus", "Duplicate", move || arrive.make(NewPipeline::CopyOf { id: copied.clone() })),
        Item::new("file-json", "Export as JSON", move || exporting.set(Some(json.clone()))),
        Item::new("archive", "Export as zip with work folders", move || files::save_pipeline(&id, "zip")),
        Item::new("trash-2", "Delete…", move || removing.set(Some(one.get_untracked()))).danger(),
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
