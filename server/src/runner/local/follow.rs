//! How is one execution followed from its acceptance to its end?

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use engine::observed::{Observation, Phase};
use model::{
    ExecutionId,
    launch::Program,
    supervise::{How, Process, STATE},
};
use tokio::{io::unix::AsyncFd, process::Child, sync::Notify, task::AbortHandle};

use super::{
    Shared, disk,
    folder::{Accepted, ExecutionFolder, alive, waitable},
    locked,
    look::look,
    notices::Watch,
    start,
};
use crate::runner::RunnerError;

/// How often a load's progress is read.
const PROGRESS: Duration = Duration::from_millis(400);

/// One execution that is accepted and not released.
pub struct Follower {
    pub id: ExecutionId,
    pub folder: ExecutionFolder,
    pub accepted: Accepted,
    /// What it waits for before its supervisor runs.
    preparing: Mutex<String>,
    changed: Arc<Notify>,
    task: Mutex<Option<AbortHandle>>,
    is_over: AtomicBool,
}

/// How its supervisor comes to be.
pub enum Start {
    /// Dropped before its end, it is buried by the runtime.
    Begun(Child),
    /// After something that takes time.
    Later,
    Failed(String),
    /// Claimed already.
    Adopted,
}

impl Follower {
    pub fn new(id: ExecutionId, folder: ExecutionFolder, accepted: Accepted) -> Follower {
        Follower {
            id,
            folder,
            accepted,
            preparing: Mutex::new("Its sandbox is being made.".to_owned()),
            changed: Arc::default(),
            task: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    pub fn prepares(&self, sentence: String) {
        *locked(&self.preparing) = sentence;
    }

    pub fn poke(&self) {
        self.changed.notify_one();
    }

    /// Its end is recorded, or it is lost.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// Stops following; the execution itself goes on.
    pub fn leave(&self) {
        if let Some(task) = locked(&self.task).take() {
            task.abort();
        }
    }

    pub fn look(&self, shared: &Shared, is_supervised: bool) -> Observation {
        let preparing = locked(&self.preparing).clone();
        let seen = look(&self.id, &self.folder, &self.accepted, (is_supervised, &shared.boot, &preparing));
        if matches!(seen.phase, Phase::Ended(_) | Phase::Lost { .. }) {
            self.is_over.store(true, Relaxed);
        }
        seen
    }
}

/// # Errors
/// The system has no more watches: what runs goes on, and can be observed again.
pub fn spawn(shared: Arc<Shared>, follower: Arc<Follower>, start: Start) -> Result<(), RunnerError> {
    let watch = shared.notices.watch(&follower.folder.path.join(STATE), &follower.changed).map_err(disk)?;
    let mut place = locked(&follower.task);
    let task = tokio::spawn(follow(shared, follower.clone(), start, watch));
    *place = Some(task.abort_handle());
    Ok(())
}

/// Follows all that are not released and are not followed yet, and knows each one's phase when it returns.
///
/// # Errors
/// The folder of executions cannot be read.
pub async fn adopt_all(shared: &Arc<Shared>) -> Result<(), RunnerError> {
    for id in shared.executions.live().map_err(disk)? {
        let _turn = shared.turn(&id).await;
        if shared.follower(&id).is_some() {
            continue;
        }
        let folder = shared.executions.folder(&id);
        let Some(accepted) = folder.accepted() else {
            // Its release was cut short.
            folder.release().map_err(disk)?;
            continue;
        };
        let is_claimed = folder.is_claimed();
        let follower = Arc::new(Follower::new(id.clone(), folder, accepted));
        let is_of_this_boot = follower.accepted.boot == shared.boot;
        let is_supervised = is_of_this_boot && (!is_claimed || supervisor(&follower).await.is_some());
        let seen = follower.look(shared, is_supervised);
        let is_over = follower.is_over();
        shared.hub.tell(seen);
        locked(&shared.followers).insert(id, follower.clone());
        if !is_over {
            spawn(shared.clone(), follower, if is_claimed { Start::Adopted } else { Start::Later })?;
        }
    }
    Ok(())
}

/// The supervisor that has claimed it, if it lives; if not, only once all of its processes are gone.
async fn supervisor(follower: &Follower) -> Option<AsyncFd<OwnedFd>> {
    let told = follower.folder.told();
    if let Some(process) = told.supervisor.and_then(alive) {
        return waitable(process).ok();
    }
    gone(told.init).await;
    None
}

async fn gone(process: Option<Process>) {
    if let Some(process) = process.and_then(alive).and_then(|process| waitable(process).ok()) {
        // An error is an end, too.
        let _ = process.readable().await;
    }
}

async fn follow(shared: Arc<Shared>, follower: Arc<Follower>, start: Start, _watch: Watch) {
    let mut child = match start {
        Start::Begun(child) => Some(child),
        Start::Adopted => None,
        Start::Failed(sentence) => return give_up(&shared, &follower, sentence),
        Start::Later => match begin(&shared, &follower).await {
            Ok(child) => child,
            Err(sentence) => return give_up(&shared, &follower, sentence),
        },
    };
    let mut status = None;
    if let Some(child) = &mut child {
        watch_until(&shared, &follower, async { status = child.wait().await.ok() }).await;
    }
    // Another one may have claimed it: one that an earlier server started.
    if let Some(process) = supervisor(&follower).await {
        watch_until(&shared, &follower, async { drop(process.readable().await) }).await;
        gone(follower.folder.told().init).await;
    }
    if !follower.folder.is_claimed() {
        let status = status.map_or_else(String::new, |status| format!(" ({status})"));
        return give_up(&shared, &follower, format!("Its supervisor ended before it began{status}."));
    }
    shared.hub.tell(follower.look(&shared, false));
}

/// Starts what takes time to start. `None`: it was ended meanwhile.
async fn begin(shared: &Arc<Shared>, follower: &Arc<Follower>) -> Result<Option<Child>, String> {
    shared.hub.tell(follower.look(shared, true));
    let (all, one) = (shared.clone(), follower.clone());
    let work = tokio::task::spawn_blocking(move || all.start(&one));
    tokio::pin!(work);
    loop {
        tokio::select! {
            begun = &mut work => return begun.map_err(|error| error.to_string())?.map(Some),
            () = follower.changed.notified() => {
                let seen = follower.look(shared, true);
                shared.hub.tell(seen);
                if follower.is_over() {
                    return Ok(None);
                }
            }
        }
    }
}

fn give_up(shared: &Shared, follower: &Follower, sentence: String) {
    if let Err(error) = follower.folder.end_unclaimed(How::NotStarted(sentence.clone()), start::now()) {
        tracing::warn!("{}: the end could not be written ({error}): {sentence}", follower.id);
    }
    shared.hub.tell(follower.look(shared, false));
}

async fn watch_until(shared: &Shared, follower: &Follower, is_gone: impl Future<Output = ()>) {
    let is_load = matches!(follower.accepted.launch.program, Program::Load { .. });
    tokio::pin!(is_gone);
    loop {
        shared.hub.tell(follower.look(shared, true));
        let tick = async {
            if is_load {
                tokio::time::sleep(PROGRESS).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = &mut is_gone => return,
            () = follower.changed.notified() => {}
            () = tick => {}
        }
    }
}
