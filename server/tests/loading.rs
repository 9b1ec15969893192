//! Is a Load Data run again only when its source or its settings are others?

mod product;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request, response::Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use futures::{SinkExt, StreamExt};
use product::{Data, Served, Socket, wish};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use tokio_tungstenite::tungstenite::Message;

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

/// A site of this machine that a certificate of its own speaks for, which is written to `file`.
async fn private_site(file: &Path) -> u16 {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let encoded = BASE64_STANDARD.encode(own.cert.der());
    std::fs::write(file, format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![own.cert.into()], key).unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let Ok(mut stream) = tls.accept(listener.accept().await.unwrap().0).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\na,b\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn a_source_with_a_companys_own_certificate_is_loaded_when_ssl_cert_file_names_it_and_else_said_at_once() {
    // The one folder of this machine that tasks see and a test may write to.
    let home = std::env::home_dir().unwrap();
    let place = tempfile::tempdir_in(home).unwrap();
    let certificate = place.path().join("company.pem");
    let port = private_site(&certificate).await;
    let document = json!({"format": "fletchline/v1", "id": "fresh", "name": "Fresh", "arrows": [], "tasks": [
        {"id": "load", "name": "load", "kind": "load_data", "target": "/data",
            "sources": [{"url": format!("https://localhost:{port}/data.csv")}]}]});
    let file = certificate.display().to_string();
    for (trusted, status, sentence) in [
        (None, "failed", "has a certificate that is not trusted here"),
        (Some(("SSL_CERT_FILE", file.as_str())), "succeeded", "ended well"),
    ] {
        let data = Data::new();
        let allowed = ("FLETCHLINE_LOAD_FROM", "localhost");
        let environment: Vec<_> = trusted.into_iter().chain([allowed]).collect();
        let served = Served::start_with(&data, &environment).await;
        served.create(&document).await;
        let run = served.begin(wish("fresh", 1)).await;
        let view = served.until(&run, |view| view["summary"]["status"] == status).await;
        let log = std::fs::read_to_string(data.path().join("executions/fresh/load/1/log")).unwrap();
        let said = format!("{} {log}", view["tasks"]["load"]["sentence"]);
        assert!(said.contains(sentence), "{said}");
    }
}

/// A site that sends a little of a file, and the rest when it is let.
async fn slow_site(go_on: Arc<Notify>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            assert!(stream.read(&mut asked).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n").await.unwrap();
            stream.write_all(&vec![b'a'; 1_000_000]).await.unwrap();
            go_on.notified().await;
            stream.write_all(&vec![b'a'; 1_000_000]).await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn a_page_that_stays_open_is_told_how_far_a_download_is() {
    let go_on = Arc::new(Notify::new());
    let port = slow_site(go_on.clone()).await;
    let data = Data::new();
    let served = Served::start_with(&data, &[("FLETCHLINE_LOAD_FROM", "127.0.0.1")]).await;
    let load = json!({"id": "load", "name": "load", "kind": "load_data",
        "sources": [{"url": format!("http://127.0.0.1:{port}/data.bin")}]});
    served
        .create(&json!({"format": "fletchline/v1", "id": "slow", "name": "Slow", "tasks": [load], "arrows": []}))
        .await;
    let run = served.begin(wish("slow", 1)).await;
    let mut live = served.live().await;
    live.send(Message::text(json!({"watch": "run", "run": run, "version": 0}).to_string())).await.unwrap();
    let told = async |live: &mut Socket, expected: &dyn Fn(&Value) -> bool| {
        let found = async {
            loop {
                let Message::Text(text) = live.next().await.unwrap().unwrap() else { continue };
                let told: Value = serde_json::from_str(&text).unwrap();
                if expected(&told["run"]["tasks"]["load"]) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("the page is told");
    };
    told(&mut live, &|task| task["progress"]["bytes"] == 1_000_000 && task["progress"]["total"] == 2_000_000).await;
    go_on.notify_one();
    told(&mut live, &|task| task["status"] == "done").await;
}
