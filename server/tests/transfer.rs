//! Do pipelines leave and come back whole, and do hostile files change nothing?

mod product;
mod site;

use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use product::{Data, Served, wish};
use reqwest::Method;
use serde_json::{Value, json};
use site::Site;
use zip::{ZipWriter, write::SimpleFileOptions};

type Zip = ZipWriter<Cursor<Vec<u8>>>;

const DOCUMENT: &str = r#"{"format":"fletchline/v1","id":"hostile","name":"Hostile"}"#;

fn work(site: &Site, pipeline: &str, task: &str) -> PathBuf {
    site.folder.path().join("results/pipeline").join(pipeline).join(task).join("work")
}

/// A zip of an honest document and what else is put into it.
fn zip(put: impl FnOnce(&mut Zip)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("pipeline.json", SimpleFileOptions::default()).unwrap();
    zip.write_all(DOCUMENT.as_bytes()).unwrap();
    put(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn file(zip: &mut Zip, name: &str, text: &[u8]) {
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(text).unwrap();
}

fn link(zip: &mut Zip, name: &str, target: &str) {
    zip.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
}

async fn import(site: &Site, body: Vec<u8>) -> (u16, Value) {
    let answer = site.request(Method::POST, "/files/import").body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn export(site: &Site, pipeline: &str) -> Vec<u8> {
    let zip = site.request(Method::GET, &format!("/files/pipeline/{pipeline}.zip")).send().await.unwrap();
    zip.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_work_folder_comes_back_with_its_links_and_programs_and_without_what_leads_out_of_it() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    let folder = work(&site, &id, "explore");
    fs::create_dir_all(folder.join("src/deep")).unwrap();
    fs::write(folder.join("src/train.sh"), "echo seven").unwrap();
    fs::set_permissions(folder.join("src/train.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../train.sh", folder.join("src/deep/again")).unwrap();
    // As a Python environment in the folder has them.
    symlink("/usr/bin/python3", folder.join("python")).unwrap();
    symlink("../../../other/work/secret", folder.join("src/out")).unwrap();
    let zip = export(&site, &id).await;
    site.ask("pipelines/delete", json!({"id": id})).await;

    assert_eq!(import(&site, zip).await, (200, json!({"id": id, "sentences": []})));
    let mode = fs::metadata(folder.join("src/train.sh")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "it can be executed as before");
    assert_eq!(fs::read_to_string(folder.join("src/deep/again")).unwrap(), "echo seven");
    assert!(
        fs::symlink_metadata(folder.join("python")).is_err() && fs::symlink_metadata(folder.join("src/out")).is_err()
    );
}

#[tokio::test]
async fn what_lies_in_work_folders_is_listed_and_its_texts_can_be_taken_into_the_document() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    assert_eq!(site.ask("work/folders", json!({"id": id})).await, json!([]));
    let folder = work(&site, &id, "explore");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/train.py"), "print(7)").unwrap();
    symlink("/etc/passwd", folder.join("passwd")).unwrap();
    let listed = json!([{
        "task": "explore", "title": "explore", "files": [{"name": "src/train.py", "bytes": 8}], "more": false,
    }]);
    assert_eq!(site.ask("work/folders", json!({"id": id})).await, listed);
    let texts = |names: Value| json!({"id": id, "task": "explore", "names": names});
    let taken = site.ask("work/texts", texts(json!(["src/train.py"]))).await;
    assert_eq!(taken, json!([{"name": "src/train.py", "text": "print(7)"}]));
    let refused = site.post("work/texts", &texts(json!(["passwd"]))).await;
    assert_eq!(refused.status(), 404);
}

#[tokio::test]
async fn a_dropped_file_goes_when_no_document_has_named_it_for_a_month() {
    let site = Site::new().await;
    let put = async |text: &'static str| {
        let answer = site.request(Method::PUT, "/files/upload?name=x.txt").body(text).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let (named, unnamed, fresh) = (put("named").await, put("unnamed").await, put("fresh").await);
    let load = json!({"id": "load", "name": "Load", "kind": "load_data", "sources": [{"url": named}]});
    let text = json!({"format": "fletchline/v1", "id": "p", "name": "P", "tasks": [load]}).to_string();
    site.ask("pipelines/create", json!({"new": {"from": "document", "text": text}})).await;
    let file = |folder: &std::path::Path, upload: &str| {
        folder.join("uploads").join(upload.strip_prefix("upload:").unwrap().strip_suffix("/x.txt").unwrap())
    };
    let Site { server, folder, .. } = site;
    drop(server);
    let month_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(31 * 24 * 3600);
    for old in [&named, &unnamed] {
        let file = fs::File::options().write(true).open(file(folder.path(), old)).unwrap();
        file.set_modified(month_ago).unwrap();
    }
    let site = Site::on(folder).await;
    for _ in 0..200 {
        if !file(site.folder.path(), &unnamed).exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(!file(site.folder.path(), &unnamed).exists(), "it is still there after 10 s");
    assert!(file(site.folder.path(), &named).exists() && file(site.folder.path(), &fresh).exists());
}

#[tokio::test]
async fn a_copy_of_a_pipeline_has_copies_of_its_work_folders() {
    let site = Site::new().await;
    let id = site.empty_pipeline("Digits").await;
    fs::create_dir_all(work(&site, &id, "explore")).unwrap();
    fs::write(work(&site, &id, "explore").join("notes.txt"), "seven").unwrap();
    let copy = site.ask("pipelines/create", json!({"new": {"from": "copy_of", "id": id}})).await;
    let copied = work(&site, copy["id"].as_str().unwrap(), "explore").join("notes.txt");
    fs::write(work(&site, &id, "explore").join("notes.txt"), "eight").unwrap();
    assert_eq!(fs::read_to_string(copied).unwrap(), "seven");
}

#[tokio::test]
async fn a_work_folder_that_lies_here_is_never_written_over() {
    let site = Site::new().await;
    // As a run from the command line leaves one: there is no saved pipeline of this id.
    fs::create_dir_all(work(&site, "hostile", "explore")).unwrap();
    fs::write(work(&site, "hostile", "explore").join("mine"), "mine").unwrap();
    let (status, created) = import(&site, zip(|zip| file(zip, "work/explore/theirs", b"theirs"))).await;
    assert_eq!(status, 200);
    assert_ne!(created["id"], "hostile");
    assert!(created["sentences"][0].as_str().unwrap().contains("new id"), "{created}");
    assert!(!work(&site, "hostile", "explore").join("theirs").exists());
    assert!(work(&site, created["id"].as_str().unwrap(), "explore").join("theirs").exists());
}

#[tokio::test]
async fn hostile_zips_are_refused_with_a_sentence_and_leave_nothing() {
    let site = Site::new().await;
    let before = listing(&site);
    let hostile = [
        ("out", zip(|zip| file(zip, "../evil", b"x"))),
        ("out of work", zip(|zip| file(zip, "work/a/../../../evil", b"x"))),
        ("a link out", zip(|zip| link(zip, "work/a/l", "/etc/passwd"))),
        (
            "through a link",
            zip(|zip| {
                link(zip, "work/a/l", "../../..");
                file(zip, "work/a/l/evil", b"x");
            }),
        ),
        ("a bomb", zip(|zip| file(zip, "work/a/zeros", &vec![0; 256 << 20]))),
        ("no document", {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            file(&mut zip, "other.json", b"{}");
            zip.finish().unwrap().into_inner()
        }),
        ("a document that is a link", {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            file(&mut zip, "work/a/x", DOCUMENT.as_bytes());
            link(&mut zip, "pipeline.json", "work/a/x");
            zip.finish().unwrap().into_inner()
        }),
        ("truncated", {
            let whole = zip(|zip| file(zip, "work/a/x", b"x"));
            whole[..whole.len() / 2].to_vec()
        }),
    ];
    for (name, body) in hostile {
        let (status, error) = import(&site, body).await;
        assert_eq!(status, 400, "{name}: {error}");
        assert!(error["bad"]["sentence"].as_str().is_some_and(|sentence| sentence.len() > 10), "{name}: {error}");
        assert_eq!(listing(&site), before, "{name}");
    }
    assert_eq!(site.ask("pipelines/list", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_document_larger_than_any_pipeline_is_refused_without_being_read_whole() {
    let site = Site::new().await;
    let (status, error) = import(&site, vec![b' '; 40 << 20]).await;
    assert_eq!(
        (status, error["bad"]["sentence"].as_str().unwrap().contains("larger than 32 MiB")),
        (400, true),
        "{error}"
    );
}

#[tokio::test]
async fn names_that_are_no_tasks_are_not_taken_from_a_zip() {
    let site = Site::new().await;
    let body = zip(|zip| {
        file(zip, "work/.hidden/x", b"x");
        file(zip, "work/loose", b"x");
        file(zip, "README", b"x");
        file(zip, "/etc/fletchline-evil", b"x");
        file(zip, "work/explore/x", b"x");
    });
    assert_eq!(import(&site, body).await.0, 200);
    let tasks: Vec<_> = fs::read_dir(site.folder.path().join("results/pipeline/hostile")).unwrap().flatten().collect();
    assert_eq!(tasks.iter().map(fs::DirEntry::file_name).collect::<Vec<_>>(), ["explore"]);
    assert!(!PathBuf::from("/etc/fletchline-evil").exists());
}

#[tokio::test]
async fn a_dropped_file_is_loaded_under_its_name_and_one_that_is_gone_is_told() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let url = served.upload("my table.csv", b"a,b\n1,2\n".to_vec()).await;
    let document = json!({"format": "fletchline/v1", "id": "dropped", "name": "Dropped", "tasks": [
        {"id": "load", "name": "Load", "kind": "load_data", "sources": [{"url": url}], "target": "/data"},
        {"id": "read", "name": "Read", "kind": "job", "script": "grep 1,2 '/data/my table.csv'"},
    ], "arrows": [{"id": "a", "from_task": "load", "from_path": "/data", "to_task": "read", "to_path": "/data"}]});
    served.create(&document).await;
    let run = async |again: Value| {
        let mut wish = wish("dropped", 1);
        wish["download_again"] = again;
        served.begin(wish).await
    };
    let succeeded = |view: &Value| view["summary"]["status"] == "succeeded";
    served.until(&run(json!([])).await, succeeded).await;
    fs::remove_dir_all(data.path().join("uploads")).unwrap();
    let view = served.until_any(&run(json!(["load"])).await, |view| view["summary"]["status"] == "failed").await;
    let sentence = view["tasks"]["load"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("drop it again"), "{sentence}");
}

/// Everything in the data folder that an import could leave, and what lies beside it.
fn listing(site: &Site) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![site.folder.path().to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            }
            // The database writes its own.
            if !entry.file_name().to_string_lossy().starts_with("fletchline.db") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
