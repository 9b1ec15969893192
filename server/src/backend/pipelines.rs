//! How are pipelines listed, made, saved and removed?

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use app::{
    api::pipelines::{Created, NewPipeline, Opened, PipelineSummary, Removal},
    error::ApiError,
};
use model::{Pipeline, PipelineId, document, run::RunSummary};

use super::{
    Answer, Core, Saved, bad, blocking, examples, folders, import, internal, missing, pictures, stored, unavailable,
    work::{self, Order},
};
use crate::{
    auth::now,
    store::{PipelineHead, PipelineText, Save, StoredPipeline},
};

/// Runs in a summary's row of dots.
const RECENT: usize = 10;
const LONGEST_NAME: usize = 200;

pub(super) async fn list(core: &Core) -> Answer<Vec<PipelineSummary>> {
    let heads = stored(core.store.pipelines().await)?;
    let mut runs: BTreeMap<PipelineId, Vec<RunSummary>> = BTreeMap::new();
    for run in core.runs.summaries() {
        runs.entry(run.pipeline.clone()).or_default().push(run);
    }
    let results = core.results();
    core.spaces.count(heads.iter().map(|head| (head.id.clone(), places(core, &results, &head.id))).collect());
    let mut summaries = Vec::with_capacity(heads.len());
    for head in heads {
        let runs = runs.remove(&head.id).unwrap_or_default();
        summaries.push(summary(core, head, runs).await?);
    }
    Ok(summaries)
}

async fn summary(core: &Core, head: PipelineHead, mut runs: Vec<RunSummary>) -> Answer<PipelineSummary> {
    runs.sort_by_key(|run| run.number);
    let picture = match core.pictures.known(&head.id, head.revision) {
        Some(picture) => picture,
        None => draw(core, &head).await?,
    };
    Ok(PipelineSummary {
        picture,
        recent: runs.iter().skip(runs.len().saturating_sub(RECENT)).map(|run| run.status).collect(),
        last_run: runs.pop(),
        space: core.spaces.known(&head.id),
        id: head.id,
        name: head.name,
        changed: head.changed,
    })
}

async fn draw(core: &Core, head: &PipelineHead) -> Answer<app::api::pipelines::Picture> {
    let text = stored(core.store.pipeline(&head.id).await)?.map(|stored| stored.document).unwrap_or_default();
    // What cannot be read was refused when it was saved; one that a later version cannot read has no picture.
    let picture = document::read(&text).map(|read| pictures::picture(&read.pipeline)).unwrap_or_default();
    core.pictures.keep(&head.id, head.revision, picture.clone());
    Ok(picture)
}

/// Where everything of a pipeline lies that is no document.
fn places(core: &Core, results: &std::path::Path, id: &PipelineId) -> Vec<PathBuf> {
    vec![folders::pipeline(results, id), core.data.executions().join(id.as_str())]
}

pub(super) async fn create(core: &Core, new: NewPipeline) -> Answer<Created> {
    match new {
        NewPipeline::Empty { name } => {
            let name = checked_name(&name)?;
            insert(core, Pipeline::new(fresh_id(), name)).await
        }
        NewPipeline::Example { name } => {
            let mut pipeline = examples::pipeline(&name).ok_or_else(|| missing("example"))?;
            pipeline.id = fresh_id();
            insert(core, pipeline).await
        }
        NewPipeline::Document { text } => import::document(core, &text).await,
        NewPipeline::CopyOf { id } => duplicate(core, &id).await,
    }
}

fn checked_name(name: &str) -> Answer<String> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err(bad("A pipeline needs a name.")),
        1..=LONGEST_NAME if !name.contains(char::is_control) => Ok(name.to_owned()),
        _ => Err(bad(format!("A name has at most {LONGEST_NAME} characters, in one line."))),
    }
}

pub(super) fn fresh_id() -> PipelineId {
    PipelineId::new(uuid::Uuid::new_v4().simple().to_string()).expect("hexadecimal digits are an id")
}

/// Stores a new pipeline under its own id, or under a fresh one when somebody has it.
pub(super) async fn insert(core: &Core, mut pipeline: Pipeline) -> Answer<Created> {
    let mut sentences = Vec::new();
    let (results, id) = (core.results(), pipeline.id.clone());
    // Runs from the command line may have left some: what lies there is somebody's.
    let may_be_elsewhere = !core.runner.has_work_here() && core.runs.summaries().iter().any(|run| run.pipeline == id);
    let has_work = may_be_elsewhere || blocking(move || Ok(!folders::work(&results, &id)?.is_empty())).await?;
    if has_work || !stored(core.store.create_pipeline(&text(&pipeline)).await)? {
        sentences.push(format!(
            "There is a pipeline with the id {} here, so this one got a new id. Its runs and results stay with the other one.",
            pipeline.id
        ));
        pipeline.id = fresh_id();
        stored(core.store.create_pipeline(&text(&pipeline)).await)?;
    }
    Ok(Created { id: pipeline.id, sentences })
}

fn text(pipeline: &Pipeline) -> PipelineText {
    PipelineText {
        id: pipeline.id.clone(),
        name: pipeline.settings.name.clone(),
        document: document::write(pipeline),
        changed: now(),
    }
}

/// A copy with the work folders, without runs.
async fn duplicate(core: &Core, id: &PipelineId) -> Answer<Created> {
    let found = find(core, id).await?;
    let mut pipeline = document::read(&found.document).map_err(internal)?.pipeline;
    pipeline.id = fresh_id();
    Arc::make_mut(&mut pipeline.settings).name = format!("{} (copy)", found.head.name);
    let created = insert(core, pipeline).await?;
    let copied = work::done(core, Order::Copy { from: id.clone(), to: created.id.clone() }, None).await;
    if copied.is_err() {
        delete(core, &created.id).await?;
    }
    copied.map(|_| created)
}

pub(super) fn copy_work(results: &std::path::Path, from: &PipelineId, to: &PipelineId) -> std::io::Result<()> {
    for (task, work) in folders::work(results, from)? {
        folders::copy(&work, &folders::pipeline(results, to).join(task).join("work"))?;
    }
    Ok(())
}

pub(super) async fn find(core: &Core, id: &PipelineId) -> Answer<StoredPipeline> {
    stored(core.store.pipeline(id).await)?.ok_or_else(|| missing("pipeline"))
}

pub(super) async fn open(core: &Core, id: &PipelineId) -> Answer<Opened> {
    let found = find(core, id).await?;
    Ok(Opened { document: found.document, revision: found.head.revision, changed: found.head.changed })
}

/// Only a document that can be read again is taken; it is kept as it was written.
pub(super) async fn save(core: &Core, id: &PipelineId, revision: u64, document: String) -> Answer<u64> {
    let read = document::read(&document).map_err(|error| bad(error.to_string()))?;
    if read.pipeline.id != *id {
        return Err(bad(format!("This document is that of the pipeline {}, not of {id}.", read.pipeline.id)));
    }
    let name = read.pipeline.settings.name.clone();
    let new = PipelineText { id: id.clone(), name, document, changed: now() };
    match stored(core.store.save_pipeline(revision, &new).await)? {
        Save::Saved(revision) => {
            core.pictures.keep(id, revision, pictures::picture(&read.pipeline));
            // Nobody listens when no other tab has it open.
            let _ = core.saves.send(Saved { id: id.clone(), revision });
            Ok(revision)
        }
        Save::Stale(found) => Err(ApiError::Stale { revision: found.head.revision, document: found.document }),
        Save::Missing => Err(missing("pipeline")),
    }
}

pub(super) async fn removal(core: &Core, id: &PipelineId) -> Answer<Removal> {
    find(core, id).await?;
    let places = places(core, &core.results(), id);
    let space = blocking(move || Ok(places.iter().map(|place| folders::size(place)).sum())).await?;
    let runs = core.runs.summaries().into_iter().filter(|run| run.pipeline == *id).count();
    Ok(Removal { runs: u32::try_from(runs).unwrap_or(u32::MAX), space, held_by: core.runs.held_by(id) })
}

pub(super) async fn delete(core: &Core, id: &PipelineId) -> Answer<()> {
    find(core, id).await?;
    if let Some(sentence) = core.runs.held_by(id).into_iter().next() {
        return Err(ApiError::Conflict { sentence });
    }
    let _leaving = core.leaving.begin(id)?;
    core.runs.delete_pipeline(id).await?;
    core.runner.forget(id).await.map_err(|error| unavailable(&error))?;
    // Last, so that a pipeline whose removal was interrupted is still there to be deleted.
    stored(core.store.delete_pipeline(id).await)?;
    core.pictures.forget(id);
    Ok(())
}
