//! How do tasks run as processes of this machine?
//!
//! Every execution has a supervisor ([`model::supervise`]) that outlives the server. This side accepts launches, starts
//! supervisors, and tells what they have recorded; whatever it knows it can read again from the executions' folders.
//!
//! # Guarantees
//! As [`Runner`]'s. A supervisor may be started twice for one execution (a server that died in between); only the one
//! that claims it starts the program.

pub mod config;
mod exec;
pub mod folder;
mod follow;
pub(super) mod links;
pub mod load;
mod look;
mod machine;
mod notices;
mod order;
mod sandbox;
mod start;
mod template;

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use engine::{action::Action, observed::Observed};
use model::{
    ExecutionId, PipelineId, Seconds,
    launch::Launch,
    mounts::{execution_folder, pipeline_folder},
    site::Capacity,
    supervise::{How, Process, StopOrder, Way},
};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::mpsc;

use super::{Connection, Exec, Runner, RunnerError, Session, disk, hub::Hub, locked};
pub use config::LocalConfig;
use folder::{Executions, Told, alive};
use follow::Follower;
use machine::Gpu;
use notices::Notices;
use sandbox::Bases;
use template::Template;

/// Runs tasks on this machine.
pub struct LocalRunner {
    shared: Arc<Shared>,
}

/// What all that happens at once has in common.
struct Shared {
    config: LocalConfig,
    way: Way,
    gpus: Vec<Gpu>,
    boot: String,
    executions: Executions,
    bases: Bases,
    template: Template,
    hub: Hub,
    notices: Notices,
    followers: Mutex<BTreeMap<ExecutionId, Arc<Follower>>>,
    /// Held while ports and GPUs are chosen.
    choosing: Mutex<()>,
    /// Actions on one execution take their turn.
    turns: [tokio::sync::Mutex<()>; 64],
}

impl LocalRunner {
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`RunnerError::Refused`] when tasks cannot be kept apart here or the results belong to another installation.
    pub fn new(config: LocalConfig) -> Result<LocalRunner, RunnerError> {
        let way = machine::way(&config)?;
        claim_results(&config)?;
        let shared = Shared {
            template: Template::new(config.helper.clone(), &way),
            way,
            gpus: machine::gpus(),
            boot: folder::boot_id().map_err(disk)?,
            executions: Executions::open(&config.data).map_err(disk)?,
            bases: Bases::default(),
            hub: Hub::default(),
            notices: Notices::new().map_err(disk)?,
            followers: Mutex::default(),
            choosing: Mutex::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            config,
        };
        Ok(LocalRunner { shared: Arc::new(shared) })
    }

    /// The process that forks supervisors, once there was something to fork, for those who want to see it die.
    pub fn template(&self) -> Option<Process> {
        self.shared.template.process()
    }
}

impl Drop for LocalRunner {
    /// Tasks go on; nobody here watches them any more.
    fn drop(&mut self) {
        for follower in std::mem::take(&mut *locked(&self.shared.followers)).into_values() {
            follower.leave();
        }
    }
}

/// Two installations never write into one results folder.
fn claim_results(config: &LocalConfig) -> Result<(), RunnerError> {
    let place = config.results.join("pipeline");
    let file = place.join(".fletchline");
    fs::create_dir_all(&place).map_err(disk)?;
    match fs::read_to_string(&file) {
        Ok(owner) if owner.trim() == config.installation => Ok(()),
        Ok(_) => Err(RunnerError::Refused(format!(
            "The results in {} belong to another installation of Fletchline: set `results` to a folder of its own.",
            place.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            folder::write_whole(&place, ".fletchline", format!("{}\n", config.installation).as_bytes()).map_err(disk)
        }
        Err(error) => Err(disk(error)),
    }
}

impl Shared {
    async fn turn(&self, id: &ExecutionId) -> tokio::sync::MutexGuard<'_, ()> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        self.turns[(hasher.finish() % 64) as usize].lock().await
    }

    fn follower(&self, id: &ExecutionId) -> Option<Arc<Follower>> {
        locked(&self.followers).get(id).cloned()
    }

    async fn launch(self: &Arc<Self>, launch: Launch) -> Result<(), RunnerError> {
        let _turn = self.turn(&launch.execution).await;
        let shared = self.clone();
        let begun = tokio::task::spawn_blocking(move || shared.begin(launch)).await;
        match begun.map_err(|error| RunnerError::Unavailable(error.to_string()))?? {
            Some((follower, start)) => follow::spawn(self, follower, start),
            None => Ok(()),
        }
    }

    async fn stop(&self, id: &ExecutionId, grace: Seconds) -> Result<(), RunnerError> {
        let _turn = self.turn(id).await;
        let folder = self.executions.folder(id);
        if folder.accepted().is_none() || folder.told().end.is_some() {
            return Ok(());
        }
        // First the order, then the look: a supervisor that has not claimed it yet finds the order afterwards.
        folder.order_stop(&StopOrder { grace }).map_err(disk)?;
        match folder.told().supervisor {
            Some(supervisor) => {
                if let Some(process) = alive(supervisor) {
                    // It may end at this moment: that is as well.
                    let _ = pidfd_send_signal(process, Signal::TERM);
                }
            }
            None => {
                folder.end_unclaimed(How::Signal(15), start::now()).map_err(disk)?;
                if let Some(follower) = self.follower(id) {
                    follower.poke();
                }
            }
        }
        Ok(())
    }

    /// Removes what an execution has left, its log only with the whole of it.
    async fn remove(&self, id: &ExecutionId, whole: bool) -> Result<(), RunnerError> {
        self.release(id).await?;
        let _turn = self.turn(id).await;
        let results = self.config.results.join(execution_folder(&id.pipeline, &id.task, id.n));
        let own = whole.then(|| self.executions.folder(id).path);
        removed(own.into_iter().chain([results])).await
    }

    async fn release(&self, id: &ExecutionId) -> Result<(), RunnerError> {
        let _turn = self.turn(id).await;
        let folder = self.executions.folder(id);
        if !folder.is_live() {
            self.hub.forget(id);
            return Ok(());
        }
        let is_over = || self.follower(id).is_some_and(|follower| follower.is_over());
        let is_running = |told: &Told| told.end.is_none() && told.supervisor.and_then(alive).is_some();
        if !is_over() && is_running(&folder.told()) {
            return Err(RunnerError::Refused(format!("{id} is still running: stop it first.")));
        }
        if let Some(follower) = locked(&self.followers).remove(id) {
            follower.is_kept();
            follower.leave();
        }
        self.hub.forget(id);
        tokio::task::spawn_blocking(move || folder.release())
            .await
            .map_err(|error| RunnerError::Unavailable(error.to_string()))?
            .map_err(disk)
    }
}

async fn removed(folders: impl Iterator<Item = PathBuf> + Send + 'static) -> Result<(), RunnerError> {
    tokio::task::spawn_blocking(move || folders.into_iter().try_for_each(|folder| folder::remove(&folder)))
        .await
        .map_err(|error| RunnerError::Unavailable(error.to_string()))?
        .map_err(disk)
}

#[async_trait]
impl Runner for LocalRunner {
    async fn observe(&self) -> Result<mpsc::Receiver<Observed>, RunnerError> {
        follow::adopt_all(&self.shared).await?;
        Ok(self.shared.hub.subscribe())
    }

    async fn perform(&self, action: Action) -> Result<(), RunnerError> {
        match action {
            Action::Launch(launch) => self.shared.launch(*launch).await,
            Action::Stop { execution, grace } => self.shared.stop(&execution, grace).await,
            Action::Release { execution } => self.shared.release(&execution).await,
            Action::Remove { execution, whole } => self.shared.remove(&execution, whole).await,
            Action::Links { viewer, links } => {
                let _turn = self.shared.turn(&viewer).await;
                let folder = self.shared.executions.folder(&viewer);
                if !folder.is_live() {
                    return Ok(());
                }
                links::set(&folder.path.join("links"), &links).map_err(disk)
            }
        }
    }

    async fn forget(&self, pipeline: &PipelineId) -> Result<(), RunnerError> {
        let results = self.shared.config.results.join(pipeline_folder(pipeline));
        removed([results, self.shared.executions.pipeline(pipeline)].into_iter()).await
    }

    fn budget(&self) -> Option<Capacity> {
        Some(machine::capacity(self.shared.config.budget, self.shared.gpus.len()))
    }

    fn address(&self, execution: &ExecutionId, port: u16) -> Option<String> {
        let folder = self.shared.executions.folder(execution);
        let accepted = folder.accepted().filter(|_| folder.is_live())?;
        Some(format!("http://127.0.0.1:{}", accepted.port.unwrap_or(port)))
    }

    fn log(&self, execution: &ExecutionId) -> PathBuf {
        self.shared.executions.folder(execution).path.join(model::supervise::LOG)
    }

    async fn exec(&self, execution: &ExecutionId, exec: Exec) -> Result<Session, RunnerError> {
        let folder = self.shared.executions.folder(execution);
        let told = folder.told();
        let is_running = told.end.is_none() && told.started.is_some() && told.init.and_then(alive).is_some();
        if !is_running {
            return Err(RunnerError::NotRunning(execution.clone()));
        }
        exec::session(&self.shared.config.helper, &folder.path, &exec)
    }

    async fn dial(&self, execution: &ExecutionId, port: u16) -> Result<Box<dyn Connection>, RunnerError> {
        let folder = self.shared.executions.folder(execution);
        let accepted = folder.accepted().filter(|_| folder.is_live());
        let Some(accepted) = accepted.filter(|_| folder.told().end.is_none()) else {
            return Err(RunnerError::NotRunning(execution.clone()));
        };
        let port = accepted.port.unwrap_or(port);
        let connected = tokio::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).await;
        match connected {
            Ok(stream) => {
                // Small messages of a kernel or terminal are not held back.
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
            Err(error) => Err(RunnerError::Unavailable(format!(
                "Port {port} of {} does not answer: {error}.",
                accepted.launch.name
            ))),
        }
    }
}
