//! How are the tests of the whole product started in Chromium?

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{root, run, setup, shell, test::Count};

/// Needs `dist/` and a built server. The tests start servers of their own, each on a data folder of its own.
pub fn e2e(filter: Option<&str>, all: &mut Count) -> Result<()> {
    setup::to_test()?;
    let server = run::programs()?;
    let folder = installed()?;
    let mut node = shell::command("node", &["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    node.current_dir(&folder).env("FLETCHLINE_BIN", server);
    if let Some(filter) = filter {
        node.args(["--test-name-pattern", filter]);
    }
    let mut count = Count::default();
    let went_well = shell::watch(node.arg("tests/"), |line| {
        let mut words = line.trim_start_matches('ℹ').split_whitespace();
        let (word, number) = (words.next(), words.next().and_then(|number| number.parse().ok()));
        match (word, number) {
            (Some("pass"), Some(number)) => count.passed = number,
            (Some("fail" | "cancelled"), Some(number)) => count.failed += number,
            (Some("skipped" | "todo"), Some(number)) => count.skipped += number,
            _ => {}
        }
    })?;
    let failed = count.failed.max(1);
    all.add(count);
    if went_well { Ok(()) } else { bail!("{failed} tests in Chromium failed") }
}

/// The folder of the tests, with what drives Chromium in it.
pub fn installed() -> Result<PathBuf> {
    let folder = root().join("end2end");
    if !folder.join("node_modules").exists() {
        shell::run(shell::command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    }
    Ok(folder)
}
