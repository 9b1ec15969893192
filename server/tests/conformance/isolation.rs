//! What does a task never see, and what never sees it again?

use std::{collections::BTreeSet, fs};

use engine::action::Action;
use server::runner::local::folder::alive;

use crate::{
    harness::{Harness, eventually, id, script},
    local::{Local, kill},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_finds_neither_the_data_folder_nor_the_servers_environment_nor_neighbours() {
    let mut asked = Local::asked().await;
    let neighbour = script("neighbour", 1, "sleep 60.5");
    asked.launch(&neighbour).await;
    asked.ready(&neighbour.execution).await;
    let data = asked.harness.data();
    fs::write(data.join("fletchline.db"), "database").unwrap();
    let text = format!(
        "ls -A {}\n! cat /proc/1/environ 2>/dev/null\n! env | grep CARGO\nls /proc | grep -c '^[0-9]'",
        data.display()
    );
    let launch = script("spy", 1, &text);
    asked.succeed(&launch).await;
    let log = asked.log(&launch.execution);
    assert!(!log.contains("fletchline.db") && !log.contains("results"), "{log}");
    let processes: u32 = log.lines().last().unwrap().parse().unwrap();
    assert!(processes < 10, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_on_the_machine() {
    let listing =
        |path: &str| -> BTreeSet<_> { fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
    let before = (listing("/"), listing("/usr"), listing("/opt"));
    let mut asked = Local::asked().await;
    let mut launch = script("maker", 1, "echo x > /con9/out/x; echo y > /opt/con9/y");
    launch.outputs = ["/con9/out", "/opt/con9"].map(|path| crate::harness::output(&launch, path)).into();
    asked.succeed(&launch).await;
    assert_eq!(before, (listing("/"), listing("/usr"), listing("/opt")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_mount_cannot_be_made_writable_by_root() {
    let mut asked = Local::asked().await;
    let text = "grep CapEff /proc/self/status; ! mount -o remount,rw /usr; ! unshare -Urm mount -o remount,bind,rw /usr; ! touch /usr/x /x /etc/x; ! sh -c 'echo 1 > /proc/sys/vm/swappiness'";
    let launch = script("root", 1, text);
    asked.succeed(&launch).await;
    assert!(asked.log(&launch.execution).contains("CapEff:\t0000000000000000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_sees_the_machines_hardware_and_cannot_change_it() {
    let mut asked = Local::asked().await;
    let text = "ls -d /sys/devices/system/cpu/cpu0; ! sh -c 'echo x > /sys/kernel/uevent_seqnum'; ! mkdir /sys/x";
    asked.succeed(&script("hardware", 1, text)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_buried_when_its_execution_is_released_before_its_own_end() {
    let mut asked = Local::asked().await;
    let mut supervisors = Vec::new();
    for n in 1..=10 {
        let launch = script("brief", n, "true");
        asked.succeed(&launch).await;
        supervisors.extend(asked.harness.executions().folder(&launch.execution).told().supervisor);
        asked.perform(Action::Release { execution: launch.execution }).await;
    }
    assert_eq!(supervisors.len(), 10);
    // The dead are there until somebody asks how they ended.
    eventually("all are buried", || supervisors.iter().all(|one| alive(*one).is_none())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_leaves_behind_ends_with_it() {
    let mut asked = Local::asked().await;
    let launch = script("daemon", 1, "(setsid sh -c 'trap \"\" TERM; while :; do sleep 0.31; done' &) ; sleep 0.1");
    asked.succeed(&launch).await;
    assert!(!runs("0.31"));
}

fn runs(argument: &str) -> bool {
    let found = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    found.into_iter().any(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_supervisor_takes_every_process_along_and_the_execution_is_lost() {
    let mut asked = Local::asked().await;
    let launch = script(
        "orphan",
        1,
        "trap '' TERM; (setsid sleep 600.25 &); for i in 1 2 3 4 5; do (while :; do sleep 600.25; done) & done; wait",
    );
    asked.launch(&launch).await;
    eventually("it runs", || runs("600.25")).await;
    let told = asked.harness.executions().folder(&id("orphan", 1)).told();
    kill(told.supervisor.unwrap());
    asked.until(&launch.execution, |phase| matches!(phase, engine::observed::Phase::Lost { .. }).then_some(())).await;
    assert!(!runs("600.25"));
    // Lost is for good: it is never started again.
    asked.remake().await;
    asked.launch(&launch).await;
    asked.until(&launch.execution, |phase| matches!(phase, engine::observed::Phase::Lost { .. }).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_volume_is_writable_where_that_was_asked_and_hides_the_results_in_it() {
    let mut asked = Local::asked().await;
    fs::create_dir_all(asked.harness.team().join("pipeline/other")).unwrap();
    let mut launch =
        script("share", 1, "echo a > /team/made\nif echo b > /team/pipeline/other/x; then exit 9; fi\nexit 0");
    launch.mounts = vec![crate::folders::mount("team", model::Acl::ReadWrite, "/team", None)];
    asked.succeed(&launch).await;
    assert_eq!(crate::harness::read(asked.harness.team().join("made")), "a\n");
}
