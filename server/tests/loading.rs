//! Is a Load Data run again only when its source or its settings are others?

mod product;

use std::sync::{Arc, Mutex};

use axum::{Router, extract::Request, response::Response};
use product::{Data, Served, wish};
use serde_json::{Value, json};

/// A site of this machine whose answer to `/told/…` has an ETag, and to `/mute/…` nothing to go by.
async fn site(etag: Arc<Mutex<String>>) -> String {
    let answer = move |request: Request| {
        let etag = etag.lock().unwrap().clone();
        async move {
            let told = request.uri().path().starts_with("/told").then_some(("etag", etag));
            let answer = Response::builder().header("content-type", "text/csv");
            let answer = told.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value));
            answer.body(axum::body::Body::from("a,b\n")).unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    format!("http://{address}")
}

fn document(site: &str) -> Value {
    let load = |id: &str, url: String, keep: bool| json!({"id": id, "name": id, "kind": "load_data", "sources": [{"url": url}], "target": "/data", "keep": keep});
    json!({"format": "fletchline/v1", "id": "fresh", "name": "Fresh",
        "parameters": [{"name": "set", "type": "text", "default": "small"}, {"name": "lr", "type": "number", "default": "1"}],
        "tasks": [load("told", format!("{site}/told/{{{{set}}}}.csv"), false),
            load("mute", format!("{site}/mute/data.csv"), false), load("kept", format!("{site}/mute/data.csv"), true),
            load("both", format!("{site}/told/both.csv"), true)],
        "arrows": []})
}

#[tokio::test]
async fn what_was_loaded_is_read_again_while_the_source_says_that_it_is_the_same() {
    let etag = Arc::new(Mutex::new("\"one\"".to_owned()));
    let site = site(etag.clone()).await;
    let data = Data::new();
    let served = Served::start_with(&data, &[("FLETCHLINE_LOAD_FROM", "127.0.0.1")]).await;
    served.create(&document(&site)).await;
    let run = async |parameters: Value| {
        let mut wish = wish("fresh", 1);
        wish["parameters"] = parameters;
        let run = served.begin(wish).await;
        let view = served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
        ["told", "mute", "kept", "both"].map(|task| view["tasks"][task]["sentence"].as_str().unwrap().to_owned())
    };
    let new = "ended well";
    assert_eq!(run(json!({})).await, [new; 4]);
    let same = "same as run 1: same ETag and length";
    let kept = "same as run 1: the task keeps what was fetched";
    assert_eq!(run(json!({"lr": "2"})).await, [same, new, kept, same]);
    assert_eq!(run(json!({"set": "large"})).await, [new, new, kept, same], "another source");
    *etag.lock().unwrap() = "\"two\"".to_owned();
    assert_eq!(run(json!({"set": "large"})).await, [new, new, kept, new], "the source has changed");
}
