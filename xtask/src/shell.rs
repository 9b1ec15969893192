//! How does one command run another?

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// A command of ours always runs at the repository's root.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(crate::root());
    command
}

pub fn cargo(arguments: &[&str]) -> Command {
    command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), arguments)
}

/// # Errors
/// It cannot be started or does not end with 0; the error has the whole line.
pub fn run(command: &mut Command) -> Result<()> {
    let line = format!("{command:?}").replace('"', "");
    let status = command.status().with_context(|| format!("cannot start {line}"))?;
    if status.success() { Ok(()) } else { bail!("{line} failed ({status})") }
}

/// What it prints on standard output, trimmed.
pub fn output(command: &mut Command) -> Result<String> {
    let line = format!("{command:?}").replace('"', "");
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {line}"))?;
    if !output.status.success() {
        bail!("{line} failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Shows each line of its standard output as it comes and hands it over. The answer says whether it ended with 0.
pub fn watch(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let stdout = child.stdout.take().context("its standard output is piped")?;
    for text in BufReader::new(stdout).lines() {
        let text = text?;
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}

pub fn exists(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
