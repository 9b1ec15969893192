//! Is what would make every task fail told before a run, and does it go away when it is mended?

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::{Api, Client, api::ListParams};
use model::{Acl, site::Faults};
use serde_json::{Value, json};
use server::runner::{
    Runner,
    kube::{KubeConfig, KubeRunner, config::ClaimVolume, name},
};

use crate::{
    claims::open,
    cluster::{Cluster, IMAGE, OURS, PATIENCE, USER, config, folder, make},
    examples::data,
    placing::Nodes,
    product::{Data, Served, wish},
};

const NOWHERE: &str = "localhost/nowhere:1";
/// An image without a shell.
const BARE: &str = "localhost/pause:1";

/// What is found as soon as it is as expected.
pub async fn until(runner: &KubeRunner, expected: impl Fn(&Faults) -> bool) -> Faults {
    let begin = Instant::now();
    loop {
        let faults = runner.faults();
        if expected(&faults) {
            return faults;
        }
        assert!(begin.elapsed() < PATIENCE, "{faults:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn says(all: Option<&String>, what: &str) -> bool {
    all.is_some_and(|sentence| sentence.contains(what))
}

pub async fn claims_and_images_that_tasks_would_fail_by_are_told_until_they_are_mended(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let team = ClaimVolume { claim: "check-team".into(), access: Acl::ReadWrite };
    let asked = KubeConfig {
        installation: "check".into(),
        results: "check-results".into(),
        volumes: [("team".to_owned(), team)].into(),
        default_images: [IMAGE, BARE, NOWHERE].map(str::to_owned).into(),
        ..config(namespace)
    };
    let data = place.path().join("data");
    let runner = KubeRunner::new(asked, client.clone(), data, Arc::new(|_| String::new())).checked();
    let missing = until(&runner, |faults| faults.all.is_some()).await;
    let by = "is not there: make it by `fletchline cluster prepare`";
    assert!(says(missing.all.as_ref(), &format!("The claim check-results {by}")), "{missing:?}");
    assert!(says(missing.volumes.get("team"), &format!("The claim check-team {by}")), "{missing:?}");

    cluster.claim(&client, "check-results", &folder(place.path(), "results", 0)).await;
    let unwritten = "No task can write into the claim check-results · The results volume is not prepared for user 1000";
    let unprepared = until(&runner, |faults| says(faults.all.as_ref(), unwritten)).await;
    assert!(says(unprepared.all.as_ref(), "run `fletchline cluster prepare`"), "{unprepared:?}");
    assert!(unprepared.volumes.contains_key("team"), "{unprepared:?}");

    cluster.claim(&client, "check-team", &folder(place.path(), "team", USER)).await;
    folder(place.path(), "results/pipeline", USER);
    let mended = until(&runner, |faults| faults.all.is_none() && !faults.images.is_empty()).await;
    assert_eq!(mended.volumes, Faults::default().volumes);
    assert_eq!(mended.images.keys().collect::<Vec<_>>(), [NOWHERE]);
    let begin = format!("The image {NOWHERE} cannot be pulled · ");
    assert!(mended.images[NOWHERE].starts_with(&begin), "{mended:?}");
    assert_eq!(fs::read_to_string(place.path().join("results/pipeline/.fletchline")).unwrap(), "check\n");

    // Whoever has the claim first keeps it.
    let other = KubeConfig { installation: "other".into(), results: "check-results".into(), ..config(namespace) };
    let data = place.path().join("other");
    let other = KubeRunner::new(other, client.clone(), data, Arc::new(|_| String::new())).checked();
    until(&other, |faults| says(faults.all.as_ref(), "belongs to another installation")).await;

    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let begin = Instant::now();
    // Others look, too, and this one again after a while.
    let of_this_one = ListParams::default().labels(&name::selector("check"));
    let is_check = |pod: &Pod| pod.metadata.name.as_deref().is_some_and(|name| name.starts_with("fletchline-check-"));
    while pods.list(&of_this_one).await.unwrap().items.iter().any(is_check) {
        assert!(begin.elapsed() < PATIENCE, "a check leaves its pod");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn a_check_that_no_node_takes_is_said_and_stops_nothing(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    cluster.claim(&client, "check-placed", &folder(place.path(), "results", 0)).await;
    folder(place.path(), "results/pipeline", USER);
    let asked = KubeConfig {
        installation: "placed".into(),
        results: "check-placed".into(),
        node_selector: [("fletchline.io/is".to_owned(), "nowhere".to_owned())].into(),
        ..config(namespace)
    };
    let data = place.path().join("data");
    let runner = KubeRunner::new(asked, client, data, Arc::new(|_| String::new())).checked();
    // At first its claim may still wait for its volume.
    let sentence = "no node takes it: see the node selector and the tolerations in the settings · ";
    let is_said = |faults: &Faults| faults.unknown.as_ref().is_some_and(|why| why.starts_with(sentence));
    let found = until(&runner, is_said).await;
    assert_eq!(found, Faults { unknown: found.unknown.clone(), ..Faults::default() });
}

/// A claim on a volume that only this node can mount, as those of a disk in it are.
async fn claim_on(client: &Client, namespace: &str, claim: &str, node: &str) {
    let name = format!("{namespace}-{claim}");
    let here = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [node]});
    make::<PersistentVolume>(
        Api::all(client.clone()),
        json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
            "storageClassName": "", "local": {"path": "/var/tmp"}, "claimRef": {"name": claim, "namespace": namespace},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}}}),
    )
    .await;
    make::<PersistentVolumeClaim>(
        Api::namespaced(client.clone(), namespace),
        json!({"metadata": {"name": claim}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "",
            "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}}}),
    )
    .await;
}

pub async fn claims_for_one_node_that_lie_on_different_ones_are_told_before_a_run(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let nodes = Nodes::make(&client, 2).await;
    let [here, there] = nodes.names() else { panic!("two nodes") };
    for (claim, node) in [("apart-results", here), ("apart-near", here), ("apart-far", there)] {
        claim_on(&client, namespace, claim, node).await;
    }
    let volume = |claim: &str| ClaimVolume { claim: claim.into(), access: Acl::ReadWrite };
    let asked = nodes.only(KubeConfig {
        installation: "apart".into(),
        results: "apart-results".into(),
        volumes: [("near".into(), volume("apart-near")), ("far".into(), volume("apart-far"))].into(),
        ..config(namespace)
    });
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let runner = KubeRunner::new(asked, client, place.path().join("data"), Arc::new(|_| String::new())).checked();
    let found = until(&runner, |faults| !faults.volumes.is_empty()).await;
    let sentence =
        "No node can mount the claim apart-far beside the results claim apart-results: they lie on different nodes";
    assert!(says(found.volumes.get("far"), sentence), "{found:?}");
    assert_eq!(found.volumes.len(), 1, "{found:?}");
}

pub async fn run_is_refused_until_the_claim_is_prepared(cluster: Cluster) {
    let (_, open) = open(&cluster, "check").await;
    let data = Data::new();
    let settings = format!(
        "runner = \"kubernetes\"\nkubernetes.namespace = \"{}\"\nkubernetes.image = \"{OURS}\"\n\
         kubernetes.results = \"results\"\nkubernetes.images.job = \"{IMAGE}\"\nkubernetes.new_claims.size = \"1Gi\"\n",
        open.namespace()
    );
    fs::write(data.path().join("fletchline.toml"), settings).unwrap();
    let served = Served::start(&data).await;
    let job = json!({"id": "j", "name": "J", "kind": "job", "script": "echo done > /out/it", "keep": ["/out"]});
    served.create(&json!({"format": "fletchline/v1", "id": "one", "name": "One", "tasks": [job], "arrows": []})).await;
    let until = async |expected: fn(&Value) -> bool| {
        let begin = Instant::now();
        while !expected(&served.ask("site", json!({})).await["faults"]["all"]) {
            assert!(begin.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    until(|all| all.is_string()).await;
    let (status, refused) = served.answer("runs/start", json!({"new": wish("one", 1)})).await;
    assert_eq!(status, 422, "{refused}");
    assert!(refused.contains("The claim results is not there: make it by `fletchline cluster prepare`"), "{refused}");

    let prepared = data.run(&["cluster", "prepare"]);
    let said = String::from_utf8_lossy(&prepared.stdout);
    assert!(prepared.status.success(), "{said}{}", String::from_utf8_lossy(&prepared.stderr));
    assert!(said.contains("Claim results: made, 1 GiB, ReadWriteOnce."), "{said}");
    until(Value::is_null).await;
    let run = served.begin(wish("one", 1)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
}

pub async fn a_claim_that_is_named_in_the_page_is_looked_for_and_mounted_without_a_new_start(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let data = data(&cluster, place.path(), &format!("kubernetes.images.job = \"{IMAGE}\"\n")).await;
    let served = Served::start(&data).await;
    let (client, _) = cluster.client().await;
    let claim = format!("named-{:x}", rand::random::<u32>());
    let named = |claim: &str| json!({"name": "team", "place": claim, "access": "RW"});
    let (status, refused) = served.answer("volumes/make", named("/srv/team")).await;
    assert_eq!(status, 400);
    assert!(refused.contains("is not the name of a claim"), "{refused}");
    served.ask("volumes/make", named(&claim)).await;
    let until = async |expected: fn(&Value) -> bool| {
        let begin = Instant::now();
        while !expected(&served.ask("site", json!({})).await["faults"]["volumes"]["team"]) {
            assert!(begin.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    until(|team| team.as_str().is_some_and(|team| team.contains("is not there"))).await;
    let team = folder(place.path(), "team", USER);
    cluster.claim(&client, &claim, &team).await;
    until(Value::is_null).await;
    let volumes = json!([{"volume": "team", "acl": "RW", "mount_path": "/team"}]);
    let job = json!({"id": "j", "name": "J", "kind": "job", "script": "echo done > /team/it", "volumes": volumes});
    served.create(&json!({"format": "fletchline/v1", "id": "one", "name": "One", "tasks": [job], "arrows": []})).await;
    let run = served.begin(wish("one", 1)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    assert_eq!(fs::read_to_string(team.join("it")).unwrap(), "done\n");
}
