//! Which tasks does a part of a pipeline run, and which problems stop it?

use std::collections::BTreeSet;

use crate::{
    Gather,
    id::TaskId,
    kind::KindName,
    order::Order,
    pipeline::Pipeline,
    problem::{At, Problem, Severity},
    run::Part,
};

/// The tasks that a run of this part runs. A Volume is mounted, never run. A Viewer comes along with any task that it
/// looks at, except in "run only this"; "up to here" of a Viewer is what it looks at.
pub fn tasks(pipeline: &Pipeline, order: &Order, part: &Part) -> BTreeSet<TaskId> {
    let kind = |task: &TaskId| pipeline.tasks.get(task).map(|task| task.kind.name());
    let mut tasks = match part {
        Part::All => pipeline.tasks.keys().cloned().gather(),
        Part::OnlyThis { task } => std::iter::once(task.clone()).gather(),
        Part::FromHere { task } => with_viewers(pipeline, order, order.from_here(task)),
        Part::UpToHere { task } => {
            let mut needed = order.up_to_here(task);
            if kind(task) == Some(KindName::Viewer) {
                let watched = order.arrows_into(task).iter();
                needed.extend(watched.flat_map(|arrow| order.up_to_here(&arrow.from_task)));
            }
            with_viewers(pipeline, order, needed)
        }
    };
    tasks.retain(|task| kind(task).is_some_and(|kind| kind != KindName::Volume));
    tasks
}

fn with_viewers(pipeline: &Pipeline, order: &Order, mut tasks: BTreeSet<TaskId>) -> BTreeSet<TaskId> {
    let arrows = tasks.iter().flat_map(|task| order.arrows_out_of(task));
    let viewers = arrows
        .map(|arrow| &arrow.to_task)
        .filter(|task| pipeline.tasks.get(*task).is_some_and(|task| task.kind.name() == KindName::Viewer));
    let viewers: Vec<TaskId> = viewers.cloned().collect();
    tasks.extend(viewers);
    tasks
}

/// A problem stops only a run that would run the task it is in. One of a Volume is in each task that mounts it; one of
/// an arrow in the task that reads it, and what is wrong with a From Path in the task that writes it, too.
pub fn stopping<'a>(pipeline: &Pipeline, tasks: &BTreeSet<TaskId>, problems: &'a [Problem]) -> Vec<&'a Problem> {
    let stops = |problem: &&Problem| match &problem.at {
        At::Pipeline { .. } => true,
        At::Task { task, .. } => tasks.contains(task) || is_mounted(pipeline, tasks, task),
        At::Arrow { arrow, field } => pipeline.arrows.get(arrow).is_none_or(|arrow| {
            tasks.contains(&arrow.to_task) || field == "from_path" && tasks.contains(&arrow.from_task)
        }),
    };
    problems.iter().filter(|problem| problem.severity == Severity::Problem).filter(stops).collect()
}

fn is_mounted(pipeline: &Pipeline, tasks: &BTreeSet<TaskId>, volume: &TaskId) -> bool {
    pipeline.tasks.get(volume).is_some_and(|task| task.kind.name() == KindName::Volume)
        && pipeline.arrows.values().any(|arrow| arrow.from_task == *volume && tasks.contains(&arrow.to_task))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Build, id};

    fn pipeline() -> Pipeline {
        Build::new()
            .task("nas", KindName::Volume)
            .task("data", KindName::LoadData)
            .task("train", KindName::Job)
            .task("serve", KindName::Serving)
            .task("board", KindName::Viewer)
            .arrow("nas", "", "train", "/nas")
            .arrow("data", "/data", "train", "/data")
            .arrow("train", "/out", "serve", "/model")
            .arrow("train", "/logs", "board", "")
            .done()
    }

    #[test]
    fn a_part_is_what_lies_before_or_after_with_the_viewers_that_look_at_it() {
        let pipeline = pipeline();
        let order = Order::of(&pipeline);
        let of = |part: Part| tasks(&pipeline, &order, &part).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(Part::All), ["board", "data", "serve", "train"]);
        assert_eq!(of(Part::FromHere { task: id("train") }), ["board", "serve", "train"]);
        assert_eq!(of(Part::UpToHere { task: id("train") }), ["board", "data", "train"]);
        assert_eq!(of(Part::UpToHere { task: id("board") }), ["board", "data", "train"]);
        assert_eq!(of(Part::OnlyThis { task: id("train") }), ["train"]);
        assert!(of(Part::OnlyThis { task: id("nas") }).is_empty());
    }

    #[test]
    fn a_problem_stops_only_a_run_that_would_run_the_task_it_is_in() {
        let pipeline = pipeline();
        let at = |at: At| Problem::problem(at, "x");
        let problems = [
            at(At::task(&id("nas"), "volume")),
            at(At::task(&id("serve"), "files")),
            Problem::warning(At::task(&id("train"), ""), "x"),
        ];
        let train = BTreeSet::from([id("train")]);
        assert_eq!(stopping(&pipeline, &train, &problems), [&problems[0]]);
        assert_eq!(stopping(&pipeline, &BTreeSet::from([id("serve")]), &problems), [&problems[1]]);
        assert!(stopping(&pipeline, &BTreeSet::from([id("data")]), &problems).is_empty());
    }
}
