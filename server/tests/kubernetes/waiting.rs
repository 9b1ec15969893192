//! Does a task that cannot begin say why, soon, and whatever its server may read?

use std::time::{Duration, Instant};

use engine::{
    action::Action,
    observed::{Exit, Phase},
};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{Event, LimitRange, Pod, ResourceQuota},
    },
    serde::{Serialize, de::DeserializeOwned},
};
use kube::{
    Api, Client,
    api::{DeleteParams, EvictParams},
};
use model::{
    Acl, Cpu, Memory,
    launch::{Launch, Mount, Need, Program},
};
use serde_json::json;
use server::runner::kube::{KubeConfig, config::ClaimVolume, name};

use crate::{
    cluster::{Cluster, Kube, PATIENCE, inside, make},
    harness::{Asked, Harness, id, script, stay},
    placing::{Nodes, node_of, with_gpus},
};

/// From when the cluster itself knows.
const SOON: Duration = Duration::from_secs(5);

fn name_of(asked: &Asked<Kube>, task: &str) -> String {
    name::name(&asked.harness.config().installation, &id(task, 1))
}

/// What is said of a task that waits, when the cluster's object of its name has `words`.
async fn says<K>(asked: &mut Asked<Kube>, all: &Api<K>, task: &str, words: &str, expected: &str)
where
    K: Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let (name, begin) = (name_of(asked, task), Instant::now());
    while !serde_json::to_string(&all.get(&name).await.unwrap()).unwrap().contains(words) {
        assert!(begin.elapsed() < PATIENCE, "{name} has nothing of {words}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let known = begin.elapsed();
    is_said(asked, task, expected).await;
    println!("{task}: the cluster knows after {known:?}, and it is said {:?} later", begin.elapsed() - known);
}

/// That the task cannot begin yet, and why, from now on within [`SOON`].
pub async fn is_said(asked: &mut Asked<Kube>, task: &str, expected: &str) {
    let begin = Instant::now();
    let said = asked
        .until(&id(task, 1), |phase| match phase {
            Phase::Preparing { sentence } if sentence.starts_with(expected) => Some(sentence.clone()),
            _ => None,
        })
        .await;
    assert!(begin.elapsed() < SOON, "{said} after {:?}", begin.elapsed());
}

/// `short`: of a GPU.
async fn every_reason(cluster: &Cluster, admin: &Client, asking: Client, short: &str) {
    let nodes = Nodes::make(admin, 1).await;
    let with_lost = |mut config: KubeConfig| {
        config.volumes.insert("lost".into(), ClaimVolume { claim: "lost".into(), access: Acl::ReadWrite });
        config
    };
    let mut asked = Kube::asked_as(cluster, asking.clone(), with_lost).await;
    let pods: Api<Pod> = Api::namespaced(admin.clone(), cluster.namespace());

    asked.launch(&Launch { image: Some("localhost/nowhere:1".into()), ..stay("unknown") }).await;
    let pull = "The image localhost/nowhere:1 cannot be pulled · ";
    says(&mut asked, &pods, "unknown", "ErrImagePull", pull).await;

    let lost = Mount { id: "lost".into(), acl: Acl::ReadWrite, mount_path: "/lost".into(), sub_path: None };
    asked.launch(&Launch { mounts: vec![lost], ..stay("unclaimed") }).await;
    let claim = "The claim lost is not there: make it, or name another one in the settings · ";
    says(&mut asked, &pods, "unclaimed", "not found", claim).await;

    // On nodes that begin nothing.
    let mut asked = Kube::asked_as(cluster, asking, |config| nodes.only(config)).await;
    asked.launch(&with_gpus("greedy", 3)).await;
    says(&mut asked, &pods, "greedy", "Insufficient", short).await;
    asked.launch(&stay("attached")).await;
    let node = node_of(&asked, &pods, "attached").await;
    let words = format!("Multi-Attach error for volume \"v\" Volume is already used by pod(s) other, not {node}");
    let uid = pods.get(&name_of(&asked, "attached")).await.unwrap().metadata.uid;
    let event = json!({"metadata": {"name": "attach"}, "type": "Warning", "reason": "FailedAttachVolume",
        "message": words, "involvedObject": {"apiVersion": "v1", "kind": "Pod",
            "namespace": cluster.namespace(), "name": name_of(&asked, "attached"), "uid": uid}});
    make::<Event>(Api::namespaced(admin.clone(), cluster.namespace()), event).await;
    is_said(&mut asked, "attached", "Its volume is still in use on another node · Multi-Attach error").await;
}

pub async fn every_reason_is_said_within_five_seconds_where_nodes_may_be_read(cluster: Cluster) {
    let alone = Cluster::called(format!("{}-reads", cluster.namespace()));
    let (client, _) = alone.client().await;
    cluster.client().await;
    let short = "asks for 3 GPUs, the largest free node has 1 GPU · 0/";
    every_reason(&alone, &client, client.clone(), short).await;
}

pub async fn every_reason_is_said_within_five_seconds_by_who_has_the_servers_rights_alone(cluster: Cluster) {
    let alone = Cluster::called(format!("{}-alone", cluster.namespace()));
    let (client, namespace) = alone.client().await;
    cluster.client().await;
    let inside = inside(namespace).await;
    every_reason(&alone, &client, inside, "asks for 3 GPUs, and no node has that free · 0/").await;
}

pub async fn what_is_evicted_is_lost_and_not_at_fault(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let mut asked = Kube::asked(&cluster).await;
    asked.launch(&stay("drained")).await;
    asked.ready(&id("drained", 1)).await;
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    pods.evict(&name_of(&asked, "drained"), &EvictParams::default()).await.unwrap();
    let begin = Instant::now();
    let lost = |phase: &Phase| match phase {
        Phase::Lost { sentence } => Some(sentence.clone()),
        _ => None,
    };
    let said = asked.until(&id("drained", 1), lost).await;
    assert!(said.starts_with("It was evicted from its node."), "{said}");
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

/// One that serves, and one that ends.
fn both(need: Need) -> [Launch; 2] {
    let serves = Launch { program: Program::Viewer, resources: need, ..script("serves", 1, "") };
    [Launch { resources: need, ..stay("ends") }, Launch { image: Some(crate::cluster::IMAGE.into()), ..serves }]
}

fn need(memory: u64) -> Need {
    Need { cpu: Some(Cpu(10)), memory: Some(Memory(memory)), gpu: 0 }
}

pub async fn what_the_namespace_does_not_take_says_so_and_begins_when_it_does(cluster: Cluster) {
    let alone = Cluster::called(format!("{}-takes", cluster.namespace()));
    let (client, namespace) = alone.client().await;
    cluster.client().await;
    let most =
        json!({"metadata": {"name": "most"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}});
    make::<LimitRange>(Api::namespaced(client.clone(), namespace), most).await;
    let mut asked = Kube::asked_as(&alone, inside(namespace).await, |config| config).await;
    for launch in both(need(128 << 20)) {
        asked.launch(&launch).await;
        let begin = Instant::now();
        let exit = asked.end(&launch.execution).await.exit;
        let Exit::NotStarted { sentence } = exit else { panic!("{exit:?}") };
        let expected = "The cluster's rules do not allow it · ";
        assert!(sentence.starts_with(expected) && sentence.contains("maximum memory usage"), "{sentence}");
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        asked.perform(Action::Release { execution: launch.execution }).await;
    }

    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let quotas: Api<ResourceQuota> = Api::namespaced(client, namespace);
    make(quotas.clone(), json!({"metadata": {"name": "full"}, "spec": {"hard": {"pods": "0"}}})).await;
    let counts = |quota: Option<&ResourceQuota>| quota.is_some_and(|quota| quota.status.is_some());
    kube::runtime::wait::await_condition(quotas.clone(), "full", counts).await.unwrap();
    let mut asked = Kube::asked_as(&alone, inside(namespace).await, |config| config).await;
    let waiting = both(need(32 << 20)).map(|launch| {
        let image = launch.image.clone().or_else(|| asked.harness.image());
        Action::Launch(Box::new(Launch { image, ..launch }))
    });
    let room = "waits for room in the namespace's quota · ";
    asked.harness.runner().perform(waiting[0].clone()).await.unwrap_err();
    is_said(&mut asked, "ends", room).await;
    // A Deployment itself counts for nothing.
    asked.perform(waiting[1].clone()).await;
    says(&mut asked, &deployments, "serves", "exceeded quota", room).await;
    quotas.delete("full", &DeleteParams::default()).await.unwrap();
    asked.perform(waiting[0].clone()).await;
    asked.ready(&id("ends", 1)).await;
    let waits = "waits for room";
    let has_pod = |phase: &Phase| !matches!(phase, Phase::Preparing { sentence } if sentence.starts_with(waits));
    asked.until(&id("serves", 1), |phase| has_pod(phase).then_some(())).await;
}
