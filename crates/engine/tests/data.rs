//! What becomes of results that newer runs read, when their run is deleted or makes room?

mod support;

use engine::{
    command::{Command, kept_for},
    event::Event,
    state::State,
};
use model::run::{Deed, Part};
use serde_json::json;
use support::{
    desk::Desk,
    draw::{Draw, run_id, site, task},
};

const GOOD: u8 = 0;

fn reading() -> String {
    Draw::new().job("a").job("b").arrow_with("a", "/out", "b", "/in").text()
}

fn run(desk: &mut Desk) -> String {
    let run = desk.start(&reading());
    desk.work(GOOD);
    run
}

/// Reads `a` of the run before.
fn run_b(desk: &mut Desk) -> String {
    let run = desk.start_part(&reading(), Part::OnlyThis { task: task("b") }).unwrap();
    desk.work(GOOD);
    run
}

fn delete(desk: &mut Desk, run: &str) {
    desk.ask(Command::DeleteRun { run: run_id(run) }).unwrap();
    desk.turn();
}

fn gone(state: &mut State) -> Vec<String> {
    let gone = state.take_gone();
    gone.iter()
        .map(|one| format!("{}/{}{}", one.execution.task, one.execution.n, if one.whole { "" } else { ": results" }))
        .collect()
}

fn is_dropped(desk: &Desk, run: &str) -> bool {
    engine::view::summary(desk.state.run(&run_id(run)).unwrap()).dropped
}

#[test]
fn what_another_run_has_read_stays_until_that_run_is_deleted_too() {
    let mut desk = Desk::new();
    let first = run(&mut desk);
    let second = run_b(&mut desk);
    let kept = kept_for(&desk.state, desk.state.run(&run_id(&first)).unwrap());
    assert_eq!(kept, ["run 2 has read a of it, which stays"]);
    delete(&mut desk, &first);
    assert_eq!(gone(&mut desk.state), ["b/1"]);
    let again = Part::OnlyThis { task: task("b") };
    let wish = engine::command::readings(&desk.state, &reading(), &again, Some(&run_id(&second))).unwrap();
    assert_eq!(wish[0].earlier.copies[0].n, 1, "the result can still be read by way of run 2");
    delete(&mut desk, &second);
    assert_eq!(gone(&mut desk.state), ["a/1", "b/2"]);
    let mut folded = State::fold(site(), desk.journal.iter().map(String::as_str)).unwrap();
    assert_eq!(gone(&mut folded), ["b/1", "a/1", "b/2"], "a removal that was interrupted is made up for");
}

#[test]
fn only_the_newest_runs_keep_their_data_and_those_that_are_pinned() {
    let mut desk = Desk::new();
    let runs = [run(&mut desk), run(&mut desk), run(&mut desk)];
    desk.ask(Command::Pin { run: run_id(&runs[0]), pinned: true }).unwrap();
    desk.turn();
    assert_eq!(gone(&mut desk.state), [""; 0], "all is kept at first");
    desk.state.keep_runs(1);
    desk.turn();
    assert_eq!(gone(&mut desk.state), ["a/2: results", "b/2: results"]);
    assert_eq!(runs.each_ref().map(|run| is_dropped(&desk, run)), [false, true, false]);
    desk.ask(Command::Pin { run: run_id(&runs[0]), pinned: false }).unwrap();
    desk.turn();
    assert_eq!(gone(&mut desk.state), ["a/1: results", "b/1: results"]);
    let refused = desk.ask(Command::Pin { run: run_id(&runs[0]), pinned: true }).unwrap_err();
    assert_eq!(refused.to_string(), "The data of run 1 was removed: newer runs have taken its place.");
    run(&mut desk);
    assert_eq!(gone(&mut desk.state), ["a/3: results", "b/3: results"], "a run that ends makes older ones go");
    assert!(State::fold(site(), desk.journal.iter().map(String::as_str)).unwrap() == desk.state);
}

#[test]
fn old_data_that_a_newer_run_has_read_stays_and_can_be_read_again() {
    let mut desk = Desk::new();
    run(&mut desk);
    run_b(&mut desk);
    desk.state.keep_runs(1);
    desk.turn();
    assert_eq!(gone(&mut desk.state), ["b/1: results"]);
    run_b(&mut desk);
    assert_eq!(desk.started(), ["a/1", "b/1", "b/2", "b/3"]);
}

#[test]
fn a_run_without_data_is_not_retried_or_read() {
    let mut desk = Desk::new();
    let failed = desk.start(&reading());
    desk.work(240);
    run(&mut desk);
    desk.state.keep_runs(1);
    desk.turn();
    let refused = desk.deed(&failed, "a", Deed::Retry).unwrap_err();
    assert_eq!(refused.to_string(), "The data of run 1 was removed: newer runs have taken its place.");
    assert_eq!(desk.view(&failed, "a").may, []);
    let part = Part::OnlyThis { task: task("b") };
    let read = engine::command::readings(&desk.state, &reading(), &part, Some(&run_id(&failed)));
    assert!(read.unwrap_err().to_string().starts_with("The data of run 1 was removed"));
}

#[test]
fn a_live_serving_keeps_the_data_of_its_run() {
    let document = Draw::new().job("a").with("api", "serving", json!({})).arrow_with("a", "/out", "api", "/in").text();
    let mut desk = Desk::new();
    for _ in 0..3 {
        desk.start(&document);
        desk.work(GOOD);
    }
    desk.state.keep_runs(1);
    desk.turn();
    let dropped: Vec<Event> = desk
        .journal
        .iter()
        .map(|line| engine::event::Entry::read(line).unwrap().event)
        .filter(|event| matches!(event, Event::DataDropped { .. }))
        .collect();
    // Run 1 has the live version, run 2 one that is ready beside it.
    assert_eq!(dropped, []);
}
