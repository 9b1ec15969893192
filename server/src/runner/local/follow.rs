//! How is one execution followed from its acceptance to its end?

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream},
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
    supervise::{How, KEPT, Process, STATE},
};
use tokio::{
    io::{AsyncReadExt, unix::AsyncFd},
    sync::Notify,
    task::AbortHandle,
};

use super::{
    Shared, disk,
    folder::{Accepted, ExecutionFolder, Told, alive, waitable},
    locked,
    look::look,
    notices::Watch,
    start,
};
use crate::runner::RunnerError;

/// How often a supervisor is started for one that nobody claims.
const TRIES: u32 = 3;
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
    /// To a supervisor that has told the end and waits to hear that it is kept.
    line: Mutex<Option<tokio::net::UnixStream>>,
    is_over: AtomicBool,
}

/// How its supervisor comes to be.
pub enum Start {
    /// What it tells comes by this line.
    Begun(UnixStream),
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
            line: Mutex::default(),
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

    /// The end is in the journal: its supervisor need not write it to the disk.
    pub fn is_kept(&self) {
        if let Some(line) = locked(&self.line).take() {
            // One that does not hear it does it itself.
            let _ = line.try_write(&[KEPT]);
        }
    }

    /// Stops following; the execution itself goes on.
    pub fn leave(&self) {
        if let Some(task) = locked(&self.task).take() {
            task.abort();
        }
    }

    pub fn look(&self, shared: &Shared, is_supervised: bool) -> Observation {
        self.seen(shared, is_supervised, &self.folder.told())
    }

    fn seen(&self, shared: &Shared, is_supervised: bool, told: &Told) -> Observation {
        let preparing = locked(&self.preparing).clone();
        let seen = look(&self.id, &self.folder, &self.accepted, told, (is_supervised, &shared.boot, &preparing));
        if matches!(seen.phase, Phase::Ended(_) | Phase::Lost { .. }) {
            self.is_over.store(true, Relaxed);
        }
        seen
    }
}

/// # Errors
/// The system has no more watches: what runs goes on, and can be observed again.
pub fn spawn(shared: &Arc<Shared>, follower: Arc<Follower>, start: Start) -> Result<(), RunnerError> {
    // One of ours tells by its line.
    let watch = matches!(start, Start::Adopted).then(|| watch(shared, &follower)).transpose().map_err(disk)?;
    let mut place = locked(&follower.task);
    let task = tokio::spawn(follow(shared.clone(), follower.clone(), start, watch));
    *place = Some(task.abort_handle());
    Ok(())
}

fn watch(shared: &Shared, follower: &Follower) -> std::io::Result<Watch> {
    shared.notices.watch(&follower.folder.path.join(STATE), &follower.changed)
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
            spawn(shared, follower, if is_claimed { Start::Adopted } else { Start::Later })?;
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

async fn follow(shared: Arc<Shared>, follower: Arc<Follower>, start: Start, watch: Option<Watch>) {
    match start {
        Start::Begun(line) => listen(&shared, &follower, line).await,
        Start::Adopted => {}
        Start::Failed(sentence) => return give_up(&shared, &follower, sentence),
        Start::Later => {}
    }
    for _ in 0..TRIES {
        if follower.is_over() {
            return;
        }
        if follower.folder.is_claimed() {
            return adopt(&shared, &follower, watch).await;
        }
        // Nobody has it: it starts late, or the template was ended before it began.
        match begin(&shared, &follower).await {
            Ok(Some(line)) => listen(&shared, &follower, line).await,
            Ok(None) => {}
            Err(sentence) => return give_up(&shared, &follower, sentence),
        }
    }
    if !follower.is_over() && follower.folder.is_claimed() {
        return adopt(&shared, &follower, watch).await;
    }
    if !follower.is_over() {
        give_up(&shared, &follower, "Its supervisor ended before it began.".to_owned());
    }
}

/// Follows one that was claimed by a supervisor which an earlier server started, or whose line broke.
async fn adopt(shared: &Shared, follower: &Follower, watched: Option<Watch>) {
    let _watch = watched.map_or_else(|| watch(shared, follower), Ok).inspect_err(|error| {
        tracing::warn!("{}: its supervisor cannot be watched, only its end is seen: {error}", follower.id);
    });
    if let Some(process) = supervisor(follower).await {
        watch_until(shared, follower, async { drop(process.readable().await) }).await;
        gone(follower.folder.told().init).await;
    }
    shared.hub.tell(follower.look(shared, false));
}

/// Tells what its supervisor tells, until that has told the end or its line ends.
async fn listen(shared: &Shared, follower: &Follower, line: UnixStream) {
    let Ok(mut line) = tokio::net::UnixStream::from_std(line) else { return };
    let (mut told, mut heard) = (Told::default(), Vec::new());
    loop {
        shared.hub.tell(follower.seen(shared, true, &told));
        if follower.is_over() {
            *locked(&follower.line) = Some(line);
            return;
        }
        tokio::select! {
            got = line.read_buf(&mut heard) => match got {
                Ok(0) | Err(_) => return,
                Ok(_) => hear(&mut told, &mut heard),
            },
            // Ended before it was claimed.
            () = follower.changed.notified() => told = follower.folder.told(),
            () = tick(follower) => {}
        }
    }
}

/// All whole lines.
fn hear(told: &mut Told, heard: &mut Vec<u8>) {
    let end = heard.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    String::from_utf8_lossy(&heard[..end]).lines().for_each(|line| told.hear(line));
    heard.drain(..end);
}

/// When a load's progress is to be read again; never for others.
async fn tick(follower: &Follower) {
    match follower.accepted.launch.program {
        Program::Load { .. } => tokio::time::sleep(PROGRESS).await,
        _ => std::future::pending().await,
    }
}

/// Starts what takes time to start. `None`: it was ended meanwhile.
async fn begin(shared: &Arc<Shared>, follower: &Arc<Follower>) -> Result<Option<UnixStream>, String> {
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
    tokio::pin!(is_gone);
    loop {
        shared.hub.tell(follower.look(shared, true));
        tokio::select! {
            () = &mut is_gone => return,
            () = follower.changed.notified() => {}
            () = tick(follower) => {}
        }
    }
}
