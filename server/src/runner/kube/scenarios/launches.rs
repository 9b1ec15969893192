//! Is there one pod for a launch, whatever the API server answers?

use std::time::Duration;

use engine::observed::{Ended, Exit, Observation, Phase};
use model::{RunId, kind::File};
use serde_json::json;
use tokio::time::Instant;

use super::{
    Scene,
    api::{Answer, busy, exists, failed, found, listed, open},
    ended, launch, pending, pod, running, scene,
};
use crate::runner::{Runner, RunnerError};

const SOON: Duration = Duration::from_millis(500);

/// The sentence of the only thing that was told.
async fn refused(scene: &mut Scene) -> String {
    let told = scene.told(SOON).await;
    match told.as_slice() {
        [one] => match &one.phase {
            Phase::Ended(Ended { exit: Exit::NotStarted { sentence }, started: None, .. }) => sentence.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_this_launch_has_made_before_is_adopted_after_one_live_look() {
    let one = launch(1);
    let mut scene = scene([("POST pods", exists()), ("GET pods/one", found(pod(&one, 5, pending())))]).await;
    scene.launch(&one).await.unwrap();
    assert_eq!(scene.phases(SOON).await, [(1, "preparing")]);
    scene.launch(&one).await.unwrap();
    assert_eq!(scene.api.asked(), ["POST pods", "GET pods/one"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_another_launch_has_made_is_refused_in_a_sentence_and_never_touched() {
    let (ours, mut other) = (launch(1), launch(1));
    other.image = Some("python:3.12".into());
    let theirs = pod(&other, 5, running(true));
    let (watch, watching) = open();
    let script = [("WATCH pods", watching), ("POST pods", exists()), ("GET pods/one", found(theirs.clone()))];
    let mut scene = scene(script).await;
    scene.launch(&ours).await.unwrap();
    let sentence = refused(&mut scene).await;
    assert!(sentence.starts_with("There is a Pod fl-digits-train-1-"), "{sentence}");
    assert!(sentence.ends_with("in namespace fletchline that this launch has not made: remove it."), "{sentence}");
    watch.tell("MODIFIED", &theirs);
    scene.release(&ours.execution).await;
    watch.tell("MODIFIED", &pod(&other, 6, running(false)));
    assert_eq!(scene.phases(SOON).await, []);
    let asked = scene.api.asked();
    assert!(!asked.iter().any(|one| one.starts_with("DELETE") || one.starts_with("PATCH")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_another_launch_that_the_watch_has_told_of_is_refused_all_the_same() {
    let (mut other_run, mut other_spec) = (launch(1), launch(1));
    other_run.run = RunId::new("before").unwrap();
    other_spec.image = Some("python:3.12".into());
    for other in [other_run, other_spec] {
        let ours = launch(1);
        let (watch, watching) = open();
        let log = found(json!("2026-01-01T00:00:01.000000005Z theirs\n"));
        let listing = listed(10, &[pod(&other, 5, running(true))]);
        let mut scene = scene([("LIST pods", listing), ("WATCH pods", watching), ("GET pods/one/log", log)]).await;
        assert_eq!(scene.phases(SOON).await, [(1, "ready")]);
        scene.launch(&ours).await.unwrap();
        let sentence = refused(&mut scene).await;
        assert!(sentence.starts_with("There is a Pod fl-digits-train-1-"), "{sentence}");
        assert!(sentence.ends_with("in namespace fletchline that this launch has not made: remove it."), "{sentence}");
        assert!(!Runner::log(&scene.runner, &ours.execution).exists());
        watch.tell("MODIFIED", &pod(&other, 11, ended(0)));
        assert_eq!(scene.phases(SOON).await, []);
        scene.release(&ours.execution).await;
        let asked = scene.api.asked();
        let changes = ["POST", "DELETE", "PATCH"];
        assert!(!asked.iter().any(|one| changes.iter().any(|change| one.starts_with(change))), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_was_released_is_skipped_and_the_cluster_is_asked_nothing() {
    let (first, last) = (launch(1), launch(41));
    let mut scene = scene([]).await;
    for one in [&first, &last] {
        scene.runner.shared.folder(&one.execution).release().unwrap();
    }
    scene.launch(&first).await.unwrap();
    let told = scene.told(SOON).await;
    let [Observation { phase: Phase::Ended(ended), .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((&ended.exit, ended.started), (&Exit::Taken { last: 41 }, None));
    let asked = scene.api.asked();
    assert!(!asked.iter().any(|one| one.starts_with("POST")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_refused_launch_has_made_beside_a_foreign_pod_is_taken_back() {
    let mut ours = launch(1);
    ours.files = vec![File { name: "a.py".into(), text: "1".into(), unknown: Default::default() }];
    let made = || pod(&ours, 4, json!(null));
    let stranger = json!({"metadata": {"name": "x", "uid": "other", "resourceVersion": "5"}});
    let script = [
        ("POST configmaps", found(json!({"metadata": made()["metadata"]}))),
        ("POST pods", exists()),
        ("GET pods/one", found(stranger)),
        ("GET configmaps/one", found(json!({"metadata": made()["metadata"]}))),
        ("DELETE configmaps/one", found(json!({"kind": "Status", "status": "Success"}))),
    ];
    let mut scene = scene(script).await;
    scene.launch(&ours).await.unwrap();
    refused(&mut scene).await;
    scene.release(&ours.execution).await;
    let asked = scene.api.asked();
    let removed: Vec<&String> = asked.iter().filter(|one| one.starts_with("DELETE")).collect();
    assert_eq!(removed, ["DELETE configmaps/one"]);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_asked_again_and_finds_the_one_pod() {
    for lost in [Answer::Broken, Answer::Silence] {
        let one = launch(1);
        let script = [("POST pods", lost), ("POST pods", exists()), ("GET pods/one", found(pod(&one, 5, pending())))];
        let mut scene = scene(script).await;
        let begun = Instant::now();
        let answer = scene.launch(&one).await;
        assert!(matches!(&answer, Err(RunnerError::Unavailable(why)) if why.contains("does not answer")), "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        scene.launch(&one).await.unwrap();
        assert_eq!(scene.api.asked(), ["POST pods", "POST pods", "GET pods/one"]);
        assert!(scene.phases(SOON).await.iter().all(|told| *told == (1, "preparing")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_timed_out_in_the_cluster_after_it_was_done_is_repeated_and_finds_the_one_pod() {
    let one = launch(1);
    let timed_out = failed(504, "Timeout", "request did not complete within the allotted timeout");
    let script = [("POST pods", timed_out), ("POST pods", exists()), ("GET pods/one", found(pod(&one, 5, pending())))];
    let mut scene = scene(script).await;
    scene.launch(&one).await.unwrap();
    assert_eq!(scene.api.asked(), ["POST pods", "POST pods", "GET pods/one"]);
    assert_eq!(scene.phases(SOON).await, [(1, "preparing")]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_needs_no_second_create_when_the_watch_has_told_of_the_pod() {
    let one = launch(1);
    let (watch, watching) = open();
    let mut scene = scene([("WATCH pods", watching), ("POST pods", Answer::Broken)]).await;
    scene.launch(&one).await.unwrap_err();
    watch.tell("ADDED", &pod(&one, 5, pending()));
    scene.told(SOON).await;
    scene.launch(&one).await.unwrap();
    assert_eq!(scene.api.asked(), ["POST pods"]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_says_how_long_to_wait_is_asked_no_sooner_and_the_task_hears_of_no_failure() {
    for code in [429, 503] {
        let one = launch(1);
        let made = found(pod(&one, 5, pending()));
        let script = [("POST pods", busy(code, Some(40))), ("POST pods", busy(code, Some(3))), ("POST pods", made)];
        let mut scene = scene(script).await;
        scene.launch(&one).await.unwrap();
        let times = scene.api.times("POST pods");
        let waited: Vec<u64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
        assert_eq!(waited, [40, 3]);
        assert_eq!(scene.phases(SOON).await, [(1, "preparing")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_stays_busy_is_asked_slower_and_slower_and_the_task_says_what_it_waits_for() {
    let one = launch(1);
    let mut scene = scene((0..20).map(|_| ("POST pods", busy(429, None)))).await;
    let begun = Instant::now();
    let answer = scene.launch(&one).await;
    assert!(matches!(answer, Err(RunnerError::Unavailable(_))), "{answer:?}");
    assert_eq!(scene.api.times("POST pods").len(), 5);
    assert!((2..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let told = scene.told(SOON).await;
    let [only] = told.as_slice() else { panic!("{told:?}") };
    assert!(matches!(&only.phase, Phase::Preparing { sentence } if sentence.contains("Too many requests")), "{only:?}");
}
