//! How do the parts become one server?

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use app::{api::runs::Service, error::ApiError};
use base64::{Engine, prelude::BASE64_STANDARD};
use model::{ExecutionId, RunId, run::Deed};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    auth::{Doors, Hosts},
    backend::{self, Core, LiveTargets, Made, Ports},
    control,
    data_folder::{DataFolder, FolderError, Lock},
    gateway::{Access, Gateway, Way},
    live::Live,
    place::{self, Place, PlaceError},
    python::{self, Programs},
    router::{self, Files, Parts},
    secrets::Secrets,
    settings::{Settings, SettingsError},
    store::{SqliteStore, Store, StoreError},
};

/// A server that runs. Dropping it ends it without a farewell; its tasks go on.
pub struct Server {
    pub inner: Arc<Inner>,
    serving: JoinHandle<()>,
    _socket: Aborted,
    _sweeping: Aborted,
    _lock: Lock,
}

/// What answers, whoever asks.
pub struct Inner {
    pub core: Arc<Core>,
    doors: Arc<Doors>,
    address: SocketAddr,
    stopping: watch::Sender<bool>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("The server cannot listen on {address}: {error}. Choose another port with --port.")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("The socket in the data folder cannot be made: {0}")]
    Socket(io::Error),
    #[error("The key of this installation cannot be read: {0}")]
    Key(String),
    #[error("There is neither HOME nor XDG_CACHE_HOME, where the Python programs would be kept.")]
    NoCache,
}

struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads `fletchline.toml`, the environment and the flags.
///
/// # Errors
/// What is wrong and where.
pub fn settings(data: &DataFolder, flags: &BTreeMap<String, String>) -> Result<Settings, SettingsError> {
    let text = match std::fs::read_to_string(data.settings_file()) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(SettingsError::Unreadable(error.to_string())),
    };
    Settings::read(&text, |name| std::env::var(name).ok(), flags)
}

impl Server {
    /// Takes the folder, goes on with what was running, and listens.
    ///
    /// # Errors
    /// One sentence; then nothing of the folder is held.
    pub async fn start(data: DataFolder, settings: Settings) -> Result<Server, ServeError> {
        let lock = data.lock()?;
        let address = SocketAddr::new(settings.bind, settings.port);
        let listener = listen(address).await?;
        let address = listener.local_addr().map_err(|error| ServeError::Listen { address, error })?;
        let socket = control::bind(&data.socket()).map_err(ServeError::Socket)?;
        let (stopping, stops) = watch::channel(false);
        let (core, doors) = assemble(data, settings, address).await?;
        let router = router::router(Parts {
            doors: doors.clone(),
            backend: core.clone(),
            files: Arc::new(Files { core: core.clone() }),
            live: Arc::new(Live::new(core.clone(), stops.clone())),
        });
        let inner = Arc::new(Inner { core, doors, address, stopping });
        let socket = Aborted(tokio::spawn(control::serve(socket, inner.clone())));
        let sweeping = Aborted(tokio::spawn(backend::keep_sweeping(inner.core.clone())));
        let serving = tokio::spawn(crate::listen::serve(listener, router, stopped(stops)));
        Ok(Server { inner, serving, _socket: socket, _sweeping: sweeping, _lock: lock })
    }

    /// Until somebody asks it to stop and open requests are answered.
    pub async fn ended(self) {
        // It ends by being told; a panic in it is as much an end.
        let _ = self.serving.await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn stopped(mut stops: watch::Receiver<bool>) {
    // The sender lives as long as the server.
    let _ = stops.wait_for(|stopping| *stopping).await;
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

async fn assemble(
    data: DataFolder,
    settings: Settings,
    address: SocketAddr,
) -> Result<(Arc<Core>, Arc<Doors>), ServeError> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.database()).await?);
    let installation = installation(store.as_ref()).await?;
    let key = key(store.as_ref()).await?;
    let secrets = Arc::new(Secrets::new(data.secrets_file()));
    let cache = python::default_cache(|name| std::env::var_os(name)).ok_or(ServeError::NoCache)?;
    let options = python::Options { cache, python: settings.python.clone(), key: python::Key::new(key) };
    let programs = Arc::new(Programs::new(options));
    let hosts = Hosts::new(settings.bind, settings.public_url.clone());
    let settings = Arc::new(RwLock::new(settings));
    let wanted = place::Wanted {
        data: data.clone(),
        store: store.clone(),
        settings: settings.clone(),
        secrets: secrets.clone(),
        programs: programs.clone(),
        installation: installation.clone(),
    };
    let Place { runs, runner } = place::place(wanted).await?;
    let targets = LiveTargets { runs: runs.clone(), runner: runner.clone(), programs: programs.clone() };
    let gateway = Arc::new(Gateway::new(Arc::new(targets), Access::new(key)));
    let doors = Doors::new(store.clone(), hosts, gateway.clone(), &installation);
    let ports = Ports::open(runs.clone(), runner.clone(), store.clone()).await;
    let way = Way::of_this_process(address);
    let core = Core::new(Made { data, store, runs, runner, secrets, gateway, way, programs, ports, settings });
    Ok((Arc::new(core), Arc::new(doors)))
}

/// What names this installation; it is made up once.
///
/// # Errors
/// The database does not answer.
pub async fn installation(store: &dyn Store) -> Result<String, StoreError> {
    store.value_or("installation", &uuid::Uuid::new_v4().simple().to_string()).await
}

/// Of this installation; what is signed with it is still good after a restart.
async fn key(store: &dyn Store) -> Result<[u8; 32], ServeError> {
    let kept = store.value_or("key", &BASE64_STANDARD.encode(rand::random::<[u8; 32]>())).await?;
    let bytes = BASE64_STANDARD.decode(kept).map_err(|error| ServeError::Key(error.to_string()))?;
    bytes.try_into().map_err(|_| ServeError::Key("it has another length".into()))
}

/// How long `stop --all` waits for what it has stopped.
const ENDING: Duration = Duration::from_secs(60);

impl Inner {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a browser on this machine finds the server.
    pub fn origin(&self) -> String {
        match self.core.settings().public_url {
            Some(public) => format!("{}://{}", public.scheme, public.host),
            None if self.address.ip().is_loopback() => format!("http://localhost:{}", self.address.port()),
            None if self.address.ip().is_unspecified() => format!("http://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// A link that lets one browser in, once.
    pub fn link(&self) -> String {
        format!("{}{}?code={}", self.origin(), app::paths::LINK, self.doors.links.code())
    }

    pub fn page_of(&self, run: &RunId) -> String {
        format!("{}/runs/{run}", self.origin())
    }

    /// Lets go of everybody; tasks go on.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Ends all runs, Viewers and Servings, and waits until nothing is left.
    ///
    /// # Errors
    /// What could not be stopped.
    pub async fn stop_tasks(&self) -> Result<(), String> {
        let runs = &self.core.runs;
        for run in runs.summaries().into_iter().filter(|run| !run.status.has_ended()) {
            unless_over(runs.cancel(&run.id).await)?;
        }
        self.stop_services(|_| true, || runs.live_tasks()).await
    }

    /// Ends the Viewers and Servings that a run has started.
    ///
    /// # Errors
    /// What could not be stopped.
    pub async fn stop_services_of(&self, run: &RunId) -> Result<(), String> {
        let is_its = |service: &Service| service.run == *run;
        self.stop_services(is_its, || self.core.runs.services().into_iter().filter(is_its).count()).await
    }

    /// Asks again and again, since one that waits for room may still start.
    async fn stop_services(&self, is_meant: impl Fn(&Service) -> bool, left: impl Fn() -> usize) -> Result<(), String> {
        let runs = &self.core.runs;
        let mut changes = runs.subscribe();
        let ended = async {
            loop {
                let can_stop = |service: &Service| is_meant(service) && service.may.contains(&Deed::Stop);
                for service in runs.services().into_iter().filter(can_stop) {
                    unless_over(runs.deed(&service.run, &service.execution.task, Deed::Stop).await)?;
                }
                if left() == 0 {
                    return Ok(());
                }
                // Not every end is a change of a run: a Viewer's is looked for as well.
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await;
            }
        };
        let ended = tokio::time::timeout(ENDING, ended).await;
        ended.unwrap_or_else(|_| Err(format!("{} tasks are still ending; ask again.", left())))
    }

    /// The running execution that a person means by a task's name, its id, or `<pipeline>/<task>/<n>`.
    ///
    /// # Errors
    /// None or several; they are named.
    pub fn running(&self, task: &str) -> Result<ExecutionId, String> {
        let running = running(&self.core);
        let fits = |(execution, name): &&(ExecutionId, String)| {
            execution.to_string() == task || execution.task.as_str() == task || name == task
        };
        let found: Vec<_> = running.iter().filter(fits).collect();
        match found.as_slice() {
            [(execution, _)] => Ok(execution.clone()),
            [] => Err(format!("No task {task} is running. {}", listed("Running: ", running.iter()))),
            _ => Err(format!("Several tasks {task} are running. {}", listed("Say which: ", found.into_iter()))),
        }
    }
}

/// What has ended meanwhile, or is ending, is as it should be.
fn unless_over(done: Result<(), ApiError>) -> Result<(), String> {
    match done {
        Ok(()) | Err(ApiError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn listed<'a>(before: &str, running: impl Iterator<Item = &'a (ExecutionId, String)>) -> String {
    let all: Vec<String> = running.map(|(execution, name)| format!("{execution} ({name})")).collect();
    if all.is_empty() { "Nothing is running.".into() } else { format!("{before}{}", all.join(", ")) }
}

/// What runs now, with the tasks' names.
fn running(core: &Core) -> Vec<(ExecutionId, String)> {
    use model::run::TaskStatus;
    let mut found = Vec::new();
    for run in core.runs.summaries().into_iter().filter(|run| !run.status.has_ended()) {
        let Some(view) = core.runs.view(&run.id) else { continue };
        let text = core.runs.snapshot(&run.id).unwrap_or_default();
        let tasks = model::document::read(&text).map(|read| read.pipeline.tasks).unwrap_or_default();
        for (task, shown) in view.tasks {
            let name = tasks.get(&task).map_or_else(|| task.to_string(), |task| task.name.clone());
            let is_running = |status| {
                matches!(
                    status,
                    TaskStatus::Running | TaskStatus::WaitingForYou | TaskStatus::Serving | TaskStatus::Ending
                )
            };
            let live = shown.executions.iter().filter(|one| is_running(one.status));
            found.extend(live.map(|one| {
                (ExecutionId { pipeline: run.pipeline.clone(), task: task.clone(), n: one.n }, name.clone())
            }));
        }
    }
    for service in core.runs.services() {
        found.push((service.execution, service.task_name));
    }
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    found
}
