//! When is it looked at whether tasks can begin, and what is told where that cannot be known?

use std::time::Duration;

use model::site::Faults;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Scene,
    api::{Answer, failed, found},
    launch, pod, scene,
};
use crate::runner::{
    Runner,
    kube::{check::RARELY, manifest::PREPARE},
};

/// Until what failed is looked at again.
const AGAIN: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_secs(2);

/// One that has told everything: our image alone is known here.
fn well() -> Value {
    let ended = json!({"terminated": {"exitCode": 0}});
    told(json!({"initContainerStatuses": [status(PREPARE, &ended)], "containerStatuses": [status("image-0", &ended)]}))
}

fn status(name: &str, state: &Value) -> Value {
    let image = "registry.example/fletchline:1";
    json!({"name": name, "image": image, "imageID": "", "restartCount": 0, "ready": false, "state": state})
}

fn told(status: Value) -> Value {
    json!({"metadata": {"name": "fletchline-check-1"}, "status": status})
}

/// The claims are there.
fn claims() -> [(&'static str, Answer); 2] {
    let bound = || json!({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound"}});
    [0, 1].map(|_| ("GET persistentvolumeclaims/one", found(bound())))
}

fn look(pod: Value) -> impl Iterator<Item = (&'static str, Answer)> {
    claims().into_iter().chain([("POST pods", found(told(json!(null)))), ("GET pods/one", found(pod))])
}

async fn checked(script: impl IntoIterator<Item = (&'static str, Answer)>) -> Scene {
    let scene = scene(script).await;
    Scene { runner: scene.runner.checked(), ..scene }
}

#[tokio::test(start_paused = true)]
async fn after_all_was_well_it_is_looked_at_again_rarely() {
    let scene = checked(look(well()).chain(look(well())).chain(look(well()))).await;
    tokio::time::sleep(SOON).await;
    assert_eq!(scene.runner.faults(), Faults::default());
    tokio::time::sleep(RARELY * 2 + SOON).await;
    let times = scene.api.times("POST pods");
    let between: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(between.iter().all(|one| *one >= RARELY && *one < RARELY + SOON), "{between:?}");
    assert_eq!(times.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_fails_by_what_is_looked_for_brings_the_next_look_at_once() {
    let not_written = json!({"terminated": {"exitCode": 1, "message": "words"}});
    let bad = told(json!({"initContainerStatuses": [status(PREPARE, &not_written)]}));
    let scene = checked(look(well()).chain(look(bad))).await;
    tokio::time::sleep(AGAIN * 2).await;
    // Of an image that is none of the installation's own.
    let other = json!({"containerStatuses": [{"name": "task", "image": "i", "imageID": "", "restartCount": 0,
        "ready": false, "state": {"waiting": {"reason": "ErrImagePull"}}}]});
    scene.see(pod(&launch(1), 5, other));
    tokio::time::sleep(AGAIN).await;
    assert_eq!(scene.api.times("POST pods").len(), 1);
    scene.see(pod(&launch(2), 6, json!({"initContainerStatuses": [status(PREPARE, &not_written)]})));
    tokio::time::sleep(SOON).await;
    assert_eq!(scene.api.times("POST pods").len(), 2);
    let all = scene.runner.faults().all.unwrap_or_default();
    assert!(all.starts_with("No task can write into the claim results · "), "{all}");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_finds_no_place_is_told_as_not_known_until_it_has_one() {
    let words = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words});
    let homeless = told(json!({"conditions": [condition]}));
    let full = failed(403, "Forbidden", "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2");
    let script = claims().into_iter().chain([("POST pods", full)]).chain(look(homeless));
    let placed = Answer::After(SOON, Box::new(found(well())));
    let begun = Instant::now();
    let scene = checked(script.chain([("GET pods/one", placed)])).await;
    tokio::time::sleep(SOON).await;
    let unknown = |why: &str| Faults { unknown: Some(why.to_owned()), ..Faults::default() };
    let quota = "waits for room in the namespace's quota · exceeded quota: small, requested: pods=1, used: pods=2, \
                 limited: pods=2";
    assert_eq!(scene.runner.faults(), unknown(quota));
    scene.api.until("GET pods/one", 2).await;
    assert!(begun.elapsed() < AGAIN + SOON, "{:?}", begun.elapsed());
    let selected = "no node takes it: see the node selector and the tolerations in the settings · ";
    assert_eq!(scene.runner.faults(), unknown(&format!("{selected}{words}")));
    tokio::time::sleep(SOON * 2).await;
    assert_eq!(scene.runner.faults(), Faults::default());
}
