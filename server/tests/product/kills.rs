//! Does everything that runs survive `kill -9` of the server at any moment, wherever it runs?

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use server::control::{Ask, Client, Tell};

use super::{Data, Served};

/// What `cargo xtask soak` wishes by this variable, or what is done every day.
pub fn wished(variable: &str, usually: usize) -> usize {
    std::env::var(variable).ok().and_then(|wished| wished.parse().ok()).unwrap_or(usually)
}

/// What runs, and how often the server is killed.
pub struct Plan {
    pub layers: usize,
    pub jobs: usize,
    pub kills: usize,
    /// From the start of a server to its death, in milliseconds.
    pub longest_life: u64,
}

/// Layers of Jobs, each of which waits for a whole layer and says in the audit file that it began.
fn document(layers: usize, jobs: usize) -> Value {
    let name = |layer: usize, job: usize| format!("j{layer}{job}");
    let script = "echo $FLETCHLINE_RUN $FLETCHLINE_TASK $FLETCHLINE_N >> /team/audit; sleep 0.$((FLETCHLINE_N % 3))";
    let volumes = json!([{"volume": "team", "acl": "RW", "mount_path": "/team"}]);
    let (mut tasks, mut arrows) = (Vec::new(), Vec::new());
    for layer in 0..layers {
        for job in 0..jobs {
            let id = name(layer, job);
            tasks.push(json!({"id": id, "name": id, "kind": "job", "script": script, "volumes": volumes}));
            for up in (0..jobs).filter(|_| layer > 0) {
                arrows.push(json!({"id": format!("{}-{id}", name(layer - 1, up)), "from_task": name(layer - 1, up),
                    "from_path": "", "to_task": id, "to_path": "", "acl": "RO"}));
            }
        }
    }
    json!({"format": "fletchline/v1", "id": "killed", "name": "Killed", "description": "", "parameters": [],
        "tasks": tasks, "arrows": arrows, "notes": [], "groups": [], "layout": {"tasks": {}, "notes": {}}})
}

fn serve(data: &Data) -> Child {
    data.command(&["serve", "--port", "0"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Asks for a run as soon as somebody listens; notes it when it was promised.
async fn ask_for_a_run(socket: std::path::PathBuf, document: String, promised: Arc<Mutex<Vec<String>>>) {
    loop {
        let ask = Ask::Run { document: document.clone(), parameters: BTreeMap::new() };
        if let Ok(mut client) = Client::ask(&socket, &ask).await
            && let Ok(Some(Tell::Started { run, .. })) = client.next().await
        {
            return promised.lock().unwrap().push(run.to_string());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// `run task n` with how often it began, as the Jobs themselves have written it.
fn begun(audit: &Path) -> BTreeMap<String, u32> {
    let mut begun = BTreeMap::new();
    for line in std::fs::read_to_string(audit).unwrap().lines() {
        *begun.entry(line.to_owned()).or_default() += 1;
    }
    begun
}

/// Asks for a run in each life of a server on `data`; `audit` is the file that the volume `team` has of this name.
pub async fn survives(data: &Data, audit: &Path, plan: Plan) {
    let Plan { layers, jobs, kills, longest_life } = plan;
    let (promised, mut random) = (Arc::new(Mutex::new(Vec::new())), StdRng::seed_from_u64(7));
    for _ in 0..kills {
        let mut server = serve(data);
        let document = document(layers, jobs).to_string();
        let asking = tokio::spawn(ask_for_a_run(data.path().join("socket"), document, promised.clone()));
        tokio::time::sleep(Duration::from_millis(random.random_range(0..longest_life))).await;
        server.kill().unwrap();
        server.wait().unwrap();
        asking.abort();
    }

    let served = Served::start(data).await;
    let promised = promised.lock().unwrap().clone();
    let known = runs(&served).await;
    assert!(!known.is_empty(), "no server lived long enough to take a run");
    assert!(promised.iter().all(|run| known.contains(run)), "promised {promised:?}, known {known:?}");
    let mut launched = BTreeMap::new();
    for run in &known {
        let view = served.until(run, |view| view["summary"]["status"] == "succeeded").await;
        for (task, seen) in view["tasks"].as_object().unwrap() {
            for execution in seen["executions"].as_array().unwrap() {
                if execution["status"] != "done" {
                    println!("{task} {}: {}", execution["n"], execution["sentence"]);
                }
                launched.insert(format!("{run} {task} {}", execution["n"]), 1);
            }
        }
    }
    assert_eq!(begun(audit), launched);
    assert_eq!(launched.len(), known.len() * layers * jobs, "no execution was lost and tried again");
    println!("{kills} kills, {} runs, {} executions: 0 lost, 0 doubled", known.len(), launched.len());
}

/// Page by page, newest first.
async fn runs(served: &Served) -> Vec<String> {
    let (mut found, mut before): (Vec<String>, Value) = (Vec::new(), Value::Null);
    loop {
        let filter = json!({"pipeline": null, "status": null, "text": "", "before": before});
        let page = served.ask("runs/list", json!({"filter": filter})).await;
        let Some(last) = page.as_array().unwrap().last() else { return found };
        before = last["started"].clone();
        found.extend(page.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()));
    }
}
