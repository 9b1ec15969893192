//! How are tasks connected?

use model::{Acl, Arrow, ArrowId, KindName, Pipeline, TaskId, Unknown, path::TaskPath};

use super::{Ids, Outcome, Refusal, tasks};
use crate::{document::Edits, selection::Selection};

pub struct Ends {
    pub from: TaskId,
    pub from_path: String,
    pub to: TaskId,
    pub to_path: String,
    pub acl: Acl,
}

/// Why an arrow from one task to the other can never be; `None`: it can.
pub fn obstacle(pipeline: &Pipeline, from: &TaskId, to: &TaskId) -> Option<String> {
    if from == to {
        return Some("A task cannot read from itself.".into());
    }
    let (Some(first), Some(second)) = (pipeline.tasks.get(from), pipeline.tasks.get(to)) else {
        return Some("One of the two tasks is not there any more.".into());
    };
    match (first.kind.name(), second.kind.name()) {
        (_, KindName::Volume) => {
            Some(format!("A Volume reads nothing: draw the arrow from {} to the task that uses it.", second.name))
        }
        (KindName::Viewer, _) => {
            Some(format!("{} is a Viewer, which makes nothing that another task could read.", first.name))
        }
        _ if reaches(pipeline, to, from) => {
            Some(format!("{} already waits for {}: an arrow back would close a circle.", first.name, second.name))
        }
        _ => None,
    }
}

/// Whether one comes from `start` to `goal` along arrows.
fn reaches(pipeline: &Pipeline, start: &TaskId, goal: &TaskId) -> bool {
    let mut next = std::collections::BTreeMap::<&TaskId, Vec<&TaskId>>::new();
    for arrow in pipeline.arrows.values() {
        next.entry(&arrow.from_task).or_default().push(&arrow.to_task);
    }
    let (mut open, mut seen) = (vec![start], std::collections::BTreeSet::new());
    while let Some(task) = open.pop() {
        if task == goal {
            return true;
        }
        if seen.insert(task) {
            open.extend(next.get(task).into_iter().flatten());
        }
    }
    false
}

pub fn connect(edits: &mut Edits<'_>, ends: Ends, ids: Ids<'_>) -> Outcome {
    if let Some(sentence) = obstacle(edits.pipeline(), &ends.from, &ends.to) {
        return Err(Refusal::Connect(sentence));
    }
    let arrow = Arrow {
        id: new_arrow_id(edits, ids),
        from_task: ends.from,
        from_path: TaskPath(ends.from_path.trim().to_owned()),
        to_task: ends.to,
        to_path: TaskPath(ends.to_path.trim().to_owned()),
        acl: ends.acl,
        unknown: Unknown::new(),
    };
    let same = |other: &Arrow| *other == Arrow { id: other.id.clone(), ..arrow.clone() };
    if edits.pipeline().arrows.values().any(|other| same(other)) {
        return Err(Refusal::Connect("There is such an arrow already.".into()));
    }
    let id = arrow.id.clone();
    edits.put_arrow(arrow);
    Ok(Selection::arrow(id))
}

pub fn new_arrow_id(edits: &Edits<'_>, ids: Ids<'_>) -> ArrowId {
    tasks::new_id(ids, |text| ArrowId::new(text).ok(), |id| edits.pipeline().arrows.contains_key(id))
}

pub fn remove(edits: &mut Edits<'_>, arrow: &ArrowId, selection: &Selection) -> Outcome {
    if !edits.pipeline().arrows.contains_key(arrow) {
        return Err(Refusal::Gone("such arrow".into()));
    }
    edits.remove_arrow(arrow);
    Ok(selection.clone())
}
