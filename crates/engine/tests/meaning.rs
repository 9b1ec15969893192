//! Does a run mean what is promised?

mod support;

use engine::command::{Command, Refusal};
use model::{
    launch::Program,
    run::{Deed, Part, RunStatus, TaskStatus},
};
use serde_json::json;
use support::{
    desk::Desk,
    draw::{Draw, run_id, task},
};

const GOOD: u8 = 0;
const BAD: u8 = 240;
const LOST: u8 = 255;

fn chain() -> Draw {
    Draw::new().job("a").job("b").job("c").arrow("a", "b").arrow("b", "c")
}

#[test]
fn a_downstream_starts_when_its_upstream_has_ended_well() {
    let mut desk = Desk::new();
    let run = desk.start(&chain().text());
    assert_eq!(desk.started(), ["a/1"]);
    assert_eq!(desk.view(&run, "b").sentence, "waits for a, which is running");
    desk.work(GOOD);
    assert_eq!(desk.started(), ["a/1", "b/1", "c/1"]);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
}

#[test]
fn what_waits_for_a_failed_task_is_skipped_because_of_it_and_the_rest_goes_on() {
    let mut desk = Desk::new();
    let run = desk.start(&chain().job("d").text());
    let a = desk.machine.alive()[0].clone();
    (0..2).for_each(|_| desk.machine.progress(&a, BAD));
    desk.work(GOOD);
    assert_eq!(desk.view(&run, "c").sentence, "skipped because of a");
    assert_eq!(desk.view(&run, "d").status, TaskStatus::Done);
    assert_eq!(desk.status(&run), RunStatus::Failed);
    assert_eq!(engine::view::summary(desk.state.run(&run_id(&run)).unwrap()).sentence, "a: exit code 1");
}

#[test]
fn a_retry_is_a_new_execution_in_the_same_run_that_finds_the_last_one() {
    let mut desk = Desk::new();
    let run = desk.start(&chain().text());
    desk.work(BAD);
    assert_eq!(desk.status(&run), RunStatus::Failed);
    desk.deed(&run, "a", Deed::Retry).unwrap();
    let launch = desk.machine.works.values().next().unwrap().launch.clone();
    assert_eq!(launch.execution.n, 2);
    assert!(launch.env.contains_key("FLETCHLINE_PREVIOUS"));
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert_eq!(desk.view(&run, "a").executions[1].attempt, 2);
}

#[test]
fn a_retry_is_told_of_no_folder_where_the_one_before_has_left_none() {
    let told = |desk: &Desk| {
        let launch = &desk.machine.works.values().last().unwrap().launch;
        (launch.execution.n, launch.env.contains_key("FLETCHLINE_PREVIOUS"))
    };
    // It keeps nothing.
    let mut desk = Desk::new();
    let run = desk.start(&Draw::new().job("a").text());
    desk.work(BAD);
    desk.deed(&run, "a", Deed::Retry).unwrap();
    assert_eq!(told(&desk), (2, false));
    // It was lost before it began; the next one is told of neither, the one after that of the one that ran.
    let mut desk = Desk::new();
    let run = desk.start(&chain().text());
    let first = desk.machine.alive()[0].clone();
    desk.machine.progress(&first, LOST);
    desk.tell();
    desk.turn();
    assert_eq!(told(&desk), (2, false));
    desk.work(BAD);
    desk.deed(&run, "a", Deed::Retry).unwrap();
    assert_eq!(told(&desk), (3, true));
}

#[test]
fn retries_wait_twice_as_long_each_time() {
    let mut desk = Desk::new();
    let document = Draw::new().with("a", "job", json!({"command": ["true"], "retries": 2, "back_off": 60})).text();
    let run = desk.start(&document);
    desk.work(BAD);
    assert_eq!(desk.view(&run, "a").sentence, "waits before try 2");
    desk.now += 60_000;
    desk.work(BAD);
    assert_eq!(desk.started(), ["a/1", "a/2"]);
    desk.now += 60_000;
    desk.work(BAD);
    assert_eq!(desk.started().len(), 2, "the second wait is 120 s");
    desk.now += 120_000;
    desk.work(BAD);
    assert_eq!(desk.started(), ["a/1", "a/2", "a/3"]);
    assert_eq!(desk.status(&run), RunStatus::Failed);
}

#[test]
fn a_lost_execution_starts_again_by_itself_three_times() {
    let mut desk = Desk::new();
    let run = desk.start(&Draw::new().job("a").text());
    desk.work(LOST);
    assert_eq!(desk.started(), ["a/1", "a/2", "a/3", "a/4"]);
    assert_eq!(desk.status(&run), RunStatus::Failed);
}

#[test]
fn what_is_lost_with_its_machine_counts_as_gone_for_cancel_and_the_page_says_that_it_may_still_run() {
    let mut desk = Desk::new();
    let run = desk.start(&Draw::new().with("a", "container", json!({})).text());
    desk.work(GOOD);
    desk.ask(Command::CancelRun { run: run_id(&run) }).unwrap();
    desk.turn();
    desk.machine.progress(&desk.machine.alive()[0].clone(), LOST);
    desk.tell();
    desk.turn();
    assert_eq!(desk.status(&run), RunStatus::Cancelled);
    let view = desk.view(&run, "a");
    let said = "cancelled · its machine went away: the machine restarted";
    assert_eq!((view.status, view.sentence.as_str()), (TaskStatus::Cancelled, said));
    assert_eq!(view.executions[0].sentence, said);
    assert_eq!(desk.started(), ["a/1"]);
}

#[test]
fn a_lost_machine_is_no_kinds_fault_and_counts_beside_the_jobs_own_retries() {
    for kind in ["load_data", "container", "notebook", "viewer", "serving"] {
        let mut desk = Desk::new();
        desk.start(&Draw::new().with("a", kind, json!({"sources": [{"url": "http://x.example/y"}]})).text());
        desk.work(LOST);
        assert_eq!(desk.started(), ["a/1", "a/2", "a/3", "a/4"], "{kind}");
    }
    let mut desk = Desk::new();
    desk.start(&Draw::new().with("a", "job", json!({"command": ["true"], "retries": 1})).text());
    let one = |desk: &mut Desk, steps: u8, how: u8| {
        let id = desk.machine.alive()[0].clone();
        (0..steps).for_each(|_| desk.machine.progress(&id, how));
        desk.tell();
        desk.turn();
    };
    for (steps, how) in [(1, LOST), (2, BAD), (1, LOST), (1, LOST), (2, BAD)] {
        one(&mut desk, steps, how);
    }
    assert_eq!(desk.started().len(), 5, "three times lost, and one retry of its own");
    assert!(desk.machine.alive().is_empty());
}

#[test]
fn a_job_starts_when_all_copies_of_its_upstream_ended_well() {
    let mut desk = Desk::new();
    let grid = json!({"command": ["true"], "copies": {"LR": ["0.1", "0.2", "0.3"]}});
    let run = desk.start(&Draw::new().with("train", "job", grid).job("score").arrow("train", "score").text());
    assert_eq!(desk.started(), ["train/1", "train/2", "train/3"]);
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    let score = desk.machine.ended.values().find(|work| work.launch.execution.task == task("score")).unwrap();
    assert_eq!(score.launch.copies_json[0].copies.len(), 3);
    assert_eq!(desk.view(&run, "train").sentence, "of 3 copies: 3 done");
}

#[test]
fn tolerated_copies_may_fail_and_are_listed() {
    let mut desk = Desk::new();
    let grid = json!({"command": ["true"], "copies": {"LR": ["0.1", "0.2"]}, "tolerate_failed_copies": true});
    let run = desk.start(&Draw::new().with("train", "job", grid).job("score").arrow("train", "score").text());
    let first = desk.machine.alive()[0].clone();
    (0..2).for_each(|_| desk.machine.progress(&first, BAD));
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    let score = desk.machine.ended.values().find(|work| work.launch.execution.task == task("score")).unwrap();
    let entries = &score.launch.copies_json[0].copies;
    assert_eq!(entries.iter().map(|one| one.status.as_str()).collect::<Vec<_>>(), ["failed", "done"]);
    assert_eq!(score.launch.mounts.iter().filter(|mount| mount.mount_path.0.starts_with("/in")).count(), 1);
}

#[test]
fn cancel_stops_what_runs_and_ends_when_nothing_is_left() {
    let mut desk = Desk::new();
    let run = desk.start(&chain().text());
    desk.ask(Command::CancelRun { run: run_id(&run) }).unwrap();
    desk.turn();
    assert_eq!(desk.status(&run), RunStatus::Cancelling);
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Cancelled);
    assert!(desk.machine.alive().is_empty());
    let refused = desk.ask(Command::CancelRun { run: run_id(&run) });
    assert!(matches!(refused, Err(Refusal::Conflict(_))));
}

#[test]
fn only_this_reads_the_newest_good_results_and_says_where_they_are_missing() {
    let mut desk = Desk::new();
    let only = || Part::OnlyThis { task: task("b") };
    let refused = desk.start_part(&chain().text(), only()).unwrap_err();
    assert_eq!(refused.to_string(), "a has no good result that could be read: run it, too (run all, or up to here).");
    desk.start(&chain().text());
    desk.work(GOOD);
    let run = desk.start_part(&chain().text(), only()).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.started(), ["a/1", "b/1", "c/1", "b/2"]);
    assert_eq!(desk.view(&run, "a").sentence, "its result of run 1 is read");
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
}

#[test]
fn a_run_started_on_a_runs_page_reads_that_run_even_if_it_failed_and_in_the_editor_the_newest_good_one() {
    let mut desk = Desk::new();
    let first = desk.start(&chain().text());
    let a = desk.machine.alive()[0].clone();
    (0..2).for_each(|_| desk.machine.progress(&a, GOOD));
    desk.tell();
    desk.work(BAD);
    assert_eq!(desk.status(&first), RunStatus::Failed);
    desk.start(&chain().text());
    desk.work(GOOD);
    let mut read_by = |from: Option<&str>| {
        let reading = from.map(run_id);
        let part = Part::FromHere { task: task("b") };
        desk.start_by(&chain().text(), |wish| (wish.part, wish.reading) = (part, reading)).unwrap();
        let alive = desk.machine.works.values().next().unwrap();
        let mount = alive.launch.mounts.iter().find(|mount| mount.mount_path.0 == "/in/a").unwrap().clone();
        desk.work(GOOD);
        mount.sub_path.unwrap()
    };
    assert_eq!(read_by(Some("r1")), "pipeline/p/a/1/out", "good is what was released, whatever became of its run");
    assert_eq!(read_by(None), "pipeline/p/a/2/out");
    assert!(desk.started().ends_with(&["b/4".to_owned(), "c/3".to_owned()]), "{:?}", desk.started());
}

#[test]
fn what_is_read_tells_its_run_and_warns_where_it_does_not_fit() {
    let document = |seed: &str| {
        let first = json!({"command": ["true"], "env": {"SEED": {"value": seed}}});
        Draw::new().with("a", "job", first).job("b").job("c").arrow("a", "b").arrow("b", "c").arrow("a", "c").text()
    };
    let mut desk = Desk::new();
    desk.start(&document("1"));
    desk.work(GOOD);
    desk.start_part(&document("1"), Part::OnlyThis { task: task("a") }).unwrap();
    desk.work(GOOD);
    let read = |desk: &Desk, seed: &str| {
        let part = Part::OnlyThis { task: task("c") };
        let all = engine::command::readings(&desk.state, &document(seed), &part, None).unwrap();
        all.into_iter().map(|one| (one.task.to_string(), one.run_number, one.warnings)).collect::<Vec<_>>()
    };
    let another = "b was made from another a than the one that is read.".to_owned();
    assert_eq!(read(&desk, "1"), [("a".to_owned(), 2, vec![]), ("b".to_owned(), 1, vec![another.clone()])]);
    let other = |id: &str| format!("{id} was made with other settings than it has now.");
    assert_eq!(
        read(&desk, "2"),
        [("a".to_owned(), 2, vec![other("a")]), ("b".to_owned(), 1, vec![other("b"), another])],
        "b inherits SEED"
    );
}

#[test]
fn a_path_that_the_old_execution_did_not_keep_is_refused() {
    let mut desk = Desk::new();
    desk.start(&Draw::new().job("a").job("b").arrow("a", "b").text());
    desk.work(GOOD);
    let now = Draw::new().job("a").job("b").arrow_with("a", "/model", "b", "/model").text();
    let refused = desk.start_part(&now, Part::OnlyThis { task: task("b") }).unwrap_err();
    assert_eq!(refused.to_string(), "a did not keep /model when it ran: run a again, too.");
}

#[test]
fn a_load_data_with_unchanged_fixed_sources_does_not_run_again() {
    let mut desk = Desk::new();
    let load = json!({"sources": [{"url": "example:digits.zip"}]});
    let document = Draw::new().with("load", "load_data", load).job("b").arrow_with("load", "/data", "b", "/in").text();
    desk.start(&document);
    desk.work(GOOD);
    let run = desk.start(&document);
    desk.work(GOOD);
    assert_eq!(desk.started(), ["load/1", "b/1", "b/2"]);
    assert_eq!(desk.view(&run, "load").sentence, "same as run 1: its sources are told by their checksums");
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
}

#[test]
fn a_load_data_runs_again_for_another_source_and_not_for_another_parameter() {
    let mut desk = Desk::new();
    let sha256 = "a".repeat(64);
    let load = json!({"sources": [{"url": "https://x.example/{{set}}.zip", "sha256": sha256}]});
    let draw = Draw::new().parameter("set", "small").parameter("lr", "1").with("load", "load_data", load);
    let mut with = |name: &str, value: &str| {
        let given = [(name.to_owned(), value.to_owned())].into();
        let run = desk.start_by(&draw.text(), |wish| wish.parameters = given).unwrap();
        desk.work(GOOD);
        (desk.view(&run, "load").sentence, desk.started().len())
    };
    assert_eq!(with("lr", "1").1, 1);
    assert_eq!(with("lr", "2"), ("same as run 1: its sources are told by their checksums".into(), 1));
    assert_eq!(with("set", "large").1, 2);
    assert_eq!(with("set", "small").1, 3, "the newest good result is of another source");
}

#[test]
fn what_a_task_keeps_is_fetched_again_when_its_source_is_known_to_have_changed() {
    let mut desk = Desk::new();
    let load = json!({"sources": [{"url": "https://x.example/data"}], "keep": true});
    let document = Draw::new().with("load", "load_data", load).text();
    for unchanged in [None, None, Some("the task keeps what was fetched")] {
        let why = unchanged.map(|why| (task("load"), why.to_owned()));
        desk.start_by(&document, |wish| wish.unchanged = why.into_iter().collect()).unwrap();
        desk.work(GOOD);
    }
    assert_eq!(desk.started(), ["load/1", "load/2"]);
}

#[test]
fn a_cancelled_run_that_is_retried_does_not_end_well_without_what_was_cancelled() {
    let mut desk = Desk::new();
    let document = Draw::new().job("a").with("see", "container", json!({})).job("b").arrow("see", "b").text();
    let run = desk.start(&document);
    let a = desk.machine.alive().into_iter().find(|one| one.task == task("a")).unwrap();
    (0..2).for_each(|_| desk.machine.progress(&a, BAD));
    desk.tell();
    desk.ask(Command::CancelRun { run: run_id(&run) }).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Cancelled);
    desk.ask(Command::RetryRun { run: run_id(&run) }).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.view(&run, "a").status, TaskStatus::Done);
    assert_eq!(desk.status(&run), RunStatus::Cancelled, "see and b never came to their end");
}

#[test]
fn a_run_works_on_the_document_it_began_with_whatever_is_edited_and_run_beside_it() {
    let mut desk = Desk::new();
    let document = |next: &str| Draw::new().job("a").job(next).arrow("a", next).text();
    let first = desk.start(&document("b"));
    let second = desk.start(&document("c"));
    assert_eq!((desk.status(&first), desk.status(&second)), (RunStatus::Running, RunStatus::Running));
    desk.work(GOOD);
    assert_eq!(desk.started(), ["a/1", "a/2", "b/1", "c/1"]);
}

#[test]
fn more_than_the_machine_has_waits_and_says_who_holds_it() {
    let mut desk = Desk::new();
    let gpu = json!({"resources": {"gpu": 1}});
    let document = Draw::new()
        .with("explore", "notebook", gpu)
        .with("train", "job", json!({"command": ["true"], "resources": {"gpu": 1}}))
        .text();
    let run = desk.start(&document);
    desk.work(GOOD);
    assert_eq!(desk.view(&run, "train").sentence, "waits for 1 GPU, held by explore · stop explore");
    desk.deed(&run, "explore", Deed::Advance).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
}

#[test]
fn a_thousand_copies_do_not_start_at_once() {
    let mut desk = Desk::new();
    let values: Vec<String> = (0..100).map(|value| value.to_string()).collect();
    desk.start(&Draw::new().with("a", "job", json!({"command": ["true"], "copies": {"I": values}})).text());
    assert_eq!(desk.machine.alive().len(), 16, "four for each of four processors");
    desk.work(GOOD);
    assert_eq!(desk.started().len(), 100);
}

#[test]
fn a_job_without_a_command_fails_with_a_sentence_and_nothing_is_launched() {
    let mut desk = Desk::new();
    let run = desk.start(&Draw::new().with("a", "job", json!({})).text());
    assert_eq!(desk.view(&run, "a").sentence, "a has neither a command nor a script");
    assert_eq!(desk.status(&run), RunStatus::Failed);
    assert!(desk.started().is_empty());
}

#[test]
fn a_run_without_tasks_ends_well_at_once_or_is_refused() {
    let mut desk = Desk::new();
    let refused = desk.start_part(&Draw::new().text(), Part::All).unwrap_err();
    assert!(matches!(refused, Refusal::Bad(_)));
}

#[test]
fn programs_follow_the_kind() {
    let mut desk = Desk::new();
    desk.start(&Draw::new().with("view", "viewer", json!({})).text());
    assert!(matches!(desk.machine.works.values().next().unwrap().launch.program, Program::Viewer));
}
