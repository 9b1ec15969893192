//! What becomes of a run when the server, the API server or a pod goes away in its middle?

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
    config::Kubeconfig,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    cluster::{Cluster, IMAGE, PATIENCE, USER, folder},
    examples::data,
    product::{
        Data, Served,
        kills::{Plan, survives, wished},
        wish,
    },
};

/// A data folder with Jobs in a small image and a shared volume `team`; the volume's folder on this machine.
async fn with_team(cluster: &Cluster, place: &Path) -> (Data, PathBuf) {
    let (client, _) = cluster.client().await;
    let (claim, team) = (format!("team-{:x}", rand::random::<u32>()), folder(place, "team", USER));
    cluster.claim(&client, &claim, &team).await;
    let others =
        format!("kubernetes.images.job = \"{IMAGE}\"\n\n[volumes.team]\nclaim = \"{claim}\"\naccess = \"RW\"\n");
    (data(cluster, place, &others).await, team)
}

pub async fn kills_of_the_server_neither_lose_nor_double_a_pod(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, team) = with_team(&cluster, place.path()).await;
    survives(
        &data,
        &team.join("audit"),
        Plan { layers: 3, jobs: 2, kills: wished("FLETCHLINE_CLUSTER_KILLS", 5), longest_life: 6000 },
    )
    .await;
}

/// One Job after another, each for a few seconds.
async fn start(served: &Served, jobs: usize) -> String {
    let script = "echo $FLETCHLINE_TASK $FLETCHLINE_N >> /team/audit; sleep 4";
    let volumes = json!([{"volume": "team", "acl": "RW", "mount_path": "/team"}]);
    let job = |at| json!({"id": format!("j{at}"), "name": format!("J{at}"), "kind": "job", "script": script, "volumes": volumes});
    let arrow = |at: usize| {
        json!({"id": format!("a{at}"), "from_task": format!("j{}", at - 1), "from_path": "",
            "to_task": format!("j{at}"), "to_path": "", "acl": "RO"})
    };
    let tasks: Vec<Value> = (0..jobs).map(job).collect();
    let arrows: Vec<Value> = (1..jobs).map(arrow).collect();
    let document = json!({"format": "fletchline/v1", "id": "chain", "name": "Chain", "tasks": tasks, "arrows": arrows});
    served.create(&document).await;
    served.begin(wish("chain", 1)).await
}

pub async fn a_pod_that_somebody_deletes_is_replaced_by_a_new_execution(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, team) = with_team(&cluster, place.path()).await;
    let served = Served::start(&data).await;
    let run = start(&served, 1).await;
    served.until(&run, |_| fs::read_to_string(team.join("audit")).is_ok()).await;
    let (client, namespace) = cluster.client().await;
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let of_run = ListParams::default().labels(&format!("fletchline.io/run={run}"));
    let pod = pods.list(&of_run).await.unwrap().items.remove(0).metadata.name.unwrap();
    pods.delete(&pod, &DeleteParams::default().grace_period(1)).await.unwrap();
    let view = served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    let executions = view["tasks"]["j0"]["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 2, "{executions:?}");
    let said = executions.iter().map(|one| one["sentence"].as_str().unwrap_or_default());
    assert!(
        said.clone().any(|said| said.contains("deleted in the cluster by somebody else")),
        "{:?}",
        Vec::from_iter(said)
    );
    assert_eq!(fs::read_to_string(team.join("audit")).unwrap(), "j0 1\nj0 2\n");
}

/// A way to the API server that can be closed.
#[derive(Clone)]
struct Way {
    to: String,
    open: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Way {
    async fn begin(to: String) -> (Way, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Way { to, open: Arc::new(Mutex::new(Some(JoinSet::new()))) };
        tokio::spawn(way.clone().lead(listener));
        (way, address)
    }

    async fn lead(self, listener: TcpListener) {
        while let Ok((mut from, _)) = listener.accept().await {
            let to = self.to.clone();
            if let Some(open) = &mut *self.open.lock().unwrap() {
                open.spawn(async move {
                    let Ok(mut to) = TcpStream::connect(to).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        }
    }

    /// Whoever is on it is cut off, and nobody comes on it.
    fn close(&self) {
        *self.open.lock().unwrap() = None;
    }

    fn open(&self) {
        *self.open.lock().unwrap() = Some(JoinSet::new());
    }
}

/// A server whose way to the API server can be closed.
async fn served_by_a_way(data: &Data, place: &Path) -> (Served, Way) {
    let mut known = Kubeconfig::read_from(std::env::var("KUBECONFIG").unwrap()).unwrap();
    let server = known.clusters[0].cluster.as_mut().unwrap();
    let url = reqwest::Url::parse(server.server.as_deref().unwrap()).unwrap();
    let host = url.host_str().unwrap().to_owned();
    let (way, address) = Way::begin(format!("{host}:{}", url.port_or_known_default().unwrap())).await;
    server.server = Some(format!("https://{address}"));
    // The certificate is for the API server's own address.
    server.tls_server_name = Some(host);
    let config = place.join("kubeconfig");
    fs::write(&config, serde_json::to_string(&known).unwrap()).unwrap();
    (Served::start_with(data, &[("KUBECONFIG", config.to_str().unwrap())]).await, way)
}

pub async fn a_run_goes_on_when_the_api_server_was_away_for_a_while(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, team) = with_team(&cluster, place.path()).await;
    let (served, way) = served_by_a_way(&data, place.path()).await;
    let run = start(&served, 3).await;
    served.until(&run, |_| fs::read_to_string(team.join("audit")).is_ok()).await;
    way.close();
    tokio::time::sleep(Duration::from_secs(wished("FLETCHLINE_API_AWAY", 15) as u64)).await;
    assert_eq!(fs::read_to_string(team.join("audit")).unwrap(), "j0 1\n", "nothing is launched meanwhile");
    way.open();
    let view = served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    for (task, seen) in view["tasks"].as_object().unwrap() {
        assert_eq!(seen["executions"].as_array().unwrap().len(), 1, "{task}: {seen}");
    }
    assert_eq!(fs::read_to_string(team.join("audit")).unwrap(), "j0 1\nj1 1\nj2 1\n");
}

async fn until(is_there: &dyn Fn() -> bool) {
    let wait = async {
        while !is_there() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it does not come");
}

pub async fn a_log_of_100_000_lines_has_each_once_though_the_server_is_killed_five_times(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, _) = with_team(&cluster, place.path()).await;
    let mut served = Served::start(&data).await;
    let script =
        "i=0; while [ $i -lt 100 ]; do seq $((i * 1000 + 1)) $((i * 1000 + 1000)); i=$((i + 1)); sleep 0.5; done";
    let job = json!({"id": "j0", "name": "J0", "kind": "job", "script": script});
    let document = json!({"format": "fletchline/v1", "id": "many", "name": "Many", "tasks": [job], "arrows": []});
    served.create(&document).await;
    let run = served.begin(wish("many", 1)).await;
    let log = || fs::read_to_string(data.path().join("executions/many/j0/1/log")).unwrap_or_default();
    for _ in 0..5 {
        let before = log().len();
        until(&|| log().len() > before + 20_000).await;
        drop(served);
        assert!(!log().contains(" 100000\n"), "it had ended before it was killed");
        served = Served::start(&data).await;
    }
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    let log = log();
    let lines = log.lines().map(|line| line.split_once(' ').unwrap().1);
    assert!(lines.eq((1..=100_000).map(|n| n.to_string())), "{} lines", log.lines().count());
}

pub async fn what_an_installation_has_is_counted_and_ended_by_the_command_line(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, team) = with_team(&cluster, place.path()).await;
    let served = Served::start(&data).await;
    let run = start(&served, 1).await;
    served.until(&run, |_| fs::read_to_string(team.join("audit")).is_ok()).await;
    let say = |words: &[&str]| {
        let output = data.run(words);
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
        (output.status.success(), said)
    };
    let (done, status) = say(&["cluster", "status"]);
    // The server's own look at the namespace may be a pod, too.
    let none = format!("Namespace {}: 0 pods of this installation.", cluster.namespace());
    assert!(done && !status.contains(&none) && status.contains(": bound, ReadWriteMany;"), "{status}");
    let everything = ["cluster", "release-everything", "--yes"];
    let (done, said) = say(&everything);
    assert!(!done, "the server has the folder: {said}");
    drop(served);
    let (done, said) = say(&everything[..2]);
    assert!(!done && said.contains("This would end and remove ") && !said.contains("remove 0 pods"), "{said}");
    let (done, said) = say(&everything);
    assert!(done && said.contains("Nothing of this installation is left"), "{said}");
    let (client, namespace) = cluster.client().await;
    let of_run = ListParams::default().labels(&format!("fletchline.io/run={run}"));
    let left = Api::<Pod>::namespaced(client, namespace).list(&of_run).await.unwrap();
    assert!(left.items.iter().all(|pod| pod.metadata.finalizers.is_none()), "{:?}", left.items);
    assert_eq!(fs::read_to_string(team.join("audit")).unwrap(), "j0 1\n");
}

/// What the kubelet rotates away is more than 10 MiB, and 10 s old.
pub async fn what_a_node_rotated_away_while_nobody_read_is_said_in_the_log(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, team) = with_team(&cluster, place.path()).await;
    let (served, way) = served_by_a_way(&data, place.path()).await;
    let wait = |name: &str| format!("until test -e /team/{name}; do sleep 0.1; done");
    let script = [
        "seq 1 100",
        &wait("closed"),
        "seq 101 300000; sleep 25; seq 300001 300100; touch /team/written",
        &wait("opened"),
        "seq 300101 300200",
    ];
    let volumes = json!([{"volume": "team", "acl": "RW", "mount_path": "/team"}]);
    let job = json!({"id": "j0", "name": "J0", "kind": "job", "script": script.join("\n"), "volumes": volumes});
    let document = json!({"format": "fletchline/v1", "id": "much", "name": "Much", "tasks": [job], "arrows": []});
    served.create(&document).await;
    let run = served.begin(wish("much", 1)).await;
    let log = || fs::read_to_string(data.path().join("executions/much/j0/1/log")).unwrap_or_default();
    until(&|| log().contains(" 100\n")).await;
    way.close();
    fs::write(team.join("closed"), "").unwrap();
    until(&|| team.join("written").exists()).await;
    way.open();
    fs::write(team.join("opened"), "").unwrap();
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    let log = log();
    let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    let (said, rest) = lines[100..].split_first().unwrap();
    assert!(lines[..100].iter().copied().eq((1..=100).map(|n| n.to_string())), "{:?}", &lines[..100]);
    assert!(said.contains("the node rotated this log between"), "{said}");
    // A node that begins a new file cuts the line in two that is just written.
    let (cut, rest) = rest.split_first().unwrap();
    let first: u32 = rest[0].parse().unwrap();
    assert!((first - 1).to_string().ends_with(cut), "{cut} before {first}");
    assert!(first > 102 && rest.iter().copied().eq((first..=300_200).map(|n| n.to_string())), "from {first}");
}
