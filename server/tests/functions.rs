//! Does every server function answer through the real router?

mod site;

use std::collections::BTreeMap;

use futures::{SinkExt, StreamExt};
use http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};
use site::Site;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_pipeline_is_made_listed_opened_saved_copied_and_deleted() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    let opened = site.ask("pipelines/open", json!({"id": id})).await;
    assert_eq!(opened["revision"], 1);
    let document = opened["document"].as_str().unwrap().replace("\"Digits\"", "\"Numbers\"");
    let saved = site.ask("pipelines/save", json!({"id": id, "revision": 1, "document": document})).await;
    assert_eq!(saved, 2);
    let list = site.ask("pipelines/list", json!({})).await;
    assert_eq!((list[0]["name"].as_str(), list.as_array().unwrap().len()), (Some("Numbers"), 1));
    let copy = site.ask("pipelines/create", json!({"new": {"from": "copy_of", "id": id}})).await;
    assert_ne!(copy["id"], id);
    assert_eq!(site.ask("pipelines/removal", json!({"id": id})).await["held_by"], json!([]));
    site.ask("pipelines/delete", json!({"id": id})).await;
    assert_eq!(site.post("pipelines/open", &json!({"id": id})).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(site.ask("pipelines/list", json!({})).await[0]["name"], "Numbers (copy)");
}

#[tokio::test]
async fn a_pipeline_of_megabytes_is_saved() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    let opened = site.ask("pipelines/open", json!({"id": id})).await;
    let mut document: Value = serde_json::from_str(opened["document"].as_str().unwrap()).unwrap();
    document["description"] = "0123456789abcdef".repeat(3 << 16).into();
    let saved = json!({"id": id, "revision": 1, "document": document.to_string()});
    assert_eq!(site.ask("pipelines/save", saved).await, 2);
}

#[tokio::test]
async fn a_stale_save_is_refused_and_shows_what_is_stored() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    let document = site.ask("pipelines/open", json!({"id": id})).await["document"].clone();
    site.ask("pipelines/save", json!({"id": id, "revision": 1, "document": document})).await;
    let stale = site.post("pipelines/save", &json!({"id": id, "revision": 1, "document": document})).await;
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    let error: Value = stale.json().await.unwrap();
    assert_eq!((&error["stale"]["revision"], &error["stale"]["document"]), (&json!(2), &document));
}

#[tokio::test]
async fn a_tab_is_told_of_a_save_that_came_before_it_watched_and_of_each_one_after() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    let document = site.ask("pipelines/open", json!({"id": id})).await["document"].clone();
    let save = async |revision: u64| {
        site.ask("pipelines/save", json!({"id": id, "revision": revision, "document": document})).await
    };
    save(1).await;
    let mut live = site.live(&site.origin, &site.cookie).await.unwrap();
    let watch = json!({"watch": "pipeline", "id": id, "revision": 1}).to_string();
    live.send(Message::text(watch)).await.unwrap();
    assert_eq!(told(&mut live).await, json!({"saved": {"id": id, "revision": 2}}));
    save(2).await;
    assert_eq!(told(&mut live).await, json!({"saved": {"id": id, "revision": 3}}));
}

async fn told(live: &mut site::Socket) -> Value {
    loop {
        if let Message::Text(text) = live.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn each_example_can_be_made_new() {
    let site = Site::new().await;
    let examples = site.ask("pipelines/examples", json!({})).await;
    assert!(!examples.as_array().unwrap().is_empty());
    for example in examples.as_array().unwrap() {
        let new = json!({"new": {"from": "example", "name": example["name"]}});
        let id = site.ask("pipelines/create", new).await["id"].clone();
        let opened = site.ask("pipelines/open", json!({"id": id})).await;
        assert!(opened["document"].as_str().unwrap().contains(id.as_str().unwrap()));
    }
}

/// One request to each function, with what it answers on a new installation.
fn requests() -> BTreeMap<&'static str, (Value, u16)> {
    let run = json!({"run": "nobody"});
    let new = json!({"new": {"pipeline": "nobody", "revision": 1, "part": "all", "parameters": {}, "download_again": [], "reading": null}});
    let execution = json!({"pipeline": "p", "task": "t", "n": 1});
    BTreeMap::from([
        ("/api/pipelines/list", (json!({}), 200)),
        ("/api/pipelines/examples", (json!({}), 200)),
        ("/api/pipelines/create", (json!({"new": {"from": "empty", "name": " "}}), 400)),
        ("/api/pipelines/open", (json!({"id": "nobody"}), 404)),
        ("/api/pipelines/save", (json!({"id": "nobody", "revision": 1, "document": "{"}), 400)),
        ("/api/pipelines/manifests", (json!({"document": "{", "task": "t"}), 400)),
        ("/api/pipelines/removal", (json!({"id": "nobody"}), 404)),
        ("/api/pipelines/delete", (json!({"id": "nobody"}), 404)),
        ("/api/work/folders", (json!({"id": "nobody"}), 404)),
        ("/api/work/texts", (json!({"id": "nobody", "task": "t", "names": []}), 404)),
        ("/api/runs/start", (new.clone(), 404)),
        ("/api/runs/reading", (new, 404)),
        ("/api/runs/list", (json!({"filter": {"pipeline": null, "status": null, "text": "", "before": null}}), 200)),
        ("/api/runs/open", (run.clone(), 404)),
        ("/api/runs/events", (run.clone(), 404)),
        ("/api/runs/cancel", (run.clone(), 404)),
        ("/api/runs/deed", (json!({"run": "nobody", "task": "t", "deed": "advance", "anyway": false}), 404)),
        ("/api/runs/link", (json!({"execution": execution, "port": 1, "host": "localhost:1"}), 404)),
        ("/api/runs/delete", (run.clone(), 404)),
        ("/api/services/list", (json!({}), 200)),
        ("/api/runs/removal", (run, 404)),
        ("/api/runs/pin", (json!({"run": "nobody", "pinned": true}), 404)),
        ("/api/site", (json!({}), 200)),
        ("/api/site/space", (json!({}), 200)),
        ("/api/settings", (json!({}), 200)),
        ("/api/volumes/make", (json!({"name": "a/b", "place": "/", "access": "RO"}), 400)),
        ("/api/secrets/set", (json!({"name": "", "value": "x"}), 400)),
    ])
}

#[tokio::test]
async fn every_server_function_answers_with_the_status_that_its_error_means() {
    let site = Site::new().await;
    let mut requests = requests();
    for (path, _) in server_fn::axum::server_fn_paths() {
        let (body, status) = requests.remove(path).unwrap_or_else(|| panic!("{path} is not asked by this test"));
        let answer = site.request(Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}: {}", answer.text().await.unwrap());
    }
    assert!(requests.is_empty(), "not linked: {requests:?}");
}

#[tokio::test]
async fn a_field_that_nothing_reads_a_wrong_type_and_a_form_are_refused() {
    let site = Site::new().await;
    for body in [json!({"id": "x", "owner": "me"}), json!({}), json!({"id": 7}), json!({"id": "../x"}), json!([])] {
        assert_eq!(site.post("pipelines/open", &body).await.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    let text = site.request(Method::POST, "/api/site").header("content-type", "text/plain").body("{}");
    assert_eq!(text.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = site.request(Method::GET, "/api/site").send().await.unwrap();
    assert_ne!(get.status(), StatusCode::OK);
    assert_eq!(site.post("nothing/here", &json!({})).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bombs_are_refused() {
    let site = Site::new().await;
    let send = async |body: String| {
        let request = site.request(Method::POST, "/api/pipelines/open").header("content-type", "application/json");
        request.body(body).send().await.map(|answer| answer.status().as_u16())
    };
    assert_eq!(send(format!("{{\"id\":{}", "[".repeat(100_000))).await.unwrap(), 400);
    assert_eq!(send("{\"id\":\"a\",\"id\":\"b\"}".into()).await.unwrap(), 400);
    assert_eq!(send("{\"id\":1e400}".into()).await.unwrap(), 400);
    // The connection may be closed while the rest is still being sent.
    assert!(matches!(send(format!("{{\"id\":\"{}\"}}", "x".repeat(50 << 20))).await, Ok(413) | Err(_)));
    let header = site.request(Method::GET, "/").header("x-long", "x".repeat(300 << 10)).send().await;
    // Closed in the middle of the header, or told why.
    assert!(header.map_or(true, |answer| answer.status() == 431));
    assert_eq!(site.ask("pipelines/list", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_volume_and_a_secret_are_known_at_once_and_the_value_is_never_told() {
    let site = Site::new().await;
    let shared = tempfile::tempdir().unwrap();
    let folder = shared.path().to_str().unwrap();
    let known = site.ask("volumes/make", json!({"name": "team", "place": folder, "access": "RW"})).await;
    assert_eq!(known["volumes"]["team"]["access"], "RW");
    let again = site.post("volumes/make", &json!({"name": "team", "place": folder, "access": "RW"})).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let file = site.folder.path().join("fletchline.toml");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let unwritable = site.post("volumes/make", &json!({"name": "more", "place": folder, "access": "RW"})).await;
    let told = unwritable.text().await.unwrap();
    assert!(told.contains("write [volumes.more] into it where it comes from"), "{told}");
    let own = site.folder.path().join("x");
    std::fs::create_dir(&own).unwrap();
    let inside = site.post("volumes/make", &json!({"name": "own", "place": own.to_str(), "access": "RW"})).await;
    assert_eq!(inside.status(), StatusCode::BAD_REQUEST);
    let known = site.ask("secrets/set", json!({"name": "TOKEN", "value": "canary-7"})).await;
    assert_eq!(known["secrets"], json!(["TOKEN"]));
    let settings = site.ask("settings", json!({})).await.to_string();
    assert!(settings.contains("volumes.team") && !settings.contains("canary-7"));
}

#[tokio::test]
async fn an_exported_pipeline_comes_back_with_its_work_folder_under_its_own_id() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    let work = site.folder.path().join("results/pipeline").join(&id).join("explore/work");
    std::fs::create_dir_all(work.join(".home")).unwrap();
    std::fs::write(work.join("notes.txt"), "seven").unwrap();
    let export = site.request(Method::GET, &format!("/files/pipeline/{id}.zip")).send().await.unwrap();
    assert!(export.headers()["content-disposition"].to_str().unwrap().contains("Digits.zip"));
    let zip = export.bytes().await.unwrap();
    site.ask("pipelines/delete", json!({"id": id})).await;
    assert!(!work.exists());
    let import = site.request(Method::POST, "/files/import").body(zip.clone()).send().await.unwrap();
    let created: Value = import.json().await.unwrap();
    assert_eq!(created, json!({"id": id, "sentences": []}));
    assert_eq!(std::fs::read_to_string(work.join("notes.txt")).unwrap(), "seven");
    assert!(!work.join(".home").exists());
    let again = site.request(Method::POST, "/files/import").body(zip).send().await.unwrap();
    let created: Value = again.json().await.unwrap();
    assert_ne!(created["id"], id);
    assert!(created["sentences"][0].as_str().unwrap().contains("new id"));
    let json = site.request(Method::GET, &format!("/files/pipeline/{id}.json")).send().await.unwrap();
    assert_eq!(json.json::<Value>().await.unwrap()["id"], id);
}

#[tokio::test]
async fn a_file_that_is_imported_again_is_another_pipeline_and_the_first_stays_as_it_was_edited() {
    let site = Site::new().await;
    let document = |name: &str| json!({"format": "fletchline/v1", "id": "one", "name": name, "tasks": []});
    let import = async |name: &str| {
        let answer = site.request(Method::POST, "/files/import").body(document(name).to_string()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    assert_eq!(import("First").await, json!({"id": "one", "sentences": []}));
    let edited = json!({"id": "one", "revision": 1, "document": document("Edited").to_string()});
    site.ask("pipelines/save", edited).await;
    let ids = [import("Second").await, import("Third").await].map(|created| {
        let sentence = created["sentences"][0].as_str().unwrap();
        assert!(sentence.contains("There is a pipeline with the id one here, so this one got a new id"), "{sentence}");
        created["id"].as_str().unwrap().to_owned()
    });
    assert!(ids[0] != "one" && ids[1] != "one" && ids[0] != ids[1], "{ids:?}");
    let mut names = Vec::new();
    for id in ["one", &ids[0], &ids[1]] {
        let json = site.request(Method::GET, &format!("/files/pipeline/{id}.json")).send().await.unwrap();
        let json = json.json::<Value>().await.unwrap();
        assert_eq!(json["id"], id);
        names.push(json["name"].clone());
    }
    assert_eq!(names, ["Edited", "Second", "Third"]);
}

#[tokio::test]
async fn a_broken_import_changes_nothing_and_says_where() {
    let site = Site::new().await;
    for bad in ["{", "PK\u{3}\u{4}broken", "{\"format\":\"other\"}"] {
        let answer = site.request(Method::POST, "/files/import").body(bad).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
        let sentence = answer.text().await.unwrap();
        assert!(!bad.starts_with("PK") || sentence.contains("\"This file is damaged"), "{sentence}");
    }
    assert_eq!(site.ask("pipelines/list", json!({})).await, json!([]));
    let left: Vec<_> = std::fs::read_dir(site.folder.path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".arriving")), "{left:?}");
}

#[tokio::test]
async fn a_dropped_file_is_kept_by_its_checksum_with_its_name() {
    let site = Site::new().await;
    let upload = async |query: &str| {
        let request = site.request(Method::PUT, &format!("/files/upload{query}"));
        request.body("abc").send().await.unwrap().text().await.unwrap()
    };
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(upload("").await, format!("upload:{sha256}"));
    assert_eq!(
        upload("?name=my%20data%20%7B%7Bx%7D%7D.csv").await,
        format!("upload:{sha256}/my%20data%20%7B%7Bx%7D%7D.csv")
    );
    assert_eq!(upload("?name=..%2F..%2Fetc%2Fpasswd").await, format!("upload:{sha256}/passwd"));
    assert_eq!(upload("?name=..").await, format!("upload:{sha256}"));
    assert_eq!(std::fs::read(site.folder.path().join("uploads").join(sha256)).unwrap(), b"abc");
}

#[tokio::test]
async fn a_log_is_downloaded_as_a_file_that_no_browser_shows() {
    let site = Site::new().await;
    let folder = site.folder.path().join("executions/p/t/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("log"), "1 <script>\n").unwrap();
    let answer = site.request(Method::GET, "/files/log/p/t/1").send().await.unwrap();
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"t-1.log\"");
    assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.text().await.unwrap(), "1 <script>\n");
    for bad in ["/files/log/p/t/2", "/files/log/..%2f..%2fp/t/1", "/files/log/p/t/x"] {
        let status = site.request(Method::GET, bad).send().await.unwrap().status();
        assert!(status.is_client_error(), "{bad}: {status}");
    }
}
