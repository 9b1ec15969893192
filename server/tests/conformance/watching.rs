//! Is what happens in between told: ready, the rule, the log, a restart of the server?

use std::time::{Duration, Instant};

use engine::{action::Action, observed::Phase};
use model::{
    Seconds,
    kind::Advance,
    launch::{Launch, Program, Ready},
};
use server::runner::{Exec, SessionInput, SessionOutput, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Asked, Harness, eventually, output, script, stay};

async fn rule_met<H: Harness>(asked: &mut Asked<H>, id: &model::ExecutionId) {
    asked.until(id, |phase| matches!(phase, Phase::RuleMet { .. }).then_some(())).await;
}

pub async fn a_rule_by_a_file_holds_when_the_file_is_there<H: Harness>(mut asked: Asked<H>) {
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

pub async fn a_rule_by_time_holds_so_long_after_it_was_ready<H: Harness>(mut asked: Asked<H>) {
    let mut launch = stay("time");
    launch.advance = Some(Advance::Time { seconds: Seconds(3) });
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    let ready = Instant::now();
    assert!(matches!(asked.seen[&launch.execution].phase, Phase::Ready { .. }), "it holds at once");
    rule_met(&mut asked, &launch.execution).await;
    // A cluster looks once a second, and tells whole seconds.
    assert!(ready.elapsed() > Duration::from_millis(1500), "{:?}", ready.elapsed());
    asked.stop(&launch.execution, 1).await;
    asked.end(&launch.execution).await;
}

/// Answers on one port at once, and on the other when it may.
fn answers_twice(at_once: Vec<String>, later: Vec<String>) -> Launch {
    let quoted = |argv: Vec<String>| {
        let words: Vec<String> = argv.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        words.join(" ")
    };
    let (at_once, later) = (quoted(at_once), quoted(later));
    script("ports", 1, &format!("{at_once} &\nuntil test -e /out/go; do sleep 0.02; done\n{later}"))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub async fn a_rule_by_a_port_holds_when_that_one_answers_not_the_first<H: Harness>(mut asked: Asked<H>) {
    let (first, second) = (free_port(), free_port());
    let [one, two] = [first, second].map(|port| asked.harness.answers_in_capitals(port));
    let mut launch = answers_twice(one, two);
    launch.outputs = vec![output(&launch, "/out")];
    launch.ports = vec![first, second];
    launch.ready = Ready::Port { port: first };
    launch.advance = Some(Advance::Port { port: second });
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    assert!(matches!(asked.seen[&launch.execution].phase, Phase::Ready { .. }), "the first one counts");
    std::fs::write(asked.harness.results().join("pipeline/pipe/ports/1/out/go"), "").unwrap();
    rule_met(&mut asked, &launch.execution).await;
    asked.stop(&launch.execution, 1).await;
    asked.end(&launch.execution).await;
}

pub async fn ready_is_when_the_port_answers_and_a_dialled_port_is_the_tasks<H: Harness>(mut asked: Asked<H>) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut launch = script("port", 1, "");
    launch.program = Program::Command { argv: asked.harness.answers_in_capitals(port) };
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

pub async fn every_line_is_in_the_log_and_stays_there_after_release<H: Harness>(mut asked: Asked<H>) {
    let long = asked.harness.long_text();
    let text = format!("seq 1 100000; head -c {long} /dev/zero | tr '\\0' x; printf '\\377\\000end'");
    let launch = script("lines", 1, &text);
    asked.succeed(&launch).await;
    asked.perform(Action::Release { execution: launch.execution.clone() }).await;
    let log = asked.log(&launch.execution);
    assert!((1..=100_000).map(|n| n.to_string()).eq(log.lines().take(100_000)));
    assert_eq!(log.lines().skip(100_000).map(|line| line.matches('x').count()).sum::<usize>(), long);
    assert!(log.ends_with("\0end\n"));
}

pub async fn a_launch_that_is_asked_twice_starts_one_workload<H: Harness>(mut asked: Asked<H>) {
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

pub async fn a_runner_that_is_made_again_finds_what_runs_and_what_has_ended<H: Harness>(mut asked: Asked<H>) {
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

pub async fn a_program_inside_the_task_sees_what_the_task_sees<H: Harness>(mut asked: Asked<H>) {
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

pub async fn a_terminal_has_the_size_that_it_is_given_and_is_given_later<H: Harness>(mut asked: Asked<H>) {
    let launch = stay("terminal");
    asked.launch(&launch).await;
    asked.ready(&launch.execution).await;
    let exec = Exec { argv: vec!["sh".into()], terminal: Some(TerminalSize { columns: 81, rows: 25 }) };
    let mut session = asked.harness.runner().exec(&launch.execution, exec).await.unwrap();
    session.input.send(SessionInput::Bytes(b"stty size\n".to_vec())).await.unwrap();
    let mut text = String::new();
    until_shown(&mut session.output, &mut text, "25 81").await;
    session.input.send(SessionInput::Resize(TerminalSize { columns: 90, rows: 30 })).await.unwrap();
    session.input.send(SessionInput::Bytes(b"stty size\n".to_vec())).await.unwrap();
    until_shown(&mut session.output, &mut text, "30 90").await;
    // Only now: a container runtime may lose what a terminal shows right before its program ends.
    session.input.send(SessionInput::Bytes(b"exit 3\n".to_vec())).await.unwrap();
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

pub async fn nobody_execs_into_what_does_not_run<H: Harness>(mut asked: Asked<H>) {
    let launch = script("over", 1, "true");
    asked.succeed(&launch).await;
    eventually("its supervisor is gone", || true).await;
    let refused = asked.harness.runner().exec(&launch.execution, Exec { argv: vec![], terminal: None }).await;
    assert!(matches!(refused, Err(server::runner::RunnerError::NotRunning(_))));
}
