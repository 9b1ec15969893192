//! Are the shared volumes there, and may a task do with them what it wants?

use super::Of;
use crate::{
    inherit::Field,
    kind::{Kind, SharedVolume, Volume},
    pipeline::Acl,
    problem::Fix,
};

pub(super) fn check(of: &mut Of) {
    let (task, effective) = (of.task, of.effective);
    if let Kind::Volume(volume) = &task.kind {
        component(of, volume);
    }
    let own = matches!(effective.volumes, Field::Own(_));
    for (index, volume) in effective.volumes.value().into_iter().flatten().enumerate() {
        let at = if own { format!("volumes[{index}]") } else { "volumes".to_owned() };
        setting(of, &at, own, volume);
    }
}

fn component(of: &mut Of, volume: &Volume) {
    let Some(access) = known(of, "volume", &volume.volume) else { return };
    if volume.access > access {
        of.problem("access", format!("would change {}, which is read-only here", volume.volume));
        of.fix_field("access", "RO", "Read only");
    }
}

fn setting(of: &mut Of, at: &str, own: bool, volume: &SharedVolume) {
    let Some(access) = known(of, &format!("{at}.volume"), &volume.volume) else { return };
    if volume.acl > access {
        of.problem(format!("{at}.acl"), format!("would change {}, which is read-only here", volume.volume));
        if own {
            of.fix_field(format!("{at}.acl"), "RO", "Read only");
        }
    }
    if let Some(bad) = volume.sub_path.as_deref().and_then(bad_sub_path) {
        of.problem(format!("{at}.sub_path"), format!("mounts a folder of {} that {bad}", volume.volume));
    } else if let Some(path) = &volume.sub_path
        && in_results(of.checker, &volume.volume, path)
    {
        of.problem(format!("{at}.sub_path"), results_sentence(&volume.volume));
    }
}

/// The most that this installation allows with the volume.
fn known(of: &mut Of, at: &str, name: &str) -> Option<Acl> {
    if name.is_empty() {
        of.problem(at, "names no shared volume: choose one");
        return None;
    }
    let access = of.checker.site.volumes.get(name).map(|volume| volume.access);
    if access.is_none() {
        of.problem(at, format!("mounts the volume \"{name}\", which is not in the settings"));
        of.fix(Fix::MakeVolume { volume: name.to_owned(), label: format!("Make {name}") });
    }
    if let Some(fault) = of.checker.site.faults.volumes.get(name) {
        of.problem(at, format!("mounts {name} · {fault}"));
    }
    access
}

/// What is wrong with a folder of a volume.
pub(super) fn bad_sub_path(path: &str) -> Option<&'static str> {
    match path {
        _ if path.starts_with('/') => Some("begins with \"/\": write it relative to the volume"),
        _ if path.split('/').any(|part| part == "..") => Some("has \"..\" in it: write the folder itself"),
        _ if path.chars().any(char::is_control) => Some("has a character that no path can hold"),
        _ if path.len() > 1024 || path.split('/').any(|part| part.len() > 255) => Some("is longer than a path can be"),
        _ => None,
    }
}

/// Whether a folder of a volume lies in the results of pipelines.
pub(super) fn in_results(checker: &super::Checker, volume: &str, path: &str) -> bool {
    let first = path.split('/').find(|part| !part.is_empty() && *part != ".");
    first == Some("pipeline") && checker.site.volumes.get(volume).is_some_and(|volume| volume.holds_results)
}

pub(super) fn results_sentence(volume: &str) -> String {
    format!("mounts a folder of the results that lie on {volume}: draw an arrow from the task that made them")
}
