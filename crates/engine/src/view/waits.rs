//! Why does it wait? One sentence, with what would help.

use model::{ExecutionId, Memory};

use super::is_over;
use crate::{
    event::Place,
    state::{
        Execution, Run, State,
        room::{Class, Lack},
    },
    world::World,
};

/// For a task whose upstreams are not all released.
pub(super) fn for_upstream(run: &Run, place: usize) -> String {
    let up = run.snapshot.nodes[place].ups.iter().find(|up| !is_over(&run.tasks[**up].stage));
    match up {
        Some(up) => {
            let title = run.snapshot.nodes[*up].task.title();
            let (is_busy, is_persons) = (run.busy.contains(up), run.persons.contains(up));
            let which = match (is_persons, is_busy) {
                (true, _) => ", which waits for you",
                (false, true) => ", which is running",
                (false, false) => "",
            };
            format!("waits for {title}{which}")
        }
        None => "waits for its turn".into(),
    }
}

/// For something that could start: the work folder, or room on the machine.
pub(super) fn in_line(state: &State, world: &World, run: &Run, place: &Place) -> String {
    if let Some(holder) = folder_holder(state, run, place) {
        return holder;
    }
    let Some(class) = state.class_of(place) else { return "waits for its turn".into() };
    match state.room.taken.lacks(class, world.budget.as_ref()) {
        None => "starts".into(),
        Some(Lack::Turn) => "waits for its turn: as many tasks run as this machine takes at once".into(),
        Some(lack) => for_room(state, run, class, lack),
    }
}

/// One live execution has the work folder, whichever run it belongs to.
fn folder_holder(state: &State, run: &Run, place: &Place) -> Option<String> {
    let Place::Lane { task, .. } = place else { return None };
    let holder = state.memory(&run.pipeline, task)?.holder.as_ref()?;
    let other = state.runs.get(&state.executions.get(holder)?.run)?;
    let title = run.snapshot.node(task)?.task.title();
    Some(match other.id == run.id {
        true => format!("waits for its work folder: the last {title} is still ending"),
        false => format!(
            "waits for its work folder: {title} of run {} has it · open it there · end it there and go on here",
            other.number
        ),
    })
}

fn for_room(state: &State, run: &Run, class: Class, lack: Lack) -> String {
    let what = match lack {
        Lack::Gpu if class.gpu == 1 => "1 GPU".to_owned(),
        Lack::Gpu => format!("{} GPUs", class.gpu),
        Lack::Memory => format!("{} of memory", Memory(class.memory)),
        Lack::Cpu => format!("{} CPU", model::Cpu(class.cpu)),
        Lack::Turn => "its turn".to_owned(),
    };
    let holds = |one: &Execution| match lack {
        Lack::Gpu => one.class.gpu > 0,
        Lack::Memory => one.class.memory > 0,
        Lack::Cpu => one.class.cpu > 0,
        Lack::Turn => one.class.quick,
    };
    let holder = state.room.holders.iter().find(|id| state.executions.get(*id).is_some_and(holds));
    match holder.and_then(|id| named(state, run, id)) {
        Some((name, can_be_stopped)) => {
            let advice = if can_be_stopped { format!(" · stop {name}") } else { String::new() };
            format!("waits for {what}, held by {name}{advice}")
        }
        None => format!("waits for {what}, more than this machine has"),
    }
}

/// What holds something, named as a person of this run knows it; true: a person can stop it.
fn named(state: &State, run: &Run, execution: &ExecutionId) -> Option<(String, bool)> {
    let known = state.executions.get(execution)?;
    let own = state.runs.get(&known.run)?;
    let title = own.snapshot.node(&execution.task)?.task.title();
    let name = if own.id == run.id { title.to_owned() } else { format!("{title} of run {}", own.number) };
    Some((name, !known.class.quick))
}
