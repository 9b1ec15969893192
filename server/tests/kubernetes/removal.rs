//! Do results that nobody reads any more go from the claim, and only those?

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::action::Action;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::{
    Api, ResourceExt,
    api::DeleteParams,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::json;
use server::runner::{Runner, kube::KubeRunner};

use crate::{
    claims::open,
    cluster::{Cluster, IMAGE, PATIENCE, USER, config, folder, make},
    examples::served,
    harness::{eventually, id},
    product::wish,
};

pub async fn a_deleted_run_takes_its_results_from_the_claim_along_but_no_others(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, served) = served(&cluster, place.path(), &format!("kubernetes.images.job = \"{IMAGE}\"\n")).await;
    let job = |id: &str| json!({"id": id, "name": id, "kind": "job", "script": "echo x > /out/x", "keep": ["/out"]});
    served
        .create(&json!({"format": "fletchline/v1", "id": "goes", "name": "Goes", "tasks": [job("a"), job("b")],
        "arrows": []}))
        .await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let run = served.begin(wish("goes", 1)).await;
        served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
        runs.push(run);
    }
    let results = place.path().join("results/pipeline/goes");
    let all = || ["a/1", "b/1", "a/2", "b/2"].map(|execution| results.join(execution).exists());
    assert_eq!(all(), [true; 4]);
    served.ask("runs/delete", json!({"run": runs[0]})).await;
    let logs = data.path().join("executions/goes");
    eventually("run 1 is gone", || all() == [false, false, true, true]).await;
    assert!(!logs.join("a/1/log").exists() && logs.join("a/2/log").exists());
    assert!(results.join("b/2/out/x").exists());
}

pub async fn a_deleted_pipeline_leaves_nothing_on_the_claim_or_is_still_there_to_be_deleted(cluster: Cluster) {
    // Whose quota is its own, too.
    let (client, namespace) = cluster.client().await;
    let apart = Cluster::called(format!("{namespace}-leave"));
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (_data, served) = served(&apart, place.path(), &format!("kubernetes.images.job = \"{IMAGE}\"\n")).await;
    let job = json!({"id": "a", "name": "A", "kind": "job", "script": "echo x > /out/x", "keep": ["/out"]});
    for id in ["goes", "stays"] {
        served.create(&json!({"format": "fletchline/v1", "id": id, "name": id, "tasks": [job], "arrows": []})).await;
        let run = served.begin(wish(id, 1)).await;
        served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
        for (task, own) in [("note", "work"), ("load", "downloads")] {
            let task = format!("results/pipeline/{id}/{task}");
            folder(place.path(), &task, USER);
            filled(place.path(), &format!("{task}/{own}"));
        }
    }
    let results = |id: &str| place.path().join("results/pipeline").join(id);
    let full = json!({"metadata": {"name": "full"}, "spec": {"hard": {"pods": "0"}}});
    let quotas: Api<ResourceQuota> = Api::namespaced(client, apart.namespace());
    make(quotas.clone(), full).await;
    let counts = |quota: Option<&ResourceQuota>| quota.is_some_and(|quota| quota.status.is_some());
    kube::runtime::wait::await_condition(quotas.clone(), "full", counts).await.unwrap();
    let (status, said) = served.answer("pipelines/delete", json!({"id": "goes"})).await;
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("Its work folders are still on the claim") && said.contains("quota"), "{said}");
    assert!(results("goes").join("note/work/x").exists());

    quotas.delete("full", &DeleteParams::default()).await.unwrap();
    served.ask("pipelines/delete", json!({"id": "goes"})).await;
    assert!(!results("goes").exists());
    assert_eq!(
        ["a/1/out/x", "note/work/x", "load/downloads/x"].map(|file| results("stays").join(file).exists()),
        [true; 3]
    );
}

/// The names of all pods that ever remove something in the namespace.
async fn seen(pods: Api<Pod>, names: Arc<Mutex<BTreeSet<String>>>) {
    let wanted = watcher::Config::default().labels("fletchline.io/errand=remove");
    let mut stream = pin!(watcher(pods, wanted).default_backoff().applied_objects());
    while let Some(pod) = stream.next().await {
        names.lock().unwrap().insert(pod.unwrap().uid().unwrap());
    }
}

fn filled(place: &Path, below: &str) {
    fs::write(folder(place, below, USER).join("x"), "x").unwrap();
}

pub async fn results_of_many_executions_go_by_one_pod_as_soon_as_the_namespace_takes_it(cluster: Cluster) {
    let (client, open) = open(&cluster, "remove").await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let config = config(open.namespace());
    open.claim(&client, "results", &folder(place.path(), "results", 0)).await;
    for parent in ["results/pipeline", "results/pipeline/pipe", "results/pipeline/pipe/t"] {
        folder(place.path(), parent, USER);
    }
    fs::write(place.path().join("results/pipeline/.fletchline"), &config.installation).unwrap();
    let of = |n: u64| format!("results/pipeline/pipe/t/{n}");
    (1..=100).for_each(|n| filled(place.path(), &of(n)));
    filled(place.path(), "results/pipeline/pipe/t/work");
    let pods = Arc::new(Mutex::new(BTreeSet::new()));
    let watching = tokio::spawn(seen(Api::namespaced(client.clone(), open.namespace()), pods.clone()));

    let full = json!({"metadata": {"name": "full"}, "spec": {"hard": {"pods": "0"}}});
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), open.namespace());
    make(quotas.clone(), full).await;
    let counts = |quota: Option<&ResourceQuota>| quota.is_some_and(|quota| quota.status.is_some());
    kube::runtime::wait::await_condition(quotas.clone(), "full", counts).await.unwrap();

    let data = place.path().join("data");
    let made = || Arc::new(KubeRunner::new(config.clone(), client.clone(), data.clone(), Arc::new(|_| String::new())));
    let runner = made();
    drop(runner.observe().await.unwrap());
    let remove = |n| Action::Remove { execution: id("t", n), whole: true };
    let asked = (1..100).map(|n| {
        let (runner, action) = (runner.clone(), remove(n));
        tokio::spawn(async move { runner.perform(action).await })
    });
    let asked: Vec<_> = asked.collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!((1..=100).all(|n| place.path().join(of(n)).exists()) && pods.lock().unwrap().is_empty());
    quotas.delete("full", &DeleteParams::default()).await.unwrap();
    for one in asked {
        tokio::time::timeout(PATIENCE, one).await.expect("a removal that is tried again").unwrap().unwrap();
    }
    let left: Vec<u64> = (1..=100).filter(|n| place.path().join(of(*n)).exists()).collect();
    assert_eq!(left, [100]);
    assert!(place.path().join("results/pipeline/pipe/t/work/x").exists());

    // The next start asks for it again: what has gone needs no pod.
    drop(runner);
    let runner = made();
    drop(runner.observe().await.unwrap());
    for n in 1..100 {
        runner.perform(remove(n)).await.unwrap();
    }
    watching.abort();
    assert_eq!(pods.lock().unwrap().len(), 1);
}
