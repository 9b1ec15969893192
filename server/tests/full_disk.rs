//! What becomes of the server and its runs while the disk with the data folder is full?

mod product;

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
    time::{Duration, Instant},
};

use product::{Data, Served, wish};
use serde_json::{Value, json};

const FULL: &str = "The disk that holds the data folder is full: make room on it.";

fn document(name: &str) -> Value {
    json!({"format": "fletchline/v1", "id": "small", "name": name, "arrows": [],
        "tasks": [{"id": "t", "name": "T", "kind": "job", "script": "echo began"}]})
}

/// To the last byte.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        let full = (0..).find_map(|_| file.write_all(&vec![0; size]).err()).unwrap();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }
}

/// How often a run is asked for until the server says that it does not take it, and what it says.
async fn refused(served: &Served) -> (usize, String) {
    for taken in 0..500 {
        let (status, text) = served.answer("runs/start", json!({"new": wish("small", 1)})).await;
        if status != 200 {
            assert_eq!(status, 503, "{text}");
            return (taken, text);
        }
    }
    panic!("a full disk takes everything");
}

async fn runs(served: &Served) -> Vec<Value> {
    let filter = json!({"pipeline": null, "status": null, "text": "", "before": null});
    served.ask("runs/list", json!({"filter": filter})).await.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_server_on_a_full_disk_says_so_and_goes_on_by_itself_when_there_is_room() {
    let data = Data::new();
    let served = Served::start_by(data.serve_on_a_disk_of("8m")).await;
    served.create(&document("Small")).await;
    let first = served.begin(wish("small", 1)).await;
    served.until(&first, |view| view["summary"]["status"] == "succeeded").await;

    let ballast = served.sees(&data.path().join("ballast"));
    fill(&ballast);
    let (taken, said) = refused(&served).await;
    assert!(said.contains(FULL) && said.contains("What you asked for is done then."), "{said}");
    let (more, said) = refused(&served).await;
    assert!(more == 0 && said.contains(FULL) && said.contains("Nothing is started or stopped"), "{said}");
    let save = json!({"id": "small", "revision": 1, "document": document("Renamed").to_string()});
    let (status, said) = served.answer("pipelines/save", save).await;
    assert!(status == 503 && said.contains(FULL), "{status} {said}");

    std::fs::remove_file(ballast).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let has_ended = |run: &Value| run["status"] == "succeeded";
    // The first one, those that were taken, and the one that was to be done later.
    while runs(&served).await.iter().filter(|run| has_ended(run)).count() < taken + 2 {
        assert!(Instant::now() < deadline, "{:#?}", runs(&served).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let last = served.begin(wish("small", 1)).await;
    served.until(&last, |view| view["summary"]["status"] == "succeeded").await;
    assert_eq!(runs(&served).await.len(), taken + 3);
}
