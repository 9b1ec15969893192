//! What may be done with a task of a run, and what follows?

use model::{ExecutionId, KindName, TaskId, run::Deed};

use super::{Refusal, retry};
use crate::{
    event::{By, Event, Why},
    plan::{advance, make_live},
    snapshot::Node,
    state::{Life, Memory, Run, Service, ServiceStep, Stage, State, Step},
};

type Answer = Result<Vec<Event>, Refusal>;

pub(super) fn deed(state: &State, run: &Run, task: &TaskId, deed: Deed, by: By) -> Answer {
    let place = run.snapshot.place(task);
    let place = place.ok_or_else(|| Refusal::NotFound(format!("Run {} has no such task.", run.number)))?;
    let of = Of { state, run, place, node: &run.snapshot.nodes[place], by };
    match deed {
        Deed::Advance => of.advance(),
        Deed::StartAgain => of.start_again(),
        Deed::FailIt => of.fail_it(),
        Deed::Retry => retry(state, run, Some(place), of.by),
        Deed::Pause => of.pause(),
        Deed::Resume => of.resume(),
        Deed::MakeLive => of.make_live(),
        Deed::Stop => of.stop(),
    }
}

/// What a person may do now with a task of a run: the same checks.
pub fn may(state: &State, run: &Run, place: usize) -> Vec<Deed> {
    const ALL: [Deed; 8] = [
        Deed::Advance,
        Deed::StartAgain,
        Deed::FailIt,
        Deed::Retry,
        Deed::Pause,
        Deed::Resume,
        Deed::MakeLive,
        Deed::Stop,
    ];
    let task = &run.snapshot.nodes[place].id;
    ALL.into_iter().filter(|one| deed(state, run, task, *one, By::Rule).is_ok()).collect()
}

struct Of<'a> {
    state: &'a State,
    run: &'a Run,
    place: usize,
    node: &'a Node,
    by: By,
}

impl Of<'_> {
    fn no(&self, why: &str) -> Answer {
        Err(Refusal::Conflict(format!("{} {why}.", self.node.task.title())))
    }

    fn execution(&self, n: u64) -> ExecutionId {
        ExecutionId { pipeline: self.run.pipeline.clone(), task: self.node.id.clone(), n }
    }

    fn memory(&self) -> Option<&Memory> {
        self.state.memory(&self.run.pipeline, &self.node.id)
    }

    fn step(&self) -> Option<&Step> {
        self.run.tasks[self.place].lanes.first().map(|lane| &lane.step)
    }

    fn advance(self) -> Answer {
        let is_open = matches!(self.run.tasks[self.place].stage, Stage::Open { .. });
        match self.step() {
            Some(Step::Live { n }) if is_open && self.node.kind.is_live_step() => {
                let execution = self.execution(*n);
                let known = self.state.execution(&execution);
                match known.map(|known| (&known.life, known.stop)) {
                    Some((Life::Ready { .. }, None)) => {
                        Ok(vec![advance(&execution, self.node.task.kind.stays_open(), self.by)])
                    }
                    Some((_, Some(_))) => self.no("is ending already"),
                    Some((Life::Intended | Life::Started { .. } | Life::Over { .. }, None)) | None => {
                        self.no("is not ready yet")
                    }
                }
            }
            Some(_) | None => self.no("is not a live step that waits"),
        }
    }

    fn start_again(self) -> Answer {
        let (run, task) = (self.run.id.clone(), self.node.id.clone());
        if let Some(Step::Held { .. }) = self.step() {
            return Ok(vec![Event::StartAgain { run, task, by: self.by }]);
        }
        match self.service() {
            Some((packed, Service { step: ServiceStep::Broken { .. }, .. })) => Ok(vec![self.again(packed)]),
            Some((_, _)) | None => self.no("has not ended by itself"),
        }
    }

    /// Starts a Viewer, or a version of a Serving, once more.
    fn again(self, packed: u64) -> Event {
        let (pipeline, task, by) = (self.run.pipeline.clone(), self.node.id.clone(), self.by);
        match packed {
            0 => Event::Resumed { pipeline, task, by },
            _ => Event::LiveWanted { pipeline, task, packed, by },
        }
    }

    fn fail_it(self) -> Answer {
        match self.step() {
            Some(Step::Held { .. }) => {
                Ok(vec![Event::FailIt { run: self.run.id.clone(), task: self.node.id.clone(), by: self.by }])
            }
            Some(_) | None => self.no("has not ended by itself"),
        }
    }

    /// The Viewer, or the version of a Serving that this run packed.
    fn service(&self) -> Option<(u64, &Service)> {
        let packed = match (self.node.kind, self.step()) {
            (KindName::Viewer, _) => 0,
            (KindName::Serving, Some(Step::Packed { n } | Step::Done { n } | Step::Failed { n: Some(n), .. })) => *n,
            (
                KindName::LoadData
                | KindName::Container
                | KindName::Notebook
                | KindName::Job
                | KindName::Serving
                | KindName::Volume,
                _,
            ) => return None,
        };
        Some((packed, self.memory()?.services.get(&packed)?))
    }

    fn pause(self) -> Answer {
        let (pipeline, task) = (self.run.pipeline.clone(), self.node.id.clone());
        match (self.node.kind, self.memory(), self.service()) {
            (KindName::Viewer, Some(memory), Some((_, service))) if !memory.paused => {
                let live = match service.step {
                    ServiceStep::Live { n, .. } => Some(self.execution(n)),
                    ServiceStep::Off | ServiceStep::Queued { .. } | ServiceStep::Broken { .. } => None,
                };
                let stop = live.map(|execution| Event::StopAsked { execution, why: Why::Paused, by: self.by.clone() });
                let paused = Event::Paused { pipeline, task, by: self.by };
                Ok([paused].into_iter().chain(stop).collect())
            }
            (_, _, _) => self.no("is not a Viewer that runs"),
        }
    }

    fn resume(self) -> Answer {
        let is_off = matches!(self.service(), Some((0, Service { step: ServiceStep::Off, .. })));
        let is_paused = self.memory().is_some_and(|memory| memory.paused);
        match self.node.kind {
            KindName::Viewer if is_paused || is_off => Ok(vec![self.again(0)]),
            KindName::Viewer
            | KindName::LoadData
            | KindName::Container
            | KindName::Notebook
            | KindName::Job
            | KindName::Serving
            | KindName::Volume => self.no("is not a paused Viewer"),
        }
    }

    fn make_live(self) -> Answer {
        let (Some(memory), Some((packed, service))) = (self.memory(), self.service()) else {
            return self.no("has no version that could be live");
        };
        if packed == 0 || !matches!(self.run.tasks[self.place].stage, Stage::Released { .. }) {
            return self.no("has no good version in this run");
        }
        match service.step {
            ServiceStep::Live { ready: true, .. } if memory.live == Some(packed) => self.no("is live already"),
            ServiceStep::Live { n, ready: true } => Ok(make_live(memory, &self.execution(n), packed, self.by.clone())),
            ServiceStep::Live { ready: false, .. } | ServiceStep::Queued { .. } => self.no("is still starting"),
            ServiceStep::Off | ServiceStep::Broken { .. } => Ok(vec![self.again(packed)]),
        }
    }

    /// Ends a service, a step that stayed open, or the step of another run that holds the work folder.
    fn stop(self) -> Answer {
        if let Some((_, Service { step: ServiceStep::Live { n, .. }, .. })) = self.service() {
            return self.ask_to_stop(*n, Why::Stopped);
        }
        let stage = &self.run.tasks[self.place].stage;
        match (self.step(), stage) {
            (Some(Step::Live { n }), Stage::Released { .. }) => self.ask_to_stop(*n, Why::RunOver),
            (Some(Step::Queued { .. }), Stage::Open { .. }) if self.node.kind.is_live_step() => {
                match self.memory().and_then(|memory| memory.holder.clone()) {
                    Some(holder) if !self.state.is_ready(&holder) => self.no("is not ready there yet"),
                    Some(holder) => self.ask_to_stop(holder.n, Why::Advanced),
                    None => self.no("waits for nobody else's step"),
                }
            }
            (_, _) => self.no("has nothing that could be stopped here"),
        }
    }

    fn ask_to_stop(&self, n: u64, why: Why) -> Answer {
        let execution = self.execution(n);
        match self.state.execution(&execution) {
            Some(known) if known.stop.is_none() && !known.is_over() => {
                Ok(vec![Event::StopAsked { execution, why, by: self.by.clone() }])
            }
            Some(_) | None => self.no("is ending already"),
        }
    }
}
