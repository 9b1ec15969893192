//! What is told of tasks that find no node, or whose node is not what it was?
//!
//! Nodes of these tests are objects alone: what is placed on them stays as the test sets it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use engine::observed::{Ended, Exit, Phase};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use model::{
    Memory, Seconds,
    launch::{Launch, Need},
};
use serde_json::{Value, json};
use server::runner::kube::{KubeConfig, config::Tolerated, name};
use tokio::task::JoinSet;

use crate::{
    cluster::{Cluster, Kube, make},
    harness::{Asked, id, script, stay},
    waiting::is_said,
};

/// Labels the nodes of these tests, and keeps everybody else's pods away: they would never run there.
const OURS: &str = "fletchline-test";

/// Nodes with one GPU each, taken away when dropped.
pub struct Nodes {
    client: Client,
    label: String,
    names: Vec<String>,
    /// Or the cluster would take them for gone.
    beating: JoinSet<()>,
}

impl Nodes {
    pub async fn make(client: &Client, count: usize) -> Nodes {
        let label = format!("test-{:x}", rand::random::<u32>());
        let names: Vec<String> = (0..count).map(|at| format!("fletchline-{label}-{at}")).collect();
        let room = json!({"cpu": "8", "memory": "16Gi", "pods": "110", "nvidia.com/gpu": "1"});
        for name in &names {
            let node = json!({"metadata": {"name": name, "labels": {OURS: label, "kubernetes.io/hostname": name}},
                "spec": {"taints": [{"key": OURS, "effect": "NoSchedule"}]},
                "status": {"capacity": room, "allocatable": room, "conditions": [ready("True")]}});
            make::<Node>(Api::all(client.clone()), node).await;
        }
        for name in &names {
            taken(client, name).await;
        }
        let mut beating = JoinSet::new();
        let (all, beats) = (Api::<Node>::all(client.clone()), names.clone());
        beating.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                for name in &beats {
                    set(&all, name, json!({"conditions": [ready("True")]})).await;
                }
            }
        });
        Nodes { client: client.clone(), label, names, beating }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// As [`Self::only`], for `fletchline.toml`.
    pub fn settings(&self) -> String {
        let label = &self.label;
        format!(
            "kubernetes.node_selector = {{ {OURS} = \"{label}\" }}\nkubernetes.tolerations = [{{ key = \"{OURS}\" }}]\n"
        )
    }

    /// Tasks run on these nodes alone.
    pub fn only(&self, config: KubeConfig) -> KubeConfig {
        KubeConfig {
            node_selector: BTreeMap::from([(OURS.into(), self.label.clone())]),
            tolerations: vec![Tolerated { key: OURS.into(), value: None, effect: None }],
            ..config
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        let nodes: Api<Node> = Api::all(self.client.clone());
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for name in &self.names {
                    if let Err(error) = nodes.delete(name, &DeleteParams::default()).await {
                        eprintln!("{name}: {error}");
                    }
                }
            });
        });
    }
}

fn ready(status: &str) -> Value {
    let now = k8s_openapi::jiff::Timestamp::now().to_string();
    json!({"type": "Ready", "status": status, "reason": "Test", "message": "", "lastHeartbeatTime": now,
        "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

/// Until the cluster has seen that a new node is ready.
async fn taken(client: &Client, name: &str) {
    let (nodes, begin) = (Api::<Node>::all(client.clone()), Instant::now());
    let is_waiting =
        |node: Node| node.spec.and_then(|spec| spec.taints).iter().flatten().any(|taint| taint.key != OURS);
    while is_waiting(nodes.get(name).await.unwrap()) {
        assert!(begin.elapsed() < Duration::from_secs(30), "{name} stays tainted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Sets a part of an object's status.
pub async fn set<K>(api: &Api<K>, name: &str, status: Value)
where
    K: Clone + std::fmt::Debug + k8s_openapi::serde::de::DeserializeOwned,
{
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(json!({"status": status}))).await.unwrap();
}

fn installation(asked: &Asked<Kube>) -> String {
    asked.harness.config().installation.clone()
}

/// Where the execution's pod was placed.
pub async fn node_of(asked: &Asked<Kube>, pods: &Api<Pod>, task: &str) -> String {
    let name = name::name(&installation(asked), &id(task, 1));
    let begin = Instant::now();
    loop {
        let pod = pods.get(&name).await.unwrap();
        if let Some(node) = pod.spec.and_then(|spec| spec.node_name) {
            return node;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", pod.status);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn tasks_that_share_a_claim_for_one_node_land_on_one(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let nodes = Nodes::make(&client, 4).await;
    let one_node =
        |config: KubeConfig| KubeConfig { one_node: BTreeSet::from([config.results.clone()]), ..nodes.only(config) };
    let asked = Kube::asked_with(&cluster, one_node).await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let mut found = BTreeSet::new();
    for task in ["one", "two", "three", "four"] {
        asked.launch(&stay(task)).await;
        found.insert(node_of(&asked, &pods, task).await);
    }
    assert_eq!(found.len(), 1, "{found:?}");
}

pub fn with_gpus(task: &str, gpu: u32) -> Launch {
    Launch { resources: Need { gpu, ..Need::default() }, ..stay(task) }
}

/// Within 5 s after the cluster itself knows that there is too little of something.
async fn says(asked: &mut Asked<Kube>, pods: &Api<Pod>, task: &str, expected: &str) {
    let (name, begin) = (name::name(&installation(asked), &id(task, 1)), Instant::now());
    while !is_short(&pods.get(&name).await.unwrap()) {
        assert!(begin.elapsed() < Duration::from_secs(60), "{name} was not looked at");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    is_said(asked, task, expected).await;
}

fn is_short(pod: &Pod) -> bool {
    let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    conditions.filter_map(|one| one.message.as_ref()).any(|words| words.contains("Insufficient"))
}

pub async fn a_gpu_that_no_node_has_is_said_within_five_seconds_with_what_there_is(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let nodes = Nodes::make(&client, 1).await;
    let mut asked = Kube::asked_with(&cluster, |config| nodes.only(config)).await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    asked.launch(&with_gpus("greedy", 3)).await;
    says(&mut asked, &pods, "greedy", "asks for 3 GPUs, the largest free node has 1 GPU · 0/").await;
    asked.launch(&with_gpus("modest", 1)).await;
    node_of(&asked, &pods, "modest").await;
    asked.launch(&with_gpus("late", 1)).await;
    says(&mut asked, &pods, "late", "asks for 1 GPU, the largest free node has none · 0/").await;
}

pub async fn what_ran_on_a_node_that_went_away_is_lost(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let mut nodes = Nodes::make(&client, 1).await;
    let mut asked =
        Kube::asked_with(&cluster, |config| KubeConfig { node_lost: Seconds(2), ..nodes.only(config) }).await;
    asked.launch(&stay("lonely")).await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    node_of(&asked, &pods, "lonely").await;
    let running = json!({"phase": "Running", "containerStatuses": [{"name": "task", "image": "i", "imageID": "",
        "ready": true, "started": true, "restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]});
    set(&pods, &name::name(&installation(&asked), &id("lonely", 1)), running).await;
    asked
        .until(&id("lonely", 1), |phase| matches!(phase, Phase::Running { .. } | Phase::Ready { .. }).then_some(()))
        .await;
    nodes.beating.shutdown().await;
    set(&Api::<Node>::all(client.clone()), &nodes.names[0], json!({"conditions": [ready("Unknown")]})).await;
    let said = asked
        .until(&id("lonely", 1), |phase| match phase {
            Phase::Lost { sentence } => Some(sentence.clone()),
            _ => None,
        })
        .await;
    assert!(said.contains("has not answered for 2 s; it may still run there"), "{said}");
}

pub async fn what_takes_more_memory_than_its_limit_ends_so(cluster: Cluster) {
    let mut asked = Kube::asked(&cluster).await;
    let hungry = script("hungry", 1, "tail /dev/zero");
    let resources = Need { memory: Some(Memory(32 << 20)), ..Need::default() };
    asked.launch(&Launch { resources, ..hungry }).await;
    let exit = asked
        .until(&id("hungry", 1), |phase| match phase {
            Phase::Ended(Ended { exit, .. }) => Some(exit.clone()),
            _ => None,
        })
        .await;
    assert_eq!(exit, Exit::OutOfMemory { sentence: "It needed more memory than its limit of 32 MiB.".into() });
}
