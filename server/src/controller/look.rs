//! What can others see of the runs?

use app::api::runs::{EventLine, Reading, Service};
use engine::{command, event::Entry, view};
use model::{
    Kind, KindName, PipelineId, RunId,
    run::{Part, RunSummary, RunView},
};

use super::{Brain, Controller, Holding, LiveServing, NotDone, Openable};
use crate::store::StoreError;

/// Events read at once from the journal.
const CHUNK: u32 = 2000;

impl Controller {
    pub fn run_view(&self, run: &RunId) -> Option<RunView> {
        let Brain { state, world, marks } = &*self.brain();
        view::run_view(state, world, run, marks.get(run).map_or(0, super::Mark::version))
    }

    /// The document that a run works on.
    pub fn snapshot(&self, run: &RunId) -> Option<String> {
        self.brain().state.run(run).map(|run| run.snapshot.text.clone())
    }

    /// Newest first.
    pub fn summaries(&self) -> Vec<RunSummary> {
        let mut found: Vec<RunSummary> = self.brain().state.runs().map(view::summary).collect();
        found.sort_by_key(|run| std::cmp::Reverse((run.started, run.number)));
        found
    }

    /// Viewers and Servings that are there beyond their runs. Addresses for programs are the server's to fill in.
    pub fn services(&self) -> Vec<Service> {
        let Brain { state, world, .. } = &*self.brain();
        let service = |one: view::ServiceView| Service {
            execution: one.execution,
            pipeline_name: one.pipeline_name,
            task_name: one.task_name,
            run: one.run,
            run_number: one.run_number,
            kind: one.kind,
            live: one.live,
            sentence: one.sentence,
            address: None,
            request: one.request,
            cost: one.cost,
            may: one.may,
            port: one.port,
        };
        view::services(state, world).into_iter().map(service).collect()
    }

    /// The versions of Servings that have their tasks' addresses.
    pub fn live_servings(&self) -> Vec<LiveServing> {
        let Brain { state, world, .. } = &*self.brain();
        let is_meant = |one: &view::ServiceView| one.kind == KindName::Serving && one.live;
        let live = |one: view::ServiceView| {
            let node = state.run(&one.run)?.snapshot.node(&one.execution.task)?;
            let Kind::Serving(serving) = &node.task.kind else { return None };
            Some(LiveServing { execution: one.execution, port: one.port, wanted: serving.port })
        };
        view::services(state, world).into_iter().filter(is_meant).filter_map(live).collect()
    }

    /// What deleting a run would mean.
    pub fn holding(&self, run: &RunId) -> Option<Holding> {
        let state = &self.brain().state;
        let run = state.run(run)?;
        Some(Holding {
            held_by: command::held_by(state, run),
            kept_for: command::kept_for(state, run),
            executions: state.only_of(run),
        })
    }

    /// What happened in a run, oldest first.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn event_lines(&self, run: &RunId) -> Result<Vec<EventLine>, StoreError> {
        let Some(mark) = self.brain().marks.get(run).copied() else { return Ok(Vec::new()) };
        let (mut lines, mut seen) = (Vec::new(), mark.first - 1);
        while seen < mark.last {
            let chunk = self.shared.store.events_after(seen, CHUNK).await?;
            let Some(last) = chunk.last() else { break };
            seen = last.seq;
            let brain = self.brain();
            let entries = chunk.iter().filter_map(|stored| Entry::read(&stored.body).ok());
            let own = entries.filter(|entry| view::run_of(&brain.state, &entry.event) == Some(run));
            lines.extend(own.filter_map(|entry| view::line(&brain.state, &entry)).map(event_line));
        }
        Ok(lines)
    }

    /// What a run of this part would read of earlier ones.
    pub fn readings(&self, document: &str, part: &Part, from: Option<&RunId>) -> Result<Vec<Reading>, NotDone> {
        let found = command::readings(&self.brain().state, document, part, from)?;
        Ok(found.into_iter().flat_map(readings).collect())
    }

    /// What the newest good execution of a task told for later runs.
    pub fn newest_facts(&self, pipeline: &PipelineId, task: &model::TaskId) -> Option<serde_json::Value> {
        let brain = self.brain();
        let n = brain.state.memory(pipeline, task)?.good.last()?.earlier.copies.last()?.n;
        let execution = model::ExecutionId { pipeline: pipeline.clone(), task: task.clone(), n };
        brain.state.execution(&execution)?.facts.clone()
    }

    /// Ports of live executions that can be opened now.
    pub fn openable(&self) -> Vec<Openable> {
        let Brain { state, world, .. } = &*self.brain();
        let mut found: Vec<Openable> = state
            .runs()
            .filter(|run| !run.has_ended())
            .filter_map(|run| view::run_view(state, world, &run.id, 0).map(|view| (run, view)))
            .flat_map(|(run, view)| {
                let ports = move |(task, view): (_, model::run::TaskView)| {
                    let task_name = run.snapshot.node(&task).map(|node| node.task.name.clone()).unwrap_or_default();
                    let (pipeline, kind) = (run.pipeline.clone(), view.kind);
                    view.open.into_iter().map(move |open| Openable {
                        execution: model::ExecutionId { pipeline: pipeline.clone(), task: task.clone(), n: open.n },
                        port: open.port,
                        task_name: task_name.clone(),
                        kind,
                        is_live_serving: false,
                    })
                };
                view.tasks.into_iter().flat_map(ports)
            })
            .collect();
        found.retain(|one| one.kind.is_live_step());
        found.extend(view::services(state, world).into_iter().filter_map(service_port));
        found
    }

    /// Why a pipeline cannot be deleted now.
    pub fn held_by(&self, pipeline: &PipelineId) -> Vec<String> {
        command::held_by_pipeline(&self.brain().state, pipeline)
    }

    /// Executions that go on when the server stops.
    pub fn live_tasks(&self) -> usize {
        self.brain().state.executions().filter(|(_, execution)| !execution.is_over()).count()
    }
}

fn service_port(service: view::ServiceView) -> Option<Openable> {
    Some(Openable {
        port: service.port?,
        execution: service.execution,
        task_name: service.task_name,
        kind: service.kind,
        is_live_serving: service.kind == KindName::Serving && service.live,
    })
}

fn event_line(line: view::Line) -> EventLine {
    EventLine { at: line.at, task: line.task, n: line.n, sentence: line.sentence }
}

/// One line for every copy that would be read.
fn readings(found: command::Reading) -> Vec<Reading> {
    let command::Reading { task, earlier, run_number, warnings } = found;
    let one = |copy: &engine::event::ReadCopy| Reading {
        task: task.clone(),
        n: copy.n,
        run: earlier.run.clone(),
        run_number,
        warnings: warnings.clone(),
    };
    earlier.copies.iter().map(one).collect()
}
