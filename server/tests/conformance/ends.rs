//! How does a program end, and is the end told as it was?

use std::time::{Duration, Instant};

use engine::observed::Exit;
use model::{EnvValue, Seconds, launch::Program};

use crate::harness::{Asked, Harness, eventually, id, script};

pub async fn an_exit_code_and_a_signal_are_told_as_they_were<H: Harness>(mut asked: Asked<H>) {
    assert_eq!(asked.run(&script("code", 1, "exit 7")).await, Exit::Code { code: 7 });
    assert_eq!(asked.run(&script("signal", 1, "kill -9 $$")).await, Exit::Signal { signal: 9 });
}

pub async fn a_script_ends_at_its_first_failing_command<H: Harness>(mut asked: Asked<H>) {
    assert_eq!(asked.run(&script("strict", 1, "false\necho on")).await, Exit::Code { code: 1 });
    assert_eq!(asked.log(&id("strict", 1)), "");
}

pub async fn a_command_is_an_argument_list_without_a_shell<H: Harness>(mut asked: Asked<H>) {
    let mut launch = script("command", 1, "");
    launch.program = Program::Command { argv: ["printf", "%s|", "$HOME", "a b", ""].map(str::to_owned).into() };
    asked.succeed(&launch).await;
    assert_eq!(asked.log(&launch.execution), "$HOME|a b||\n");
}

pub async fn a_program_that_is_not_there_is_not_started_and_says_so<H: Harness>(mut asked: Asked<H>) {
    let mut launch = script("missing", 1, "");
    launch.program = Program::Command { argv: vec!["no-such-program".into()] };
    let Exit::NotStarted { sentence } = asked.run(&launch).await else { panic!() };
    assert!(sentence.contains("no-such-program"), "{sentence}");
}

pub async fn a_stop_asks_first_and_leaves_the_grace_time<H: Harness>(mut asked: Asked<H>) {
    let launch = script("polite", 1, "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done");
    asked.launch(&launch).await;
    eventually("it traps", || asked.log(&launch.execution).contains("up")).await;
    asked.stop(&launch.execution, 20).await;
    assert_eq!(asked.end(&launch.execution).await.exit, Exit::Code { code: 3 });
    assert!(asked.log(&launch.execution).contains("bye"));
}

pub async fn who_ignores_being_asked_is_killed_after_the_grace_time<H: Harness>(mut asked: Asked<H>) {
    let launch = script("deaf", 1, "trap '' TERM; echo up; while :; do sleep 0.05; done");
    asked.launch(&launch).await;
    eventually("it traps", || asked.log(&launch.execution).contains("up")).await;
    let begin = Instant::now();
    asked.stop(&launch.execution, 1).await;
    assert_eq!(asked.end(&launch.execution).await.exit, Exit::Signal { signal: 9 });
    assert!((Duration::from_millis(900)..Duration::from_secs(15)).contains(&begin.elapsed()));
}

pub async fn a_timeout_ends_it_and_says_that_it_was_one<H: Harness>(mut asked: Asked<H>) {
    let mut launch = script("slow", 1, "sleep 600");
    launch.timeout = Some(Seconds(1));
    assert_eq!(asked.run(&launch).await, Exit::TimedOut);
}

pub async fn stopping_what_never_was_or_has_ended_changes_nothing<H: Harness>(mut asked: Asked<H>) {
    asked.stop(&id("ghost", 1), 1).await;
    let launch = script("done", 1, "exit 5");
    assert_eq!(asked.run(&launch).await, Exit::Code { code: 5 });
    asked.stop(&launch.execution, 1).await;
    assert_eq!(asked.end(&launch.execution).await.exit, Exit::Code { code: 5 });
}

pub async fn a_secret_reaches_the_program_and_no_file<H: Harness>(mut asked: Asked<H>) {
    let mut launch = script("secret", 1, "test \"${PASS#hush}\" = -hush");
    launch.env.insert("PASS".into(), EnvValue::Secret("pass".into()));
    asked.succeed(&launch).await;
    let mut missing = script("secret", 2, "true");
    missing.env.insert("PASS".into(), EnvValue::Secret("unknown".into()));
    let Exit::NotStarted { sentence } = asked.run(&missing).await else { panic!() };
    assert!(sentence.contains("fletchline secret set unknown"), "{sentence}");
    let found =
        std::process::Command::new("grep").args(["-rl", "hush-hush"]).arg(asked.harness.data()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}
