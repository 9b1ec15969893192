//! How are tasks added, renamed and deleted?

use model::{Group, Kind, KindName, Pipeline, Place, Task, TaskId};

use super::{Ids, Outcome, Refusal};
use crate::{document::Edits, geometry::Point, selection::Selection};

/// The task's name as people see it; its id when it is gone.
pub fn title(pipeline: &Pipeline, task: &TaskId) -> String {
    pipeline.tasks.get(task).map_or_else(|| task.to_string(), |task| task.name.clone())
}

/// An id that no record of this pipeline has.
pub fn new_id<T: Ord>(ids: Ids<'_>, make: impl Fn(String) -> Option<T>, taken: impl Fn(&T) -> bool) -> T {
    loop {
        if let Some(id) = make(ids()).filter(|id| !taken(id)) {
            return id;
        }
    }
}

pub fn new_task_id(edits: &Edits<'_>, ids: Ids<'_>) -> TaskId {
    new_id(ids, |text| TaskId::new(text).ok(), |id| edits.pipeline().tasks.contains_key(id))
}

/// `wish`, or "`wish` 2", "`wish` 3", … when a task has that name already.
pub fn free_name(pipeline: &Pipeline, wish: &str) -> String {
    let taken = |name: &str| pipeline.tasks.values().any(|task| task.name == name);
    if !taken(wish) {
        return wish.to_owned();
    }
    let stem = match wish.rsplit_once(' ') {
        Some((stem, number)) if number.parse::<u32>().is_ok() => stem,
        _ => wish,
    };
    (2u64..).map(|n| format!("{stem} {n}")).find(|name| !taken(name)).expect("some number is free")
}

pub fn add(edits: &mut Edits<'_>, kind: KindName, at: Point, ids: Ids<'_>) -> Outcome {
    let id = new_task_id(edits, ids);
    let name = free_name(edits.pipeline(), kind.title());
    edits.put_task(Task { id: id.clone(), name, run_as: None, kind: Kind::new(kind) });
    edits.place_task(&id, Place { x: at.x, y: at.y, width: None, height: None });
    Ok(Selection::task(id))
}

pub fn rename(edits: &mut Edits<'_>, task: &TaskId, name: String, selection: &Selection) -> Outcome {
    let old = edits.pipeline().tasks.get(task).ok_or_else(|| Refusal::Gone(format!("task \"{task}\"")))?;
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err(Refusal::Field { field: "name".into(), reason: "a task needs a name".into() });
    }
    let renamed = Task { name, ..Task::clone(old) };
    edits.put_task(renamed);
    Ok(selection.clone())
}

/// With the arrows of the deleted tasks; they leave their groups, and a group that becomes empty goes.
pub fn delete(edits: &mut Edits<'_>, selection: &Selection) -> Outcome {
    let chosen = selection.clone().kept_to(edits.pipeline());
    if chosen.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    let tied = edits.pipeline().arrows.values().filter(|arrow| {
        chosen.arrows.contains(&arrow.id)
            || chosen.tasks.contains(&arrow.from_task)
            || chosen.tasks.contains(&arrow.to_task)
    });
    let arrows: Vec<_> = tied.map(|arrow| arrow.id.clone()).collect();
    arrows.iter().for_each(|id| edits.remove_arrow(id));
    chosen.groups.iter().for_each(|id| edits.remove_group(id));
    chosen.notes.iter().for_each(|id| edits.remove_note(id));
    leave_groups(edits, &chosen);
    chosen.tasks.iter().for_each(|id| edits.remove_task(id));
    Ok(Selection::default())
}

/// Takes the selected tasks out of every group.
pub fn leave_groups(edits: &mut Edits<'_>, leaving: &Selection) {
    let touched =
        edits.pipeline().groups.values().filter(|group| group.tasks.iter().any(|task| leaving.tasks.contains(task)));
    let groups: Vec<Group> = touched.map(|group| Group::clone(group)).collect();
    for mut group in groups {
        group.tasks.retain(|task| !leaving.tasks.contains(task));
        if group.tasks.is_empty() {
            edits.remove_group(&group.id);
        } else {
            edits.put_group(group);
        }
    }
}
