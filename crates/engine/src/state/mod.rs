//! What does the engine know?
//!
//! Only what the journal says: folding it from the start gives the same state. What a runner sees at this moment is
//! [`crate::world::World`].

mod apply;
mod data;
mod fold;
mod lane;
mod retry;
pub mod room;
mod service;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    ExecutionId, KindName, PipelineId, RunId, Site, TaskId,
    launch::{Launch, Output},
    run::{Millis, Part},
};

use crate::{
    event::{By, Earlier, End, How, Place, ReadCopy, Role, Why},
    observed::Exit,
    snapshot::{Node, Snapshot},
};
pub(crate) use lane::waits_for_a_person;
use room::{Class, Room};

pub struct State {
    /// What the installation is; not part of what the journal says.
    pub(crate) site: Site,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) flows: BTreeMap<PipelineId, Flow>,
    pub(crate) executions: BTreeMap<ExecutionId, Execution>,
    pub(crate) room: Room,
    pub(crate) timers: BTreeSet<(Millis, Place)>,
    /// Counts who began to wait when.
    pub(crate) ticket: u64,
    /// Tasks of runs whose upstream failed, to be skipped.
    pub(crate) skips: BTreeSet<(RunId, usize, usize)>,
    /// Runs in which nothing is left to do but to stop what stayed open.
    pub(crate) closing: BTreeSet<RunId>,
    pub(crate) dirty: Dirty,
    /// The data of so many newest runs of each pipeline is kept; 0: of all. Not part of what the journal says.
    pub(crate) keep_runs: u32,
}

/// What changed since somebody looked: a cache, not part of what is known.
#[derive(Default)]
pub(crate) struct Dirty {
    /// Something was taken that others wait for, or given back.
    pub room: bool,
    pub executions: BTreeSet<ExecutionId>,
    /// Viewers whose links may differ.
    pub viewers: BTreeSet<(PipelineId, TaskId)>,
    pub tasks: BTreeSet<(RunId, usize)>,
    pub runs: BTreeSet<RunId>,
    /// Pipelines whose old runs may have data that is not to be kept.
    pub old: BTreeSet<PipelineId>,
    /// What is to be removed: executions of which nothing is left, or their results alone.
    pub gone: Vec<Gone>,
}

/// An execution that nobody reads any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub execution: ExecutionId,
    /// Not its results alone.
    pub whole: bool,
}

impl PartialEq for State {
    /// What is known, not what was looked at.
    fn eq(&self, other: &Self) -> bool {
        self.runs == other.runs
            && self.flows == other.flows
            && self.executions == other.executions
            && self.room == other.room
            && self.timers == other.timers
            && self.skips == other.skips
            && self.closing == other.closing
    }
}

#[derive(Debug, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub pipeline: PipelineId,
    pub number: u32,
    pub snapshot: Arc<Snapshot>,
    /// The snapshot cannot be read; the run has no tasks.
    pub unreadable: Option<String>,
    pub part: Part,
    pub parameters: BTreeMap<String, String>,
    pub again: BTreeSet<TaskId>,
    pub unchanged: BTreeMap<TaskId, String>,
    pub started: Millis,
    /// A person keeps its data.
    pub pinned: bool,
    /// Its results are gone, but for those that another run reads.
    pub dropped: bool,
    pub fate: Fate,
    pub tasks: Vec<RunTask>,
    /// Tasks that have not come to an end; Viewers do not count.
    pub left: usize,
    pub failed: BTreeSet<usize>,
    /// Tasks that wait for a person.
    pub persons: BTreeSet<usize>,
    /// Tasks with live executions.
    pub busy: BTreeSet<usize>,
    /// Executions that must be over before the run ends.
    pub live: BTreeSet<ExecutionId>,
}

#[derive(Debug, PartialEq)]
pub enum Fate {
    Going,
    Cancelling { by: By },
    Ended { how: How, at: Millis },
}

#[derive(Debug, PartialEq)]
pub struct RunTask {
    pub stage: Stage,
    /// One per copy.
    pub lanes: Vec<Lane>,
    /// What stands in for running it.
    pub earlier: Option<Earlier>,
    /// Why `earlier` stands in: "unchanged by date and length".
    pub reused: Option<String>,
    /// The execution that let the run go on and stayed open: others read that one, whatever becomes of it.
    pub open: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Not run; what is read of it is an earlier result.
    NotInRun,
    Blocked {
        missing: usize,
    },
    Open {
        since: Millis,
    },
    Released {
        at: Millis,
    },
    Failed {
        at: Millis,
    },
    Skipped {
        at: Millis,
        because: usize,
    },
    Cancelled {
        at: Millis,
    },
    /// A Viewer: there for all runs, its state is the pipeline's.
    Viewer,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    pub step: Step,
    /// All its executions in this run, in order.
    pub executions: Vec<u64>,
    /// How often its machine went away.
    pub lost: u32,
    /// Failures since somebody last asked for it.
    pub failures: u32,
    /// Numbers in a row whose folders were there already.
    pub taken: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Waiting,
    Queued {
        ticket: u64,
    },
    Resting {
        until: Millis,
    },
    Live {
        n: u64,
    },
    /// A Serving that is built and not ready yet.
    Packed {
        n: u64,
    },
    Held {
        n: u64,
        sentence: String,
    },
    Done {
        n: u64,
    },
    /// `n` is none where a launch could not be made.
    Failed {
        n: Option<u64>,
        sentence: String,
    },
    Cancelled,
}

/// What a pipeline remembers over all runs.
#[derive(Debug, Default, PartialEq)]
pub struct Flow {
    /// In the order of their numbers.
    pub runs: Vec<RunId>,
    pub tasks: BTreeMap<TaskId, Memory>,
    pub last_number: u32,
}

/// What a task remembers over all runs.
#[derive(Debug, Default, PartialEq)]
pub struct Memory {
    /// The highest number given out.
    pub n: u64,
    /// Released results, oldest first.
    pub good: Vec<Good>,
    /// Who has the work folder of a Notebook or Container.
    pub holder: Option<ExecutionId>,
    /// Who waits for it, by ticket.
    pub waiting: BTreeMap<u64, Place>,
    /// A Viewer (under 0), or the versions of a Serving by the execution that packed them.
    pub services: BTreeMap<u64, Service>,
    /// The version of a Serving that has the task's address.
    pub live: Option<u64>,
    /// The version that is to be live when it is ready.
    pub wanted: Option<u64>,
    /// A Viewer that a person paused.
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Good {
    pub earlier: Earlier,
    pub at: Millis,
}

/// A Viewer, or one version of a Serving.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Whose snapshot it is made of.
    pub run: RunId,
    pub step: ServiceStep,
    pub lost: u32,
    /// As [`Lane::taken`].
    pub taken: u32,
    pub executions: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ServiceStep {
    Off,
    Queued { ticket: u64 },
    Live { n: u64, ready: bool },
    Broken { sentence: String },
}

#[derive(Debug, PartialEq)]
pub struct Execution {
    pub run: RunId,
    pub place: Place,
    pub role: Role,
    pub kind: KindName,
    pub copy: Option<u32>,
    pub attempt: u32,
    pub class: Class,
    /// Only while it may have to be asked again.
    pub launch: Option<Arc<Launch>>,
    /// Folders that it leaves behind, copied snapshots included.
    pub kept: Vec<Output>,
    pub intended: Millis,
    pub life: Life,
    /// Asked to stop, since when and why.
    pub stop: Option<(Millis, Why)>,
    pub facts: Option<serde_json::Value>,
}

#[derive(Debug, PartialEq)]
pub enum Life {
    Intended,
    Started { started: Millis },
    Ready { started: Millis, ready: Millis },
    Over { started: Option<Millis>, at: Millis, end: End, good: bool },
}

impl Execution {
    pub fn is_over(&self) -> bool {
        matches!(self.life, Life::Over { .. })
    }

    /// The folders of its number are somebody else's.
    pub fn is_taken(&self) -> bool {
        matches!(self.life, Life::Over { end: End::Exited { exit: Exit::Taken { .. }, .. }, .. })
    }
}

impl Run {
    pub fn has_ended(&self) -> bool {
        matches!(self.fate, Fate::Ended { .. })
    }

    pub fn is_cancelling(&self) -> bool {
        matches!(self.fate, Fate::Cancelling { .. })
    }

    /// What tasks that read this one find: this run's results, or the earlier ones that stand in.
    pub fn results(&self, task: usize) -> Vec<ReadCopy> {
        let (own, node) = (&self.tasks[task], &self.snapshot.nodes[task]);
        if let Some(earlier) = &own.earlier {
            return earlier.copies.clone();
        }
        if let Some(n) = own.open {
            return vec![ReadCopy { copy: None, values: BTreeMap::new(), n, good: true }];
        }
        let copy = |place: usize| node.has_grid.then_some(place as u32);
        let lane = |(place, lane): (usize, &Lane)| match &lane.step {
            Step::Done { n } | Step::Packed { n } => {
                Some(ReadCopy { copy: copy(place), values: node.copies[place].clone(), n: *n, good: true })
            }
            Step::Failed { n: Some(n), .. } => {
                Some(ReadCopy { copy: copy(place), values: node.copies[place].clone(), n: *n, good: false })
            }
            Step::Live { .. }
            | Step::Waiting
            | Step::Queued { .. }
            | Step::Resting { .. }
            | Step::Held { .. }
            | Step::Failed { n: None, .. }
            | Step::Cancelled => None,
        };
        own.lanes.iter().enumerate().filter_map(lane).collect()
    }
}

impl State {
    pub fn new(site: Site) -> Self {
        State {
            site,
            runs: BTreeMap::new(),
            flows: BTreeMap::new(),
            executions: BTreeMap::new(),
            room: Room::default(),
            timers: BTreeSet::new(),
            ticket: 0,
            skips: BTreeSet::new(),
            closing: BTreeSet::new(),
            dirty: Dirty::default(),
            keep_runs: 0,
        }
    }

    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    pub fn run(&self, run: &RunId) -> Option<&Run> {
        self.runs.get(run)
    }

    /// The installation's volumes, secrets or limits became others: later launches see that.
    pub fn set_site(&mut self, site: Site) {
        self.site = site;
    }

    pub fn execution(&self, execution: &ExecutionId) -> Option<&Execution> {
        self.executions.get(execution)
    }

    pub fn executions(&self) -> impl Iterator<Item = (&ExecutionId, &Execution)> {
        self.executions.iter()
    }

    pub fn memory(&self, pipeline: &PipelineId, task: &TaskId) -> Option<&Memory> {
        self.flows.get(pipeline)?.tasks.get(task)
    }

    /// The version of a Serving that failed in this run, while it is there because a person started it again.
    pub(crate) fn started_again(&self, run: &Run, task: usize) -> Option<u64> {
        let Some(Step::Failed { n: Some(packed), .. }) = run.tasks[task].lanes.first().map(|lane| &lane.step) else {
            return None;
        };
        let service = self.memory(&run.pipeline, &run.snapshot.nodes[task].id)?.services.get(packed)?;
        matches!(service.step, ServiceStep::Queued { .. } | ServiceStep::Live { .. }).then_some(*packed)
    }

    /// The run's task that a place belongs to, with the run whose snapshot says what it is.
    pub(crate) fn node_of(&self, place: &Place) -> Option<(&Run, &Node)> {
        let (run, task) = match place {
            Place::Lane { run, task, .. } => (run, task),
            Place::Service { pipeline, task, packed } => {
                (&self.memory(pipeline, task)?.services.get(packed)?.run, task)
            }
        };
        let run = self.runs.get(run)?;
        Some((run, run.snapshot.node(task)?))
    }

    pub(crate) fn lane(&self, run: &RunId, task: &TaskId, copy: u32) -> Option<&Lane> {
        let run = self.runs.get(run)?;
        run.tasks[run.snapshot.place(task)?].lanes.get(copy as usize)
    }

    /// Everything was looked at and asked.
    pub fn settle(&mut self) {
        self.dirty.executions.clear();
        self.dirty.viewers.clear();
        self.dirty.old.clear();
    }

    /// Tasks that wait for room say who holds it: all of them may differ since something was taken or given back. To go
    /// through them costs as much as there are, so whoever shows them says when.
    pub fn touch_line(&mut self) {
        if std::mem::take(&mut self.dirty.room) {
            self.touch_those_in_line();
        }
    }

    /// Whether [`State::touch_line`] has something to do.
    pub fn is_line_touched(&self) -> bool {
        self.dirty.room
    }

    /// Tasks whose view may differ since the last call, and runs whose line may.
    pub fn take_touched(&mut self) -> (BTreeSet<(RunId, usize)>, BTreeSet<RunId>) {
        (std::mem::take(&mut self.dirty.tasks), std::mem::take(&mut self.dirty.runs))
    }
}

/// Quick ones end by themselves soon; a person's step or a service may stay for days.
pub(crate) fn is_quick(kind: KindName, role: Role) -> bool {
    match role {
        Role::Pack => true,
        Role::Serve | Role::View => false,
        Role::Step => matches!(kind, KindName::LoadData | KindName::Job),
    }
}
