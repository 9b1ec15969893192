//! Which Load Data tasks would fetch what they have fetched before?

use std::collections::BTreeMap;

use load::{Allow, Facts, Freshness, Limits, Loader};
use model::{Kind, TaskId, document, kind::LoadData};

use super::{Runs, StartRun};

/// What a Load Data tells when it has ended: one entry per source, in their order.
pub type SourceFacts = Vec<(String, Facts)>;

/// Asks each source that tells its age. A source that cannot be asked is fetched, which says why it fails.
pub(super) async fn sources(runs: &dyn Runs, start: &StartRun) -> BTreeMap<TaskId, String> {
    let mut unchanged = BTreeMap::new();
    let Ok(read) = document::read(&start.document) else { return unchanged };
    for (id, task) in &read.pipeline.tasks {
        let Kind::LoadData(load) = &task.kind else { continue };
        if start.download_again.contains(id) {
            continue;
        }
        let facts = runs.newest_facts(&start.pipeline, id).and_then(|facts| serde_json::from_value(facts).ok());
        if let Some(sentence) = ask(load, &facts.unwrap_or_default()).await {
            unchanged.insert(id.clone(), sentence);
        }
    }
    unchanged
}

/// How all sources are known to be what they were; none when one is not.
async fn ask(task: &LoadData, known: &SourceFacts) -> Option<String> {
    let is_web = |url: &str| url.starts_with("http://") || url.starts_with("https://");
    let fits = task.sources.len() == known.len()
        && task.sources.iter().zip(known).all(|(source, (url, _))| source.url == *url && is_web(url));
    if !fits || task.sources.is_empty() {
        return None;
    }
    // Addresses were checked when it was fetched; asking again gives nothing away but that it is asked.
    let loader = Loader::new(Allow::default());
    let mut how = None;
    for (source, (_, facts)) in task.sources.iter().zip(known) {
        let asked = load::Source { sha256: source.sha256.clone(), ..load::Source::new(source.url.clone()) };
        let freshness = loader.check(&asked, facts, &Limits::default()).await.unwrap_or(Freshness::Unknown);
        if !freshness.is_same() {
            return None;
        }
        how = how.max(Some(freshness.to_string()));
    }
    how
}
