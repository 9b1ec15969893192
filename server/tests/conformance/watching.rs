//! Is what happens in between told: ready, the rule, the log, a restart of the server?

use engine::{action::Action, observed::Phase};
use model::{
    kind::Advance,
    launch::{Program, Ready},
};
use server::runner::{Exec, SessionInput, SessionOutput, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    harness::{Asked, Harness, eventually, output, script},
    local::Local,
};

fn stay(task: &str) -> model::launch::Launch {
    let mut launch = script(task, 1, "");
    launch.program = Program::Stay;
    launch
}

async fn rule_met(asked: &mut Asked<Local>, id: &model::ExecutionId) {
    asked.until(id, |phase| matches!(phase, Phase::RuleMet { .. }).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_by_a_file_holds_when_the_file_is_there() {
    let mut asked = Local::asked().await;
    let mut launch = script("rule", 1, "until test -e /out/go; do sleep 0.02; done; touch /out/done; sleep 600");
    launch.outputs = vec![output(&launch, "/out")];
    launch.advance = Some(Advance::File { path: "/out/done".into() });
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    std::fs::write(asked.harness.results().join("pipeline/pipe/rule/1/out/go"), "").unwrap();
    rule_met(&mut asked, &launch.execution).await;
    asked.stop(&launch.execution, 1).await;
    asked.end(&launch.execution).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_is_when_the_port_answers_and_a_dialled_port_is_the_tasks() {
    let mut asked = Local::asked().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let python = format!(
        "import socket; s=socket.socket(); s.setsockopt(1,2,1); s.bind(('127.0.0.1',{port})); s.listen()\nwhile 1:\n c=s.accept()[0]\n d=c.recv(9)\n c.sendall(d.upper()); c.close()"
    );
    let mut launch = script("port", 1, "");
    launch.program = Program::Command { argv: ["/usr/bin/python3", "-c", &python].map(str::to_owned).into() };
    launch.ports = vec![port];
    launch.ready = Ready::Port { port };
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    let mut stream = asked.harness.runner().dial(&launch.execution, port).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "PING");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_in_the_log_and_stays_there_after_release() {
    let mut asked = Local::asked().await;
    let launch = script("lines", 1, "seq 1 100000; head -c 10000000 /dev/zero | tr '\\0' x; printf '\\377\\000end'");
    asked.succeed(&launch).await;
    asked.perform(Action::Release { execution: launch.execution.clone() }).await;
    let log = asked.log(&launch.execution);
    assert!((1..=100_000).map(|n| n.to_string()).eq(log.lines().take(100_000)));
    assert_eq!(log.lines().skip(100_000).map(|line| line.matches('x').count()).sum::<usize>(), 10_000_000);
    assert!(log.ends_with("\0end\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_is_asked_twice_starts_one_workload() {
    starts_one(Local::asked().await).await;
}

pub async fn starts_one<H: Harness>(mut asked: Asked<H>) {
    let launch = script("twice", 1, "echo started >> /team/audit; sleep 0.2");
    let mut launch = launch;
    launch.mounts = vec![model::launch::Mount {
        id: "team".into(),
        acl: model::Acl::ReadWrite,
        mount_path: "/team".into(),
        sub_path: None,
    }];
    for _ in 0..3 {
        asked.launch(&launch).await;
    }
    asked.end(&launch.execution).await;
    asked.remake().await;
    asked.launch(&launch).await;
    asked.end(&launch.execution).await;
    asked.perform(Action::Release { execution: launch.execution.clone() }).await;
    asked.launch(&launch).await;
    assert_eq!(crate::harness::read(asked.harness.team().join("audit")), "started\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_is_made_again_finds_what_runs_and_what_has_ended() {
    let mut asked = Local::asked().await;
    let (runs, ends) =
        (script("runs", 1, "until test -e /work/never; do sleep 0.05; done"), script("ends", 1, "exit 4"));
    asked.launch(&runs).await;
    asked.run(&ends).await;
    asked.ready(&runs.execution).await;
    asked.remake().await;
    asked.ready(&runs.execution).await;
    assert_eq!(asked.end(&ends.execution).await.exit, engine::observed::Exit::Code { code: 4 });
    asked.stop(&runs.execution, 1).await;
    asked.end(&runs.execution).await;
    asked.perform(Action::Release { execution: ends.execution.clone() }).await;
    asked.remake().await;
    assert!(!asked.seen.contains_key(&ends.execution));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_told_where_a_serving_answers_and_is_not_started_when_it_does_not() {
    let mut asked = Local::asked().await;
    let mut api = stay("api");
    api.ports = vec![34_567];
    asked.launch(&api).await;
    asked.ready(&api.execution).await;
    assert_eq!(asked.harness.runner().address(&api.execution, 34_567).unwrap(), "http://127.0.0.1:34567");
    let mut asks = script("asks", 1, "test $API_URL = http://127.0.0.1:34567");
    asks.addresses = [("API_URL".to_owned(), api.execution.clone())].into();
    asked.succeed(&asks).await;

    asked.stop(&api.execution, 1).await;
    asked.end(&api.execution).await;
    asked.perform(Action::Release { execution: api.execution.clone() }).await;
    assert_eq!(asked.harness.runner().address(&api.execution, 34_567), None);
    asks.execution.n = 2;
    match asked.run(&asks).await {
        engine::observed::Exit::NotStarted { sentence } => assert!(sentence.contains("does not serve"), "{sentence}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_leaves_nothing_or_its_log_alone_and_a_live_one_stays() {
    let mut asked = Local::asked().await;
    let mut launch = script("keeps", 1, "echo said; echo x > /out/x");
    launch.outputs = vec![output(&launch, "/out")];
    let id = launch.execution.clone();
    let results = asked.harness.results().join("pipeline/pipe/keeps/1");
    asked.succeed(&launch).await;
    let remove = |whole| Action::Remove { execution: id.clone(), whole };
    asked.perform(remove(false)).await;
    assert!(!results.exists() && asked.log(&id) == "said\n");
    asked.perform(remove(true)).await;
    assert!(!asked.harness.runner().log(&id).exists());
    asked.perform(remove(true)).await;

    let runs = stay("runs");
    asked.launch(&runs).await;
    asked.ready(&runs.execution).await;
    let removed = Action::Remove { execution: runs.execution.clone(), whole: true };
    assert!(asked.harness.runner().perform(removed).await.is_err());
    assert!(asked.harness.runner().log(&runs.execution).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_inside_the_task_sees_what_the_task_sees() {
    let mut asked = Local::asked().await;
    let mut launch = stay("shell");
    launch.env.insert("LR".into(), model::EnvValue::Value("0.1".into()));
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    let argv = ["sh", "-c", "cat; echo $LR; pwd; exit 6"].map(str::to_owned).into();
    let mut session = asked.harness.runner().exec(&launch.execution, Exec { argv, terminal: None }).await.unwrap();
    session.input.send(SessionInput::Bytes(b"typed\n".to_vec())).await.unwrap();
    session.input.send(SessionInput::End).await.unwrap();
    let (text, code) = drain(&mut session.output).await;
    assert_eq!((text.as_str(), code), ("typed\n0.1\n/work\n", 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_size_that_it_is_given_and_is_given_later() {
    let mut asked = Local::asked().await;
    let launch = stay("terminal");
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    let exec = Exec { argv: vec!["sh".into()], terminal: Some(TerminalSize { columns: 81, rows: 25 }) };
    let mut session = asked.harness.runner().exec(&launch.execution, exec).await.unwrap();
    session.input.send(SessionInput::Bytes(b"stty size\n".to_vec())).await.unwrap();
    let mut text = String::new();
    until_shown(&mut session.output, &mut text, "25 81").await;
    session.input.send(SessionInput::Resize(TerminalSize { columns: 90, rows: 30 })).await.unwrap();
    session.input.send(SessionInput::Bytes(b"stty size; exit 3\n".to_vec())).await.unwrap();
    until_shown(&mut session.output, &mut text, "30 90").await;
    assert_eq!(drain(&mut session.output).await.1, 3);
}

async fn until_shown(output: &mut tokio::sync::mpsc::Receiver<SessionOutput>, text: &mut String, wanted: &str) {
    while !text.contains(wanted) {
        match tokio::time::timeout(crate::harness::PATIENCE, output.recv()).await {
            Ok(Some(SessionOutput::Stdout(bytes))) => text.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} after {text}"),
        }
    }
}

async fn drain(output: &mut tokio::sync::mpsc::Receiver<SessionOutput>) -> (String, i32) {
    let mut text = String::new();
    loop {
        match tokio::time::timeout(crate::harness::PATIENCE, output.recv()).await.expect("it ends") {
            Some(SessionOutput::Stdout(bytes) | SessionOutput::Stderr(bytes)) => {
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
            Some(SessionOutput::Exit(code)) => return (text, code),
            None => panic!("no exit code after {text}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_execs_into_what_does_not_run() {
    let mut asked = Local::asked().await;
    let launch = script("over", 1, "true");
    asked.succeed(&launch).await;
    eventually("its supervisor is gone", || true).await;
    let refused = asked.harness.runner().exec(&launch.execution, Exec { argv: vec![], terminal: None }).await;
    assert!(matches!(refused, Err(server::runner::RunnerError::NotRunning(_))));
}
