//! What would a pipeline do, and what is wrong with it?

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Context;
use model::{Cpu, Memory, Pipeline, Problem, Severity, Site, document, mounts, site::Capacity};

use super::Outcome;
use crate::{
    backend::{dry::Dry, site},
    data_folder::DataFolder,
    place, say,
    secrets::Secrets,
    settings::Settings,
};

/// The file as text and as a pipeline.
pub(super) fn read(file: &Path) -> anyhow::Result<(String, document::Read)> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let read = document::read(&text).with_context(|| file.display().to_string())?;
    Ok((text, read))
}

pub(super) fn validate(data: &DataFolder, file: &Path, json: bool) -> anyhow::Result<Outcome> {
    let (_, read) = read(file)?;
    let mut problems = model::validate::problems(&read.pipeline, &here(data)?, &BTreeMap::new());
    for warning in read.warnings.into_iter().filter(|warning| !problems.contains(warning)).collect::<Vec<_>>() {
        problems.push(warning);
    }
    if json {
        say::out(serde_json::to_string_pretty(&problems)?);
    } else {
        problems.iter().for_each(say);
    }
    let is_stopped = problems.iter().any(|problem| problem.severity == Severity::Problem);
    Ok(if is_stopped { Outcome::Failed } else { Outcome::Done })
}

fn say(problem: &Problem) {
    let kind = match problem.severity {
        Severity::Problem => "problem",
        Severity::Warning => "warning",
    };
    say::out(format_args!("{kind}: {}", problem.sentence));
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Mounts,
    Kubernetes,
}

pub(super) fn plan(data: &DataFolder, file: &Path, format: Format) -> anyhow::Result<Outcome> {
    let (_, read) = read(file)?;
    match format {
        Format::Mounts => say::out(serde_json::to_string_pretty(&mounted(&read.pipeline, &here(data)?))?),
        Format::Kubernetes => {
            let settings = crate::serve::settings(data, &BTreeMap::from([("runner".into(), "kubernetes".into())]))?;
            say::out(manifests(&read.pipeline, &settings)?.trim_end());
        }
    }
    Ok(Outcome::Done)
}

/// Of a first run: each task's first execution, and each copy's.
fn manifests(pipeline: &Pipeline, settings: &Settings) -> anyhow::Result<String> {
    let config = place::kubernetes(settings, "plan", "default");
    let site = site::of(settings, None, BTreeSet::new());
    let dry = Dry::of(pipeline, &site).map_err(anyhow::Error::msg)?;
    let mut text = String::new();
    for launch in pipeline.tasks.values().flat_map(|task| dry.launches(task)) {
        let made = launch.and_then(|launch| crate::runner::kube::planned(&launch, &config));
        text.push_str(&made.map_err(anyhow::Error::msg)?);
    }
    Ok(text)
}

fn mounted(pipeline: &Pipeline, site: &Site) -> serde_json::Value {
    let tasks = pipeline.tasks.iter().map(|(id, task)| {
        let volumes = mounts::plan(pipeline, site, id);
        (id.to_string(), serde_json::json!({ "name": task.name, "kind": task.kind.name(), "volumes": volumes }))
    });
    serde_json::Value::Object(tasks.collect())
}

/// This installation as far as it is known without a server.
fn here(data: &DataFolder) -> anyhow::Result<Site> {
    let settings = crate::serve::settings(data, &BTreeMap::new())?;
    let capacity = Capacity {
        cpu: settings.cpu.unwrap_or_else(processors),
        memory: settings.memory.unwrap_or_else(memory),
        gpu: settings.gpu.unwrap_or_else(gpus),
    };
    Ok(site::of(&settings, Some(capacity), Secrets::new(data.secrets_file()).names()))
}

fn processors() -> Cpu {
    Cpu(std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1)) * 1000)
}

fn memory() -> Memory {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    Memory(total.unwrap_or(0_u64) * 1024)
}

fn gpus() -> u32 {
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let is_gpu = |name: &str| {
        name.strip_prefix("nvidia").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    u32::try_from(entries.filter(|entry| entry.file_name().to_str().is_some_and(is_gpu)).count()).unwrap_or(0)
}
