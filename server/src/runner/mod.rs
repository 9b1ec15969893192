//! What must a place that runs tasks be able to do?

mod hub;
pub mod kube;
pub mod local;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use engine::{
    action::Action,
    observed::{Ended, Exit, Observation, Observed, Phase},
};
use model::{
    Acl, ExecutionId, PipelineId, TaskId,
    launch::Launch,
    mounts::execution_number,
    path::WORK,
    run::Millis,
    site::{Capacity, Faults},
    supervise::How,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    sync::mpsc,
};

/// Pieces that may wait for the person; the program waits then.
const WAITING: usize = 64;
const PIECE: usize = 16 * 1024;

/// Observes and performs; decides nothing.
///
/// # Guarantees
/// - At most one live workload per execution, ever, whatever is performed twice and whenever the server is killed.
/// - An end is told until it is released, also to a server that starts later.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// First one [`Observed::All`], then every change within 500 ms. A new call ends the earlier one's stream.
    async fn observe(&self) -> Result<mpsc::Receiver<Observed>, RunnerError>;

    /// Returns when the action is accepted durably, not when its effect is over. Actions on one execution are
    /// carried out in the order they are performed.
    async fn perform(&self, action: Action) -> Result<(), RunnerError>;

    /// Everything that a pipeline's tasks have left goes, work folders and downloads, too. Nothing of it may run. Returns
    /// when it is gone; what could not be removed is still there to be asked for again.
    async fn forget(&self, pipeline: &PipelineId) -> Result<(), RunnerError>;

    /// The most that tasks may take together; `None` where a cluster decides.
    fn budget(&self) -> Option<Capacity>;

    /// What would make tasks fail before they begin, as far as it is known.
    fn faults(&self) -> Faults {
        Faults::default()
    }

    /// Whether work folders lie on this machine, where the server sees them.
    fn has_work_here(&self) -> bool {
        true
    }

    /// Carries out an order about work folders where they lie, if not here. `input` comes with the order, what it answers is
    /// written to `output`.
    async fn work(
        &self,
        _order: &[u8],
        _input: Option<tokio::fs::File>,
        _output: &mut tokio::fs::File,
    ) -> Result<(), RunnerError> {
        Err(RunnerError::Refused("The work folders are on this machine.".to_owned()))
    }

    /// Names of the secrets that the runner keeps, where tasks get them. `None`: they are the server's to keep.
    fn secrets(&self) -> Option<BTreeSet<String>> {
        None
    }

    /// Keeps another one, or another value of it, where [`Runner::secrets`] are the runner's.
    async fn set_secret(&self, _name: &str, _value: &str) -> Result<(), RunnerError> {
        Err(RunnerError::Refused("The server keeps the secrets.".to_owned()))
    }

    /// The settings name another shared volume; a runner that asks them at each launch knows it already.
    fn volume_made(&self, _name: &str, _place: &str, _access: Acl) {}

    /// What [`Action::Launch`] would make of it, as several YAML documents for people to read; nobody is asked.
    fn manifests(&self, _: &Launch) -> Result<String, RunnerError> {
        Err(RunnerError::Refused("Tasks run as programs of this machine: there are no manifests.".to_owned()))
    }

    /// Where programs beside the running task find a port of it; `None`: nowhere, only by [`Runner::dial`].
    fn address(&self, _: &ExecutionId, _: u16) -> Option<String> {
        None
    }

    /// Makes the address of each of these Servings' tasks lead to this version's port, and takes other such addresses
    /// away; asked again whenever they have changed. A version without a port is about to come again. `None`: where this
    /// runner's tasks run nothing has an address of its own, and they are reached by [`Runner::dial`] alone.
    async fn lead(&self, _: &[(ExecutionId, Option<u16>)]) -> Result<Option<Addresses>, RunnerError> {
        Ok(None)
    }

    /// Where the log lies on our side: lines `<milliseconds since 1970> <text>\n`, appended while it runs.
    fn log(&self, execution: &ExecutionId) -> PathBuf;

    /// Runs a program inside the running task.
    async fn exec(&self, execution: &ExecutionId, exec: Exec) -> Result<Session, RunnerError>;

    /// Connects to a port of the running task.
    async fn dial(&self, execution: &ExecutionId, port: u16) -> Result<Box<dyn Connection>, RunnerError>;
}

/// Where programs find the live version of a task.
pub type Addresses = BTreeMap<(PipelineId, TaskId), String>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The variables that every task has wherever it runs, weaker than its own.
pub fn told(launch: &Launch) -> BTreeMap<String, String> {
    let id = &launch.execution;
    let mut told = BTreeMap::from(
        [
            ("HOME", format!("{WORK}/.home")),
            ("TMPDIR", "/tmp".to_owned()),
            // The one part of it that matters: `LANG` makes every program open a dozen files more.
            ("LC_CTYPE", "C.UTF-8".to_owned()),
            ("FLETCHLINE_RUN", launch.run.to_string()),
            ("FLETCHLINE_PIPELINE", id.pipeline.to_string()),
            ("FLETCHLINE_TASK", id.task.to_string()),
            ("FLETCHLINE_N", id.n.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(copy) = launch.copy {
        told.insert("FLETCHLINE_COPY".to_owned(), copy.to_string());
    }
    told
}

pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Connection for T {}

#[derive(Clone, Debug)]
pub struct Exec {
    /// Empty: a shell, the first of bash and sh that is there.
    pub argv: Vec<String>,
    /// A terminal of this size; `None`: plain pipes.
    pub terminal: Option<TerminalSize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    pub columns: u16,
    pub rows: u16,
}

/// A program that runs inside a task on somebody's behalf. Dropping it ends the program.
pub struct Session {
    pub input: mpsc::Sender<SessionInput>,
    /// Ends with [`SessionOutput::Exit`].
    pub output: mpsc::Receiver<SessionOutput>,
}

#[derive(Clone, Debug)]
pub enum SessionInput {
    Bytes(Vec<u8>),
    Resize(TerminalSize),
    End,
}

#[derive(Clone, Debug)]
pub enum SessionOutput {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Exit(i32),
}

#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The task is not running (any more).
    #[error("{0} is not running")]
    NotRunning(ExecutionId),
    /// Trying again may help: the cluster or the disk did not answer.
    #[error("{0}")]
    Unavailable(String),
    /// Trying again as it is will not help.
    #[error("{0}")]
    Refused(String),
}

/// Room may be made, and then it is tried again.
fn disk(error: std::io::Error) -> RunnerError {
    RunnerError::Unavailable(format!("The disk does not take what has to be written: {error}."))
}

/// The highest number whose folder is there; 0: none is.
fn last_number(folder: &Path) -> io::Result<u64> {
    let mut entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    entries.try_fold(0, |last, entry| {
        let n = entry?.file_name().to_str().and_then(execution_number).unwrap_or(0);
        Ok(last.max(n))
    })
}

/// Its number was found to be taken, by what is on our side.
fn taken(id: &ExecutionId, last: u64, now: Millis) -> Observation {
    let exit = Exit::Taken { last: last.max(id.n) };
    let phase = Phase::Ended(Ended { exit, started: None, ended: now, facts: None });
    Observation { execution: id.clone(), phase, progress: None }
}

/// How a program came to its end, as the engine hears it from every runner.
fn exit(how: &How) -> Exit {
    match how {
        How::Code(code) => Exit::Code { code: *code },
        How::Signal(signal) => Exit::Signal { signal: *signal },
        How::OutOfMemory(sentence) => Exit::OutOfMemory { sentence: sentence.clone() },
        How::TimedOut => Exit::TimedOut,
        How::NotStarted(sentence) => Exit::NotStarted { sentence: sentence.clone() },
        How::Taken(last) => Exit::Taken { last: *last },
        How::SnapshotFailed(sentence) => Exit::SnapshotFailed { sentence: sentence.clone() },
    }
}

/// What a program inside a task says, piece by piece, until it or the listener is gone.
async fn pass_on(
    from: Option<impl AsyncRead + Unpin>,
    to: mpsc::Sender<SessionOutput>,
    kind: impl Fn(Vec<u8>) -> SessionOutput,
) {
    let Some(mut from) = from else { return };
    let mut bytes = vec![0; PIECE];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if to.send(kind(bytes[..count].to_vec())).await.is_err() {
            return;
        }
    }
}
