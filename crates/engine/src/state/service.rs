//! How do Viewers and Servings come and go over all runs of a pipeline?

use model::{ExecutionId, KindName, PipelineId, RunId, TaskId, run::Millis};

use super::{Life, Service, ServiceStep, State, Step};
use crate::event::{Place, Then, Why};

impl State {
    /// A run starts a Viewer if it is not there, and is what the next start of it is made of.
    pub(super) fn join_viewer(&mut self, id: &RunId, task: usize) {
        let Some(run) = self.runs.get(id) else { return };
        let node = &run.snapshot.nodes[task];
        if node.kind != KindName::Viewer {
            return;
        }
        let (pipeline, task) = (run.pipeline.clone(), node.id.clone());
        let place = Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed: 0 };
        if let Some(class) = self.class_of(&place) {
            self.unqueue(&place, class);
        }
        let memory = self.memory_mut(&pipeline, &task);
        let service = memory.services.entry(0).or_insert_with(|| Service {
            run: id.clone(),
            step: ServiceStep::Off,
            lost: 0,
            taken: 0,
            executions: Vec::new(),
        });
        service.run = id.clone();
        match service.step {
            ServiceStep::Live { .. } => {}
            ServiceStep::Off | ServiceStep::Broken { .. } | ServiceStep::Queued { .. } => {
                service.step = ServiceStep::Off
            }
        }
        self.dirty.viewers.insert((pipeline, task));
        self.want_service(&place);
    }

    /// Puts a Viewer or a version of a Serving in the line for room, unless it is there or paused.
    pub(super) fn want_service(&mut self, place: &Place) {
        let Place::Service { pipeline, task, packed } = place else { return };
        let Some(class) = self.class_of(place) else { return };
        self.ticket += 1;
        let ticket = self.ticket;
        let memory = self.memory_mut(pipeline, task);
        let is_paused = memory.paused;
        let Some(service) = memory.services.get_mut(packed) else { return };
        match service.step {
            ServiceStep::Off | ServiceStep::Broken { .. } if !is_paused => {
                service.step = ServiceStep::Queued { ticket };
                self.room.enter(class, ticket, place.clone());
            }
            ServiceStep::Off | ServiceStep::Broken { .. } | ServiceStep::Queued { .. } | ServiceStep::Live { .. } => {}
        }
        self.touch_service(pipeline, task);
    }

    /// A Serving was packed: what it built is to serve.
    pub(super) fn new_version(&mut self, id: &RunId, task: &TaskId, packed: u64) {
        let Some(pipeline) = self.runs.get(id).map(|run| run.pipeline.clone()) else { return };
        let service = Service { run: id.clone(), step: ServiceStep::Off, lost: 0, taken: 0, executions: Vec::new() };
        self.memory_mut(&pipeline, task).services.insert(packed, service);
        self.want_service(&Place::Service { pipeline, task: task.clone(), packed });
    }

    pub(super) fn service_live(&mut self, place: &Place, n: u64) {
        let Place::Service { pipeline, task, packed } = place else { return };
        let memory = self.memory_mut(pipeline, task);
        if *packed == 0 {
            memory.wanted = None;
        }
        if let Some(service) = memory.services.get_mut(packed) {
            service.step = ServiceStep::Live { n, ready: false };
            service.executions.push(n);
        }
        self.touch_service(pipeline, task);
    }

    pub(super) fn service_ready(&mut self, at: Millis, pipeline: &PipelineId, task: &TaskId, packed: u64) {
        let Some(service) = self.memory_mut(pipeline, task).services.get_mut(&packed) else { return };
        if let ServiceStep::Live { ready, .. } = &mut service.step {
            *ready = true;
        }
        service.lost = 0;
        let run = service.run.clone();
        self.version_settled(at, &run, task, packed, None);
    }

    /// What became of a version decides over the task of the run that packed it, if that still waits.
    fn version_settled(&mut self, at: Millis, id: &RunId, task: &TaskId, packed: u64, failed: Option<&str>) {
        let Some(place) = self.place_of(id, task) else { return };
        let Some(lane) = self.runs.get_mut(id).and_then(|run| run.tasks[place].lanes.first_mut()) else { return };
        if lane.step == (Step::Packed { n: packed }) {
            lane.step = match failed {
                None => Step::Done { n: packed },
                Some(sentence) => Step::Failed { n: Some(packed), sentence: sentence.into() },
            };
            self.touch(id, place);
            self.settle_task(id, place, at);
        }
    }

    pub(super) fn service_over(&mut self, at: Millis, pipeline: &PipelineId, task: &TaskId, packed: u64, then: &Then) {
        self.touch_service(pipeline, task);
        let memory = self.memory_mut(pipeline, task);
        let Some(service) = memory.services.get_mut(&packed) else { return };
        let run = service.run.clone();
        service.taken = if matches!(then, Then::Renumbered { .. }) { service.taken + 1 } else { 0 };
        match then {
            Then::Again { .. } | Then::Renumbered { .. } => {
                match (then, &service.step) {
                    (Then::Renumbered { .. }, ServiceStep::Live { n, .. }) => {
                        let taken = *n;
                        service.executions.retain(|one| *one != taken);
                    }
                    _ => service.lost += 1,
                }
                service.step = ServiceStep::Off;
                self.want_service(&Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed });
            }
            Then::Broken { sentence } | Then::Failed { sentence } | Then::Held { sentence } => {
                service.step = ServiceStep::Broken { sentence: sentence.clone() };
                self.version_settled(at, &run, task, packed, Some(sentence));
            }
            Then::Off | Then::Cancelled | Then::Good => self.service_off(at, pipeline, task, packed),
        }
    }

    fn service_off(&mut self, at: Millis, pipeline: &PipelineId, task: &TaskId, packed: u64) {
        let memory = self.memory_mut(pipeline, task);
        if memory.live == Some(packed) {
            memory.live = None;
        }
        let (is_paused, is_wanted) = (memory.paused, memory.wanted == Some(packed));
        let Some(service) = memory.services.get_mut(&packed) else { return };
        service.step = ServiceStep::Off;
        let run = service.run.clone();
        let is_cancelled = self.runs.get(&run).is_some_and(super::Run::is_cancelling);
        match packed {
            // Resumed while it was still ending.
            0 if !is_paused => {
                if self.memory(pipeline, task).is_some_and(super::Memory::resumed) {
                    self.want_service(&Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed });
                }
            }
            _ if is_wanted => {
                self.want_service(&Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed });
            }
            _ if is_cancelled => self.version_cancelled(at, &run, task, packed),
            _ => self.version_settled(at, &run, task, packed, Some("stopped before it answered")),
        }
    }

    fn version_cancelled(&mut self, at: Millis, id: &RunId, task: &TaskId, packed: u64) {
        let Some(place) = self.place_of(id, task) else { return };
        let Some(lane) = self.runs.get_mut(id).and_then(|run| run.tasks[place].lanes.first_mut()) else { return };
        if lane.step == (Step::Packed { n: packed }) {
            lane.step = Step::Cancelled;
            self.settle_task(id, place, at);
        }
    }

    /// Cancel ends the versions of a run that are not live, never the live one.
    pub(super) fn cancel_versions(&mut self, at: Millis, id: &RunId, task: usize) {
        let Some(run) = self.runs.get(id) else { return };
        let (pipeline, task) = (run.pipeline.clone(), run.snapshot.nodes[task].id.clone());
        let Some(memory) = self.memory(&pipeline, &task) else { return };
        let live = memory.live;
        let own: Vec<(u64, ServiceStep)> = memory
            .services
            .iter()
            .filter(|(packed, service)| service.run == *id && **packed != 0 && Some(**packed) != live)
            .map(|(packed, service)| (*packed, service.step.clone()))
            .collect();
        for (packed, step) in own {
            let place = Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed };
            match step {
                ServiceStep::Live { n, .. } => {
                    let execution = ExecutionId { pipeline: pipeline.clone(), task: task.clone(), n };
                    self.stop_for_cancel(at, &execution);
                    if let Some(run) = self.runs.get_mut(id) {
                        run.live.insert(execution);
                    }
                }
                ServiceStep::Queued { .. } => {
                    if let Some(class) = self.class_of(&place) {
                        self.unqueue(&place, class);
                    }
                    self.service_off(at, &pipeline, &task, packed);
                }
                ServiceStep::Off | ServiceStep::Broken { .. } => self.version_cancelled(at, id, &task, packed),
            }
        }
    }

    pub(super) fn stop_for_cancel(&mut self, at: Millis, execution: &ExecutionId) {
        self.changed(execution);
        if let Some(one) = self.executions.get_mut(execution).filter(|one| !one.is_over()) {
            one.stop = Some((at, Why::Cancelled));
        }
    }

    pub(super) fn paused(&mut self, pipeline: &PipelineId, task: &TaskId) {
        let place = Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed: 0 };
        if let Some(class) = self.class_of(&place) {
            self.unqueue(&place, class);
        }
        let memory = self.memory_mut(pipeline, task);
        memory.paused = true;
        memory.wanted = None;
        if let Some(service) = memory.services.get_mut(&0)
            && !matches!(service.step, ServiceStep::Live { .. })
        {
            service.step = ServiceStep::Off;
        }
        self.touch_service(pipeline, task);
    }

    pub(super) fn resumed(&mut self, pipeline: &PipelineId, task: &TaskId) {
        let memory = self.memory_mut(pipeline, task);
        memory.paused = false;
        memory.wanted = Some(0);
        if let Some(service) = memory.services.get_mut(&0) {
            service.lost = 0;
        }
        self.want_service(&Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed: 0 });
    }

    pub(super) fn live_wanted(&mut self, pipeline: &PipelineId, task: &TaskId, packed: u64) {
        let memory = self.memory_mut(pipeline, task);
        memory.wanted = Some(packed);
        if let Some(service) = memory.services.get_mut(&packed) {
            service.lost = 0;
        }
        self.want_service(&Place::Service { pipeline: pipeline.clone(), task: task.clone(), packed });
    }

    pub(super) fn made_live(&mut self, pipeline: &PipelineId, task: &TaskId, packed: u64) {
        let memory = self.memory_mut(pipeline, task);
        memory.live = Some(packed);
        memory.wanted = None;
        self.touch_service(pipeline, task);
    }

    /// A service is drawn on the runs that have it: the newest ones are enough, older ones draw it when they are opened.
    pub(super) fn touch_service(&mut self, pipeline: &PipelineId, task: &TaskId) {
        let Some(flow) = self.flows.get(pipeline) else { return };
        let newest: Vec<RunId> = flow.runs.iter().rev().take(10).cloned().collect();
        for run in newest {
            if let Some(place) = self.place_of(&run, task) {
                self.touch(&run, place);
            }
        }
    }

    /// Whether an execution of a service can be used.
    pub fn is_ready(&self, execution: &ExecutionId) -> bool {
        self.executions.get(execution).is_some_and(|one| matches!(one.life, Life::Ready { .. }))
    }
}

impl super::Memory {
    /// A person wants the Viewer though its last execution is still ending.
    fn resumed(&self) -> bool {
        self.wanted == Some(0)
    }
}
