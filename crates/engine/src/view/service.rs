//! Which Viewers and Servings are there, and what do they cost?

use model::{
    ExecutionId, Kind, KindName, RunId,
    run::{Deed, TaskStatus},
    serving::{self, Request},
};

use super::task_view;
use crate::{
    command::deed::may,
    state::{Execution, ServiceStep, State},
    world::World,
};

/// One of them; one that waits for room has the number 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceView {
    pub execution: ExecutionId,
    pub pipeline_name: String,
    pub task_name: String,
    pub run: RunId,
    pub run_number: u32,
    pub kind: KindName,
    /// A Serving: this version has the task's address.
    pub live: bool,
    pub status: TaskStatus,
    pub sentence: String,
    /// What it holds: "1 CPU, 2 GiB".
    pub cost: String,
    pub may: Vec<Deed>,
    pub port: Option<u16>,
    /// A Serving: what a program sends to it.
    pub request: Option<Request>,
}

/// All that are there beyond their runs, in the order of pipelines and tasks.
pub fn services(state: &State, world: &World) -> Vec<ServiceView> {
    let mut found = Vec::new();
    for (pipeline, flow) in &state.flows {
        for (task, memory) in &flow.tasks {
            for (packed, service) in &memory.services {
                let n = match service.step {
                    ServiceStep::Live { n, .. } => n,
                    ServiceStep::Queued { .. } => 0,
                    ServiceStep::Off | ServiceStep::Broken { .. } => continue,
                };
                let execution = ExecutionId { pipeline: pipeline.clone(), task: task.clone(), n };
                let is_live = *packed != 0 && memory.live == Some(*packed);
                found.extend(one(state, world, execution, &service.run, is_live));
            }
        }
    }
    found
}

fn one(state: &State, world: &World, execution: ExecutionId, run: &RunId, live: bool) -> Option<ServiceView> {
    let run = state.run(run)?;
    let place = run.snapshot.place(&execution.task)?;
    let node = &run.snapshot.nodes[place];
    let seen = task_view(state, world, run, place);
    let known = state.execution(&execution);
    Some(ServiceView {
        pipeline_name: run.snapshot.pipeline.settings.name.clone(),
        task_name: node.task.title().to_owned(),
        run: run.id.clone(),
        run_number: run.number,
        kind: node.kind,
        live,
        status: seen.status,
        sentence: seen.sentence,
        cost: known.map(cost).unwrap_or_default(),
        may: may(state, run, place),
        request: match &node.task.kind {
            Kind::Serving(serving) => serving::request(&serving.files),
            _ => None,
        },
        port: known.and_then(|known| known.launch.as_ref()?.ports.first().copied()),
        execution,
    })
}

fn cost(known: &Execution) -> String {
    let class = known.class;
    let cpu = (class.cpu > 0).then(|| format!("{} CPU", model::Cpu(class.cpu)));
    let memory = (class.memory > 0).then(|| model::Memory(class.memory).to_string());
    let gpu = (class.gpu > 0).then(|| format!("{} GPU", class.gpu));
    let parts: Vec<String> = [cpu, memory, gpu].into_iter().flatten().collect();
    if parts.is_empty() {
        "holds no CPU, memory or GPU of the budget".into()
    } else {
        format!("holds {}", parts.join(", "))
    }
}
