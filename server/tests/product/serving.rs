//! A pipeline with a Serving whose answers tell which version they come from.

use std::time::{Duration, Instant};

use model::{
    kind::Framework,
    serving::{Generation, template},
};
use serde_json::{Value, json};

use super::{Served, wish};

/// Answers with the number of the execution that made its model.
const ASK: &str = r#"import json, os, urllib.request
request = urllib.request.Request(os.environ["API_URL"] + "/predict", json.dumps({"x": 7}).encode(), {"content-type": "application/json"})
open("/answer/answer.json", "wb").write(urllib.request.urlopen(request, timeout=20).read())
"#;

pub fn document(id: &str, port: Option<u16>) -> Value {
    let arrow = |id: &str, from: &str, path: &str, to: &str| json!({"id": id, "from_task": from, "from_path": path, "to_task": to, "to_path": path, "acl": "RO"});
    let mut api = json!({"id": "api", "name": "API", "kind": "serving", "framework": "custom",
        "files": template(Framework::Custom, Generation::Current)});
    if let Some(port) = port {
        api["port"] = port.into();
    }
    json!({"format": "fletchline/v1", "id": id, "name": "Served", "tasks": [
        {"id": "make", "name": "Make", "kind": "job", "script": "echo $FLETCHLINE_N > /model/model.json"},
        api,
        {"id": "ask", "name": "Ask", "kind": "job", "command": ["python3", "ask.py"], "keep": ["/answer"],
            "files": [{"name": "ask.py", "text": ASK}]},
    ], "arrows": [arrow("a", "make", "/model", "api"), arrow("b", "api", "", "ask")]})
}

pub async fn run(served: &Served, pipeline: &str, revision: u64) -> String {
    let run = served.begin(wish(pipeline, revision)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
    run
}

pub async fn services(served: &Served) -> Vec<Value> {
    served.ask("services/list", json!({})).await.as_array().unwrap().clone()
}

/// Where the live version is said to be, as soon as that is said.
pub async fn live(served: &Served) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let all = services(served).await;
        let live = all.iter().find(|one| one["live"] == true);
        if let Some(address) = live.and_then(|one| one["address"].as_str()) {
            return address.to_owned();
        }
        assert!(Instant::now() < deadline, "{all:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The execution that made the model of whoever answers.
pub async fn model_at(address: &str) -> Result<Value, reqwest::Error> {
    let request = reqwest::Client::new().post(format!("{address}/predict")).json(&json!({"x": 7}));
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    assert_eq!(answer["x"], 7);
    Ok(answer["model"].clone())
}
