//! What do tasks have in common that are started by one template, and what becomes of them when it dies?

use std::{collections::BTreeMap, fs, time::Duration};

use engine::observed::Exit;
use model::{
    Acl,
    launch::{Launch, RESULTS},
};

use crate::{
    folders::mount,
    harness::{Asked, Harness, output, read, script},
    local::{Local, kill},
};

fn kill_template(asked: &Asked<Local>) {
    asked.harness.local().template().into_iter().for_each(kill);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_killed_takes_nothing_along_and_is_there_again_for_the_next_launch() {
    let mut asked = Local::asked().await;
    let lasting = script("lasting", 1, "trap 'exit 4' TERM; echo up; while :; do sleep 0.05; done");
    asked.launch(&lasting).await;
    asked.ready(&lasting.execution).await;
    let first = asked.harness.local().template().unwrap();
    kill_template(&asked);
    asked.succeed(&script("next", 1, "true")).await;
    assert_ne!(asked.harness.local().template().unwrap(), first);
    asked.stop(&lasting.execution, 20).await;
    assert_eq!(asked.end(&lasting.execution).await.exit, Exit::Code { code: 4 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_killed_at_any_moment_neither_loses_nor_doubles_a_launch() {
    const JOBS: u64 = 20;
    let mut asked = Local::asked().await;
    let audited = |n: u64| -> Launch {
        let mut launch = script("audit", n, "echo $FLETCHLINE_N >> /team/audit");
        launch.mounts = vec![mount("team", Acl::ReadWrite, "/team", None)];
        launch
    };
    for n in 1..=JOBS {
        asked.launch(&audited(n)).await;
        // Before it has the request, while it forks, when the supervisor has begun.
        tokio::time::sleep(Duration::from_micros(n * 700 % 5000)).await;
        kill_template(&asked);
        assert_eq!(asked.end(&audited(n).execution).await.exit, Exit::Code { code: 0 });
    }
    let mut begun = BTreeMap::<u64, u32>::new();
    for line in read(asked.harness.team().join("audit")).lines() {
        *begun.entry(line.parse().unwrap()).or_default() += 1;
    }
    assert_eq!(begun, (1..=JOBS).map(|n| (n, 1)).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_one_tasks_mounts_is_there_in_the_next() {
    let mut asked = Local::asked().await;
    let mut first =
        script("first", 1, "echo x > /con9/out/x; echo x > /team/x; mkdir /tmp/y /dev/shm/y; echo x > /work/x");
    first.outputs = vec![output(&first, "/con9/out")];
    first.mounts = vec![mount("team", Acl::ReadWrite, "/team", None)];
    asked.succeed(&first).await;
    let looks =
        "test -z \"$(ls -d /con9 /team 2>/dev/null || true; find /tmp /dev/shm /work -mindepth 1 ! -name .home)\"
        if grep -E 'con9|team' /proc/self/mountinfo; then exit 9; fi";
    asked.succeed(&script("next", 1, looks)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_with_the_same_places_each_have_what_is_their_own_there() {
    let mut asked = Local::asked().await;
    for n in 1..=4 {
        // The same base for all: what is left in it by one would be found by the next.
        let text =
            "test -z \"$(find /out /tmp /dev/shm /work -mindepth 1 ! -name .home)\"; test \"$(ls /dev/pts)\" = ptmx
            echo $FLETCHLINE_N > /out/n; echo x > /tmp/x; echo x > /dev/shm/x; echo x > /work/x
            for sealed in / /dev /usr /etc /fletchline; do if touch $sealed/x 2>/dev/null; then exit 9; fi; done
            if chmod 777 /dev || rm /dev/null; then exit 9; fi 2>/dev/null
            echo x > /dev/null";
        let mut launch = script("alike", n, text);
        launch.outputs = vec![output(&launch, "/out")];
        asked.succeed(&launch).await;
        let kept = asked.harness.results().join(format!("pipeline/pipe/alike/{n}/out/n"));
        assert_eq!(read(kept), format!("{n}\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_there_for_one_is_not_there_for_another_with_the_same_path() {
    let mut asked = Local::asked().await;
    for task in ["one", "two"] {
        fs::create_dir_all(asked.harness.results().join("pipeline/pipe").join(task)).unwrap();
        fs::write(asked.harness.results().join("pipeline/pipe").join(task).join("name"), task).unwrap();
        let mut launch = script("reads", if task == "one" { 1 } else { 2 }, &format!("test $(cat /in/name) = {task}"));
        launch.mounts = vec![mount(RESULTS, Acl::ReadOnly, "/in", Some(&format!("pipeline/pipe/{task}")))];
        asked.succeed(&launch).await;
    }
}
