//! Does an arrow go where something can flow?

use super::{Checker, volumes};
use crate::{
    kind::{Kind, KindName},
    path::{TaskPath, WORK},
    pipeline::{Acl, Arrow, Task},
    problem::{At, Fix, Problem},
};

struct Ends<'a> {
    checker: &'a Checker<'a>,
    arrow: &'a Arrow,
    from: &'a Task,
    to: &'a Task,
}

pub(super) fn check(checker: &Checker, arrow: &Arrow, found: &mut Vec<Problem>) {
    let tasks = &checker.pipeline.tasks;
    let (Some(from), Some(to)) = (tasks.get(&arrow.from_task), tasks.get(&arrow.to_task)) else {
        let gone = if tasks.contains_key(&arrow.from_task) { &arrow.to_task } else { &arrow.from_task };
        let sentence = format!("The arrow {} ends at the task \"{gone}\", which is not there", arrow.id);
        found.push(Problem::problem(At::arrow(&arrow.id, ""), sentence).with_fix(remove(arrow)));
        return;
    };
    let ends = Ends { checker, arrow, from, to };
    match (from.kind.name(), to.kind.name()) {
        (_, KindName::Volume) => found.push(ends.moves_nothing()),
        (KindName::Viewer, _) => found.push(ends.out_of_viewer()),
        (KindName::Volume, _) => ends.out_of_volume(found),
        _ => ends.between_tasks(found),
    }
}

fn remove(arrow: &Arrow) -> Fix {
    Fix::RemoveArrow { arrow: arrow.id.clone(), label: "Remove the arrow".into() }
}

impl Ends<'_> {
    fn problem(&self, field: &str, sentence: String) -> Problem {
        Problem::problem(At::arrow(&self.arrow.id, field), sentence)
    }

    fn set(&self, field: &str, value: &str, label: impl Into<String>) -> Fix {
        let (arrow, field) = (self.arrow.id.clone(), field.to_owned());
        Fix::SetArrowField { arrow, field, value: value.into(), label: label.into() }
    }

    fn moves_nothing(&self) -> Problem {
        let (volume, from) = (self.to.title(), self.from.title());
        let sentence = format!("An arrow into the volume {volume} moves nothing: mount it in {from} instead");
        self.problem("", sentence).with_fix(remove(self.arrow))
    }

    fn out_of_viewer(&self) -> Problem {
        let viewer = self.from.title();
        let sentence = format!("{viewer} makes nothing and holds nothing up: an arrow out of it does nothing");
        Problem::warning(At::arrow(&self.arrow.id, ""), sentence).with_fix(remove(self.arrow))
    }

    fn out_of_volume(&self, found: &mut Vec<Problem>) {
        let Kind::Volume(volume) = &self.from.kind else { return };
        let (name, to) = (self.from.title(), self.to.title());
        let here = self.checker.site.volumes.get(&volume.volume).map_or(volume.access, |here| here.access);
        if self.arrow.acl > volume.access.min(here) {
            let sentence = format!("{to} would change {name}, which is read-only");
            found.push(self.problem("acl", sentence).with_fix(self.set("acl", "RO", "Read only")));
        } else if self.arrow.acl == Acl::ReadWrite && self.to.kind.name() == KindName::Viewer {
            let sentence = format!("{to} only looks at {name}: it is mounted read-only");
            let made = Problem::warning(At::arrow(&self.arrow.id, "acl"), sentence);
            found.push(made.with_fix(self.set("acl", "RO", "Read only")));
        }
        if let Some(bad) = volumes::bad_sub_path(self.arrow.from_path.as_str()) {
            let sentence = format!("The From Path of the arrow from {name} to {to} {bad}");
            let relative = self.arrow.from_path.relative();
            let fix = bad.starts_with("begins").then(|| self.set("from_path", &relative, "Write it relative"));
            found.push(Problem { fix, ..self.problem("from_path", sentence) });
        } else if volumes::in_results(self.checker, &volume.volume, self.arrow.from_path.as_str()) {
            let sentence = format!("{to} {}", volumes::results_sentence(&volume.volume));
            found.push(self.problem("from_path", sentence));
        }
        if self.arrow.to_path.is_empty() && volume.mount_path.is_empty() {
            let sentence = format!("Where {to} finds {name} is not said: give the arrow a To Path");
            found.push(self.problem("to_path", sentence));
        }
    }

    fn between_tasks(&self, found: &mut Vec<Problem>) {
        let (from, to) = (self.from.title(), self.to.title());
        if self.arrow.acl == Acl::ReadWrite {
            let sentence =
                format!("{to} would change {from}'s result: read it and write to a path of its own, or share a Volume");
            found.push(self.problem("acl", sentence).with_fix(self.set("acl", "RO", "Read only")));
        }
        let viewer = self.to.kind.name() == KindName::Viewer;
        match (self.arrow.from_path.is_empty(), self.arrow.to_path.is_empty()) {
            (true, _) if viewer => {
                found.push(self.problem("from_path", format!("Which folder of {from} {to} shows is not said")));
            }
            (true, false) => {
                let sentence =
                    format!("What {to} finds at {} is not said: give the arrow a From Path", self.arrow.to_path);
                found.push(self.problem("from_path", sentence));
            }
            (false, true) if !viewer => {
                let sentence = format!("Where {to} finds {from}'s {} is not said", self.arrow.from_path);
                let own = self.arrow.from_path.normal();
                let fix = self.set("to_path", own.as_str(), format!("At {own}"));
                found.push(self.problem("to_path", sentence).with_fix(fix));
            }
            _ => {}
        }
        if !self.arrow.from_path.is_empty() {
            self.check_from_path(found);
        }
    }

    fn check_from_path(&self, found: &mut Vec<Problem>) {
        let (path, from) = (&self.arrow.from_path, self.from.title());
        if let Err(bad) = path.check() {
            found.push(self.problem("from_path", format!("{from}'s From Path \"{path}\" {bad}")));
            return;
        }
        if self.is_copied_too_late() {
            let to = self.to.title();
            let sentence = format!(
                "{to} would read {from}'s {path} before it is copied, because {from} stays open until the run ends: end it there, or write to a path outside {WORK}"
            );
            let (task, field, label) = (self.from.id.clone(), "stay_open".into(), "End it there".into());
            let fix = Fix::SetField { task, field, value: false.into(), label };
            found.push(self.problem("from_path", sentence).with_fix(fix));
            return;
        }
        match &self.from.kind {
            Kind::LoadData(load) if !path.is_within(&load.target) => {
                let target = load.target.normal();
                let sentence = format!("{from} writes to {target}, so {path} is not its to give");
                let fix = self.set("from_path", target.as_str(), format!("Use {target}"));
                found.push(self.problem("from_path", sentence).with_fix(fix));
            }
            Kind::LoadData(_) | Kind::Viewer(_) | Kind::Volume(_) => {}
            Kind::Job(_) | Kind::Serving(_) if path.normal() == TaskPath::from(WORK) => {
                let sentence =
                    format!("{from}'s {WORK} is gone when it ends: write results elsewhere, for example to /out");
                found.push(self.problem("from_path", sentence));
            }
            Kind::Container(_) | Kind::Notebook(_) | Kind::Job(_) | Kind::Serving(_) => self.like_a_file(found),
        }
    }

    /// What lies in the work folder goes on as a copy that is made when the step has ended.
    fn is_copied_too_late(&self) -> bool {
        let is_read = self.to.kind.name() != KindName::Viewer;
        is_read && self.from.kind.stays_open() && self.arrow.from_path.is_within(&WORK.into())
    }

    fn like_a_file(&self, found: &mut Vec<Problem>) {
        let path = self.arrow.from_path.normal();
        let Some(last) = super::paths::file_like(&path) else { return };
        let sentence = format!("{}'s From Path {path} makes a folder named {last}", self.from.title());
        let parent = TaskPath(path.0[..path.0.len() - last.len()].to_owned()).normal();
        let fix = parent.check().is_ok().then(|| self.set("from_path", parent.as_str(), format!("Use {parent}")));
        found.push(Problem { fix, ..Problem::warning(At::arrow(&self.arrow.id, "from_path"), sentence) });
    }
}
