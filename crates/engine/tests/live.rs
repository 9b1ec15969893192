//! Do live steps, Viewers and Servings come and go as promised?

mod support;

use engine::{
    command::Command,
    observed::{Ended, Exit, Phase},
};
use model::{
    ExecutionId,
    run::{Deed, RunStatus, TaskStatus},
};
use serde_json::json;
use support::{
    desk::Desk,
    draw::{Draw, run_id, task},
};

const GOOD: u8 = 0;
const LOST: u8 = 255;

fn execution(id: &str, n: u64) -> ExecutionId {
    ExecutionId { pipeline: run_pipeline(), task: task(id), n }
}

fn explore(fields: serde_json::Value) -> Draw {
    Draw::new().with("explore", "notebook", fields).job("b").arrow("explore", "b")
}

fn exit(desk: &mut Desk, id: &str, code: i32) {
    let execution = desk.machine.alive().into_iter().find(|one| one.task == task(id)).unwrap();
    let ended = Ended { exit: Exit::Code { code }, started: Some(1), ended: desk.now, facts: None };
    desk.machine.works.get_mut(&execution).unwrap().phase = Phase::Ended(ended);
    desk.tell();
}

#[test]
fn a_downstream_starts_when_an_advanced_step_has_ended_not_before() {
    let mut desk = Desk::new();
    let run = desk.start(&explore(json!({})).text());
    assert!(desk.deed(&run, "explore", Deed::Advance).is_err(), "it is not ready yet");
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::WaitingForYou);
    assert_eq!(desk.view(&run, "explore").status, TaskStatus::WaitingForYou);
    assert_eq!(desk.view(&run, "explore").open[0].label, "Open notebook");
    desk.deed(&run, "explore", Deed::Advance).unwrap();
    assert_eq!(desk.started(), ["explore/1"]);
    assert_eq!(desk.view(&run, "explore").status, TaskStatus::Ending);
    desk.work(GOOD);
    assert_eq!(desk.started(), ["explore/1", "b/1"]);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
}

#[test]
fn a_step_that_waits_for_a_person_and_ends_by_itself_goes_on_waiting() {
    let mut desk = Desk::new();
    let run = desk.start(&explore(json!({})).text());
    desk.work(GOOD);
    exit(&mut desk, "explore", 0);
    let view = desk.view(&run, "explore");
    assert_eq!(view.sentence, "ended: exit code 0 · start again · fail it");
    assert_eq!(view.may, [Deed::StartAgain, Deed::FailIt]);
    assert_eq!(desk.status(&run), RunStatus::WaitingForYou);
    desk.deed(&run, "explore", Deed::StartAgain).unwrap();
    desk.work(GOOD);
    exit(&mut desk, "explore", 1);
    desk.deed(&run, "explore", Deed::FailIt).unwrap();
    assert_eq!(desk.status(&run), RunStatus::Failed);
    assert_eq!(desk.started(), ["explore/1", "explore/2"]);
}

#[test]
fn a_step_with_a_rule_advances_by_it_and_fails_by_another_code() {
    let rule = json!({"advance": {"by": "file", "path": "/work/done"}});
    let mut desk = Desk::new();
    let run = desk.start(&explore(rule.clone()).text());
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    let run = desk.start(&explore(rule).text());
    let id = desk.machine.alive()[0].clone();
    (0..2).for_each(|_| desk.machine.progress(&id, GOOD));
    desk.tell();
    exit(&mut desk, "explore", 3);
    assert_eq!(desk.view(&run, "explore").sentence, "exit code 3");
    assert_eq!(desk.status(&run), RunStatus::Failed);
}

#[test]
fn a_step_that_stays_open_lets_the_run_go_on_and_ends_with_it() {
    let mut desk = Desk::new();
    let run = desk.start(&explore(json!({"stay_open": true})).text());
    desk.work(GOOD);
    desk.deed(&run, "explore", Deed::Advance).unwrap();
    let open = desk.view(&run, "explore");
    assert_eq!((open.sentence.as_str(), open.ended), ("stays open until the run ends", None));
    assert_eq!(desk.started(), ["explore/1", "b/1"]);
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert!(desk.machine.alive().is_empty());
}

#[test]
fn what_stayed_open_is_over_when_it_has_ended_not_when_it_let_the_run_go_on() {
    let mut desk = Desk::new();
    let run = desk.start(&explore(json!({"stay_open": true})).text());
    desk.work(GOOD);
    desk.deed(&run, "explore", Deed::Advance).unwrap();
    desk.now += 10_000;
    exit(&mut desk, "explore", 0);
    assert_eq!(desk.view(&run, "explore").ended, Some(desk.now));
}

/// It stays open for `b`, and for `c` that begins when `b` has ended.
fn open_for_two() -> String {
    let open = explore(json!({"stay_open": true}));
    open.job("c").arrow("b", "c").arrow("explore", "c").text()
}

fn read_of_explore(desk: &Desk, id: &str) -> Option<String> {
    let all = desk.machine.works.values().chain(desk.machine.ended.values());
    let work = all.into_iter().find(|work| work.launch.execution.task == task(id))?;
    let mount = work.launch.mounts.iter().find(|mount| mount.mount_path.0 == "/in/explore")?;
    mount.sub_path.clone()
}

#[test]
fn what_stayed_open_and_ended_by_itself_is_read_and_waits_for_nobody() {
    for code in [0, 1] {
        let mut desk = Desk::new();
        let run = desk.start(&open_for_two());
        desk.work_until_ready("explore");
        desk.deed(&run, "explore", Deed::Advance).unwrap();
        exit(&mut desk, "explore", code);
        assert_eq!(desk.status(&run), RunStatus::Running, "it let the run go on before");
        desk.work(GOOD);
        assert_eq!(desk.status(&run), RunStatus::Succeeded);
        assert_eq!(desk.started(), ["explore/1", "b/1", "c/1"]);
        assert_eq!(read_of_explore(&desk, "c").as_deref(), Some("pipeline/p/explore/1/out"));
        assert_eq!(desk.view(&run, "explore").may, []);
    }
}

#[test]
fn what_stayed_open_and_lost_its_machine_starts_again_and_those_behind_it_read_what_it_let_go() {
    let mut desk = Desk::new();
    let run = desk.start(&open_for_two());
    desk.work_until_ready("explore");
    desk.deed(&run, "explore", Deed::Advance).unwrap();
    desk.machine.progress(&execution("explore", 1), LOST);
    desk.tell();
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert_eq!(read_of_explore(&desk, "c").as_deref(), Some("pipeline/p/explore/1/out"));
    assert!(desk.started().contains(&"explore/2".to_owned()), "{:?}", desk.started());
    assert!(desk.machine.alive().is_empty());
}

#[test]
fn what_stayed_open_does_not_start_again_in_a_run_that_is_over() {
    let mut desk = Desk::new();
    let run = desk.start(&explore(json!({"stay_open": true})).text());
    desk.work_until_ready("explore");
    desk.deed(&run, "explore", Deed::Advance).unwrap();
    desk.machine.progress(&execution("explore", 1), LOST);
    (0..2).for_each(|_| desk.machine.progress(&execution("b", 1), GOOD));
    desk.tell();
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert!(desk.machine.alive().is_empty(), "{:?}", desk.machine.alive());
}

#[test]
fn one_live_execution_holds_a_work_folder_and_a_second_one_waits_and_says_so() {
    let mut desk = Desk::new();
    let first = desk.start(&explore(json!({})).text());
    desk.work(GOOD);
    let second = desk.start(&explore(json!({})).text());
    assert_eq!(
        desk.view(&second, "explore").sentence,
        "waits for its work folder: explore of run 1 has it · open it there · end it there and go on here"
    );
    desk.deed(&second, "explore", Deed::Stop).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.status(&first), RunStatus::Succeeded);
    assert_eq!(desk.view(&second, "explore").status, TaskStatus::WaitingForYou);
}

#[test]
fn a_work_folder_is_held_until_what_is_kept_of_it_is_copied() {
    let mut desk = Desk::new();
    let first = desk.start(&explore(json!({})).text());
    desk.work(GOOD);
    let second = desk.start(&explore(json!({})).text());
    desk.deed(&first, "explore", Deed::Advance).unwrap();
    let id = execution("explore", 1);
    // Ended, and copying.
    desk.machine.progress(&id, GOOD);
    desk.tell();
    assert_eq!(desk.view(&first, "explore").status, TaskStatus::Ending);
    assert_eq!(desk.started(), ["explore/1"]);
    assert!(desk.view(&second, "explore").sentence.starts_with("waits for its work folder"));
    desk.machine.progress(&id, GOOD);
    desk.tell();
    assert_eq!(desk.started(), ["explore/1", "b/1", "explore/2"]);
}

#[test]
fn one_viewer_is_there_for_all_runs_and_outlives_them() {
    let document =
        Draw::new().job("train").with("board", "viewer", json!({})).arrow_with("train", "/out", "board", "").text();
    let mut desk = Desk::new();
    let first = desk.start(&document);
    desk.work(GOOD);
    let second = desk.start(&document);
    desk.work(GOOD);
    assert_eq!((desk.status(&first), desk.status(&second)), (RunStatus::Succeeded, RunStatus::Succeeded));
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/board/1"]);
    let viewer = execution("board", 1);
    let names: Vec<&str> = desk.machine.links[&viewer].iter().map(|link| link.name.as_str()).collect();
    assert_eq!(names, ["run 1 · train", "run 2 · train"]);
    assert_eq!(desk.machine.links[&viewer][0].folder, "pipeline/p/train/1/out");
    desk.ask(Command::DeleteRun { run: run_id(&first) }).unwrap();
    desk.turn();
    assert_eq!(desk.machine.links[&viewer].len(), 1);
}

fn run_pipeline() -> model::PipelineId {
    model::PipelineId::new("p").unwrap()
}

#[test]
fn a_viewer_shows_the_newest_runs_and_those_that_are_pinned_each_execution_under_a_name_for_people() {
    let train = json!({"command": ["true"], "retries": 1, "copies": {"LR": ["0.1"]}});
    let board = json!({"newest_runs": 2});
    let document =
        Draw::new().with("train", "job", train).with("board", "viewer", board).arrow_with("train", "/out", "board", "");
    let mut desk = Desk::new();
    let first = desk.start(&document.text());
    let id = desk.machine.alive().into_iter().find(|one| one.task == task("train")).unwrap();
    (0..2).for_each(|_| desk.machine.progress(&id, 240));
    desk.tell();
    desk.work(GOOD);
    let names = |desk: &Desk| -> Vec<String> {
        desk.machine.links[&execution("board", 1)].iter().map(|link| link.name.clone()).collect()
    };
    assert_eq!(names(&desk), ["run 1 · train · LR=0.1", "run 1 · train · LR=0.1 · try 2"]);
    for _ in 0..2 {
        desk.start(&document.text());
        desk.work(GOOD);
    }
    assert_eq!(names(&desk), ["run 2 · train · LR=0.1", "run 3 · train · LR=0.1"]);
    desk.ask(Command::Pin { run: run_id(&first), pinned: true }).unwrap();
    desk.turn();
    assert_eq!(names(&desk).len(), 4, "{:?}", names(&desk));
}

#[test]
fn a_viewer_that_is_not_there_is_started_by_the_next_run() {
    let document = Draw::new().job("train").with("board", "viewer", json!({})).text();
    let mut desk = Desk::new();
    let first = desk.start(&document);
    desk.work(GOOD);
    exit(&mut desk, "board", 1);
    desk.start(&document);
    desk.work(GOOD);
    assert_eq!(desk.view(&first, "board").status, TaskStatus::Serving);
    desk.ask(Command::CancelRun { run: run_id(&first) }).unwrap_err();
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/board/2"]);
}

#[test]
fn pausing_a_viewer_concerns_all_runs_and_a_new_run_leaves_it_paused() {
    let document = Draw::new().job("train").with("board", "viewer", json!({})).text();
    let mut desk = Desk::new();
    let first = desk.start(&document);
    desk.work(GOOD);
    desk.deed(&first, "board", Deed::Pause).unwrap();
    desk.work(GOOD);
    let second = desk.start(&document);
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "board").status, TaskStatus::Paused);
    assert_eq!(desk.view(&first, "board").status, TaskStatus::Paused);
    desk.deed(&second, "board", Deed::Resume).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.view(&first, "board").status, TaskStatus::Serving);
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/board/2"]);
}

#[test]
fn a_viewer_never_fails_a_run() {
    let mut desk = Desk::new();
    let run = desk.start(&Draw::new().job("train").with("board", "viewer", json!({})).text());
    desk.turn();
    let board = desk.machine.alive().into_iter().find(|one| one.task == task("board")).unwrap();
    desk.machine.progress(&board, GOOD);
    desk.tell();
    exit(&mut desk, "board", 1);
    desk.work(GOOD);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert_eq!(desk.view(&run, "board").status, TaskStatus::Failed);
}

fn serving(fields: serde_json::Value) -> String {
    Draw::new()
        .job("train")
        .with("api", "serving", fields)
        .job("ask")
        .arrow("train", "api")
        .arrow_with("api", "", "ask", "")
        .text()
}

#[test]
fn a_serving_packs_once_and_releases_when_it_answers() {
    let mut desk = Desk::new();
    let run = desk.start(&serving(json!({})));
    desk.work(GOOD);
    assert_eq!(desk.started(), ["train/1", "api/1", "api/2", "ask/1"]);
    assert_eq!(desk.status(&run), RunStatus::Succeeded);
    assert_eq!(desk.view(&run, "api").sentence, "live");
    let ask = desk.machine.ended.values().find(|work| work.launch.execution.task == task("ask")).unwrap();
    assert_eq!(ask.launch.addresses.values().next().unwrap().n, 2);
}

#[test]
fn a_second_version_is_ready_beside_the_live_one_until_a_person_makes_it_live() {
    let mut desk = Desk::new();
    let first = desk.start(&serving(json!({})));
    desk.work(GOOD);
    let second = desk.start(&serving(json!({})));
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "api").sentence, "ready beside the live version");
    assert_eq!(desk.view(&second, "api").may, [Deed::MakeLive, Deed::Stop]);
    desk.deed(&second, "api", Deed::MakeLive).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "api").sentence, "live");
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/api/4"]);
    desk.deed(&first, "api", Deed::MakeLive).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.view(&first, "api").sentence, "live", "an older version serves again without packing");
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/api/5"]);
}

#[test]
fn a_version_that_does_not_fit_beside_the_live_one_says_who_to_stop() {
    let document = Draw::new().with("api", "serving", json!({"resources": {"memory": "6Gi"}})).text();
    let mut desk = Desk::new();
    let first = desk.start(&document);
    desk.work(GOOD);
    let second = desk.start(&document);
    desk.work(GOOD);
    assert_eq!(
        desk.view(&second, "api").sentence,
        "waits for 6 GiB of memory, held by api of run 1 · stop api of run 1"
    );
    desk.deed(&first, "api", Deed::Stop).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "api").sentence, "live");
    assert_eq!(desk.status(&second), RunStatus::Succeeded);
}

#[test]
fn a_serving_that_replaces_automatically_ends_the_one_that_was_live() {
    let mut desk = Desk::new();
    desk.start(&serving(json!({"replace": "automatic"})));
    desk.work(GOOD);
    let second = desk.start(&serving(json!({"replace": "automatic"})));
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "api").sentence, "live");
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/api/4"]);
}

#[test]
fn a_version_that_would_replace_by_itself_and_does_not_fit_waits_and_says_who_to_stop() {
    let fields = json!({"resources": {"memory": "6Gi"}, "replace": "automatic"});
    let document = Draw::new().with("api", "serving", fields).text();
    let mut desk = Desk::new();
    let first = desk.start(&document);
    desk.work(GOOD);
    let second = desk.start(&document);
    desk.work(GOOD);
    let waits = "waits for 6 GiB of memory, held by api of run 1 · stop api of run 1";
    assert_eq!(desk.view(&second, "api").sentence, waits);
    assert_eq!(desk.view(&first, "api").sentence, "live", "it goes on answering meanwhile");
    desk.deed(&first, "api", Deed::Stop).unwrap();
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "api").sentence, "live");
}

#[test]
fn cancel_ends_a_serving_that_is_not_live_yet_and_never_the_live_one() {
    let mut desk = Desk::new();
    desk.start(&serving(json!({})));
    desk.work(GOOD);
    let document = Draw::new()
        .job("train")
        .with("api", "serving", json!({}))
        .with("see", "container", json!({}))
        .arrow("train", "api")
        .text();
    let second = desk.start(&document);
    desk.work(GOOD);
    assert_eq!(desk.view(&second, "api").status, TaskStatus::Serving);
    desk.ask(Command::CancelRun { run: run_id(&second) }).unwrap();
    desk.turn();
    desk.work(GOOD);
    assert_eq!(desk.status(&second), RunStatus::Cancelled);
    assert_eq!(desk.machine.names().into_iter().collect::<Vec<_>>(), ["p/api/2"]);
}

#[test]
fn a_serving_that_fails_before_it_answers_fails_the_run() {
    let mut desk = Desk::new();
    let run = desk.start(&serving(json!({})));
    for _ in 0..20 {
        for id in desk.machine.alive() {
            if matches!(desk.machine.works[&id].launch.program, model::launch::Program::Serve { .. }) {
                exit(&mut desk, "api", 2);
            } else {
                desk.machine.progress(&id, GOOD);
            }
        }
        desk.tell();
    }
    assert_eq!(desk.status(&run), RunStatus::Failed);
    assert_eq!(desk.view(&run, "ask").sentence, "skipped because of api");

    // Its version may be started again; then another one beside it would be two of one run.
    assert!(desk.view(&run, "api").may.contains(&Deed::Retry));
    desk.deed(&run, "api", Deed::StartAgain).unwrap();
    desk.work(GOOD);
    let view = desk.view(&run, "api");
    assert_eq!((view.status, view.sentence.as_str()), (TaskStatus::Serving, "live"));
    assert!(!view.may.contains(&Deed::Retry));
    let refused = desk.deed(&run, "api", Deed::Retry).unwrap_err().to_string();
    assert_eq!(refused, "api was started again: stop that version, then retry.");
    desk.deed(&run, "api", Deed::Stop).unwrap();
    desk.work(GOOD);
    let view = desk.view(&run, "api");
    assert_eq!(view.status, TaskStatus::Failed);
    assert!(view.may.contains(&Deed::Retry));
}
