//! How do tasks run as pods of a cluster?
//!
//! Everything that this side knows it can learn again: what there is from the cluster, by our labels; what was released
//! and how far a log was read from the executions' folders.
//!
//! # Guarantees
//! As [`Runner`]'s. An object's name is its execution's, it is made by POST, and our finalizer keeps it until its end and
//! its log are on our side: "absent" means that it was never launched, or that somebody took our finalizer away.

mod actions;
mod address;
mod attend;
mod check;
pub mod claims;
mod client;
pub mod config;
mod errand;
mod folder;
mod follow;
mod log;
pub mod manifest;
pub mod name;
mod nodes;
mod phase;
pub mod program;
mod remove;
#[cfg(test)]
mod scenarios;
pub mod secrets;
mod session;
#[cfg(test)]
mod tests;
mod waiting;
mod watch;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use engine::{action::Action, observed::Observed};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::api::resource::Quantity};
use kube::{Api, Client};
use model::{
    Acl, ExecutionId, PipelineId,
    launch::Launch,
    site::{Capacity, Faults},
};
use tokio::sync::{Notify, mpsc};

use attend::Attendant;

use super::{Addresses, Connection, Exec, Runner, RunnerError, Session, hub::Hub, locked};
use config::ClaimVolume;
pub use config::KubeConfig;
use folder::Folder;
use follow::Follower;
use remove::Removal;

/// How long the first look at the cluster may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a terminal looks whether its task still runs.
const LOOK: Duration = Duration::from_secs(5);

/// Lets a browser into a Notebook; asked at each launch.
pub type Token = Arc<dyn Fn(&ExecutionId) -> String + Send + Sync>;

/// What a cluster would get, as several YAML documents; none is asked.
///
/// # Errors
/// One sentence: it cannot be run on a cluster.
pub fn planned(launch: &Launch, config: &KubeConfig) -> Result<String, String> {
    let command = program::command(launch, config, "made-at-the-launch")?;
    Ok(manifest::objects(launch, config, &command)?.yaml())
}

/// Runs tasks in one namespace of a cluster.
pub struct KubeRunner {
    shared: Arc<Shared>,
    watching: tokio::task::JoinHandle<()>,
    removing: tokio::task::JoinHandle<()>,
    checking: Option<tokio::task::JoinHandle<()>>,
    reading: Option<tokio::task::JoinHandle<()>>,
}

struct Shared {
    config: KubeConfig,
    client: Client,
    data: PathBuf,
    token: Token,
    hub: Hub,
    pods: Mutex<BTreeMap<ExecutionId, Known>>,
    /// The last warning about a pod, by its uid.
    warnings: Mutex<BTreeMap<String, String>>,
    /// What the nodes have that take tasks, where they can be seen.
    nodes: Mutex<BTreeMap<String, BTreeMap<String, Quantity>>>,
    /// What would make tasks fail before they begin.
    faults: Mutex<Faults>,
    /// Something has failed by what the check looks for.
    doubt: Notify,
    /// Names that tasks can ask for, once they were read.
    secrets: Mutex<BTreeSet<String>>,
    /// [`KubeConfig::volumes`], as they are by now.
    volumes: Mutex<BTreeMap<String, ClaimVolume>>,
    /// [`KubeConfig::one_node`], as it is by now.
    one_node: Mutex<BTreeSet<String>>,
    removals: mpsc::UnboundedSender<Removal>,
    /// One pod beside the work folders at a time.
    working: tokio::sync::Mutex<()>,
    /// The first look is over.
    is_complete: tokio::sync::watch::Sender<bool>,
    turns: [tokio::sync::Mutex<()>; 64],
}

/// What the cluster has of an execution.
struct Known {
    pod: Pod,
    follower: Option<Follower>,
    /// Of a Load Data that runs.
    attendant: Option<Attendant>,
    /// Its end waits for its log, or was told.
    is_over: bool,
}

impl KubeRunner {
    /// The cluster that the environment names: inside one its service account, else a kubeconfig. The second value is
    /// the namespace that it names.
    ///
    /// # Errors
    /// One sentence: there is none.
    pub async fn find() -> Result<(Client, String), RunnerError> {
        let found = kube::Config::infer().await.map_err(|error| {
            RunnerError::Refused(format!("There is no cluster: set KUBECONFIG, or run inside one ({error})."))
        })?;
        let namespace = found.default_namespace.clone();
        let client = client::client(found)
            .map_err(|error| RunnerError::Refused(format!("The cluster cannot be used: {error}.")))?;
        Ok((client, namespace))
    }

    /// Stops and removes everything of this installation in the cluster. What was recorded on our side stays.
    ///
    /// # Errors
    /// The cluster did not do it; it can be asked again.
    pub async fn release_everything(&self) -> Result<(), RunnerError> {
        self.shared.release_everything().await
    }

    /// Must be called inside a tokio runtime. `data`: the data folder.
    pub fn new(config: KubeConfig, client: Client, data: PathBuf, token: Token) -> KubeRunner {
        let (removals, asked) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            faults: Mutex::default(),
            doubt: Notify::new(),
            secrets: Mutex::default(),
            volumes: Mutex::new(config.volumes.clone()),
            one_node: Mutex::new(config.one_node.clone()),
            config,
            client,
            data,
            token,
            hub: Hub::default(),
            pods: Mutex::default(),
            warnings: Mutex::default(),
            nodes: Mutex::default(),
            removals,
            working: tokio::sync::Mutex::default(),
            is_complete: tokio::sync::watch::channel(false).0,
            turns: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
        });
        let watching = tokio::spawn(watch::watch(shared.clone()));
        let removing = tokio::spawn(remove::keep_removing(shared.clone(), asked));
        KubeRunner { shared, watching, removing, checking: None, reading: None }
    }

    /// Looks from now on whether tasks can begin at all, by pods that do nothing.
    pub fn checked(mut self) -> KubeRunner {
        self.checking = Some(tokio::spawn(check::keep_looking(self.shared.clone())));
        self
    }

    /// Knows the names of secrets now, and from now on.
    ///
    /// # Errors
    /// The cluster did not say.
    pub async fn with_secrets(mut self) -> Result<KubeRunner, RunnerError> {
        let known = secrets::names(&self.shared.client, &self.shared.config).await?;
        *locked(&self.shared.secrets) = known.unwrap_or_default();
        self.reading = Some(tokio::spawn(secrets::keep_reading(self.shared.clone())));
        Ok(self)
    }
}

impl Drop for KubeRunner {
    /// Tasks go on; nobody here watches them any more.
    fn drop(&mut self) {
        self.watching.abort();
        self.removing.abort();
        self.checking.iter().chain(&self.reading).for_each(tokio::task::JoinHandle::abort);
        locked(&self.shared.pods).clear();
    }
}

impl Shared {
    fn config_now(&self) -> KubeConfig {
        let (volumes, one_node) = (locked(&self.volumes).clone(), locked(&self.one_node).clone());
        KubeConfig { volumes, one_node, ..self.config.clone() }
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.config.namespace)
    }

    fn name(&self, id: &ExecutionId) -> String {
        name::name(&self.config.installation, id)
    }

    fn folder(&self, id: &ExecutionId) -> Folder {
        Folder::of(&self.data, id)
    }

    async fn turn(&self, id: &ExecutionId) -> tokio::sync::MutexGuard<'_, ()> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        self.turns[(hasher.finish() % 64) as usize].lock().await
    }

    /// The pod that runs now, by its own name: what serves has another one after each start.
    fn running(&self, id: &ExecutionId) -> Result<String, RunnerError> {
        use engine::observed::Phase;
        let phase = self.hub.last(id).map(|seen| seen.phase);
        let is_running = match phase {
            Some(Phase::Running { .. } | Phase::Ready { .. } | Phase::RuleMet { .. } | Phase::Ending { .. }) => true,
            Some(Phase::Absent | Phase::Preparing { .. } | Phase::Ended(_) | Phase::Lost { .. }) | None => false,
        };
        let pod = locked(&self.pods).get(id).and_then(|known| known.pod.metadata.name.clone());
        pod.filter(|_| is_running).ok_or_else(|| RunnerError::NotRunning(id.clone()))
    }

    /// Returns when this pod of it does not run any more, as far as the cluster has told.
    async fn until_over(self: Arc<Self>, id: ExecutionId, pod: String) {
        while self.running(&id).is_ok_and(|now| now == pod) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[async_trait]
impl Runner for KubeRunner {
    async fn observe(&self) -> Result<mpsc::Receiver<Observed>, RunnerError> {
        let mut complete = self.shared.is_complete.subscribe();
        let seen = tokio::time::timeout(PATIENCE, complete.wait_for(|complete| *complete)).await;
        match seen {
            Ok(Ok(_)) => Ok(self.shared.hub.subscribe()),
            Ok(Err(_)) | Err(_) => Err(RunnerError::Unavailable(format!(
                "The cluster does not say what runs in namespace {}: is it there, and may this account list pods?",
                self.shared.config.namespace
            ))),
        }
    }

    async fn perform(&self, action: Action) -> Result<(), RunnerError> {
        // What waits for its turn takes no place for what it will ask: thousands may wait.
        match action {
            Action::Launch(launch) => self.shared.launch(*launch).await,
            Action::Stop { execution, grace } => Box::pin(self.shared.stop(&execution, grace)).await,
            Action::Release { execution } => Box::pin(self.shared.release(&execution)).await,
            Action::Remove { execution, whole } => Box::pin(self.shared.forget(&execution, whole)).await,
            Action::Links { viewer, links } => Box::pin(self.shared.link(&viewer, &links)).await,
        }
    }

    async fn forget(&self, pipeline: &PipelineId) -> Result<(), RunnerError> {
        self.shared.forget_pipeline(pipeline).await
    }

    fn budget(&self) -> Option<Capacity> {
        None
    }

    fn faults(&self) -> Faults {
        locked(&self.shared.faults).clone()
    }

    fn has_work_here(&self) -> bool {
        false
    }

    async fn work(
        &self,
        order: &[u8],
        input: Option<tokio::fs::File>,
        output: &mut tokio::fs::File,
    ) -> Result<(), RunnerError> {
        self.shared.work(order, input, output).await
    }

    fn secrets(&self) -> Option<BTreeSet<String>> {
        Some(locked(&self.shared.secrets).clone())
    }

    async fn set_secret(&self, name: &str, value: &str) -> Result<(), RunnerError> {
        secrets::set(&self.shared.client, &self.shared.config, name, value).await?;
        locked(&self.shared.secrets).insert(name.to_owned());
        Ok(())
    }

    fn volume_made(&self, name: &str, place: &str, access: Acl) {
        let volume = ClaimVolume { claim: place.to_owned(), access };
        locked(&self.shared.volumes).insert(name.to_owned(), volume);
        self.shared.doubt.notify_one();
    }

    fn manifests(&self, launch: &Launch) -> Result<String, RunnerError> {
        planned(launch, &self.shared.config_now()).map_err(RunnerError::Refused)
    }

    fn address(&self, execution: &ExecutionId, _: u16) -> Option<String> {
        let serves = locked(&self.shared.pods).get(execution).is_some_and(|known| phase::serves(&known.pod));
        serves.then(|| address::of(&self.shared.config.namespace, &self.shared.name(execution)))
    }

    async fn lead(&self, live: &[(ExecutionId, Option<u16>)]) -> Result<Option<Addresses>, RunnerError> {
        self.shared.lead(live).await.map(Some)
    }

    fn log(&self, execution: &ExecutionId) -> PathBuf {
        self.shared.folder(execution).log()
    }

    async fn exec(&self, execution: &ExecutionId, exec: Exec) -> Result<Session, RunnerError> {
        let pod = self.shared.running(execution)?;
        let is_over = self.shared.clone().until_over(execution.clone(), pod.clone());
        session::exec(&self.shared.pods(), &pod, &exec, is_over).await
    }

    async fn dial(&self, execution: &ExecutionId, port: u16) -> Result<Box<dyn Connection>, RunnerError> {
        let pod = self.shared.running(execution)?;
        if let Some(stream) = self.shared.near(execution).await {
            return Ok(Box::new(stream));
        }
        session::dial(&self.shared.pods(), &pod, port).await
    }
}
