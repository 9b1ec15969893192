//! What does a new run run, and what does it read of earlier ones?

use std::collections::{BTreeMap, BTreeSet};

use model::{KindName, Parameter, ParameterType, RunId, TaskId, run::Part};

use super::{Refusal, StartRun, dropped};
use crate::{
    event::{By, Earlier, Event, RunStarted},
    snapshot::{Node, Snapshot},
    state::{Run, Stage, State},
};

/// What stands in for a task that is not run.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub task: TaskId,
    pub earlier: Earlier,
    pub run_number: u32,
    /// Whole sentences.
    pub warnings: Vec<String>,
}

pub(super) fn start(state: &State, wish: &StartRun, by: By) -> Result<Vec<Event>, Refusal> {
    if state.run(&wish.run).is_some() {
        return Err(Refusal::Conflict("There is a run of this id already.".into()));
    }
    let snapshot = read(state, &wish.document)?;
    let reading = read_by(state, &snapshot, &wish.part, wish.reading.as_ref())?;
    let pipeline = snapshot.pipeline.id.clone();
    Ok(vec![Event::RunStarted(Box::new(RunStarted {
        run: wish.run.clone(),
        number: state.flows.get(&pipeline).map_or(0, |flow| flow.last_number) + 1,
        pipeline,
        document: wish.document.clone(),
        part: wish.part.clone(),
        parameters: parameters(&snapshot.pipeline.settings.parameters, &wish.parameters)?,
        reading: reading.into_iter().map(|one| (one.task, one.earlier)).collect(),
        again: wish.again.clone(),
        unchanged: wish.unchanged.clone(),
        by,
    }))])
}

/// What a run of this part would read of earlier ones, with warnings.
///
/// # Errors
/// The document cannot be read, or there is nothing good to read.
pub fn readings(state: &State, document: &str, part: &Part, from: Option<&RunId>) -> Result<Vec<Reading>, Refusal> {
    read_by(state, &read(state, document)?, part, from)
}

fn read(state: &State, document: &str) -> Result<Snapshot, Refusal> {
    let read = model::document::read(document).map_err(|error| Refusal::Bad(error.to_string()))?;
    Ok(Snapshot::new(read.pipeline, document.to_owned(), &state.site))
}

fn read_by(state: &State, now: &Snapshot, part: &Part, from: Option<&RunId>) -> Result<Vec<Reading>, Refusal> {
    let chosen = now.part(part);
    if chosen.is_empty() {
        return Err(Refusal::Bad("There is nothing to run in this part of the pipeline.".into()));
    }
    let read: BTreeSet<usize> = chosen
        .iter()
        .filter(|place| now.nodes[**place].kind != KindName::Viewer)
        .flat_map(|place| now.nodes[*place].reads.iter().copied())
        .filter(|up| !chosen.contains(up))
        .collect();
    let mut found = BTreeMap::new();
    for place in read {
        let node = &now.nodes[place];
        let earlier = earlier(state, now, node, from)?;
        check_kept(state, now, node, &earlier, &chosen)?;
        found.insert(node.id.clone(), earlier);
    }
    Ok(found.iter().map(|(task, earlier)| reading(state, now, task, earlier, &found)).collect())
}

fn earlier(state: &State, now: &Snapshot, node: &Node, from: Option<&RunId>) -> Result<Earlier, Refusal> {
    let title = node.task.title();
    let Some(from) = from else {
        let memory = state.memory(&now.pipeline.id, &node.id);
        let live = memory.and_then(|memory| {
            memory.good.iter().find(|good| good.earlier.copies.iter().any(|copy| Some(copy.n) == memory.live))
        });
        let good = live.or_else(|| memory.and_then(|memory| memory.good.last()));
        return good.map(|good| good.earlier.clone()).ok_or_else(|| {
            Refusal::Conflict(format!(
                "{title} has no good result that could be read: run it, too (run all, or up to here)."
            ))
        });
    };
    let run =
        state.run(from).ok_or_else(|| Refusal::NotFound("The run to read from is not there (any more).".into()))?;
    let place = run.snapshot.place(&node.id);
    if run.dropped {
        return Err(dropped(run));
    }
    match place.map(|place| (&run.tasks[place], place)) {
        Some((task, place)) if task.earlier.is_some() || matches!(task.stage, Stage::Released { .. }) => {
            let own = Earlier { run: run.id.clone(), copies: run.results(place) };
            Ok(task.earlier.clone().unwrap_or(own))
        }
        Some(_) | None => Err(Refusal::Conflict(format!(
            "{title} has no good result in run {}: run it, too, or read the newest good results from the editor.",
            run.number
        ))),
    }
}

/// A path that the old execution did not keep cannot be read.
fn check_kept(
    state: &State,
    now: &Snapshot,
    node: &Node,
    earlier: &Earlier,
    chosen: &BTreeSet<usize>,
) -> Result<(), Refusal> {
    let arrows = now.pipeline.arrows.values().filter(|arrow| {
        arrow.from_task == node.id
            && !arrow.from_path.is_empty()
            && now
                .place(&arrow.to_task)
                .is_some_and(|to| chosen.contains(&to) && now.nodes[to].kind != KindName::Viewer)
    });
    for arrow in arrows {
        for copy in earlier.copies.iter().filter(|copy| copy.good) {
            let id = model::ExecutionId { pipeline: now.pipeline.id.clone(), task: node.id.clone(), n: copy.n };
            let kept = state
                .execution(&id)
                .is_some_and(|one| one.kept.iter().any(|kept| arrow.from_path.is_within(&kept.path)));
            if !kept {
                let (title, path) = (node.task.title(), &arrow.from_path);
                return Err(Refusal::Conflict(format!(
                    "{title} did not keep {path} when it ran: run {title} again, too."
                )));
            }
        }
    }
    Ok(())
}

fn reading(
    state: &State,
    now: &Snapshot,
    task: &TaskId,
    earlier: &Earlier,
    all: &BTreeMap<TaskId, Earlier>,
) -> Reading {
    let made_in = state.run(&earlier.run);
    let mut warnings = Vec::new();
    if let (Some(run), Some(node)) = (made_in, now.node(task)) {
        let title = node.task.title();
        if run.snapshot.node(task).is_some_and(|old| old.task.kind != node.task.kind) || inherits_other(run, now, task)
        {
            warnings.push(format!("{title} was made with other settings than it has now."));
        }
        warnings.extend(
            made_from_another(run, task, all)
                .map(|up| format!("{title} was made from another {up} than the one that is read.")),
        );
    }
    Reading { task: task.clone(), earlier: earlier.clone(), run_number: made_in.map_or(0, |run| run.number), warnings }
}

/// What it does not say itself comes from tasks that have changed.
fn inherits_other(run: &Run, now: &Snapshot, task: &TaskId) -> bool {
    let (old, new) = (run.snapshot.resolved.effective.get(task), now.resolved.effective.get(task));
    old.zip(new).is_some_and(|(old, new)| !old.says_the_same(new))
}

fn made_from_another(run: &Run, task: &TaskId, all: &BTreeMap<TaskId, Earlier>) -> Option<String> {
    let node = run.snapshot.node(task)?;
    let differs = |up: &&usize| {
        let id = &run.snapshot.nodes[**up].id;
        all.get(id).is_some_and(|read| read.copies != run.results(**up))
    };
    node.reads.iter().find(differs).map(|up| run.snapshot.nodes[*up].task.title().to_owned())
}

/// All parameters, defaults included, each checked against its type.
fn parameters(known: &[Parameter], given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    if let Some(name) = given.keys().find(|name| !known.iter().any(|one| one.name == **name)) {
        return Err(Refusal::Bad(format!("This pipeline has no parameter \"{name}\".")));
    }
    known
        .iter()
        .map(|one| {
            let value = given.get(&one.name).unwrap_or(&one.default);
            let expected = match one.kind {
                ParameterType::Text => None,
                ParameterType::Integer => value.parse::<i64>().err().map(|_| "a whole number"),
                ParameterType::Number => value.parse::<f64>().err().map(|_| "a number"),
                ParameterType::Boolean => value.parse::<bool>().err().map(|_| "true or false"),
            };
            match expected {
                Some(kind) => Err(Refusal::Bad(format!("The parameter {} must be {kind}, not \"{value}\".", one.name))),
                None => Ok((one.name.clone(), value.clone())),
            }
        })
        .collect()
}
