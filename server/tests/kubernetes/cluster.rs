//! How is the runner of a cluster put under test?
//!
//! The folders behind the claims are this machine's (`hostPath`), so that a test can look at them: it is a cluster on one
//! machine.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use k8s_openapi::{
    api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Pod, Secret},
    serde_json::{from_value, json},
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use model::{Acl, Memory, Seconds};
use server::runner::{
    Runner,
    kube::{
        KubeConfig, KubeRunner,
        config::{ClaimVolume, NewClaims, RunAs},
    },
};

use crate::{
    harness::{Asked, Harness},
    install::{BASE, say},
};

/// As `cargo xtask images` names it.
pub const OURS: &str = concat!("localhost/fletchline:", env!("CARGO_PKG_VERSION"));
/// What tasks run in: programs in `/bin`, nothing of ours.
pub const IMAGE: &str = "localhost/busybox:1";
pub const USER: u32 = 1000;
/// As long as a busy cluster may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A namespace of the tests' own, made when it is first needed.
#[derive(Clone)]
pub struct Cluster {
    namespace: String,
    made: Arc<tokio::sync::OnceCell<()>>,
    count: Arc<std::sync::atomic::AtomicU32>,
}

fn id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| format!("{:x}", rand::random::<u32>()))
}

async fn client() -> Client {
    KubeRunner::find().await.unwrap().0
}

pub async fn make<K>(api: Api<K>, object: k8s_openapi::serde_json::Value)
where
    K: Resource + Clone + std::fmt::Debug + k8s_openapi::serde::Serialize + k8s_openapi::serde::de::DeserializeOwned,
{
    api.create(&PostParams::default(), &from_value(object).unwrap()).await.unwrap();
}

/// Who has the rights of the server inside, and no others.
pub async fn inside(namespace: &str) -> Client {
    say(namespace, &["apply", "-f", &format!("{BASE}/service-account.yaml"), "-f", &format!("{BASE}/role.yaml")]);
    let mut inside = kube::Config::infer().await.unwrap();
    inside.auth_info.impersonate = Some(format!("system:serviceaccount:{namespace}:fletchline"));
    Client::try_from(inside).unwrap()
}

/// A folder of this machine below `place` that belongs to `owner`.
pub fn folder(place: &Path, name: &str, owner: u32) -> PathBuf {
    let folder = place.join(name);
    fs::create_dir_all(&folder).unwrap();
    chown(&folder, Some(owner), Some(owner)).unwrap();
    folder
}

impl Cluster {
    pub fn new() -> Cluster {
        Cluster::called(format!("fletchline-test-{}", id()))
    }

    pub fn called(namespace: String) -> Cluster {
        Cluster { namespace, made: Arc::default(), count: Arc::default() }
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A client and the namespace, which is there.
    pub async fn client(&self) -> (Client, &str) {
        let client = client().await;
        self.made.get_or_init(|| self.prepare(&client)).await;
        (client, &self.namespace)
    }

    async fn prepare(&self, client: &Client) {
        let enforced = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        make::<Namespace>(Api::all(client.clone()), json!({"metadata": {"name": self.namespace, "labels": enforced}}))
            .await;
        make::<Secret>(
            Api::namespaced(client.clone(), &self.namespace),
            json!({"metadata": {"name": "fletchline-secrets"}, "stringData": {"pass": "hush-hush"}}),
        )
        .await;
    }

    /// A folder of this machine for the claim of this name; the volume is called `<namespace>-<name>`.
    pub async fn volume(&self, client: &Client, name: &str, folder: &Path) {
        make::<PersistentVolume>(
            Api::all(client.clone()),
            json!({"metadata": {"name": format!("{}-{name}", self.namespace)},
                "spec": {"accessModes": ["ReadWriteMany"], "capacity": {"storage": "1Gi"}, "storageClassName": "",
                    "hostPath": {"path": folder}, "claimRef": {"name": name, "namespace": self.namespace}}}),
        )
        .await;
    }

    /// A claim on a folder of this machine that belongs to root.
    pub async fn claim(&self, client: &Client, name: &str, folder: &Path) {
        self.volume(client, name, folder).await;
        make::<PersistentVolumeClaim>(
            Api::namespaced(client.clone(), &self.namespace),
            json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": "",
                "volumeName": format!("{}-{name}", self.namespace), "resources": {"requests": {"storage": "1Gi"}}}}),
        )
        .await;
    }

    /// Takes away all namespaces that begin with this one's name, their volumes, and whatever keeps them from going.
    pub async fn remove(&self) {
        if self.made.get().is_none() {
            return;
        }
        let client = client().await;
        let is_ours = |name: &String| name.starts_with(&self.namespace);
        let namespaces: Api<Namespace> = Api::all(client.clone());
        for namespace in names(&namespaces).await.into_iter().filter(is_ours) {
            namespaces.delete(&namespace, &DeleteParams::background()).await.unwrap();
            // From now on nothing is made in it. A server that was killed has released nothing.
            let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
            for pod in names(&pods).await {
                let released = Patch::Merge(json!({"metadata": {"finalizers": null}}));
                match pods.patch(&pod, &PatchParams::default(), &released).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    other => drop(other.unwrap()),
                }
            }
        }
        let volumes: Api<PersistentVolume> = Api::all(client);
        for volume in names(&volumes).await.into_iter().filter(is_ours) {
            volumes.delete(&volume, &DeleteParams::background()).await.unwrap();
        }
    }
}

async fn names<K>(all: &Api<K>) -> Vec<String>
where
    K: Resource + Clone + std::fmt::Debug + k8s_openapi::serde::de::DeserializeOwned,
{
    let found = all.list(&Default::default()).await.unwrap();
    found.into_iter().map(|one| one.meta().name.clone().unwrap_or_default()).collect()
}

pub fn config(namespace: &str) -> KubeConfig {
    KubeConfig {
        installation: "test".into(),
        inside: false,
        namespace: namespace.into(),
        image: OURS.into(),
        results: "results".into(),
        one_node: std::collections::BTreeSet::new(),
        volumes: BTreeMap::new(),
        secrets: "fletchline-secrets".into(),
        run_as: RunAs { user: USER, group: USER },
        run_as_range: None,
        gpu_resource: "nvidia.com/gpu".into(),
        node_selector: BTreeMap::new(),
        tolerations: Vec::new(),
        pull_secrets: Vec::new(),
        default_images: std::collections::BTreeSet::new(),
        registries: BTreeMap::new(),
        load_from: Vec::new(),
        node_lost: Seconds(120),
        certificates: None,
        new_claims: NewClaims { size: Memory(1 << 30), storage_class: None, for_many: false },
    }
}

pub struct Kube {
    place: tempfile::TempDir,
    config: KubeConfig,
    /// Whom the runner asks as.
    client: Client,
    runner: Option<Arc<KubeRunner>>,
}

impl Kube {
    pub async fn asked(cluster: &Cluster) -> Asked<Kube> {
        Kube::asked_with(cluster, |config| config).await
    }

    /// With other settings.
    pub async fn asked_with(cluster: &Cluster, set: impl FnOnce(KubeConfig) -> KubeConfig) -> Asked<Kube> {
        Kube::asked_as(cluster, client().await, set).await
    }

    /// By somebody else, too.
    pub async fn asked_as(
        cluster: &Cluster,
        asking: Client,
        set: impl FnOnce(KubeConfig) -> KubeConfig,
    ) -> Asked<Kube> {
        let (client, _) = cluster.client().await;
        let number = cluster.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // The kubelet's own /tmp may be another one.
        let place = tempfile::tempdir_in("/var/tmp").unwrap();
        let (results, team) = (folder(place.path(), "results", 0), folder(place.path(), "team", USER));
        // As `fletchline cluster prepare` does it.
        folder(place.path(), "results/pipeline", USER);
        let (results_claim, team_claim) = (format!("results-{number}"), format!("team-{number}"));
        cluster.claim(&client, &results_claim, &results).await;
        cluster.claim(&client, &team_claim, &team).await;
        let config = KubeConfig {
            installation: format!("{}-{number}", id()),
            results: results_claim,
            volumes: BTreeMap::from([("team".into(), ClaimVolume { claim: team_claim, access: Acl::ReadWrite })]),
            ..config(&cluster.namespace)
        };
        let mut kube = Kube { place, config: set(config), client: asking, runner: None };
        kube.remake();
        Asked::new(kube).await
    }
}

impl Kube {
    pub fn config(&self) -> &KubeConfig {
        &self.config
    }
}

impl Harness for Kube {
    fn runner(&self) -> Arc<dyn Runner> {
        self.runner.clone().unwrap()
    }

    fn remake(&mut self) {
        self.runner = None;
        let token = Arc::new(|_: &model::ExecutionId| "token".to_owned());
        let runner = KubeRunner::new(self.config.clone(), self.client.clone(), Harness::data(self), token);
        self.runner = Some(Arc::new(runner));
    }

    fn results(&self) -> PathBuf {
        self.place.path().join("results")
    }

    fn team(&self) -> PathBuf {
        self.place.path().join("team")
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn answers_in_capitals(&self, port: u16) -> Vec<String> {
        let port = port.to_string();
        ["nc", "-ll", "-p", &port, "-e", "sh", "-c", "read -r -n 4 word; echo -n \"$word\" | tr a-z A-Z"]
            .map(str::to_owned)
            .into()
    }

    fn image(&self) -> Option<String> {
        Some(IMAGE.into())
    }

    fn system_file(&self) -> &'static str {
        "/bin/env"
    }

    /// With 100,000 lines before it less than the 10 MiB after which the kubelet takes a log away.
    fn long_text(&self) -> usize {
        2_000_000
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        if self.runner.take().is_none() {
            return;
        }
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                // Whoever it asked as may have no right to end everything.
                let token = Arc::new(|_: &model::ExecutionId| String::new());
                let runner = KubeRunner::new(self.config.clone(), client().await, Harness::data(self), token);
                if let Err(error) = runner.release_everything().await {
                    eprintln!("{error}");
                }
            });
        });
    }
}
