//! How does a person see one task of a run?

use model::{
    ExecutionId, KindName,
    kind::Advance,
    run::{ExecutionView, Millis, OpenPort, TaskStatus, TaskView},
};

use super::waits;
use crate::{
    command::deed::may,
    event::{End, Place, Why},
    observed::{Exit, Phase},
    plan::{end_sentence, ended_as_asked},
    state::{Execution, Lane, Life, Run, Service, ServiceStep, Stage, State, Step},
    world::World,
};

type Said = (TaskStatus, String);

pub fn task_view(state: &State, world: &World, run: &Run, place: usize) -> TaskView {
    let of = Of { state, world, run, place };
    let executions = of.executions();
    let (status, sentence) = of.said();
    TaskView {
        kind: run.snapshot.nodes[place].kind,
        status,
        sentence,
        started: executions.iter().filter_map(|one| one.started).min(),
        ended: of.ended(&executions),
        may: may(state, run, place),
        open: of.open(),
        progress: of.progress(),
        executions,
    }
}

struct Of<'a> {
    state: &'a State,
    world: &'a World,
    run: &'a Run,
    place: usize,
}

impl<'a> Of<'a> {
    fn id(&self, n: u64) -> ExecutionId {
        let task = self.run.snapshot.nodes[self.place].id.clone();
        ExecutionId { pipeline: self.run.pipeline.clone(), task, n }
    }

    fn kind(&self) -> KindName {
        self.run.snapshot.nodes[self.place].kind
    }

    fn said(&self) -> Said {
        let task = &self.run.tasks[self.place];
        match &task.stage {
            Stage::NotInRun => (TaskStatus::NotInRun, self.not_in_run()),
            Stage::Blocked { .. } => (TaskStatus::Waiting, waits::for_upstream(self.run, self.place)),
            Stage::Open { .. } => self.lanes(),
            Stage::Released { .. } => self.released(),
            Stage::Failed { .. } => match self.state.started_again(self.run, self.place) {
                Some(packed) => self.service_said(packed),
                None => (TaskStatus::Failed, self.lanes().1),
            },
            Stage::Skipped { because, .. } => {
                let title = self.run.snapshot.nodes[*because].task.title();
                (TaskStatus::Skipped, format!("skipped because of {title}"))
            }
            Stage::Cancelled { .. } if task.lanes.is_empty() => (TaskStatus::Cancelled, "cancelled".into()),
            Stage::Cancelled { .. } => (TaskStatus::Cancelled, self.lanes().1),
            Stage::Viewer => self.service_said(0),
        }
    }

    fn not_in_run(&self) -> String {
        let earlier = self.run.tasks[self.place].earlier.as_ref();
        match earlier.and_then(|earlier| self.state.run(&earlier.run)) {
            Some(run) => format!("its result of run {} is read", run.number),
            None => "not part of this run".into(),
        }
    }

    fn released(&self) -> Said {
        let task = &self.run.tasks[self.place];
        if let Some(sentence) = &task.reused {
            return (TaskStatus::Done, sentence.clone());
        }
        match (self.kind(), task.lanes.first().map(|lane| &lane.step)) {
            (KindName::Serving, Some(Step::Done { n })) => self.service_said(*n),
            (_, Some(Step::Live { .. })) => (TaskStatus::Running, "stays open until the run ends".into()),
            (_, _) => (TaskStatus::Done, self.lanes().1),
        }
    }

    fn lanes(&self) -> Said {
        let lanes = &self.run.tasks[self.place].lanes;
        let said: Vec<Said> = lanes.iter().enumerate().map(|(copy, lane)| self.lane(copy, lane)).collect();
        match said.as_slice() {
            [one] => one.clone(),
            many => together(many),
        }
    }

    fn lane(&self, copy: usize, lane: &Lane) -> Said {
        match &lane.step {
            Step::Waiting => (TaskStatus::Waiting, "waits for its turn".into()),
            Step::Queued { .. } => {
                let task = self.run.snapshot.nodes[self.place].id.clone();
                let place = Place::Lane { run: self.run.id.clone(), task, copy: copy as u32 };
                (TaskStatus::Waiting, waits::in_line(self.state, self.world, self.run, &place))
            }
            Step::Resting { .. } => (TaskStatus::Waiting, format!("waits before try {}", lane.executions.len() + 1)),
            Step::Live { n } => self.execution_said(*n),
            Step::Packed { n } => self.service_said(*n),
            Step::Held { sentence, .. } => {
                (TaskStatus::WaitingForYou, format!("ended: {sentence} · start again · fail it"))
            }
            Step::Done { .. } => (TaskStatus::Done, "ended well".into()),
            Step::Failed { sentence, .. } => (TaskStatus::Failed, sentence.clone()),
            Step::Cancelled => self.cancelled(lane),
        }
    }

    /// What its last execution has come to, if that was there to be cancelled.
    fn cancelled(&self, lane: &Lane) -> Said {
        let last = lane.executions.last().and_then(|n| self.state.execution(&self.id(*n)));
        match last.map(|known| (&known.life, known.stop)) {
            Some((Life::Over { end, .. }, Some((_, why @ Why::Cancelled)))) => over(end, false, Some(why)),
            _ => (TaskStatus::Cancelled, "cancelled".into()),
        }
    }

    fn service(&self, packed: u64) -> Option<&'a Service> {
        let task = &self.run.snapshot.nodes[self.place].id;
        self.state.memory(&self.run.pipeline, task)?.services.get(&packed)
    }

    fn service_said(&self, packed: u64) -> Said {
        let task = &self.run.snapshot.nodes[self.place].id;
        let memory = self.state.memory(&self.run.pipeline, task);
        let Some(service) = self.service(packed) else { return (TaskStatus::Waiting, "waits for its turn".into()) };
        match &service.step {
            ServiceStep::Off if memory.is_some_and(|memory| memory.paused) => (TaskStatus::Paused, "paused".into()),
            ServiceStep::Off if packed == 0 => (TaskStatus::Paused, "stopped".into()),
            ServiceStep::Off => (TaskStatus::Done, "stopped; it can be made live again".into()),
            ServiceStep::Queued { .. } => {
                let (pipeline, task) = (self.run.pipeline.clone(), task.clone());
                let place = Place::Service { pipeline, task, packed };
                (TaskStatus::Waiting, waits::in_line(self.state, self.world, self.run, &place))
            }
            ServiceStep::Live { n, ready: true } => {
                let (status, sentence) = self.execution_said(*n);
                let is_live = memory.is_some_and(|memory| memory.live == Some(packed));
                match (status, packed, is_live) {
                    (TaskStatus::Serving, 0, _) => (status, "answers".into()),
                    (TaskStatus::Serving, _, true) => (status, "live".into()),
                    (TaskStatus::Serving, _, false) => (status, "ready beside the live version".into()),
                    (_, _, _) => (status, sentence),
                }
            }
            ServiceStep::Live { n, ready: false } => self.execution_said(*n),
            ServiceStep::Broken { sentence } => (TaskStatus::Failed, format!("ended: {sentence}")),
        }
    }

    fn execution_said(&self, n: u64) -> Said {
        let id = self.id(n);
        match self.state.execution(&id) {
            Some(known) => self.known_said(&id, known),
            None => (TaskStatus::Waiting, "waits for its turn".into()),
        }
    }

    fn known_said(&self, id: &ExecutionId, known: &Execution) -> Said {
        let phase = self.world.seen(id).map(|seen| &seen.phase);
        match (&known.life, known.stop, phase) {
            (Life::Over { end, good, .. }, stop, _) => over(end, *good, stop.map(|(_, why)| why)),
            (_, _, Some(Phase::Ending { .. })) => (TaskStatus::Ending, "ends, and its results are copied".into()),
            (_, Some(_), _) => (TaskStatus::Ending, "asked to stop".into()),
            (Life::Intended, None, Some(Phase::Preparing { sentence })) => (TaskStatus::Starting, sentence.clone()),
            (Life::Intended, None, _) => (TaskStatus::Starting, "starts".into()),
            (Life::Started { .. }, None, _) => match known.kind {
                KindName::LoadData | KindName::Job | KindName::Volume => (TaskStatus::Running, "runs".into()),
                KindName::Serving if known.copy.is_none() && known.role == crate::event::Role::Pack => {
                    (TaskStatus::Running, "packs".into())
                }
                KindName::Container | KindName::Notebook | KindName::Viewer | KindName::Serving => {
                    (TaskStatus::Starting, "runs, and does not answer yet".into())
                }
            },
            (Life::Ready { .. }, None, _) => self.ready(known),
        }
    }

    fn ready(&self, known: &Execution) -> Said {
        let advance = self.run.snapshot.nodes[self.place].task.kind.advance();
        match (known.kind, advance) {
            (KindName::Viewer | KindName::Serving, _) => (TaskStatus::Serving, "answers".into()),
            (_, Some(Advance::Hand)) => (TaskStatus::WaitingForYou, self.your_turn()),
            (_, Some(Advance::Exit)) => (TaskStatus::Running, "runs, and advances when it ends".into()),
            (_, Some(Advance::File { path })) => {
                (TaskStatus::Running, format!("runs, and advances when {path} exists"))
            }
            (_, Some(Advance::Time { seconds })) => {
                (TaskStatus::Running, format!("runs, and advances after {} s", seconds.0))
            }
            (_, Some(Advance::Port { port })) => {
                (TaskStatus::Running, format!("runs, and advances when port {port} answers"))
            }
            (_, None) => (TaskStatus::Running, "runs".into()),
        }
    }

    fn your_turn(&self) -> String {
        let nodes = &self.run.snapshot.nodes;
        let next: Vec<&str> = nodes[self.place].downs.iter().map(|down| nodes[*down].task.title()).collect();
        match next.as_slice() {
            [] => "waits for you: work in it, then advance it".into(),
            [one] => format!("waits for you: work in it, then advance it to go on with {one}"),
            [one, rest @ ..] => {
                format!("waits for you: work in it, then advance it to go on with {one} and {} more", rest.len())
            }
        }
    }

    fn numbers(&self) -> Vec<u64> {
        let lanes = self.run.tasks[self.place].lanes.iter().flat_map(|lane| lane.executions.iter().copied());
        let service = match self.kind() {
            KindName::Viewer => self.service(0).map(|service| (0, service)),
            KindName::LoadData
            | KindName::Container
            | KindName::Notebook
            | KindName::Job
            | KindName::Serving
            | KindName::Volume => None,
        };
        let packed: Vec<u64> = lanes.clone().collect();
        let servings = packed.iter().filter_map(|n| self.service(*n)).flat_map(|one| one.executions.iter().copied());
        let viewer = service.into_iter().filter_map(|(_, one)| one.executions.last().copied());
        let mut all: Vec<u64> = lanes.chain(servings).chain(viewer).collect();
        all.sort_unstable();
        all
    }

    fn executions(&self) -> Vec<ExecutionView> {
        self.numbers().into_iter().filter_map(|n| self.execution(n)).collect()
    }

    fn execution(&self, n: u64) -> Option<ExecutionView> {
        let id = self.id(n);
        let known = self.state.execution(&id)?;
        let (status, sentence) = self.known_said(&id, known);
        let (started, ended, exit_code) = times(known);
        let values = known.copy.and_then(|copy| self.run.snapshot.nodes[self.place].copies.get(copy as usize)).cloned();
        Some(ExecutionView {
            n,
            copy: known.copy,
            values: values.unwrap_or_default(),
            attempt: known.attempt,
            status,
            sentence,
            started,
            ended,
            exit_code,
        })
    }

    fn ended(&self, executions: &[ExecutionView]) -> Option<Millis> {
        let task = &self.run.tasks[self.place];
        match task.stage {
            // It lets the others start, and stays open until the run ends.
            Stage::Released { .. } if task.lanes.iter().any(|lane| matches!(lane.step, Step::Live { .. })) => None,
            Stage::Released { at } => executions.iter().filter_map(|one| one.ended).max().max(Some(at)),
            Stage::Failed { at } | Stage::Skipped { at, .. } | Stage::Cancelled { at } => Some(at),
            Stage::NotInRun | Stage::Blocked { .. } | Stage::Open { .. } | Stage::Viewer => None,
        }
    }

    /// The newest execution that is there.
    fn live(&self) -> Option<(ExecutionId, &'a Execution)> {
        self.numbers().into_iter().rev().find_map(|n| {
            let id = self.id(n);
            let known = self.state.execution(&id).filter(|known| !known.is_over())?;
            Some((id, known))
        })
    }

    fn open(&self) -> Vec<OpenPort> {
        let Some((id, known)) = self.live() else { return Vec::new() };
        let Life::Ready { .. } = known.life else { return Vec::new() };
        let node = &self.run.snapshot.nodes[self.place];
        let label = |port: u16| match known.kind {
            KindName::Notebook => "Open notebook".to_owned(),
            KindName::Viewer => "Open TensorBoard".to_owned(),
            KindName::Serving => "Open API".to_owned(),
            KindName::LoadData | KindName::Container | KindName::Job | KindName::Volume => {
                let named = node.task.kind.ports().iter().find(|one| one.port == port && !one.name.is_empty());
                named.map_or_else(|| format!("Open port {port}"), |one| format!("Open {}", one.name))
            }
        };
        let ports = known.launch.iter().flat_map(|launch| launch.ports.iter());
        ports.map(|port| OpenPort { n: id.n, port: *port, label: label(*port) }).collect()
    }

    fn progress(&self) -> Option<model::run::Progress> {
        let (id, _) = self.live()?;
        self.world.seen(&id)?.progress.clone()
    }
}

fn times(known: &Execution) -> (Option<Millis>, Option<Millis>, Option<i32>) {
    match &known.life {
        Life::Intended => (None, None, None),
        Life::Started { started } | Life::Ready { started, .. } => (Some(*started), None, None),
        Life::Over { started, at, end, .. } => {
            let code = match end {
                End::Exited { exit: Exit::Code { code }, .. } => Some(*code),
                End::Exited {
                    exit:
                        Exit::Signal { .. }
                        | Exit::OutOfMemory { .. }
                        | Exit::TimedOut
                        | Exit::NotStarted { .. }
                        | Exit::Taken { .. }
                        | Exit::SnapshotFailed { .. },
                    ..
                }
                | End::Lost { .. }
                | End::NeverStarted => None,
            };
            (*started, Some(*at), code)
        }
    }
}

fn over(end: &End, good: bool, stop: Option<Why>) -> Said {
    match (good, stop) {
        (true, Some(Why::Advanced)) => (TaskStatus::Done, "advanced".into()),
        (true, _) => (TaskStatus::Done, "ended well".into()),
        (false, Some(Why::Cancelled)) => (TaskStatus::Cancelled, ended_as_asked("cancelled", end)),
        (false, Some(Why::Paused | Why::Stopped | Why::Replaced | Why::RunOver)) => {
            (TaskStatus::Done, ended_as_asked("stopped", end))
        }
        (false, Some(Why::Advanced) | None) => (TaskStatus::Failed, end_sentence(end)),
    }
}

/// Several copies: what matters most, and how many are how far.
fn together(all: &[Said]) -> Said {
    let count = |wanted: TaskStatus| all.iter().filter(|(status, _)| *status == wanted).count();
    let order = [
        (TaskStatus::WaitingForYou, "wait for you"),
        (TaskStatus::Running, "running"),
        (TaskStatus::Ending, "ending"),
        (TaskStatus::Starting, "starting"),
        (TaskStatus::Waiting, "waiting"),
        (TaskStatus::Failed, "failed"),
        (TaskStatus::Cancelled, "cancelled"),
        (TaskStatus::Done, "done"),
    ];
    let told: Vec<(TaskStatus, String)> = order
        .iter()
        .map(|(status, word)| (*status, count(*status), word))
        .filter(|(_, number, _)| *number > 0)
        .map(|(status, number, word)| (status, format!("{number} {word}")))
        .collect();
    let status = told.first().map_or(TaskStatus::Done, |(status, _)| *status);
    let words: Vec<String> = told.into_iter().map(|(_, words)| words).collect();
    (status, format!("of {} copies: {}", all.len(), words.join(", ")))
}
