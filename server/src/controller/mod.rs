//! Who carries out what the engine decides?
//!
//! One task owns the engine's state. Whatever comes (a person's command, what a runner sees, time) it plans until
//! nothing more follows, writes all decided events in one transaction, then performs the actions. A restart folds the
//! journal and goes on the same way.
//!
//! # Guarantees
//! - No action is performed before the event that announces it is on the disk.
//! - A command is answered when its events are.
//! - While the disk is full, nothing is performed and no command taken; it goes on by itself when there is room.
//! - When it is unknown what the disk has, nothing is performed any more: the process ends with a sentence.

mod duties;
mod look;
mod run_loop;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use engine::{
    command::{Command, Refusal, StartRun},
    event::BadEntry,
    state::State,
    world::World,
};
use model::{
    ExecutionId, KindName, PipelineId, RunId, Site, TaskId,
    run::{Deed, Part, RunSummary, TaskView},
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{
    runner::{Runner, RunnerError},
    store::{Store, StoreError},
};

/// Changes that a slow listener may be behind before it must look at the whole again.
const CHANGES: usize = 1024;

/// What a controller works with.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub runner: Arc<dyn Runner>,
    pub site: Site,
    /// The data of so many newest runs of each pipeline is kept; 0: of all.
    pub keep_runs: u32,
}

/// A wish to run, checked by whoever asks.
#[derive(Clone, Debug)]
pub struct RunWish {
    /// The snapshot that it works on.
    pub document: String,
    pub part: Part,
    /// Those that differ from their default.
    pub parameters: BTreeMap<String, String>,
    pub download_again: BTreeSet<TaskId>,
    /// What is not run is read from this run; else the newest good executions.
    pub reading: Option<RunId>,
    /// Load Data tasks whose source is unchanged, and how that was found.
    pub unchanged: BTreeMap<TaskId, String>,
}

/// Why something was not done; one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("The server is stopping. Try again when it is up.")]
    Stopping,
    #[error("{} Nothing is started or stopped until then.", StoreError::Full)]
    Full,
    /// It was decided when the disk became full.
    #[error("{} What you asked for is done then.", StoreError::Full)]
    Later,
}

/// Why a controller cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] BadEntry),
    #[error(transparent)]
    Runner(#[from] RunnerError),
}

/// What changed in a run.
#[derive(Clone, Debug)]
pub struct RunChange {
    pub summary: RunSummary,
    /// Counts up with every change of this run.
    pub version: u64,
    pub tasks: BTreeMap<TaskId, TaskView>,
}

/// A port that can be opened now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Openable {
    pub execution: ExecutionId,
    pub port: u16,
    pub task_name: String,
    pub kind: KindName,
    /// The version of a Serving that has the task's address.
    pub is_live_serving: bool,
}

/// The version of a Serving that has its task's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveServing {
    /// Its number is 0 while it waits to serve again.
    pub execution: ExecutionId,
    /// The port of the execution; none while it waits.
    pub port: Option<u16>,
    /// The loopback port that the task's settings name.
    pub wanted: Option<u16>,
}

/// Who holds what of a run, for whoever wants to delete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Why it cannot be deleted now.
    pub held_by: Vec<String>,
    /// What stays although it is deleted.
    pub kept_for: Vec<String>,
    /// Of these nothing is left.
    pub executions: Vec<ExecutionId>,
}

/// A command on its way, with who waits for the answer.
struct Asked {
    command: Command,
    answer: oneshot::Sender<Result<(), Refusal>>,
}

/// A handle on the one task; cheap to clone.
#[derive(Clone)]
pub struct Controller {
    shared: Arc<Shared>,
    asks: mpsc::Sender<Asked>,
}

/// What the loop changes and everybody may look at.
struct Shared {
    brain: RwLock<Brain>,
    changes: broadcast::Sender<RunChange>,
    /// Told when a Serving may have become live or gone.
    servings: watch::Sender<()>,
    /// The disk takes no more of the journal.
    full: watch::Sender<bool>,
    store: Arc<dyn Store>,
}

/// What is known, what is seen, and where each run is to be found.
struct Brain {
    state: State,
    world: World,
    marks: BTreeMap<RunId, Mark>,
}

/// Where a run is to be found in the journal, and how often it changed.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    first: u64,
    last: u64,
    events: u32,
    /// Since the last event.
    told: u32,
}

impl Mark {
    fn version(&self) -> u64 {
        model::run::version(self.events, self.told)
    }
}

impl Controller {
    /// Folds the journal, then goes on where it ended.
    ///
    /// # Errors
    /// The journal or the runner cannot be read; nothing was done.
    pub async fn start(parts: Parts) -> Result<Controller, StartError> {
        let (mut state, marks) = run_loop::fold(parts.store.as_ref(), parts.site).await?;
        state.keep_runs(parts.keep_runs);
        let world = World::new(parts.runner.budget());
        let ((changes, _), (servings, _)) = (broadcast::channel(CHANGES), watch::channel(()));
        let (asks, asked) = mpsc::channel(64);
        let brain = RwLock::new(Brain { state, world, marks });
        let shared = Arc::new(Shared { brain, changes, servings, full: watch::channel(false).0, store: parts.store });
        run_loop::spawn(parts.runner, shared.clone(), asked).await?;
        Ok(Controller { shared, asks })
    }

    pub async fn start_run(&self, wish: RunWish) -> Result<RunId, NotDone> {
        let run = RunId::new(uuid::Uuid::new_v4().to_string()).expect("a UUID is an id");
        let RunWish { document, part, parameters, download_again: again, reading, unchanged } = wish;
        let start = StartRun { run: run.clone(), document, part, parameters, reading, again, unchanged };
        self.command(Command::StartRun(Box::new(start))).await?;
        Ok(run)
    }

    pub async fn cancel(&self, run: RunId) -> Result<(), NotDone> {
        self.command(Command::CancelRun { run }).await
    }

    pub async fn deed(&self, run: RunId, task: TaskId, deed: Deed) -> Result<(), NotDone> {
        self.command(Command::Deed { run, task, deed }).await
    }

    pub async fn pin(&self, run: RunId, pinned: bool) -> Result<(), NotDone> {
        self.command(Command::Pin { run, pinned }).await
    }

    /// The run is forgotten; its numbers are not used again.
    pub async fn delete_run(&self, run: RunId) -> Result<(), NotDone> {
        self.command(Command::DeleteRun { run }).await
    }

    pub async fn forget_pipeline(&self, pipeline: &PipelineId) -> Result<(), NotDone> {
        self.command(Command::DeletePipeline { pipeline: pipeline.clone() }).await
    }

    async fn command(&self, command: Command) -> Result<(), NotDone> {
        let mut full = self.shared.full.subscribe();
        if *full.borrow() {
            return Err(NotDone::Full);
        }
        let (answer, answered) = oneshot::channel();
        self.asks.send(Asked { command, answer }).await.map_err(|_| NotDone::Stopping)?;
        tokio::select! {
            biased;
            answer = answered => Ok(answer.map_err(|_| NotDone::Stopping)??),
            _ = full.wait_for(|full| *full) => Err(NotDone::Later),
        }
    }

    /// The settings changed while the server runs.
    pub fn set_site(&self, site: Site) {
        self.shared.brain.write().unwrap_or_else(PoisonError::into_inner).state.set_site(site);
    }

    pub fn subscribe(&self) -> broadcast::Receiver<RunChange> {
        self.shared.changes.subscribe()
    }

    pub fn servings(&self) -> watch::Receiver<()> {
        self.shared.servings.subscribe()
    }

    fn brain(&self) -> RwLockReadGuard<'_, Brain> {
        // A panic while it is changed ends the process, so that nobody reads half a change.
        self.shared.brain.read().unwrap_or_else(PoisonError::into_inner)
    }
}
