//! Which Load Data tasks would fetch what they have fetched before?

use std::collections::{BTreeMap, BTreeSet};

use load::{Allow, Freshness, Limits, Loader, Summary};
use model::{
    Kind, Pipeline, TaskId,
    kind::{LoadData, Source},
};

use super::{Core, StartRun};

/// Asks each source that tells its age. A source that cannot be asked is fetched, which says why it fails.
pub(super) async fn sources(
    core: &Core,
    start: &StartRun,
    pipeline: &Pipeline,
    tasks: &BTreeSet<TaskId>,
) -> BTreeMap<TaskId, String> {
    let mut unchanged = BTreeMap::new();
    // What cannot be read there is told by the load itself.
    let loader = Loader::new(Allow::parse(&core.settings().load_from).unwrap_or_default());
    let values = pipeline.settings.values(&start.parameters);
    for task in tasks.difference(&start.download_again).filter_map(|task| pipeline.tasks.get(task)) {
        let Kind::LoadData(load) = &task.kind else { continue };
        let facts = core.runs.newest_facts(&start.pipeline, &task.id);
        let known = facts.and_then(|facts| serde_json::from_value(facts).ok());
        if let Some(sentence) = ask(&loader, load, &values, known.as_ref()).await {
            unchanged.insert(task.id.clone(), sentence);
        }
    }
    unchanged
}

/// How all sources are known to be what they were; none when one is not, or when nobody need be asked.
async fn ask(
    loader: &Loader,
    task: &LoadData,
    values: &BTreeMap<String, String>,
    known: Option<&Summary>,
) -> Option<String> {
    let mut worst = None;
    for (index, source) in task.filled(values).ok()?.iter().enumerate().filter(|(_, source)| !source.is_fixed()) {
        worst = worst.max(Some(freshness(loader, source, index, known).await));
        if worst == Some(Freshness::Changed) {
            return None;
        }
    }
    match worst? {
        same @ (Freshness::SameChecksum | Freshness::SameEtag | Freshness::SameDateAndLength) => Some(same.to_string()),
        Freshness::Unknown => task.keep.then(|| "the task keeps what was fetched".into()),
        Freshness::Changed => None,
    }
}

async fn freshness(loader: &Loader, source: &Source, index: usize, known: Option<&Summary>) -> Freshness {
    let is_web = ["http://", "https://"].iter().any(|scheme| source.url.starts_with(scheme));
    let known = known.and_then(|known| known.sources.get(index)).filter(|one| is_web && one.url == source.url);
    let Some(known) = known else { return Freshness::Unknown };
    let asked = load::Source::new(source.url.clone());
    loader.check(&asked, &known.facts, &Limits::default()).await.unwrap_or(Freshness::Unknown)
}
