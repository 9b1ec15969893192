//! Are files, copies, sources and what a Serving needs in order?

use std::collections::BTreeSet;

use super::{
    Of,
    text::{fill, values},
};
use crate::{
    Gather, copies,
    kind::{File, Grid, Kind, LoadData, Serving, Source, Viewer},
    serving,
    site::RunnerName,
};

pub(super) fn check(of: &mut Of) {
    let task = of.task;
    files(of, task.kind.files());
    match &task.kind {
        Kind::LoadData(load) => sources(of, load),
        Kind::Job(_) => {
            if let Some(grid) = task.kind.grid() {
                grid_of(of, grid);
            }
        }
        Kind::Viewer(viewer) => shows(of, viewer),
        Kind::Serving(serving) => served(of, serving),
        Kind::Container(_) | Kind::Notebook(_) | Kind::Volume(_) => {}
    }
}

fn files(of: &mut Of, files: &[File]) {
    let mut seen = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        let at = format!("files[{index}].name");
        if let Some(bad) = bad_name(&file.name) {
            of.problem(at, format!("has a file \"{}\" whose name {bad}", file.name));
        } else if !seen.insert(file.name.as_str()) {
            of.problem(at, format!("has two files named {}", file.name));
        }
    }
    let (all, most) = (files.iter().map(|file| file.text.len() as u64).sum::<u64>(), of.checker.site.limits.files);
    if all > most {
        let rest = format!(
            "has files of {} KiB together, more than {} KiB: load them as data",
            all.div_ceil(1024),
            most / 1024
        );
        of.problem("files", rest);
    }
}

fn bad_name(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("is empty"),
        _ if name.starts_with('/') => Some("begins with \"/\": write it relative to the work folder"),
        _ if name.chars().any(char::is_control) => Some("has a character that no file's name can hold"),
        _ if name.split('/').any(|part| matches!(part, "" | "." | "..")) => Some("has an empty part, \".\" or \"..\""),
        _ if name.len() > 1024 || name.split('/').any(|part| part.len() > 255) => Some("is too long"),
        _ => None,
    }
}

fn grid_of(of: &mut Of, grid: &Grid) {
    for (name, values) in grid {
        let at = format!("copies.{name}");
        if values.is_empty() {
            of.problem(at, format!("varies {name} over no values: give it some, or remove it"));
        } else if values.iter().gather::<BTreeSet<_>>().len() < values.len() {
            of.warning(at, format!("has a value of {name} twice: those copies do the same"));
        }
        if values.iter().any(|value| value.contains('\0')) {
            of.problem(
                format!("copies.{name}"),
                format!("has a value of {name} with a zero byte, which no program can be given"),
            );
        }
    }
    let most = of.checker.site.limits.copies;
    match copies::count(grid) {
        Some(count) if count <= most => {}
        Some(count) => of.problem("copies", format!("would run {count} copies, more than {most}")),
        None => of.problem("copies", format!("would run more copies than can be counted; at most {most} are run")),
    }
}

fn shows(of: &mut Of, viewer: &Viewer) {
    if of.checker.resolved.order.arrows_into(&of.task.id).is_empty() {
        of.warning("", "shows nothing: draw an arrow from a task whose logs it is to show");
    }
    if viewer.newest_runs == 0 {
        of.warning("newest_runs", "shows the newest 0 runs, so only those that are pinned");
    }
}

fn served(of: &mut Of, serving: &Serving) {
    let there: BTreeSet<&str> = serving.files.iter().map(|file| file.name.as_str()).gather();
    let missing: Vec<&str> =
        [serving::PACK, serving::SERVICE, BENTOFILE].into_iter().filter(|name| !there.contains(name)).collect();
    if !missing.is_empty() {
        of.problem("files", format!("lacks {}, which a model is packed and served with", missing.join(" and ")));
    }
    if missing.is_empty() {
        for finding in serving::lint(&serving.files) {
            of.warning("files", format!("may not serve: {}", finding.sentence));
        }
    }
    if let Some(port) = serving.port.filter(|port| *port < 1024) {
        of.problem("port", format!("would listen on port {port}, but those below 1024 belong to the system"));
        of.fix_field("port", serde_json::Value::Null, "Any free port");
    }
}

const BENTOFILE: &str = "bentofile.yaml";

fn sources(of: &mut Of, load: &LoadData) {
    if load.sources.is_empty() {
        of.problem("sources", "has nothing to load: add a source");
    }
    let values = values(of);
    for (index, one) in load.sources.iter().enumerate() {
        let at = format!("sources[{index}]");
        if let Some(url) = fill(of, &format!("{at}.url"), "source", &one.url, &values) {
            source(of, &format!("{at}.url"), url.trim());
        }
        checksum(of, &format!("{at}.sha256"), one);
    }
}

fn source(of: &mut Of, at: &str, url: &str) {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let cluster = of.checker.site.runner == RunnerName::Kubernetes;
    match scheme.to_ascii_lowercase().as_str() {
        _ if url.is_empty() => of.problem(at, "has a source without an address"),
        _ if url.chars().any(|c| c.is_control() || c == ' ') => {
            of.problem(at, format!("has the source \"{}\" with a blank in it: write %20", url.escape_debug()));
        }
        "http" | "https" => web(of, at, rest),
        "example" if rest.is_empty() => of.problem(at, "names no example: write for example example:digits.zip"),
        "upload" if !is_sha256(rest.split('/').next().unwrap_or_default()) => {
            of.problem(at, "has a source that is not an upload: drop the file on it again")
        }
        "example" | "upload" => {}
        "file" if cluster => {
            of.problem(
                at,
                format!("loads {url}, but a cluster cannot see the files of this machine: drop the file on it"),
            );
        }
        "file" if !rest.starts_with('/') || rest.split('/').any(|part| part == "..") => {
            of.problem(at, format!("loads {url}, which is no place: write for example file:/home/me/data.zip"));
        }
        "file" => {}
        _ => of.problem(at, format!("cannot load \"{url}\": write http://, https://, example: or file:")),
    }
}

fn web(of: &mut Of, at: &str, rest: &str) {
    let authority = rest.strip_prefix("//").unwrap_or_default().split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        of.problem(at, "has a source without a host: write for example https://example.org/data.zip");
    } else if authority.contains('@') {
        of.warning(at, "has a name or password in a source, which everybody who opens the pipeline can read");
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn checksum(of: &mut Of, at: &str, source: &Source) {
    let Some(written) = source.sha256.as_deref().filter(|text| !is_sha256(text)) else { return };
    of.problem(at, "has a SHA-256 that is not 64 characters 0-9 and a-f");
    let lower = written.trim().to_ascii_lowercase();
    let lower = lower.strip_prefix("sha256:").unwrap_or(&lower);
    if is_sha256(lower) {
        of.fix_field(at, lower, "Write it so");
    }
}
