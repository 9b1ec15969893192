//! Do the Python kinds run in the image that `cargo xtask images` makes, with a server outside the cluster?

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Service;
use kube::{Api, Client};
use model::{
    kind::Framework,
    serving::{Generation, template},
};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, OURS, PATIENCE, USER, folder},
    product::{
        Data, Served, digits,
        serving::{document, live, model_at, run, services},
    },
};

/// A server whose tasks run in the cluster's namespace, with a results claim of its own below `place` and these other
/// settings.
pub async fn served(cluster: &Cluster, place: &Path, others: &str) -> (Data, Served) {
    let data = data(cluster, place, others).await;
    let served = Served::start(&data).await;
    (data, served)
}

/// The data folder of such a server.
pub async fn data(cluster: &Cluster, place: &Path, others: &str) -> Data {
    let (client, namespace) = cluster.client().await;
    let claim = format!("examples-{:x}", rand::random::<u32>());
    cluster.claim(&client, &claim, &folder(place, "results", 0)).await;
    folder(place, "results/pipeline", USER);
    let data = Data::new();
    let settings = format!(
        "runner = \"kubernetes\"\nkubernetes.namespace = \"{namespace}\"\nkubernetes.image = \"{OURS}\"\n\
         kubernetes.results = \"{claim}\"\n{others}"
    );
    fs::write(data.path().join("fletchline.toml"), settings).unwrap();
    data
}

pub async fn digits_runs_whole_in_the_image_of_ours(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (_data, served) = served(&cluster, place.path(), "").await;
    digits::runs_whole(&served).await;
}

/// The cluster's names mean nothing on this machine; its addresses do.
async fn from_here(client: &Client, namespace: &str, address: &str) -> String {
    let name = address.strip_prefix("http://").and_then(|rest| rest.strip_suffix(&format!(".{namespace}.svc")));
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let found = services.get(name.expect(address)).await.unwrap();
    format!("http://{}", found.spec.unwrap().cluster_ip.unwrap())
}

/// A tree that was taught the digits, and the first of them beside it.
const TEACH: &str = r#"import joblib, json
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier
x, y = load_digits(return_X_y=True)
joblib.dump(DecisionTreeClassifier(random_state=0).fit(x, y), "/model/model.joblib")
json.dump([x[0].tolist()], open("/model/first.json", "w"))
"#;

pub async fn bentoml_1_1_packs_and_serves_a_scikit_learn_model_in_the_image_of_ours(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (_data, served) = served(&cluster, place.path(), "").await;
    let (client, namespace) = cluster.client().await;
    let files = template(Framework::ScikitLearn, Generation::Bento11);
    let tasks = json!([
        {"id": "make", "name": "Make", "kind": "job", "command": ["python3", "teach.py"],
            "files": [{"name": "teach.py", "text": TEACH}]},
        {"id": "api", "name": "API", "kind": "serving", "framework": Framework::ScikitLearn, "files": files},
    ]);
    let arrow = json!({"id": "a", "from_task": "make", "from_path": "/model", "to_task": "api", "to_path": "/model", "acl": "RO"});
    served
        .create(&json!({"format": "fletchline/v1", "id": "older", "name": "Older", "tasks": tasks, "arrows": [arrow]}))
        .await;
    run(&served, "older", 1).await;
    let built = place.path().join("results/pipeline/older/api/1/bento/bento.json");
    assert!(fs::read_to_string(&built).unwrap().contains("bento-1.1"), "{}", built.display());
    let address = from_here(&client, namespace, &live(&served).await).await;
    let first = fs::read_to_string(place.path().join("results/pipeline/older/make/1/model/first.json")).unwrap();
    let ask = async || {
        let asked = reqwest::Client::new().post(format!("{address}/predict"));
        asked.header("content-type", "application/json").body(first.clone()).send().await
    };
    // A node learns a little later than the cluster which pod is behind an address.
    let begin = Instant::now();
    let answer = loop {
        match ask().await {
            Err(error) if error.is_connect() && begin.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            answer => break answer.unwrap().error_for_status().unwrap(),
        }
    };
    assert_eq!(answer.json::<Value>().await.unwrap(), json!([0]));
}

/// Which version has answered, from now on until nothing but `last` has for a while.
async fn asked_all_the_time(address: String, last: u64) -> Vec<Result<Value, String>> {
    let (begin, mut answers, mut since) = (Instant::now(), Vec::new(), None);
    while begin.elapsed() < Duration::from_secs(90) {
        let answer = model_at(&address).await.map_err(|error| format!("{error:?}"));
        match answer == Ok(json!(last)) {
            true => _ = since.get_or_insert_with(Instant::now),
            false => since = None,
        }
        answers.push(answer);
        if since.is_some_and(|since| since.elapsed() > Duration::from_secs(15)) {
            break;
        }
    }
    answers
}

pub async fn a_version_is_made_live_without_a_request_that_is_not_answered(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (_data, served) = served(&cluster, place.path(), "").await;
    let (client, namespace) = cluster.client().await;
    served.create(&document("served", None)).await;
    run(&served, "served", 1).await;
    let address = live(&served).await;
    let here = from_here(&client, namespace, &address).await;
    assert_eq!(model_at(&here).await.unwrap(), 1);

    // A second version is ready beside the live one, and its own run asks it.
    let second = run(&served, "served", 1).await;
    let answered = place.path().join("results/pipeline/served/ask/2/answer/answer.json");
    assert_eq!(serde_json::from_str::<Value>(&fs::read_to_string(answered).unwrap()).unwrap()["model"], 2);
    assert_eq!((live(&served).await, model_at(&here).await.unwrap()), (address.clone(), json!(1)));
    let all = services(&served).await;
    let beside = all.iter().find(|one| one["live"] == false).unwrap()["address"].as_str().unwrap();
    assert_eq!(model_at(&from_here(&client, namespace, beside).await).await.unwrap(), 2);

    let asking: Vec<_> = (0..4).map(|_| tokio::spawn(asked_all_the_time(here.clone(), 2))).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    served.ask("runs/deed", json!({"run": second, "task": "api", "deed": "make_live", "anyway": false})).await;
    for answers in asking {
        let answers = answers.await.unwrap();
        let unanswered: Vec<_> = answers.iter().filter(|answer| answer.is_err()).collect();
        assert!(unanswered.is_empty(), "{} of {}: {:?}", unanswered.len(), answers.len(), unanswered[0]);
        assert_eq!((&answers[0], answers.last()), (&Ok(json!(1)), Some(&Ok(json!(2)))));
    }
    let left = services(&served).await;
    assert_eq!((left.len(), live(&served).await), (1, address), "{left:?}");
}
