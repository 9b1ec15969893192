//! Do programs find a Serving at the address that belongs to its task?

mod product;

use std::time::{Duration, Instant};

use product::{
    Data, Served,
    serving::{document, live, model_at, run, services},
};
use serde_json::{Value, json};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn jobs_ask_the_version_of_their_run_and_programs_the_live_one_also_after_a_restart() {
    let data = Data::new();
    let served = Served::start(&data).await;
    served.create(&document("served", None)).await;
    run(&served, "served", 1).await;
    let answered = |n: u64| {
        let file = data.path().join(format!("results/pipeline/served/ask/{n}/answer/answer.json"));
        serde_json::from_str::<Value>(&std::fs::read_to_string(file).unwrap()).unwrap()["model"].clone()
    };
    assert_eq!(answered(1), 1);
    let address = live(&served).await;
    assert_eq!(services(&served).await[0]["request"], json!({"route": "predict", "body": "{\"x\": …}"}));
    assert_eq!(model_at(&address).await.unwrap(), 1);

    // A second version is ready beside the live one, at an address of its own; the next settings name a port.
    let port = free_port();
    let named = document("served", Some(port)).to_string();
    served.ask("pipelines/save", json!({"id": "served", "revision": 1, "document": named})).await;
    let second = run(&served, "served", 2).await;
    assert_eq!(answered(2), 2);
    assert_eq!(live(&served).await, address);
    assert_eq!(model_at(&address).await.unwrap(), 1);
    let beside = services(&served).await.into_iter().find(|one| one["live"] == false).unwrap();
    let beside = beside["address"].as_str().unwrap().to_owned();
    assert_ne!(beside, address);
    assert_eq!(model_at(&beside).await.unwrap(), 2);
    let told = String::from_utf8(data.run(&["services"]).stdout).unwrap();
    assert!(told.contains(&address) && told.contains(&beside), "{told}");

    drop(served);
    assert!(model_at(&address).await.is_err(), "the address is the server's");
    assert_eq!(model_at(&beside).await.unwrap(), 2, "a task that asks its own version needs no server");
    let served = Served::start(&data).await;
    assert_eq!(live(&served).await, address);
    assert_eq!(model_at(&address).await.unwrap(), 1);

    served.ask("runs/deed", json!({"run": second, "task": "api", "deed": "make_live", "anyway": false})).await;
    let named = format!("http://127.0.0.1:{port}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while live(&served).await != named {
        assert!(Instant::now() < deadline, "the port that the settings name is not taken");
    }
    assert_eq!(model_at(&named).await.unwrap(), 2);
    assert!(model_at(&address).await.is_err(), "nobody is left at the earlier port");
}

/// The one sentence of the services that has this in it, as soon as there is one.
async fn told(served: &Served, part: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let all = services(served).await;
        let mut sentences = all.iter().map(|one| one["sentence"].as_str().unwrap().to_owned());
        if let Some(sentence) = sentences.find(|sentence| sentence.contains(part)) {
            return sentence;
        }
        assert!(Instant::now() < deadline, "{all:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn leads_to(address: &str, model: u64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while model_at(address).await.ok() != Some(model.into()) {
        assert!(Instant::now() < deadline, "{address} does not lead to version {model}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_version_that_replaces_by_itself_takes_the_port_along_and_says_who_else_has_it() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let (first, other) = (free_port(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let taken = other.local_addr().unwrap().port();
    let automatic = |port: u16| {
        let mut document = document("served", Some(port));
        document["tasks"][1]["replace"] = "automatic".into();
        document
    };
    served.create(&automatic(first)).await;
    run(&served, "served", 1).await;
    let address = live(&served).await;
    assert_eq!(address, format!("http://127.0.0.1:{first}"));
    run(&served, "served", 1).await;
    leads_to(&address, 2).await;

    let elsewhere = json!({"id": "served", "revision": 1, "document": automatic(taken).to_string()});
    served.ask("pipelines/save", elsewhere).await;
    run(&served, "served", 2).await;
    let sentence = told(&served, &format!("at port {taken}")).await;
    assert!(sentence.contains("another program on this machine has: end that one"), "{sentence}");
    let printed = String::from_utf8(data.run(&["services"]).stdout).unwrap();
    assert!(printed.contains(&sentence), "{printed}");
    drop(other);
    let address = live(&served).await;
    assert_eq!(address, format!("http://127.0.0.1:{taken}"));
    leads_to(&address, 3).await;

    // Another pipeline's Serving that wants the same port hears whose it is.
    served.create(&document("second", Some(taken))).await;
    run(&served, "second", 1).await;
    let sentence = told(&served, &format!("at port {taken}")).await;
    assert!(sentence.contains("api of the pipeline served has: stop that one"), "{sentence}");
    leads_to(&address, 3).await;
}

#[tokio::test]
async fn a_file_that_runs_without_a_server_stops_its_viewer_and_serving_at_the_end_unless_they_are_kept() {
    let data = Data::new();
    let mut shown = document("filed", None);
    let tasks = shown["tasks"].as_array_mut().unwrap();
    tasks.push(json!({"id": "board", "name": "Board", "kind": "viewer"}));
    let arrow = json!({"id": "c", "from_task": "make", "from_path": "/model", "to_task": "board", "to_path": "",
        "acl": "RO"});
    shown["arrows"].as_array_mut().unwrap().push(arrow);
    let file = data.path().join("filed.json");
    std::fs::write(&file, shown.to_string()).unwrap();
    let run = |more: &[&str]| {
        let ran = data.run(&[&["run", file.to_str().unwrap()], more].concat());
        assert!(ran.status.success(), "{ran:?}");
        live_executions(&data)
    };
    assert_eq!(run(&[]), [""; 0], "nothing of it is left");
    let kept = run(&["--keep"]);
    let is_there = |task: &str| kept.iter().any(|one| one.starts_with(&format!("filed.{task}.")));
    assert!(kept.len() == 2 && is_there("api") && is_there("board"), "{kept:?}");
    let served = Served::start(&data).await;
    let answered = model_at(&live(&served).await).await.unwrap();
    assert_eq!(answered, 2, "the version of the second run");
    drop(served);
    // What an earlier run has left there is not this one's to stop.
    let after = run(&[]);
    assert!(after.iter().all(|one| kept.contains(one)), "{after:?} of {kept:?}");
    assert!(after.iter().any(|one| one.starts_with("filed.api.")), "{after:?}");
}

/// Those that are accepted and not released, whoever looks after them.
fn live_executions(data: &Data) -> Vec<String> {
    let entries = std::fs::read_dir(data.path().join("executions/.live")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
