//! Is every change told once, and none undone, whatever becomes of a watch?

use std::time::Duration;

use engine::{action::Action, observed::Phase};
use serde_json::json;
use tokio::time::Instant;

use super::{
    Runner,
    api::{Answer, failed, found, listed, open},
    ended, launch, pending, pod, running, scene,
};

const SOON: Duration = Duration::from_millis(500);
/// As long as a connection may be dead before that is noticed.
const BOUND: Duration = Duration::from_secs(30);

fn outdated() -> serde_json::Value {
    json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"})
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_old_begins_again_with_a_list_and_nothing_is_missed_or_told_twice() {
    let all = [1, 2, 3, 4, 5].map(launch);
    let of = |n: usize, version, status| pod(&all[n - 1], version, status);
    let (watch, watching) = open();
    let before = [of(1, 1, running(true)), of(2, 2, running(true)), of(3, 3, pending()), of(4, 4, running(true))];
    let after = [of(1, 1, running(true)), of(2, 12, ended(0)), of(3, 13, running(true)), of(5, 14, pending())];
    let script = [("LIST pods", listed(10, &before)), ("WATCH pods", watching), ("LIST pods", listed(20, &after))];
    let logs = (0..3).map(|_| ("GET pods/one/log", found(json!(""))));
    let mut scene = scene(script.into_iter().chain(logs)).await;
    assert_eq!(scene.phases(SOON).await, [(1, "ready"), (2, "ready"), (3, "preparing"), (4, "ready")]);
    watch.tell("ERROR", &outdated());
    scene.api.until("LIST pods", 2).await;
    let mut told = scene.phases(SOON).await;
    told.sort();
    assert_eq!(told, [(2, "ended"), (2, "ending"), (3, "ready"), (4, "lost"), (5, "preparing")]);
    assert_eq!(scene.api.asked(), ["GET pods/one"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_newer_is_not_undone_by_what_comes_late() {
    let (one, two) = (launch(1), launch(2));
    let (watch, watching) = open();
    let mut scene = scene([("WATCH pods", watching), ("GET pods/one/log", found(json!("")))]).await;
    watch.tell("ADDED", &pod(&one, 5, running(true)));
    watch.tell("MODIFIED", &pod(&one, 4, pending()));
    assert_eq!(scene.phases(SOON).await, [(1, "ready")]);
    assert!(scene.runner.shared.running(&one.execution).is_ok());
    watch.tell("MODIFIED", &pod(&one, 9, ended(0)));
    watch.tell("MODIFIED", &pod(&one, 7, running(true)));
    assert_eq!(scene.phases(SOON).await, [(1, "ending"), (1, "ended")]);
    watch.tell("ADDED", &pod(&two, 12, running(true)));
    watch.tell("DELETED", &pod(&two, 13, running(true)));
    scene.api.until("GET pods/one", 1).await;
    watch.tell("MODIFIED", &pod(&two, 12, running(true)));
    assert_eq!(scene.phases(SOON).await, [(2, "ready"), (2, "lost")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_released_is_not_told_again_by_what_comes_late() {
    let one = launch(1);
    let (watch, watching) = open();
    let mut scene = scene([("WATCH pods", watching), ("GET pods/one/log", found(json!("")))]).await;
    watch.tell("ADDED", &pod(&one, 9, ended(0)));
    assert_eq!(scene.phases(SOON).await, [(1, "ending"), (1, "ended")]);
    scene.release(&one.execution).await;
    watch.tell("MODIFIED", &pod(&one, 8, running(true)));
    assert_eq!(scene.phases(SOON).await, []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_create_that_is_slower_than_the_watch_undoes_nothing() {
    let one = launch(1);
    let (watch, watching) = open();
    let slow = Answer::After(Duration::from_secs(3), Box::new(found(pod(&one, 3, pending()))));
    let mut scene = scene([("WATCH pods", watching), ("POST pods", slow)]).await;
    let hears = async {
        scene.api.until("POST pods", 1).await;
        watch.tell("ADDED", &pod(&one, 5, running(true)));
    };
    let (launched, ()) = tokio::join!(scene.launch(&one), hears);
    launched.unwrap();
    assert_eq!(scene.phases(SOON).await, [(1, "ready")]);
    assert!(scene.runner.shared.running(&one.execution).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_watch_without_a_word_is_given_up_in_half_a_minute_and_goes_on_from_where_it_was() {
    let one = launch(1);
    let (_dead, silent) = open();
    let (watch, watching) = open();
    let listing = listed(10, &[pod(&one, 5, running(false))]);
    let mut scene = scene([("LIST pods", listing), ("WATCH pods", silent), ("WATCH pods", watching)]).await;
    let begun = Instant::now();
    scene.api.until("WATCH pods", 2).await;
    assert!(begun.elapsed() <= BOUND, "{:?}", begun.elapsed());
    watch.tell("MODIFIED", &pod(&one, 12, running(true)));
    assert_eq!(scene.phases(SOON).await, [(1, "running"), (1, "ready")]);
    assert_eq!(scene.api.times("LIST pods").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_and_a_watch_that_are_never_answered_are_asked_again_in_half_a_minute() {
    let one = launch(1);
    let (watch, watching) = open();
    let (_dead, half) = open();
    let (begun, script) =
        (Instant::now(), [("LIST pods", Answer::Silence), ("WATCH pods", Answer::Silence), ("WATCH pods", watching)]);
    let mut scene = scene(script).await;
    scene.api.until("LIST pods", 2).await;
    assert!(begun.elapsed() <= BOUND, "{:?}", begun.elapsed());
    scene.api.until("WATCH pods", 2).await;
    assert!(begun.elapsed() <= BOUND * 2, "{:?}", begun.elapsed());
    watch.tell("ADDED", &pod(&one, 5, running(true)));
    assert_eq!(scene.phases(SOON).await, [(1, "ready")]);
    // A list that stops in its middle.
    scene.api.then([("LIST pods", half), ("LIST pods", listed(20, &[pod(&one, 5, running(true))]))]);
    let stopped = Instant::now();
    watch.tell("ERROR", &outdated());
    scene.api.until("LIST pods", 4).await;
    assert!(stopped.elapsed() <= BOUND * 2, "{:?}", stopped.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_said_to_be_gone_is_looked_at_once_more_before_it_is_lost() {
    let (one, two) = (launch(1), launch(2));
    let (watch, watching) = open();
    let still = found(pod(&one, 5, running(true)));
    let mut scene = scene([("WATCH pods", watching), ("GET pods/one", still)]).await;
    watch.tell("ADDED", &pod(&one, 5, running(true)));
    watch.tell("DELETED", &pod(&one, 6, running(true)));
    assert_eq!(scene.phases(SOON).await, [(1, "ready")]);
    watch.tell("ADDED", &pod(&two, 7, running(true)));
    watch.tell("DELETED", &pod(&two, 8, running(true)));
    let told = scene.told(SOON).await;
    assert!(
        matches!(&told[1].phase, Phase::Lost { sentence } if sentence.contains("taken out of the cluster")),
        "{told:?}"
    );
    assert_eq!(scene.api.asked(), ["GET pods/one", "GET pods/one"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_not_answered_is_repeated_and_holds_nothing_else_up() {
    let (one, two) = (launch(1), launch(2));
    let (watch, watching) = open();
    let gives_up = failed(500, "InternalError", "etcd has no leader");
    let script = [
        ("WATCH pods", watching),
        ("GET pods/one", Answer::Silence),
        ("GET pods/one", Answer::Broken),
        ("GET pods/one", gives_up),
    ];
    let mut scene = scene(script).await;
    watch.tell("ADDED", &pod(&one, 5, running(true)));
    watch.tell("DELETED", &pod(&one, 6, running(true)));
    watch.tell("ADDED", &pod(&two, 7, running(true)));
    assert_eq!(scene.phases(SOON).await, [(1, "ready"), (2, "ready")]);
    scene.api.until("GET pods/one", 4).await;
    assert_eq!(scene.phases(SOON).await, [(1, "lost")]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_stops_without_an_end_is_asked_for_again_when_its_task_has_ended() {
    let one = launch(1);
    let (watch, watching) = open();
    let (log, half) = open();
    let first = "2026-01-01T00:00:01.000000005Z a\n";
    let whole = found(json!(format!("{first}2026-01-01T00:00:02.000000007Z b\n")));
    let script = [("WATCH pods", watching), ("GET pods/one/log", half), ("GET pods/one/log", whole)];
    let mut scene = scene(script).await;
    watch.tell("ADDED", &pod(&one, 5, running(true)));
    log.say(first);
    assert_eq!(scene.phases(SOON).await, [(1, "ready")]);
    watch.tell("MODIFIED", &pod(&one, 9, ended(0)));
    assert_eq!(scene.phases(BOUND).await, [(1, "ending"), (1, "ended")]);
    let text = std::fs::read_to_string(super::Runner::log(&scene.runner, &one.execution)).unwrap();
    assert_eq!(text, "1767225601000 a\n1767225602000 b\n");
    scene.release(&one.execution).await;
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_keeps_its_pod_until_its_log_is_here() {
    let one = launch(1);
    let (watch, watching) = open();
    let (_dead, half) = open();
    let unheard = (0..8).map(|_| ("GET pods/one/log", Answer::Silence));
    let whole = found(json!("2026-01-01T00:00:01.000000005Z a\n"));
    let first = [("WATCH pods", watching), ("GET pods/one/log", half)];
    let mut scene = scene(first.into_iter().chain(unheard).chain([("GET pods/one/log", whole)])).await;
    watch.tell("ADDED", &pod(&one, 9, ended(0)));
    scene.told(SOON).await;
    let release = || super::Action::Release { execution: one.execution.clone() };
    let refused = super::Runner::perform(&scene.runner, release()).await.unwrap_err();
    assert!(refused.to_string().contains("The log of digits/train/1 is not here yet"), "{refused}");
    assert_eq!(scene.api.asked(), Vec::<String>::new());
    scene.api.until("GET pods/one/log", 10).await;
    scene.told(SOON).await;
    scene.release(&one.execution).await;
    let asked = scene.api.asked();
    assert_eq!(asked, ["PATCH pods/one", "DELETE pods/one"], "the finalizer goes first");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_with_a_file_which_the_node_has_rotated_goes_on_in_the_next_one() {
    let one = launch(1);
    let (watch, watching) = open();
    let lines = |from: u32, to: u32| {
        let line = |n| format!("2026-01-01T00:00:{:02}.{:09}Z {n}\n", n / 2000, n % 2000 + 1);
        (from..to).map(line).collect::<String>()
    };
    let logs = [lines(0, 60_000), lines(58_000, 70_000), lines(68_000, 70_000)];
    // The last line has no end.
    let logs = logs.map(|text| if text.ends_with(" 69999\n") { text.trim_end().to_owned() } else { text });
    let logs = logs.map(|text| ("GET pods/one/log", found(json!(text))));
    let mut scene = scene([("WATCH pods", watching)].into_iter().chain(logs)).await;
    watch.tell("ADDED", &pod(&one, 9, ended(0)));
    assert_eq!(scene.phases(SOON).await, [(1, "ending"), (1, "ended")]);
    let text = std::fs::read_to_string(super::Runner::log(&scene.runner, &one.execution)).unwrap();
    let numbers = text.lines().map(|line| line.split_once(' ').unwrap().1);
    assert!(numbers.eq((0..70_000).map(|n| n.to_string())));
    assert_eq!(scene.api.times("GET pods/one/log").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_the_cluster_does_not_get_from_a_node_holds_up_neither_the_end_nor_for_ever_the_release() {
    let one = launch(1);
    let (watch, watching) = open();
    let logs = (0..100).map(|_| ("GET pods/one/log", failed(500, "InternalError", "dial tcp: no route to host")));
    let mut scene = scene([("WATCH pods", watching)].into_iter().chain(logs)).await;
    watch.tell("ADDED", &pod(&one, 9, ended(0)));
    assert_eq!(scene.phases(BOUND + SOON).await, [(1, "ending"), (1, "ended")]);
    let (release, begun) = (Action::Release { execution: one.execution.clone() }, Instant::now());
    while scene.runner.perform(release.clone()).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(360), "{:?}", begun.elapsed());
    }
    assert!(begun.elapsed() > Duration::from_secs(240), "a node that is started again has it still");
    let text = std::fs::read_to_string(scene.runner.log(&one.execution)).unwrap();
    assert!(text.contains("[Fletchline: the rest of the log cannot be had from its node · dial tcp"), "{text}");
}
