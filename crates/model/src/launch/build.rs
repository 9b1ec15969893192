//! How does a launch follow from a run's snapshot and what the engine decided?

use std::collections::BTreeMap;

use super::{CopiesJson, CopyEntry, Launch, Mount, Need, Output, Program, RESULTS, Ready, Work};
use crate::{
    copies,
    id::{ExecutionId, RunId, TaskId},
    inherit::{Effective, Resolved},
    kind::{Advance, Kind},
    mounts::{self, BENTO, PREVIOUS},
    pipeline::{Acl, Pipeline, Task},
    site::{RunnerName, Site},
    substitute::{BadText, substitute},
    value::EnvValue,
};

/// Where JupyterLab, TensorBoard and BentoML listen inside their task.
const NOTEBOOK_PORT: u16 = 8888;
const VIEWER_PORT: u16 = 6006;
const SERVING_PORT: u16 = 3000;

/// What the engine decided about one execution.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    pub run: &'a RunId,
    /// As the run recorded them; one that is missing has its default.
    pub parameters: &'a BTreeMap<String, String>,
    pub n: u64,
    /// Which copy of a Job with a grid, from 0.
    pub copy: Option<u32>,
    /// For each direct upstream the executions that are read: one, or one per copy in the order of copies.
    pub upstreams: &'a BTreeMap<TaskId, Vec<Chosen>>,
    /// The last execution of this task and copy in this run.
    pub previous: Option<u64>,
    /// "Download again."
    pub again: bool,
    /// Of a Serving: serve what this execution built. None: pack and build.
    pub packed: Option<u64>,
}

/// An execution of an upstream that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub n: u64,
    /// None for a task without a grid.
    pub copy: Option<u32>,
    /// The copy's values when it ran.
    pub values: BTreeMap<String, String>,
    /// False for a failed copy of a Job that tolerates them: it is listed and not mounted.
    pub good: bool,
}

/// Why there is no launch. Validation tells all of these earlier, in better words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("there is no task {0} in this run's pipeline")]
    NoTask(TaskId),
    #[error("{0} is a volume: it is mounted, never started")]
    Volume(String),
    #[error("{0} has neither a command nor a script")]
    NoCommand(String),
    #[error("{task} has no copy {copy}")]
    NoCopy { task: String, copy: u32 },
    #[error("no execution of {upstream} is chosen for {task} to read")]
    NothingChosen { task: String, upstream: TaskId },
    #[error("{task}: {error}")]
    Text { task: String, error: BadText },
}

/// Everything about one launch.
///
/// # Guarantees
/// Equal arguments give equal launches. No secret's value is in it. Nothing is mounted with more access than the
/// installation, the Volume and the arrow each allow; the only writable folders of the results volume are the
/// execution's own, a Load Data's downloads and a live step's work folder.
///
/// # Assumptions
/// `resolved` is of this pipeline and site, and the pipeline has no problems in this task.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    pipeline: &Pipeline,
    site: &Site,
    resolved: &Resolved,
    task: &TaskId,
    decided: &Decided,
) -> Result<Launch, BuildError> {
    let missing = || BuildError::NoTask(task.clone());
    let record = pipeline.tasks.get(task).ok_or_else(missing)?;
    let effective = resolved.effective.get(task).ok_or_else(missing)?;
    let of =
        Of { pipeline, site, resolved, task: record, effective, decided, values: values(pipeline, record, decided)? };
    of.launch()
}

/// What `{{name}}` may be: the run's parameters, then the copy's values.
fn values(pipeline: &Pipeline, task: &Task, decided: &Decided) -> Result<BTreeMap<String, String>, BuildError> {
    let mut values = pipeline.settings.values(decided.parameters);
    values.extend(copy_values(task, decided)?);
    Ok(values)
}

fn copy_values(task: &Task, decided: &Decided) -> Result<BTreeMap<String, String>, BuildError> {
    let Some(copy) = decided.copy else { return Ok(BTreeMap::new()) };
    let values = task.kind.grid().and_then(|grid| copies::values(grid, copy));
    values.ok_or_else(|| BuildError::NoCopy { task: task.title().into(), copy })
}

struct Of<'a> {
    pipeline: &'a Pipeline,
    site: &'a Site,
    resolved: &'a Resolved,
    task: &'a Task,
    effective: &'a Effective,
    decided: &'a Decided<'a>,
    values: BTreeMap<String, String>,
}

impl Of<'_> {
    fn launch(&self) -> Result<Launch, BuildError> {
        let program = self.program()?;
        let serves = matches!(program, Program::Serve { .. });
        let places = match serves {
            true => mounts::Places::default(),
            false => mounts::outputs(self.pipeline, self.resolved, &self.task.id, &self.decided.n.to_string()),
        };
        let (ports, ready) = self.ports(&program);
        let mut env = self.env()?;
        let addresses = self.addresses(&env)?;
        env.extend(self.told()?);
        Ok(Launch {
            execution: self.execution(&self.task.id, self.decided.n),
            run: self.decided.run.clone(),
            copy: self.decided.copy,
            kind: self.task.kind.name(),
            name: self.task.title().to_owned(),
            mounts: if serves { self.bento() } else { self.mounts()? },
            outputs: self.with_bento(places.folders, &program),
            work: self.work(),
            files: if serves { Vec::new() } else { self.task.kind.files().to_vec() },
            snapshots: places.snapshots,
            copies_json: if serves { Vec::new() } else { self.copies_json()? },
            image: self.image()?,
            run_as: self.task.run_as.filter(|_| self.site.runner == RunnerName::Kubernetes),
            program,
            env,
            addresses,
            resources: self.need(),
            ports,
            ready,
            advance: self.watched(),
            grace: self.site.limits.grace,
            timeout: self.task.kind.timeout(),
        })
    }

    fn execution(&self, task: &TaskId, n: u64) -> ExecutionId {
        ExecutionId { pipeline: self.pipeline.id.clone(), task: task.clone(), n }
    }

    fn fill(&self, text: &str) -> Result<String, BuildError> {
        substitute(text, &self.values).map_err(|error| self.bad_text(error))
    }

    fn bad_text(&self, error: BadText) -> BuildError {
        BuildError::Text { task: self.task.title().into(), error }
    }

    fn fill_all(&self, texts: &[String]) -> Result<Vec<String>, BuildError> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    fn program(&self) -> Result<Program, BuildError> {
        let name = || self.task.title().to_owned();
        Ok(match &self.task.kind {
            Kind::LoadData(load) => Program::Load {
                sources: load.filled(&self.values).map_err(|error| self.bad_text(error))?,
                target: load.target.normal(),
                downloads: mounts::downloads_folder(&self.pipeline.id, &self.task.id),
                again: self.decided.again,
                keep: load.keep,
            },
            Kind::Container(container) => match &container.command {
                Some(argv) if !argv.is_empty() => Program::Command { argv: self.fill_all(argv)? },
                Some(_) | None => Program::Stay,
            },
            Kind::Notebook(notebook) => Program::Notebook {
                start_path: notebook.start_path.normal(),
                open: notebook.open.clone(),
                arguments: self.fill_all(&notebook.arguments)?,
            },
            Kind::Job(job) => match (&job.command, &job.script) {
                (Some(argv), _) if !argv.is_empty() => Program::Command { argv: self.fill_all(argv)? },
                (_, Some(text)) => Program::Script { text: text.clone() },
                (_, None) => return Err(BuildError::NoCommand(name())),
            },
            Kind::Viewer(_) => Program::Viewer,
            Kind::Serving(serving) => match self.decided.packed {
                Some(packed) => Program::Serve { packed, port: serving.port },
                None => Program::Pack { framework: serving.framework },
            },
            Kind::Volume(_) => return Err(BuildError::Volume(name())),
        })
    }

    fn image(&self) -> Result<Option<String>, BuildError> {
        match self.site.runner {
            RunnerName::Local => Ok(None),
            RunnerName::Kubernetes => self.effective.image.value().map(|image| self.fill(image)).transpose(),
        }
    }

    /// Own and inherited variables.
    fn env(&self) -> Result<BTreeMap<String, EnvValue>, BuildError> {
        let set = self.effective.env.iter().filter_map(|(name, field)| Some((name, field.value()?)));
        let fill = |(name, value): (&String, &EnvValue)| {
            let value = match value {
                EnvValue::Value(text) => EnvValue::Value(self.fill(text)?),
                EnvValue::Secret(secret) => EnvValue::Secret(secret.clone()),
            };
            Ok((name.clone(), value))
        };
        set.map(fill).collect()
    }

    /// What every task is told; it wins over variables of the same name.
    fn told(&self) -> Result<BTreeMap<String, EnvValue>, BuildError> {
        let mut told = copy_values(self.task, self.decided)?;
        let mut tell = |name: &str, value: String| told.insert(format!("FLETCHLINE_{name}"), value);
        for (name, value) in self.pipeline.settings.values(self.decided.parameters) {
            tell(&format!("PARAM_{}", name.to_ascii_uppercase()), value);
        }
        tell("RUN", self.decided.run.to_string());
        tell("PIPELINE", self.pipeline.id.to_string());
        tell("TASK", self.task.id.to_string());
        tell("N", self.decided.n.to_string());
        if let Some(copy) = self.decided.copy {
            tell("COPY", copy.to_string());
        }
        if self.decided.previous.is_some() {
            tell("PREVIOUS", PREVIOUS.to_owned());
        }
        Ok(told.into_iter().map(|(name, value)| (name, EnvValue::Value(value))).collect())
    }

    /// A variable that the task or its upstreams set themselves is left alone.
    fn addresses(&self, env: &BTreeMap<String, EnvValue>) -> Result<BTreeMap<String, ExecutionId>, BuildError> {
        let servings = mounts::url_variables(self.pipeline, self.resolved, &self.task.id);
        let servings = servings.into_iter().filter(|(name, _)| !env.contains_key(name));
        servings
            .map(|(name, serving)| {
                let n = self.chosen(&serving)?.iter().rev().find(|chosen| chosen.good).map(|chosen| chosen.n);
                let n = n.ok_or_else(|| self.nothing_chosen(&serving))?;
                Ok((name, self.execution(&serving, n)))
            })
            .collect()
    }

    fn nothing_chosen(&self, upstream: &TaskId) -> BuildError {
        BuildError::NothingChosen { task: self.task.title().into(), upstream: upstream.clone() }
    }

    fn chosen(&self, upstream: &TaskId) -> Result<&[Chosen], BuildError> {
        let chosen = self.decided.upstreams.get(upstream).filter(|chosen| !chosen.is_empty());
        chosen.map(Vec::as_slice).ok_or_else(|| self.nothing_chosen(upstream))
    }

    fn mounts(&self) -> Result<Vec<Mount>, BuildError> {
        for arrow in mounts::data_arrows(self.pipeline, self.resolved, &self.task.id) {
            self.chosen(&arrow.from_task)?;
        }
        let good = |up: &TaskId| {
            let all = self.decided.upstreams.get(up).into_iter().flatten().filter(|chosen| chosen.good);
            all.map(|chosen| mounts::Source { copy: chosen.copy, n: chosen.n.to_string() }).collect()
        };
        let mut all = mounts::shared(self.pipeline, self.site, self.resolved, &self.task.id);
        all.extend(mounts::inputs(self.pipeline, self.resolved, &self.task.id, &good));
        if let Kind::Viewer(_) = self.task.kind {
            all.push(mounts::viewer_results(&self.pipeline.id));
        }
        all.extend(self.decided.previous.map(|n| self.own(n, PREVIOUS, "")));
        Ok(mounts::in_order(all))
    }

    /// What serves only reads the folder that was built.
    fn bento(&self) -> Vec<Mount> {
        self.decided.packed.map(|packed| self.own(packed, BENTO, "/bento")).into_iter().collect()
    }

    fn own(&self, n: u64, at: &str, below: &str) -> Mount {
        let folder = mounts::execution_folder(&self.pipeline.id, &self.task.id, n);
        let sub_path = Some(format!("{folder}{below}"));
        Mount { id: RESULTS.into(), acl: Acl::ReadOnly, mount_path: at.into(), sub_path }
    }

    fn with_bento(&self, mut outputs: Vec<Output>, program: &Program) -> Vec<Output> {
        if let Program::Pack { .. } = program {
            let folder = mounts::execution_folder(&self.pipeline.id, &self.task.id, self.decided.n);
            outputs.push(Output { path: BENTO.into(), folder: format!("{folder}/bento") });
        }
        outputs
    }

    fn copies_json(&self) -> Result<Vec<CopiesJson>, BuildError> {
        let mut all = Vec::new();
        for arrow in mounts::data_arrows(self.pipeline, self.resolved, &self.task.id) {
            let copies: Vec<CopyEntry> = self.chosen(&arrow.from_task)?.iter().filter_map(entry).collect();
            if !copies.is_empty() {
                all.push(CopiesJson { path: arrow.to_path.normal(), copies });
            }
        }
        Ok(all)
    }

    fn work(&self) -> Work {
        match self.task.kind.name().is_live_step() {
            true => Work::Kept { folder: mounts::work_folder(&self.pipeline.id, &self.task.id) },
            false => Work::Scratch,
        }
    }

    fn need(&self) -> Need {
        Need {
            cpu: self.effective.cpu.value().copied(),
            memory: self.effective.memory.value().copied(),
            gpu: self.effective.gpu.value().copied().unwrap_or(0),
        }
    }

    fn ports(&self, program: &Program) -> (Vec<u16>, Ready) {
        let http = |port: u16, path: &str| (vec![port], Ready::Http { port, path: path.to_owned() });
        match program {
            Program::Notebook { .. } => http(NOTEBOOK_PORT, "/api"),
            Program::Viewer => http(VIEWER_PORT, "/data/environment"),
            Program::Serve { .. } => http(SERVING_PORT, "/readyz"),
            Program::Load { .. } | Program::Pack { .. } => (Vec::new(), Ready::Running),
            Program::Command { .. } | Program::Script { .. } | Program::Stay => {
                let ports: Vec<u16> = self.task.kind.ports().iter().map(|port| port.port).collect();
                let ready = ports.first().map_or(Ready::Running, |port| Ready::Port { port: *port });
                (ports, ready)
            }
        }
    }

    /// By hand and by the program's own end there is nothing to look at.
    fn watched(&self) -> Option<Advance> {
        match self.task.kind.advance()? {
            Advance::Hand | Advance::Exit => None,
            rule @ (Advance::File { .. } | Advance::Time { .. } | Advance::Port { .. }) => Some(rule.clone()),
        }
    }
}

fn entry(chosen: &Chosen) -> Option<CopyEntry> {
    let status = if chosen.good { "done" } else { "failed" };
    Some(CopyEntry { copy: chosen.copy?, values: chosen.values.clone(), status: status.into(), n: chosen.n })
}
