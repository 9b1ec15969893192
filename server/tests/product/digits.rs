//! Does *digits* run whole, wherever the server runs its tasks?

#[path = "../python/kernel.rs"]
mod kernel;

use std::time::{Duration, Instant};

use kernel::Kernel;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Pages, Served, wish};

const ZERO: [u8; 64] = [
    0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0, 0, 4, 12, 0, 0, 8, 8, 0, 0, 5, 8, 0,
    0, 9, 8, 0, 0, 4, 11, 0, 1, 12, 7, 0, 0, 2, 14, 5, 10, 12, 0, 0, 0, 0, 6, 13, 10, 0, 0, 0,
];

/// From the notebook to a model that answers; the run's view at its end.
pub async fn runs_whole(served: &Served) -> Value {
    let made = served.ask("pipelines/create", json!({"new": {"from": "example", "name": "digits"}})).await;
    let mut wish = wish(made["id"].clone(), 1);
    wish["parameters"] = json!({"epochs": "3"});
    let run = &served.begin(wish).await;

    let view = served.until(run, |view| view["tasks"]["explore"]["status"] == "waiting_for_you").await;
    run_all_cells(&served.open(&view, "explore").await, served.port).await;
    served.ask("runs/deed", json!({"run": run, "task": "explore", "deed": "advance", "anyway": false})).await;

    let view = served.until(run, |view| view["summary"]["status"] == "succeeded").await;
    assert_eq!(view["tasks"]["train"]["executions"].as_array().unwrap().len(), 3);
    let digits = served.open(&view, "api").await.post("/predict", &json!({"x": [ZERO.as_slice()]})).await;
    assert_eq!(digits.json::<Value>().await.unwrap(), json!([0]));
    three_runs_are_shown(&served.open(&view, "board").await).await;
    view
}

/// As "Run All Cells" does.
async fn run_all_cells(pages: &Pages, port: u16) {
    let notebook: Value = pages.get("/api/contents/explore.ipynb").await.json().await.unwrap();
    let session = json!({"path": "explore.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}});
    let session: Value = pages.post("/api/sessions", &session).await.json().await.unwrap();
    let kernel = session["kernel"]["id"].as_str().unwrap();
    let url = format!("ws://{}/api/kernels/{kernel}/channels?session_id=test", pages.host);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cookie", pages.cookie.parse().unwrap());
    request.headers_mut().insert("origin", format!("http://{}", pages.host).parse().unwrap());
    let mut kernel = Kernel::connect(port, request).await;
    let cells = notebook["content"]["cells"].as_array().unwrap();
    for (number, cell) in cells.iter().enumerate().filter(|(_, cell)| cell["cell_type"] == "code") {
        kernel.run(&number.to_string(), cell["source"].as_str().unwrap()).await;
    }
}

async fn three_runs_are_shown(pages: &Pages) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let runs: Value = pages.get("/data/runs").await.json().await.unwrap();
        let names: Vec<&str> = runs.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        if names.len() == 3
            && ["0.0003", "0.003", "0.03"].iter().all(|rate| names.iter().any(|name| name.contains(rate)))
        {
            return;
        }
        assert!(Instant::now() < deadline, "{runs}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
