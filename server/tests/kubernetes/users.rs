//! Do tasks that run as different users read each other's results, and does all of it go again?

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, IMAGE, PATIENCE, USER},
    examples::served,
    harness::eventually,
    product::wish,
};

/// Keeps what it writes from everybody else, as far as it can.
const PRIVATE: &str =
    "umask 077; mkdir /out/deep; echo private > /out/deep/file; id -u > /out/user; id -G > /out/groups";
const READS: &str = "cat /in/deep/file > /out/read; id -u > /out/user";

pub async fn tasks_of_several_users_share_results_by_the_group_and_nothing_of_theirs_stays(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let settings = format!(
        "kubernetes.run_as_range = \"3000-3999\"\nkubernetes.images = {{ job = \"{IMAGE}\", notebook = \"{IMAGE}\" }}\n"
    );
    let (_data, served) = served(&cluster, place.path(), &settings).await;
    let job = |id: &str, script: &str, run_as: Value| json!({"id": id, "name": id, "kind": "job", "script": script, "keep": ["/out"], "run_as": run_as});
    let tasks = [
        job("one", PRIVATE, json!("3000:3001")),
        job("all", READS, Value::Null),
        job("two", READS, json!("3002")),
        json!({"id": "step", "name": "step", "kind": "container", "run_as": "3003", "keep": ["/work"],
            "files": [{"name": "plan.txt", "text": "x"}], "advance": {"by": "exit"},
            "command": ["sh", "-c", "umask 077; mkdir own; cp plan.txt own"]}),
    ];
    let arrow = |id: &str, to: &str| json!({"id": id, "from_task": "one", "from_path": "/out", "to_task": to, "to_path": "/in", "acl": "RO"});
    let arrows = [arrow("a", "all"), arrow("b", "two")];
    served
        .create(&json!({"format": "fletchline/v1", "id": "users", "name": "Users", "tasks": tasks, "arrows": arrows}))
        .await;

    let begin = Instant::now();
    let unprepared = "The results volume is not prepared for tasks of several users: run `fletchline cluster prepare`";
    loop {
        let faults = served.ask("site", json!({})).await["faults"]["all"].clone();
        if faults.as_str().is_some_and(|said| said.contains(unprepared)) {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{faults}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // As whoever runs the storage is told to do it.
    let results = place.path().join("results/pipeline");
    fs::set_permissions(&results, Permissions::from_mode(0o2775)).unwrap();
    let begin = Instant::now();
    while !served.ask("site", json!({})).await["faults"]["all"].is_null() {
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let run = served.begin(wish("users", 1)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    let read = |file: &str| fs::read_to_string(results.join("users").join(file)).unwrap().trim().to_owned();
    assert_eq!(["one/1/out/user", "all/1/out/user", "two/1/out/user"].map(read), ["3000", "1000", "3002"]);
    assert_eq!(read("one/1/out/groups"), format!("3001 {USER}"));
    assert_eq!(["all/1/out/read", "two/1/out/read"].map(read), ["private"; 2]);
    let snapshot = results.join("users/step/1/work/own/plan.txt").metadata().unwrap();
    assert_eq!((snapshot.uid(), snapshot.gid(), snapshot.mode() & 0o060), (3003, USER, 0o060));

    served.ask("runs/delete", json!({"run": run})).await;
    let left = || ["one/1", "all/1", "two/1", "step/1"].map(|execution| results.join("users").join(execution).exists());
    eventually("the run's results are gone", || left() == [false; 4]).await;
    served.ask("pipelines/delete", json!({"id": "users"})).await;
    assert!(!results.join("users").exists());
}
