//! Is everything right that is told of a Job with very many copies?

use std::{collections::BTreeSet, pin::pin, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    cluster::{Cluster, IMAGE},
    examples::served,
    placing::{Nodes, set},
    product::wish,
};

const COPIES: u64 = 200;

/// How the pod of an execution ends: its code, the cluster's reason, and what its task's person is told.
fn end(n: u64) -> (i64, &'static str, &'static str) {
    match (n.is_multiple_of(50), n.is_multiple_of(7)) {
        (true, _) => (3, "Error", "exit code 3"),
        (false, true) => (137, "OOMKilled", "ran out of memory"),
        (false, false) => (0, "Completed", "ended well"),
    }
}

fn number(pod: &Pod) -> Option<u64> {
    pod.metadata.annotations.as_ref()?.get("fletchline.io/n")?.parse().ok()
}

/// What a kubelet would tell of the pods on these nodes: that they run, and soon how they ended.
async fn tell(client: Client, namespace: String, nodes: BTreeSet<String>) {
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let of_runs = watcher::Config::default().labels("fletchline.io/run");
    let mut seen = pin!(watcher(pods.clone(), of_runs).default_backoff().applied_objects());
    let (mut begun, mut telling) = (BTreeSet::new(), JoinSet::new());
    while let Some(pod) = seen.next().await {
        // A watch that has nothing to tell for a while is broken off, and begun again.
        let Ok(pod) = pod else { continue };
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
        let (name, Some(n)) = (pod.metadata.name.clone().unwrap(), number(&pod)) else { continue };
        if !nodes.contains(&node) || !begun.insert(name.clone()) {
            continue;
        }
        let pods = pods.clone();
        telling.spawn(async move {
            set(&pods, &name, status("Running", json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}))).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let (code, reason, _) = end(n);
            let ended = json!({"exitCode": code, "reason": reason, "startedAt": "2026-01-01T00:00:00Z",
                "finishedAt": "2026-01-01T00:00:01Z"});
            let phase = if code == 0 { "Succeeded" } else { "Failed" };
            set(&pods, &name, status(phase, json!({ "terminated": ended }))).await;
        });
    }
}

fn status(phase: &str, state: Value) -> Value {
    json!({"phase": phase, "containerStatuses": [{"name": "task", "image": "i", "imageID": "", "ready": false,
        "started": true, "restartCount": 0, "state": state}]})
}

/// Their nodes have no address: the cluster does not get at a log there, which keeps no end from being told.
pub async fn of_many_copies_each_ends_as_its_pod_did_though_no_log_can_be_read(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let nodes = Nodes::make(&client, 3).await;
    let mut kubelet = JoinSet::new();
    kubelet.spawn(tell(client.clone(), namespace.to_owned(), nodes.names().iter().cloned().collect()));
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let others = format!("kubernetes.images.job = \"{IMAGE}\"\n{}", nodes.settings());
    let (_data, served) = served(&cluster, place.path(), &others).await;
    let values: Vec<String> = (0..COPIES).map(|copy| copy.to_string()).collect();
    let many = json!({"id": "many", "name": "Many", "kind": "job", "command": ["true"], "copies": {"I": values},
        "tolerate_failed_copies": true});
    served
        .create(&json!({"format": "fletchline/v1", "id": "many", "name": "Many", "tasks": [many], "arrows": []}))
        .await;
    let run = served.begin(wish("many", 1)).await;
    let view = served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    let executions = view["tasks"]["many"]["executions"].as_array().unwrap();
    let copies: BTreeSet<u64> = executions.iter().map(|one| one["copy"].as_u64().unwrap()).collect();
    assert_eq!((executions.len() as u64, copies.len() as u64), (COPIES, COPIES));
    for one in executions {
        let (code, _, sentence) = end(one["n"].as_u64().unwrap());
        assert_eq!(one["status"], if code == 0 { "done" } else { "failed" }, "{one}");
        assert!(one["sentence"].as_str().unwrap().contains(sentence), "{one}");
    }
}
