//! Do tasks on a cluster get the secrets that a person stores in the page, by the command line or in the cluster itself?

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;

use crate::{
    cluster::{Cluster, IMAGE, PATIENCE},
    examples::data,
    product::{Served, wish},
};

pub async fn a_secret_is_stored_on_the_cluster_and_given_to_the_tasks_that_name_it(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let kept = format!("kept-{:x}", rand::random::<u32>());
    let others = format!("kubernetes.images.job = \"{IMAGE}\"\nkubernetes.secrets = \"{kept}\"\n");
    let data = data(&cluster, place.path(), &others).await;
    let served = Served::start(&data).await;

    // In the page: the first makes the Secret.
    let known = served.ask("secrets/set", json!({"name": "PAGE", "value": "old"})).await;
    assert_eq!(known["secrets"], json!(["PAGE"]));
    served.ask("secrets/set", json!({"name": "PAGE", "value": "by page"})).await;
    let (status, _) = served.answer("secrets/set", json!({"name": "a/b", "value": "x"})).await;
    assert_eq!(status, 400);

    // By the command line, while the server runs, and by whoever has the cluster.
    let mut set = data.command(&["secret", "set", "LINE"]).stdin(Stdio::piped()).spawn().unwrap();
    set.stdin.take().unwrap().write_all(b"by line\n").unwrap();
    assert!(set.wait().unwrap().success());
    let (client, namespace) = cluster.client().await;
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    let more = Patch::Merge(json!({"stringData": {"CLUSTER": "by cluster"}}));
    secrets.patch(&kept, &PatchParams::default(), &more).await.unwrap();
    let begin = Instant::now();
    while served.ask("site", json!({})).await["secrets"] != json!(["CLUSTER", "LINE", "PAGE"]) {
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let env = json!({"A": {"secret": "PAGE"}, "B": {"secret": "LINE"}, "C": {"secret": "CLUSTER"}});
    // Not as one word: the document is looked through as well.
    let script = "test \"$A, $B, $C\" = 'by'' page, by line, by cluster'";
    let job = json!({"id": "j", "name": "J", "kind": "job", "script": script, "env": env});
    served.create(&json!({"format": "fletchline/v1", "id": "one", "name": "One", "tasks": [job], "arrows": []})).await;
    let run = served.begin(wish("one", 1)).await;
    served.until(&run, |view| view["summary"]["status"] == "succeeded").await;

    for file in files(data.path()) {
        let bytes = fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(7).any(|part| part == b"by page"), "{} has a value", file.display());
    }
    secrets.delete(&kept, &DeleteParams::default()).await.unwrap();
}

/// All below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
