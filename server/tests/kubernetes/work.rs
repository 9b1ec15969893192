//! Do the work folders, which lie on the claim, go along with a copy and an export, and do their texts come into the page?

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, IMAGE},
    examples::data,
    product::{Served, wish},
};

fn document(command: &str) -> Value {
    let step = json!({"id": "step", "name": "Step", "kind": "container", "advance": {"by": "exit"},
        "command": ["sh", "-c", command]});
    json!({"format": "fletchline/v1", "id": "notes", "name": "Notes", "tasks": [step], "arrows": []})
}

async fn works(served: &Served, revision: u64) {
    let run = served.begin(wish("notes", revision)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;
}

pub async fn work_folders_go_along_with_a_copy_and_an_export_and_their_texts_can_be_read(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let data = data(&cluster, place.path(), &format!("kubernetes.images.container = \"{IMAGE}\"\n")).await;
    let served = Served::start(&data).await;
    served.create(&document("mkdir src; echo seven > src/notes.txt; echo x > .home/cache; printf '\\377' > raw")).await;
    works(&served, 1).await;

    let folders = served.ask("work/folders", json!({"id": "notes"})).await;
    assert_eq!(folders[0]["title"], "Step");
    let files = json!([{"name": "raw", "bytes": 1}, {"name": "src/notes.txt", "bytes": 6}]);
    assert_eq!((&folders[0]["files"], folders.as_array().unwrap().len()), (&files, 1));
    let texts = async |id: &str, name: &str| {
        served.answer("work/texts", json!({"id": id, "task": "step", "names": [name]})).await
    };
    let (status, text) = texts("notes", "src/notes.txt").await;
    assert!(status == 200 && text.contains("seven"), "{text}");
    let (status, refused) = texts("notes", "raw").await;
    assert!(status == 400 && refused.contains("raw is no text"), "{refused}");
    let (status, refused) = texts("notes", "../../../etc/passwd").await;
    assert!(status == 400, "{refused}");

    let copy = served.ask("pipelines/create", json!({"new": {"from": "copy_of", "id": "notes"}})).await;
    let (_, text) = texts(copy["id"].as_str().unwrap(), "src/notes.txt").await;
    assert!(text.contains("seven"), "{text}");

    let zip = served.request(Method::GET, "/files/pipeline/notes.zip").send().await.unwrap();
    let zip = zip.error_for_status().unwrap().bytes().await.unwrap();
    served.ask("pipelines/delete", json!({"id": "notes"})).await;
    let import = served.request(Method::POST, "/files/import").body(zip).send().await.unwrap();
    assert_eq!(import.json::<Value>().await.unwrap(), json!({"id": "notes", "sentences": []}));
    let (_, text) = texts("notes", "src/notes.txt").await;
    assert!(text.contains("seven"), "{text}");
    // The task finds it, and may go on with it.
    let more = json!({"id": "notes", "revision": 1, "document": document("test ! -e .home/cache && echo eight >> src/notes.txt").to_string()});
    served.ask("pipelines/save", more).await;
    works(&served, 2).await;
    let (_, text) = texts("notes", "src/notes.txt").await;
    assert!(text.contains("seven\\neight\\n"), "{text}");

    let (client, namespace) = cluster.client().await;
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let label = pods.list(&ListParams::default().labels("fletchline.io/errand=work")).await.unwrap();
    assert!(label.items.iter().all(|pod| pod.metadata.deletion_timestamp.is_some()), "a pod of ours is left");
}
