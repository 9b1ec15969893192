//! What becomes of an execution whose number was used before?

mod support;

use model::run::{Deed, RunStatus, TaskStatus};
use serde_json::json;
use support::{
    desk::Desk,
    draw::{Draw, run_id, task},
};

const GOOD: u8 = 0;
const BAD: u8 = 240;
const TAKEN: u8 = 254;

/// A desk whose results volume has folders up to this number.
fn kept(folders: u64) -> Desk {
    let mut desk = Desk::new();
    desk.machine.folders = folders;
    desk
}

fn highest(desk: &Desk, id: &str) -> u64 {
    let pipeline = desk.state.run(&run_id("r1")).unwrap().pipeline.clone();
    desk.state.memory(&pipeline, &task(id)).unwrap().n
}

#[test]
fn hundreds_of_numbers_that_are_taken_are_skipped_at_once() {
    let mut desk = kept(700);
    let run = desk.start(&Draw::new().job("a").job("b").arrow("a", "b").text());
    let before = desk.now;
    desk.work(GOOD);
    assert_eq!(desk.started(), ["a/1", "a/701", "b/1", "b/701"]);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert!(desk.now - before < 20_000, "nothing waits for long");
}

#[test]
fn a_number_that_is_taken_is_no_try_of_the_task() {
    let mut desk = kept(3);
    let document =
        Draw::new().with("a", "job", json!({"command": ["true"], "retries": 1})).job("b").arrow("a", "b").text();
    let run = desk.start(&document);
    desk.work(BAD);
    assert_eq!(desk.started(), ["a/1", "a/4", "a/5"], "the one retry is left");
    let view = desk.view(&run, "a");
    let tries: Vec<(u64, u32)> = view.executions.iter().map(|one| (one.n, one.attempt)).collect();
    assert_eq!(tries, [(4, 1), (5, 2)]);
    assert_eq!(view.sentence, "exit code 1");
}

#[test]
fn copies_that_find_their_numbers_taken_each_get_one_of_their_own() {
    let mut desk = kept(40);
    let copies = json!({"command": ["true"], "copies": {"LR": ["1", "2", "3", "4", "5"]}});
    let run = desk.start(&Draw::new().with("a", "job", copies).text());
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert_eq!(highest(&desk, "a"), 45);
    assert_eq!(desk.view(&run, "a").executions.len(), 5);
}

#[test]
fn numbers_that_are_taken_again_and_again_end_the_task_with_a_sentence() {
    let mut desk = Desk::new();
    let run = desk.start(&Draw::new().job("a").text());
    desk.work(TAKEN);
    assert_eq!(desk.status(&run), RunStatus::Failed);
    assert_eq!(desk.view(&run, "a").sentence, "could not be started: a folder of its number was there already");
    assert_eq!(desk.started().len(), 11);
    // Asked for again, it is tried again.
    desk.deed(&run, "a", Deed::Retry).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
}

#[test]
fn a_live_step_and_a_viewer_skip_numbers_that_are_taken() {
    let mut desk = kept(9);
    let document = Draw::new().with("explore", "notebook", json!({})).with("board", "viewer", json!({})).text();
    let run = desk.start(&document);
    desk.work(GOOD);
    assert_eq!(desk.view(&run, "explore").status, TaskStatus::WaitingForYou);
    assert_eq!(desk.view(&run, "board").status, TaskStatus::Serving);
    assert_eq!(desk.machine.names(), ["p/board/10", "p/explore/10"].map(str::to_owned).into());
}

#[test]
fn a_run_that_is_cancelled_meanwhile_begins_nothing_more() {
    let mut desk = kept(9);
    let run = desk.start(&Draw::new().job("a").text());
    desk.ask(engine::command::Command::CancelRun { run: run_id(&run) }).unwrap();
    desk.work(GOOD);
    assert_eq!((desk.status(&run), desk.started()), (RunStatus::Cancelled, vec!["a/1".to_owned()]));
}

#[test]
fn what_lies_under_a_number_that_was_taken_is_never_removed() {
    let mut desk = kept(3);
    let run = desk.start(&Draw::new().job("a").job("b").arrow("a", "b").text());
    desk.work(GOOD);
    desk.ask(engine::command::Command::DeleteRun { run: run_id(&run) }).unwrap();
    let mut gone: Vec<String> = desk.state.take_gone().iter().map(|one| one.execution.to_string()).collect();
    gone.sort();
    assert_eq!(gone, ["p/a/4", "p/b/4"]);
    assert_eq!(desk.state.executions().count(), 0);
}
