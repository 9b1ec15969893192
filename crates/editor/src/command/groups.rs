//! How are tasks framed?

use model::{Gather, Group, GroupId, Unknown};

use super::{Ids, Outcome, Refusal, tasks};
use crate::{document::Edits, selection::Selection};

pub fn new_group_id(edits: &Edits<'_>, ids: Ids<'_>) -> GroupId {
    tasks::new_id(ids, |text| GroupId::new(text).ok(), |id| edits.pipeline().groups.contains_key(id))
}

/// The tasks leave the groups that they were in: one task is in one frame.
pub fn group(edits: &mut Edits<'_>, selection: &Selection, name: String, ids: Ids<'_>) -> Outcome {
    let members = selection.clone().kept_to(edits.pipeline());
    if members.tasks.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    tasks::leave_groups(edits, &members);
    let id = new_group_id(edits, ids);
    let tasks = members.tasks.into_iter().collect();
    edits.put_group(Group { id: id.clone(), name, tasks, unknown: Unknown::new() });
    Ok(Selection::group(id))
}

/// Selected groups go, and those of selected tasks; the tasks stay and are selected.
pub fn ungroup(edits: &mut Edits<'_>, selection: &Selection) -> Outcome {
    let meant = edits.pipeline().groups.values().filter(|group| {
        selection.groups.contains(&group.id) || group.tasks.iter().any(|task| selection.tasks.contains(task))
    });
    let groups: Vec<_> = meant.cloned().collect();
    if groups.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    groups.iter().for_each(|group| edits.remove_group(&group.id));
    let tasks = groups.iter().flat_map(|group| group.tasks.iter().cloned()).gather();
    Ok(Selection { tasks, ..Selection::default() })
}

pub fn rename(edits: &mut Edits<'_>, group: &GroupId, name: String, selection: &Selection) -> Outcome {
    let old = edits.pipeline().groups.get(group).ok_or_else(|| Refusal::Gone("such group".into()))?;
    let new = Group { name: name.trim().to_owned(), ..Group::clone(old) };
    edits.put_group(new);
    Ok(selection.clone())
}
