//! Does everything that a task sees have a place of its own?

use std::borrow::Cow;

use super::{Checker, Of};
use crate::{
    copies,
    id::ArrowId,
    inherit::Effective,
    kind::{Kind, KindName},
    mounts,
    path::{TaskPath, WORK},
    pipeline::{Acl, Arrow, Task},
    problem::{At, Problem},
};

/// Something at a path of the task. Nothing is copied for the many that are in order.
struct There<'a> {
    path: Cow<'a, TaskPath>,
    acl: Acl,
    what: What<'a>,
    at: Said<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Volume(&'a str),
    /// Where a shared volume holds the results of pipelines, they are mounted read-only over it.
    ResultsOn(&'a str),
    /// What the arrow's upstream made.
    Result(&'a Arrow),
    /// Made by the task itself: several may name one folder.
    Own,
}

/// Where a path is said: a field of the task or of an arrow.
enum Said<'a> {
    Task(String),
    Arrow(&'a ArrowId, &'static str),
}

impl There<'_> {
    fn is_own(&self) -> bool {
        matches!(self.what, What::Own)
    }

    fn what(&self, of: &Of) -> String {
        match self.what {
            What::Volume(name) => format!("the volume {name}"),
            What::ResultsOn(name) => format!("the results on {name}"),
            What::Result(arrow) => format!("{}'s {}", of.checker.title(&arrow.from_task), arrow.from_path),
            What::Own => format!("its own {}", self.path),
        }
    }

    fn problem(&self, of: &Of, sentence: String) -> Problem {
        let at = match &self.at {
            Said::Task(field) => At::task(&of.task.id, field.as_str()),
            Said::Arrow(arrow, field) => At::arrow(arrow, *field),
        };
        Problem::problem(at, sentence)
    }
}

pub(super) fn check(of: &mut Of) {
    let mut there = Vec::new();
    settings(of, &mut there);
    arrows(of, &mut there);
    written(of, &mut there);
    let mut found: Vec<Problem> = there.iter().filter_map(|one| place(of, one)).collect();
    there.retain(|one| one.path.check().is_ok());
    there.sort_by_cached_key(|one| (one.path.normal(), one.is_own()));
    found.extend(collisions(of, &there));
    of.found.extend(found);
    copies_in(of);
    kept(of);
}

/// Shared volumes of the settings, own or inherited.
fn settings<'a>(of: &Of<'a>, there: &mut Vec<There<'a>>) {
    let own = of.task.kind.volumes().is_some_and(|volumes| volumes.own().is_some());
    let effective: &'a Effective = of.effective;
    for (index, volume) in effective.volumes.value().into_iter().flatten().enumerate() {
        let field = || Said::Task(if own { format!("volumes[{index}].mount_path") } else { "volumes".into() });
        let whole = volume.sub_path.as_deref().is_none_or(|path| TaskPath::from(path).relative().is_empty());
        shared(of, there, (&volume.volume, volume.acl, whole), &volume.mount_path, field);
    }
}

fn shared<'a>(
    of: &Of<'a>,
    there: &mut Vec<There<'a>>,
    (name, acl, whole): (&'a str, Acl, bool),
    path: &'a TaskPath,
    at: impl Fn() -> Said<'a>,
) {
    there.push(There { path: Cow::Borrowed(path), acl, what: What::Volume(name), at: at() });
    if whole && path.check().is_ok() && of.checker.site.volumes.get(name).is_some_and(|volume| volume.holds_results) {
        let path = Cow::Owned(TaskPath(format!("{}/pipeline", path.normal())));
        there.push(There { path, acl: Acl::ReadOnly, what: What::ResultsOn(name), at: at() });
    }
}

/// Volumes and results of others that arrows bring.
fn arrows<'a>(of: &Of<'a>, there: &mut Vec<There<'a>>) {
    let checker: &'a Checker<'a> = of.checker;
    let takes_results = !matches!(of.task.kind.name(), KindName::Viewer | KindName::Volume);
    for arrow in checker.resolved.order.arrows_into(&of.task.id) {
        let at = || Said::Arrow(&arrow.id, "to_path");
        let from = checker.pipeline.tasks.get(&arrow.from_task);
        if let Some(Kind::Volume(volume)) = from.map(|from| &from.kind) {
            let path = if arrow.to_path.is_empty() { &volume.mount_path } else { &arrow.to_path };
            if !path.is_empty() {
                let whole = arrow.from_path.relative().is_empty();
                shared(of, there, (&volume.volume, arrow.acl, whole), path, at);
            }
        } else if !arrow.to_path.is_empty() && takes_results {
            let path = Cow::Borrowed(&arrow.to_path);
            there.push(There { path, acl: Acl::ReadOnly, what: What::Result(arrow), at: at() });
        }
    }
}

/// What the task itself writes. From Paths are checked with their arrows.
fn written<'a>(of: &Of<'a>, there: &mut Vec<There<'a>>) {
    let (checker, task): (&'a Checker<'a>, &'a Task) = (of.checker, of.task);
    let own = |path: &'a TaskPath, at| There { path: Cow::Borrowed(path), acl: Acl::ReadWrite, what: What::Own, at };
    match &task.kind {
        Kind::LoadData(load) => there.push(own(&load.target, Said::Task("target".into()))),
        Kind::Container(_) | Kind::Notebook(_) | Kind::Job(_) | Kind::Serving(_) => {
            let arrows = checker.resolved.order.arrows_out_of(&task.id).iter();
            let arrows = arrows.filter(|arrow| arrow.from_path.check().is_ok());
            there.extend(arrows.map(|arrow| own(&arrow.from_path, Said::Arrow(&arrow.id, "from_path"))));
        }
        Kind::Viewer(_) | Kind::Volume(_) => {}
    }
    let keep = task.kind.keep().iter().enumerate();
    there.extend(keep.map(|(index, path)| own(path, Said::Task(format!("keep[{index}]")))));
}

fn place(of: &Of, one: &There) -> Option<Problem> {
    let title = of.task.title();
    let sentence = match one.path.check() {
        Err(_) if one.path.is_empty() => format!("Where {title} finds {} is not said", one.what(of)),
        Err(bad) => format!("{title} has the path \"{}\", which {bad}", one.path),
        Ok(()) if !one.is_own() && is_work(&one.path) => {
            format!("{title} would find {} at {WORK}, where its own work lies: choose another place", one.what(of))
        }
        Ok(()) => return None,
    };
    Some(one.problem(of, sentence))
}

fn is_work(path: &TaskPath) -> bool {
    path.normal().as_str() == WORK
}

/// `there` is in the order of places, so that what lies inside something comes after it.
fn collisions(of: &Of, there: &[There]) -> Vec<Problem> {
    let (mut found, mut around): (Vec<Problem>, Vec<&There>) = (Vec::new(), Vec::new());
    for one in there {
        around.retain(|outer| one.path.is_within(&outer.path));
        let sentence = around.iter().find_map(|outer| collision(of, outer, one));
        found.extend(sentence.map(|sentence| one.problem(of, sentence)));
        around.push(one);
    }
    found
}

fn collision(of: &Of, outer: &There, one: &There) -> Option<String> {
    let title = of.task.title();
    // What is laid over a volume on purpose is no accident.
    if matches!((outer.what, one.what), (What::Volume(volume), What::ResultsOn(on)) if volume == on) {
        return None;
    }
    match (outer.path.is_within(&one.path), outer.acl) {
        (true, _) if outer.is_own() && one.is_own() => None,
        (true, _) => {
            Some(format!("{title} would find {} and {} at one place, {}", outer.what(of), one.what(of), one.path))
        }
        (false, Acl::ReadOnly) => Some(format!(
            "{title} would find {} at {}, inside {}, which is read-only: choose another place",
            one.what(of),
            one.path,
            outer.what(of)
        )),
        (false, Acl::ReadWrite) => None,
    }
}

/// Each copy is a mount of its own.
fn copies_in(of: &mut Of) {
    let checker = of.checker;
    let mut all = 0u64;
    for arrow in mounts::data_arrows(checker.pipeline, &checker.resolved, &of.task.id) {
        let grid = checker.pipeline.tasks.get(&arrow.from_task).and_then(|from| from.kind.grid());
        all += grid.map_or(0, |grid| copies::count(grid).unwrap_or(u32::MAX).into());
    }
    let most = checker.site.limits.copies;
    if all > most.into() {
        of.problem("", format!("would read {all} copies, more than {most}: gather them in several tasks"));
    }
}

fn kept(of: &mut Of) {
    let step = matches!(of.task.kind.name(), KindName::Container | KindName::Notebook | KindName::Job);
    let checker = of.checker;
    let mut arrows = checker.resolved.order.arrows_out_of(&of.task.id).iter();
    if step && of.task.kind.keep().is_empty() && !arrows.any(|arrow| !arrow.from_path.is_empty()) {
        let at = At::task(&of.task.id, "keep");
        let sentence = format!("What {} writes is lost when it ends", of.task.title());
        of.found.push(Problem::warning(at, sentence));
        of.fix_field("keep", serde_json::json!(["/out"]), "Keep /out");
    }
    if of.task.kind.name() == KindName::Job && of.task.kind.keep().iter().any(is_work) {
        of.problem("keep", format!("cannot keep {WORK}, which is gone when it ends: keep for example /out"));
    }
    for (index, path) in of.task.kind.keep().iter().enumerate() {
        if let Some(last) = file_like(&path.normal()) {
            of.warning(format!("keep[{index}]"), format!("keeps {path}, which makes a folder named {last}"));
        }
    }
}

/// The last part of a path, if it is named as a file is: `model.pt`, not `.cache` or `v1.2`.
pub(super) fn file_like(path: &TaskPath) -> Option<&str> {
    let last = path.0.rsplit('/').next()?;
    let (stem, extension) = last.rsplit_once('.')?;
    let extension_like = (1..=11).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        && extension.bytes().any(|b| b.is_ascii_alphabetic());
    (!stem.is_empty() && extension_like).then_some(last)
}
