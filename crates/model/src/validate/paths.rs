//! Does everything that a task sees have a place of its own?

use super::Of;
use crate::{
    copies,
    kind::{Kind, KindName},
    mounts,
    path::{TaskPath, WORK},
    pipeline::Acl,
    problem::At,
    problem::Problem,
};

/// Something at a path of the task.
struct There {
    path: TaskPath,
    acl: Acl,
    /// "Explore's /out", "the volume nas".
    what: String,
    at: At,
    /// Made by the task itself: several may name one folder.
    own: bool,
}

pub(super) fn check(of: &mut Of) {
    let mut there = mounted(of);
    there.extend(written(of));
    for one in &there {
        place(of, one);
    }
    there.retain(|one| one.path.check().is_ok());
    there.sort_by_cached_key(|one| (one.path.normal(), one.own));
    collisions(of, &there);
    copies_in(of);
    kept(of);
}

/// Shared volumes and results of others.
fn mounted(of: &Of) -> Vec<There> {
    let (checker, task) = (of.checker, &of.task.id);
    let mut there = Vec::new();
    for (index, volume) in of.effective.volumes.value().into_iter().flatten().enumerate() {
        let own = of.task.kind.volumes().is_some_and(|volumes| volumes.own().is_some());
        let field = if own { format!("volumes[{index}].mount_path") } else { "volumes".into() };
        let what = format!("the volume {}", volume.volume);
        there.push(There {
            path: volume.mount_path.clone(),
            acl: volume.acl,
            what,
            at: At::task(task, field),
            own: false,
        });
    }
    let viewer = of.task.kind.name() == KindName::Viewer;
    for arrow in checker.resolved.order.arrows_into(task).iter().filter_map(|arrow| checker.pipeline.arrows.get(arrow))
    {
        let at = At::arrow(&arrow.id, "to_path");
        if let Some(mount) = mounts::of_arrow(checker.pipeline, arrow) {
            let what = format!("the volume {}", mount.id);
            if !mount.mount_path.is_empty() {
                there.push(There { path: mount.mount_path, acl: mount.acl, what, at, own: false });
            }
        } else if !arrow.to_path.is_empty() && !viewer && of.task.kind.name() != KindName::Volume {
            let what = format!("{}'s {}", checker.title(&arrow.from_task), arrow.from_path);
            there.push(There { path: arrow.to_path.clone(), acl: Acl::ReadOnly, what, at, own: false });
        }
    }
    there
}

/// What the task itself writes. From Paths are checked with their arrows.
fn written(of: &Of) -> Vec<There> {
    let (checker, task) = (of.checker, &of.task.id);
    let own = |path: &TaskPath, at: At| There {
        path: path.clone(),
        acl: Acl::ReadWrite,
        what: format!("its own {path}"),
        at,
        own: true,
    };
    let mut there = Vec::new();
    match &of.task.kind {
        Kind::LoadData(load) => there.push(own(&load.target, At::task(task, "target"))),
        Kind::Container(_) | Kind::Notebook(_) | Kind::Job(_) | Kind::Serving(_) => {
            let out_of = checker.resolved.order.arrows_out_of(task).iter();
            let arrows = out_of.filter_map(|arrow| checker.pipeline.arrows.get(arrow));
            let arrows = arrows.filter(|arrow| arrow.from_path.check().is_ok());
            there.extend(arrows.map(|arrow| own(&arrow.from_path, At::arrow(&arrow.id, "from_path"))));
        }
        Kind::Viewer(_) | Kind::Volume(_) => {}
    }
    for (index, path) in of.task.kind.keep().iter().enumerate() {
        there.push(own(path, At::task(task, format!("keep[{index}]"))));
    }
    there
}

fn place(of: &mut Of, one: &There) {
    let title = of.task.title();
    let sentence = match one.path.check() {
        Err(_) if one.path.is_empty() => format!("Where {title} finds {} is not said", one.what),
        Err(bad) => format!("{title} has the path \"{}\", which {bad}", one.path),
        Ok(()) if !one.own && is_work(&one.path) => {
            format!("{title} would find {} at {WORK}, where its own work lies: choose another place", one.what)
        }
        Ok(()) => return,
    };
    of.found.push(Problem::problem(one.at.clone(), sentence));
}

fn is_work(path: &TaskPath) -> bool {
    path.normal().as_str() == WORK
}

/// `there` is in the order of places, so that what lies inside something comes after it.
fn collisions(of: &mut Of, there: &[There]) {
    let title = of.task.title().to_owned();
    let mut around: Vec<&There> = Vec::new();
    for one in there {
        around.retain(|outer| one.path.is_within(&outer.path));
        for outer in &around {
            let same = outer.path.is_within(&one.path);
            let sentence = match (same, outer.acl) {
                (true, _) if outer.own && one.own => continue,
                (true, _) => format!("{title} would find {} and {} at one place, {}", outer.what, one.what, one.path),
                (false, Acl::ReadOnly) => format!(
                    "{title} would find {} at {}, inside {}, which is read-only: choose another place",
                    one.what, one.path, outer.what
                ),
                (false, Acl::ReadWrite) => continue,
            };
            of.found.push(Problem::problem(one.at.clone(), sentence));
            break;
        }
        around.push(one);
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
    let mut arrows =
        checker.resolved.order.arrows_out_of(&of.task.id).iter().filter_map(|arrow| checker.pipeline.arrows.get(arrow));
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
