//! What is wrong with a pipeline, here, with these parameters?
//!
//! One function per topic, each for one task or arrow, so that an editor can look again at what a change touched.

mod arrows;
mod env;
mod kinds;
mod live;
mod paths;
mod settings;
mod text;
mod unknown;
mod volumes;
mod whole;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use unknown::unknown_fields;

use crate::{
    Gather,
    id::{ArrowId, TaskId},
    inherit::{Effective, Resolved},
    kind::{Kind, KindName},
    pipeline::{Pipeline, Task},
    problem::{At, Fix, Problem},
    site::Site,
};

/// Everything that is wrong: the pipeline's own, then by task, then by arrow. Equal pipelines give equal lists.
///
/// `parameters` are those of a run; while one edits there are none, and defaults stand in.
pub fn problems(pipeline: &Pipeline, site: &Site, parameters: &BTreeMap<String, String>) -> Vec<Problem> {
    let checker = Checker::new(pipeline, site, parameters);
    let mut found = checker.whole();
    found.extend(pipeline.tasks.keys().flat_map(|task| checker.task(task)));
    found.extend(pipeline.arrows.keys().flat_map(|arrow| checker.arrow(arrow)));
    found
}

/// What is wrong with one task and the arrows at it.
pub fn problems_of(pipeline: &Pipeline, site: &Site, task: &TaskId) -> Vec<Problem> {
    let defaults = BTreeMap::new();
    let checker = Checker::new(pipeline, site, &defaults);
    let mut found = checker.task(task);
    let order = &checker.resolved.order;
    let arrows = order.arrows_into(task).iter().chain(order.arrows_out_of(task));
    let arrows: BTreeSet<&ArrowId> = arrows.map(|arrow| &arrow.id).gather();
    found.extend(arrows.into_iter().flat_map(|arrow| checker.arrow(arrow)));
    found
}

/// A pipeline made ready to be checked; what is asked after that costs what it looks at.
pub struct Checker<'a> {
    pipeline: &'a Pipeline,
    site: &'a Site,
    resolved: Resolved,
    given: &'a BTreeMap<String, String>,
    /// Parameters with their values: given, else by default.
    parameters: BTreeMap<String, String>,
    /// Tasks behind a live step that stays open until the run ends, or behind a Serving, each with those.
    behind_open: BTreeMap<TaskId, Vec<TaskId>>,
}

impl<'a> Checker<'a> {
    pub fn new(pipeline: &'a Pipeline, site: &'a Site, given: &'a BTreeMap<String, String>) -> Self {
        let resolved = Resolved::of(pipeline, site);
        let parameters = pipeline.settings.values(given);
        let mut behind_open: BTreeMap<TaskId, Vec<TaskId>> = BTreeMap::new();
        for open in pipeline.tasks.values().filter(|task| stays(&task.kind)) {
            for task in resolved.order.from_here(&open.id).into_iter().filter(|task| *task != open.id) {
                behind_open.entry(task).or_default().push(open.id.clone());
            }
        }
        Checker { pipeline, site, resolved, given, parameters, behind_open }
    }

    /// What the installation cannot do, parameters, rings of arrows, and what lies between tasks rather than in one.
    pub fn whole(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        whole::installation(self, &mut found);
        whole::parameters(self, &mut found);
        whole::cycles(self, &mut found);
        whole::writers(self, &mut found);
        whole::serving_ports(self, &mut found);
        unknown::in_document(self.pipeline, &mut found);
        found
    }

    /// One task, without the arrows at it.
    pub fn task(&self, task: &TaskId) -> Vec<Problem> {
        let both = self.pipeline.tasks.get(task).zip(self.resolved.effective.get(task));
        let Some((task, effective)) = both else { return Vec::new() };
        let mut of = Of { checker: self, task, effective, found: Vec::new() };
        settings::check(&mut of);
        env::check(&mut of);
        volumes::check(&mut of);
        paths::check(&mut of);
        live::check(&mut of);
        kinds::check(&mut of);
        unknown::in_task(task, &mut of.found);
        of.found
    }

    pub fn arrow(&self, arrow: &ArrowId) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Some(arrow) = self.pipeline.arrows.get(arrow) {
            arrows::check(self, arrow, &mut found);
            unknown::in_arrow(arrow, &mut found);
        }
        found
    }

    fn title(&self, task: &TaskId) -> String {
        self.pipeline.tasks.get(task).map_or_else(|| task.to_string(), |task| task.title().to_owned())
    }

    /// "this machine", or of a cluster "the largest node".
    fn place(&self) -> &'static str {
        match self.site.runner {
            crate::site::RunnerName::Local => "this machine",
            crate::site::RunnerName::Kubernetes => "the largest node",
        }
    }
}

/// It lets the tasks behind it start and is still there.
fn stays(kind: &Kind) -> bool {
    kind.stays_open() || kind.name() == KindName::Serving
}

/// One task that is being looked at.
struct Of<'a> {
    checker: &'a Checker<'a>,
    task: &'a Task,
    effective: &'a Effective,
    found: Vec<Problem>,
}

impl Of<'_> {
    /// What comes after the task's name.
    fn problem(&mut self, field: impl Into<String>, rest: impl AsRef<str>) {
        let made = Problem::problem(At::task(&self.task.id, field), format!("{} {}", self.task.title(), rest.as_ref()));
        self.found.push(made);
    }

    fn warning(&mut self, field: impl Into<String>, rest: impl AsRef<str>) {
        let made = Problem::warning(At::task(&self.task.id, field), format!("{} {}", self.task.title(), rest.as_ref()));
        self.found.push(made);
    }

    /// A whole sentence of its own.
    fn sentence(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.found.push(Problem::problem(At::task(&self.task.id, field), sentence));
    }

    /// Gives what was found last a button.
    fn fix(&mut self, fix: Fix) {
        if let Some(last) = self.found.last_mut() {
            last.fix = Some(fix);
        }
    }

    /// A button that sets one field of this task.
    fn fix_field(&mut self, field: impl Into<String>, value: impl Into<Value>, label: impl Into<String>) {
        let (task, field, value, label) = (self.task.id.clone(), field.into(), value.into(), label.into());
        self.fix(Fix::SetField { task, field, value, label });
    }
}
