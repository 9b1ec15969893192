//! Do files really go when runs and pipelines are deleted, and only those that nobody reads?

mod product;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use product::{Data, Served, wish};
use serde_json::{Value, json};

async fn new_pipeline(served: &Served) -> String {
    let made = served.ask("pipelines/create", json!({"new": {"from": "example", "name": "files"}})).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn run(served: &Served, pipeline: &str) -> String {
    let run = served.begin(wish(pipeline, 1)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    run
}

/// Results and what lies beside them of one execution.
fn places(data: &Data, pipeline: &str, task: &str, n: u64) -> [PathBuf; 2] {
    let below = format!("{pipeline}/{task}/{n}");
    [data.path().join("results/pipeline").join(&below), data.path().join("executions").join(below)]
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn all(places: [PathBuf; 2], is_there: bool) -> bool {
    places.iter().all(|place| place.exists() == is_there)
}

#[tokio::test]
async fn a_deleted_run_takes_its_files_and_logs_along_but_not_what_another_run_reads() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let pipeline = new_pipeline(&served).await;
    let (first, second) = (run(&served, &pipeline).await, run(&served, &pipeline).await);
    let place = |task: &str, n| places(&data, &pipeline, task, n);
    assert!(all(place("load", 1), true) && all(place("count", 1), true) && all(place("report", 1), true));

    let removal = served.ask("runs/removal", json!({"run": first})).await;
    assert_eq!(removal["held_by"], json!([]));
    assert_eq!(removal["kept_for"], json!(["run 2 has read Load files of it, which stays"]));
    assert_eq!(removal["executions"], 3);
    assert!(removal["space"].as_u64().unwrap() > 0);
    assert_eq!(listed_space(&served, &pipeline, &first).await, removal["space"]);
    served.ask("runs/delete", json!({"run": first})).await;
    eventually("count, check and report are gone", || {
        ["count", "check", "report"].into_iter().all(|task| all(place(task, 1), false))
    })
    .await;
    assert!(all(place("load", 1), true));

    // What run 2 reads is still whole: it can be run again from there.
    let mut from_there = wish(pipeline.as_str(), 1);
    from_there["part"] = json!({"from_here": {"task": "count"}});
    from_there["reading"] = json!(second);
    let third = served.begin(from_there).await;
    served.until(&third, |view| view["summary"]["status"] == "succeeded").await;
    served.ask("runs/delete", json!({"run": second})).await;
    served.ask("runs/delete", json!({"run": third})).await;
    eventually("the last reader takes it along", || all(place("load", 1), false)).await;
    assert_eq!(served.ask("runs/list", filter(&pipeline)).await, json!([]));
}

/// What the list says of a run as soon as it is counted.
async fn listed_space(served: &Served, pipeline: &str, run: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let runs = served.ask("runs/list", filter(pipeline)).await;
        let listed = runs.as_array().unwrap().iter().find(|one| one["id"] == run).unwrap()["space"].clone();
        if !listed.is_null() {
            return listed;
        }
        assert!(Instant::now() < deadline, "never counted: {runs}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn filter(pipeline: &str) -> Value {
    json!({"filter": {"pipeline": pipeline, "status": null, "text": "", "before": null}})
}

#[tokio::test]
async fn what_a_killed_server_had_not_removed_yet_the_next_one_removes() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let pipeline = new_pipeline(&served).await;
    let first = run(&served, &pipeline).await;
    served.ask("runs/delete", json!({"run": first})).await;
    let place = || places(&data, &pipeline, "count", 1);
    eventually("it is gone", || all(place(), false)).await;
    drop(served);
    // As if it had been killed before that.
    place().iter().for_each(|place| std::fs::create_dir_all(place.join("out")).unwrap());
    let served = Served::start(&data).await;
    eventually("it is gone again", || all(place(), false)).await;
    let second = run(&served, &pipeline).await;
    assert!(!second.is_empty() && all(places(&data, &pipeline, "count", 2), true), "numbers go on");
}

#[tokio::test]
async fn a_deleted_pipeline_says_what_goes_and_leaves_nothing() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let pipeline = new_pipeline(&served).await;
    run(&served, &pipeline).await;
    let removal = served.ask("pipelines/removal", json!({"id": pipeline})).await;
    assert_eq!((&removal["runs"], &removal["held_by"]), (&json!(1), &json!([])));
    assert!(removal["space"].as_u64().unwrap() > 0);
    served.ask("pipelines/delete", json!({"id": pipeline})).await;
    for place in ["results/pipeline", "executions"] {
        assert!(!data.path().join(place).join(&pipeline).exists(), "{place}");
    }
    assert_eq!(served.ask("runs/list", filter(&pipeline)).await, json!([]));
}

#[tokio::test]
async fn the_data_of_old_runs_makes_room_where_the_settings_say_so() {
    let data = Data::new();
    std::fs::write(data.path().join("fletchline.toml"), "keep_runs = 1\n").unwrap();
    let served = Served::start(&data).await;
    let pipeline = new_pipeline(&served).await;
    let first = run(&served, &pipeline).await;
    served.ask("runs/pin", json!({"run": first, "pinned": true})).await;
    run(&served, &pipeline).await;
    run(&served, &pipeline).await;
    let results = |task: &str, n| places(&data, &pipeline, task, n)[0].clone();
    eventually("the data of run 2 is gone", || !results("count", 2).exists()).await;
    assert!(results("count", 1).exists(), "a pinned run keeps its data");
    assert!(results("count", 3).exists() && results("load", 1).exists());
    assert!(places(&data, &pipeline, "count", 2)[1].join("log").exists(), "the log stays");
    served.ask("runs/pin", json!({"run": first, "pinned": false})).await;
    eventually("the data of run 1 is gone", || !results("count", 1).exists()).await;
    assert!(results("load", 1).exists(), "run 3 has read it");
    let runs = served.ask("runs/list", filter(&pipeline)).await;
    let dropped: Vec<bool> = runs.as_array().unwrap().iter().map(|run| run["dropped"].as_bool().unwrap()).collect();
    assert_eq!(dropped, [false, true, true]);
}

#[tokio::test]
async fn what_does_not_stop_when_asked_is_killed_after_the_grace_of_the_settings() {
    let data = Data::new();
    std::fs::write(data.path().join("fletchline.toml"), "grace_seconds = 1\n").unwrap();
    let served = Served::start(&data).await;
    let stubborn = json!({"format": "fletchline/v1", "id": "stubborn", "name": "Stubborn", "tasks": [
        {"id": "a", "name": "A", "kind": "job", "script": "trap '' TERM\necho deaf\nwhile :; do sleep 0.1; done"}]});
    served.create(&stubborn).await;
    let run = served.begin(wish("stubborn", 1)).await;
    let log = data.path().join("executions/stubborn/a/1/log");
    eventually("it is deaf", || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("deaf"))).await;
    let asked = Instant::now();
    served.ask("runs/cancel", json!({"run": run})).await;
    let cancelled = |view: &Value| view["summary"]["status"] == "cancelled";
    served.until_any(&run, cancelled).await;
    let took = asked.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn an_older_journal_over_newer_folders_goes_on_behind_them_and_touches_none() {
    let data = Data::new();
    let document = json!({"format": "fletchline/v1", "id": "one", "name": "One", "tasks": [
        {"id": "a", "name": "Train", "kind": "job", "script": "cp /work/mark /out/mark", "keep": ["/out"],
            "retries": 0, "files": [{"name": "mark", "text": "first"}]}]});
    let file = data.path().join("one.json");
    let run = |mark: &str| {
        let mut document = document.clone();
        document["tasks"][0]["files"][0]["text"] = json!(mark);
        std::fs::write(&file, document.to_string()).unwrap();
        let output = data.run(&["run", file.to_str().unwrap(), "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    run("first");
    let journal: Vec<(PathBuf, Vec<u8>)> = databases(&data);
    (0..3).for_each(|_| drop(run("newer")));
    databases(&data).iter().for_each(|(path, _)| std::fs::remove_file(path).unwrap());
    journal.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    // One that nobody has had on this side lies on the results volume alone.
    std::fs::create_dir_all(data.path().join("results/pipeline/one/a/300")).unwrap();

    let view = run("restored");
    let executions = view["tasks"]["a"]["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 1, "{view:#}");
    assert_eq!((&executions[0]["n"], &executions[0]["attempt"]), (&json!(301), &json!(1)));
    let mark = |n: u64| std::fs::read_to_string(places(&data, "one", "a", n)[0].join("out/mark")).unwrap();
    assert_eq!([1, 2, 3, 4, 301].map(mark), ["first", "newer", "newer", "newer", "restored"]);

    let served = Served::start(&data).await;
    served.ask("runs/delete", json!({"run": view["summary"]["id"]})).await;
    eventually("its files are gone", || all(places(&data, "one", "a", 301), false)).await;
    assert!(all(places(&data, "one", "a", 2), true) && mark(2) == "newer", "another's are not");
}

/// The files of the database, whole.
fn databases(data: &Data) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_one = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".db"));
    let found: Vec<_> = entries.filter(is_one).map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect();
    assert!(!found.is_empty());
    found
}
