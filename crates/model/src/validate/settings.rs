//! Are image, command and resources what this installation can give, and do upstreams agree on them?

use std::{collections::BTreeMap, fmt::Display};

use serde::Serialize;

use super::{
    Of,
    text::{count, fill, values},
};
use crate::{
    id::TaskId,
    inherit::{Effective, Field},
    kind::{Job, Kind, KindName},
    site::RunnerName,
};

pub(super) fn check(of: &mut Of) {
    conflicts(of);
    resources(of);
    held_open(of);
    let values = values(of);
    image(of, &values);
    run_as(of);
    program(of, &values);
    if of.task.kind.timeout().is_some_and(|timeout| timeout.0 == 0) {
        of.problem("timeout", "has a timeout of 0 seconds and would end at once: give it a time or none");
        of.fix_field("timeout", serde_json::Value::Null, "Remove the timeout");
    }
}

fn conflicts(of: &mut Of) {
    let effective = of.effective;
    conflict(of, "image", "image", &effective.image, Clone::clone);
    conflict(of, "resources.cpu", "number of processors", &effective.cpu, ToString::to_string);
    conflict(of, "resources.memory", "amount of memory", &effective.memory, ToString::to_string);
    conflict(of, "resources.gpu", "number of GPUs", &effective.gpu, ToString::to_string);
    conflict(of, "volumes", "list of shared volumes", &effective.volumes, |volumes| {
        let names: Vec<&str> = volumes.iter().map(|volume| volume.volume.as_str()).collect();
        names.join(", ")
    });
    for (name, field) in &effective.env {
        let shown = |value: &crate::EnvValue| match value {
            crate::EnvValue::Value(text) => format!("\"{text}\""),
            crate::EnvValue::Secret(secret) => format!("the secret {secret}"),
        };
        conflict(of, &format!("env.{name}"), &format!("value of {name}"), field, shown);
    }
}

fn conflict<T: Serialize, D: Display>(of: &mut Of, at: &str, what: &str, field: &Field<T>, shown: impl Fn(&T) -> D) {
    let Field::Conflict(all) = field else { return };
    let each: Vec<String> =
        all.iter().map(|(task, value)| format!("{} ({})", of.checker.title(task), shown(value))).collect();
    of.problem(at, format!("would inherit a different {what} from {}: set its own", each.join(" and ")));
    if let Some((task, value)) = all.first()
        && let Ok(value) = serde_json::to_value(value)
    {
        let label = format!("Use {}'s", of.checker.title(task));
        of.fix_field(at, value, label);
    }
}

fn resources(of: &mut Of) {
    let (capacity, place) = (of.checker.site.capacity, of.checker.place());
    if let Some(gpu) = of.effective.gpu.value().filter(|gpu| **gpu > capacity.gpu) {
        let has = if capacity.gpu == 0 { "none".to_owned() } else { capacity.gpu.to_string() };
        of.problem("resources.gpu", format!("asks for {}; {place} has {has}", count((*gpu).into(), "GPU")));
        of.fix_field("resources.gpu", capacity.gpu, format!("Set GPU to {}", capacity.gpu));
    }
    if let Some(cpu) = of.effective.cpu.value().filter(|cpu| **cpu > capacity.cpu) {
        of.problem("resources.cpu", format!("asks for {cpu} processors; {place} has {}", capacity.cpu));
        let value = serde_json::to_value(capacity.cpu).unwrap_or_default();
        of.fix_field("resources.cpu", value, format!("Set processors to {}", capacity.cpu));
    }
    if let Some(memory) = of.effective.memory.value().filter(|memory| **memory > capacity.memory) {
        of.problem("resources.memory", format!("asks for {memory} of memory; {place} has {}", capacity.memory));
        let value = serde_json::to_value(capacity.memory).unwrap_or_default();
        of.fix_field("resources.memory", value, format!("Set memory to {}", capacity.memory));
    }
}

/// On one machine, what steps that stay open and Servings hold is gone for all behind them.
fn held_open(of: &mut Of) {
    if of.checker.site.runner != RunnerName::Local {
        return;
    }
    let capacity = of.checker.site.capacity;
    let gpu = |own: &Effective| own.gpu.value().map_or(0, |gpu| (*gpu).into());
    held(of, "resources.gpu", capacity.gpu.into(), gpu, |gpu| count(gpu, "GPU"));
    let memory = |own: &Effective| own.memory.value().map_or(0, |memory| memory.0);
    held(of, "resources.memory", capacity.memory.0, memory, |memory| crate::Memory(memory).to_string());
    let cpu = |own: &Effective| own.cpu.value().map_or(0, |cpu| cpu.0.into());
    held(of, "resources.cpu", capacity.cpu.0.into(), cpu, |cpu| format!("{} processors", crate::Cpu(cpu as u32)));
}

fn held(of: &mut Of, at: &str, all: u64, need: impl Fn(&Effective) -> u64, shown: impl Fn(u64) -> String) {
    let checker = of.checker;
    let open = checker.behind_open.get(&of.task.id).into_iter().flatten();
    let taken = open.filter_map(|step| Some((step, need(checker.resolved.effective.get(step)?))));
    let holders: Vec<(&TaskId, u64)> = taken.filter(|(_, taken)| *taken > 0).collect();
    let (own, theirs) = (need(of.effective), holders.iter().fold(0u64, |sum, (_, taken)| sum.saturating_add(*taken)));
    if own == 0 || own > all || own.saturating_add(theirs) <= all {
        return;
    }
    let titles: Vec<String> = holders.iter().map(|(step, _)| checker.title(step)).collect();
    let serves = |id: &TaskId| checker.pipeline.tasks.get(id).is_some_and(|task| task.kind.name() == KindName::Serving);
    let why = match (titles.len(), holders.iter().filter(|(step, _)| serves(step)).count()) {
        (1, 0) => "which stays open until the run ends",
        (1, _) => "which goes on serving",
        (_, 0) => "which stay open until the run ends",
        (_, _) => "which stay there",
    };
    of.problem(at, format!("needs {}, held by {}, {why}", shown(own), titles.join(" and ")));
    of.fix_field(at, serde_json::Value::Null, "Ask for none");
}

fn image(of: &mut Of, values: &BTreeMap<String, String>) {
    if of.task.kind.image().is_none() {
        return;
    }
    let Some(image) = of.effective.image.value() else {
        let conflict = matches!(of.effective.image, Field::Conflict(_));
        if of.checker.site.runner == RunnerName::Kubernetes && !conflict {
            of.problem("image", "has no image, and the settings name no default for its kind");
        }
        return;
    };
    let Some(image) = fill(of, "image", "image", image, values) else { return };
    if !is_image(&image) {
        let rest = format!("has the image \"{image}\", which is not an image's name: write for example python:3.12");
        of.problem("image", rest);
    } else if let Some(fault) = of.checker.site.faults.images.get(&image) {
        of.problem("image", format!("cannot begin · {fault}"));
    }
}

fn run_as(of: &mut Of) {
    let Some(run_as) = of.task.run_as else { return };
    let runs_nothing = of.task.kind.name() == KindName::Volume;
    match (of.checker.site.runner, of.checker.site.limits.run_as) {
        _ if runs_nothing => of.warning("run_as", "is to run as a user, and a Volume runs nothing"),
        (RunnerName::Local, _) => {
            of.warning("run_as", format!("runs as you: its user {run_as} counts on a cluster only"));
        }
        (RunnerName::Kubernetes, Some(range)) if range.allows(run_as) => return,
        (RunnerName::Kubernetes, Some(range)) => {
            of.problem("run_as", format!("is to run as {run_as}, and tasks may choose {range} here"));
        }
        (RunnerName::Kubernetes, None) => of.problem(
            "run_as",
            format!(
                "is to run as {run_as}, and no task may choose its user here: `run_as_range` in the settings lets it"
            ),
        ),
    }
    of.fix_field("run_as", serde_json::Value::Null, "Run as all tasks");
}

/// `[registry[:port]/]name[/name][:tag][@sha256:digest]`, names in lower case.
fn is_image(image: &str) -> bool {
    let (rest, digest) = image.split_once('@').unwrap_or((image, "sha256:"));
    let good_digest = digest.strip_prefix("sha256:").is_some_and(|hex| {
        (hex.is_empty() && !image.contains('@')) || (hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[slash..].find(':') {
        Some(colon) => (&rest[..slash + colon], &rest[slash + colon + 1..]),
        None => (rest, "latest"),
    };
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    let has_registry = name.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let low = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
    };
    let host = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-'));
    let tag_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    image.len() <= 512
        && good_digest
        && !tag.is_empty()
        && tag.len() <= 128
        && tag.bytes().all(tag_byte)
        && if has_registry { host(first) } else { low(first) }
        && parts.all(low)
}

fn program(of: &mut Of, values: &BTreeMap<String, String>) {
    let task = of.task;
    match &task.kind {
        Kind::Job(job) => {
            job_program(of, job);
            arguments(of, "command", job.command.as_deref().unwrap_or_default(), values);
        }
        Kind::Container(container) => {
            arguments(of, "command", container.command.as_deref().unwrap_or_default(), values);
        }
        Kind::Notebook(notebook) => arguments(of, "arguments", &notebook.arguments, values),
        Kind::LoadData(_) | Kind::Viewer(_) | Kind::Serving(_) | Kind::Volume(_) => {}
    }
}

fn arguments(of: &mut Of, field: &str, arguments: &[String], values: &BTreeMap<String, String>) {
    for (index, argument) in arguments.iter().enumerate() {
        fill(of, &format!("{field}[{index}]"), field, argument, values);
    }
}

fn job_program(of: &mut Of, job: &Job) {
    let command = job.command.as_ref().filter(|argv| !argv.is_empty());
    let script = job.script.as_ref().filter(|script| !script.trim().is_empty());
    match (command, script) {
        (None, None) => of.problem("command", "has neither a command nor a script: say what it runs"),
        (Some(_), Some(_)) => of.problem("script", "has a command and a script: keep one of them"),
        (Some(_), None) => {}
        (None, Some(script)) => unfilled(of, script),
    }
}

/// Somebody expects a script to be filled in.
fn unfilled(of: &mut Of, script: &str) {
    let names = of.checker.parameters.keys().map(|name| (name, format!("FLETCHLINE_PARAM_{}", name.to_uppercase())));
    let grid = of.task.kind.grid().into_iter().flat_map(|grid| grid.keys()).map(|name| (name, name.clone()));
    let used = names.chain(grid).find(|(name, _)| script.contains(&format!("{{{{{name}}}}}")));
    if let Some((name, variable)) = used {
        of.warning("script", format!("has {{{{{name}}}}} in its script, which is run as it is: write \"${variable}\""));
    }
}

#[cfg(test)]
mod tests {
    use super::is_image;

    #[test]
    fn an_image_is_a_name_with_a_registry_a_tag_and_a_digest_if_one_likes() {
        let digest = format!("python@sha256:{}", "a".repeat(64));
        for good in ["python", "python:3.12-slim", "ghcr.io/a/b_c:V1", "localhost:5000/x", "a/b", &digest] {
            assert!(is_image(good), "{good}");
        }
        for bad in ["", "Python", "file:///etc", "a b", "a\nb", "python:", "python@sha256:xyz", "http://x/y", "a//b"] {
            assert!(!is_image(bad), "{bad}");
        }
    }
}
