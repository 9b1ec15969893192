//! What becomes of tasks when the process that hosts the runner is killed at any moment?

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use engine::{
    action::Action,
    observed::{Exit, Phase},
};
use model::{
    Acl,
    launch::{Launch, Mount},
};
use server::runner::{Runner, local::LocalRunner};

use crate::{
    harness::{Asked, Harness, eventually, read, script},
    local::{Local, config, kill},
};

/// Where the hosting process finds its installation. Set only by the tests below.
const PLACE: &str = "FLETCHLINE_TEST_PLACE";
const JOBS: u64 = 20;

/// Says in the audit file that it began; `n` tells executions apart.
fn audited(n: u64) -> Launch {
    let mut launch = script("audit", n, "echo $FLETCHLINE_N >> /team/audit; sleep 0.$((FLETCHLINE_N % 5))");
    launch.mounts = vec![Mount { id: "team".into(), acl: Acl::ReadWrite, mount_path: "/team".into(), sub_path: None }];
    launch
}

/// The hosting process: launches all, over and over, until it is killed. Without its place it hosts one job itself.
#[test]
fn a_process_that_hosts_a_runner_launches_what_it_is_to_launch() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Ok(place) = std::env::var(PLACE) else {
            return Local::asked().await.succeed(&audited_alone()).await;
        };
        let runner = LocalRunner::new(config(Path::new(&place))).unwrap();
        let _from = runner.observe().await.unwrap();
        for n in 1..=JOBS {
            runner.perform(Action::Launch(Box::new(audited(n)))).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
}

fn audited_alone() -> Launch {
    script("alone", 1, "true")
}

fn host(place: &Path) -> Child {
    let own = std::env::current_exe().unwrap();
    let name = "server_dies::a_process_that_hosts_a_runner_launches_what_it_is_to_launch";
    let mut command = Command::new(own);
    command.args(["--exact", name]).env(PLACE, place).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// How often each execution began.
fn begun(asked: &Asked<Local>) -> BTreeMap<u64, u32> {
    let mut begun = BTreeMap::new();
    for line in read(asked.harness.team().join("audit")).lines() {
        *begun.entry(line.parse().unwrap()).or_default() += 1;
    }
    begun
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_of_the_server_neither_lose_nor_double_an_execution() {
    let mut asked = Local::asked().await;
    for round in 0..20_u64 {
        let mut child = host(asked.harness.place());
        // Spread over the whole of a start and its launches.
        tokio::time::sleep(Duration::from_millis(10 + round * 17 % 190)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    asked.remake().await;
    for n in 1..=JOBS {
        asked.launch(&audited(n)).await;
    }
    for n in 1..=JOBS {
        assert_eq!(asked.end(&audited(n).execution).await.exit, Exit::Code { code: 0 });
    }
    assert_eq!(begun(&asked), (1..=JOBS).map(|n| (n, 1)).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_left_running_is_found_and_its_end_told() {
    let mut asked = Local::asked().await;
    let mut child = host(asked.harness.place());
    let audit = asked.harness.team().join("audit");
    eventually("all have begun", || {
        std::fs::read_to_string(&audit).is_ok_and(|text| text.lines().count() == JOBS as usize)
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    asked.remake().await;
    for n in 1..=JOBS {
        assert_eq!(asked.end(&audited(n).execution).await.exit, Exit::Code { code: 0 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_killed_at_any_moment_ends_or_loses_its_execution_and_never_doubles_it() {
    let mut asked = Local::asked().await;
    for n in 1..=JOBS {
        let launch = audited(n);
        asked.launch(&launch).await;
        tokio::time::sleep(Duration::from_millis(n * 13 % 40)).await;
        if let Some(supervisor) = asked.harness.executions().folder(&launch.execution).told().supervisor {
            kill(supervisor);
        }
        asked.launch(&launch).await;
    }
    for n in 1..=JOBS {
        let over = |phase: &Phase| matches!(phase, Phase::Ended(_) | Phase::Lost { .. }).then_some(());
        asked.until(&audited(n).execution, over).await;
    }
    assert!(begun(&asked).values().all(|times| *times == 1));
}
