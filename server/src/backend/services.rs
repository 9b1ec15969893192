//! Which ports of tasks can be opened, and at which address?

use std::sync::Arc;

use app::{
    api::runs::{Opening, Service},
    error::ApiError,
};
use async_trait::async_trait;
use model::{ExecutionId, Kind, KindName, TaskId, launch::Program, run::RunView};

use super::{Answer, Core, Openable, Runs};
use crate::{
    gateway::{Target, Targets},
    python::{Programs, open_path},
    runner::{Connection, Runner, RunnerError},
};

/// What the gateway may pass on to: looked up among what runs now, at each request.
pub struct LiveTargets {
    pub runs: Arc<dyn Runs>,
    pub runner: Arc<dyn Runner>,
    pub programs: Arc<Programs>,
}

#[async_trait]
impl Targets for LiveTargets {
    fn live(&self) -> Vec<Target> {
        self.runs.openable().into_iter().map(|openable| target(&self.programs, openable)).collect()
    }

    async fn dial(&self, target: &Target) -> Result<Box<dyn Connection>, RunnerError> {
        self.runner.dial(&target.execution, target.port).await
    }
}

fn target(programs: &Programs, openable: Openable) -> Target {
    let is_notebook = openable.kind == KindName::Notebook;
    Target {
        authorization: is_notebook.then(|| programs.authorization(&openable.execution)),
        confine: openable.kind == KindName::Serving,
        execution: openable.execution,
        port: openable.port,
        task_name: openable.task_name,
        is_task_address: openable.is_live_serving,
    }
}

/// All Viewers and Servings, with the addresses that programs find Servings at.
pub(super) fn list(core: &Core) -> Vec<Service> {
    let mut services = core.runs.services();
    for service in services.iter_mut().filter(|service| service.kind == KindName::Serving) {
        if !service.live {
            service.address = service.port.and_then(|port| core.runner.address(&service.execution, port));
            continue;
        }
        match core.ports.address(&service.execution) {
            Some(Ok(address)) => service.address = Some(address),
            Some(Err(why)) => service.sentence = format!("{} · {why}", service.sentence),
            None => {}
        }
    }
    services
}

/// The port comes from what runs, never from the asker alone.
pub(super) fn open_port(core: &Core, execution: &ExecutionId, port: u16, host: &str) -> Answer<Opening> {
    let openable = core.runs.openable().into_iter().find(|open| open.execution == *execution && open.port == port);
    let openable = openable.ok_or_else(|| ApiError::NotFound {
        sentence: format!("Port {port} of this task cannot be opened now: it does not run (any more)."),
    })?;
    let path = landing(core, execution);
    let command = core.way.command(host);
    let host = if command.is_some() { &core.way.end() } else { host };
    Ok(Opening { address: core.gateway.link(&target(&core.programs, openable), host, &path), command })
}

/// A Notebook opens with its first notebook.
fn landing(core: &Core, execution: &ExecutionId) -> String {
    let runs = core.runs.summaries().into_iter().filter(|run| run.pipeline == execution.pipeline);
    let view = runs.filter_map(|run| core.runs.view(&run.id)).find(|view| has(view, execution));
    let text = view.and_then(|view| core.runs.snapshot(&view.summary.id));
    let pipeline = text.and_then(|text| model::document::read(&text).ok()).map(|read| read.pipeline);
    let task = pipeline.as_ref().and_then(|pipeline| pipeline.tasks.get(&execution.task));
    match task.map(|task| &task.kind) {
        Some(Kind::Notebook(notebook)) => open_path(&Program::Notebook {
            start_path: notebook.start_path.clone(),
            open: notebook.open.clone(),
            arguments: Vec::new(),
        }),
        _ => "/".into(),
    }
}

fn has(view: &RunView, execution: &ExecutionId) -> bool {
    view.tasks.get(&execution.task).is_some_and(|task| task.executions.iter().any(|one| one.n == execution.n))
}

/// Before a Notebook is advanced: a running cell is named.
pub(super) async fn ask_first(core: &Core, view: &RunView, task: &TaskId) -> Answer<()> {
    let mine =
        |open: &Openable| open.kind == KindName::Notebook && open.execution.task == *task && has(view, &open.execution);
    let Some(notebook) = core.runs.openable().into_iter().find(mine) else { return Ok(()) };
    // A notebook that cannot be asked is no reason to keep a person waiting.
    let Ok(connection) = core.runner.dial(&notebook.execution, notebook.port).await else { return Ok(()) };
    match core.programs.busy_kernels(&notebook.execution, connection).await {
        Ok(busy) if !busy.is_empty() => {
            Err(ApiError::Conflict { sentence: format!("{} is still running a cell.", busy.join(" and ")) })
        }
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!("{} could not be asked for running cells: {error}", notebook.task_name);
            Ok(())
        }
    }
}
