//! Does everything work?
//!
//! Cheapest first. A step that fails does not hide the ones after it; the last line counts all tests.

use std::{process::Command, time::Instant};

use anyhow::{Result, bail};

use crate::{
    bundle::{self, Profile},
    e2e, images, run, setup, shell,
};

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// Format, lints, both sides of the app compile.
    Check,
    /// All tests in Rust, on real programs.
    Rust,
    /// The product in Chromium.
    Browser,
    /// Tasks as pods of the cluster that KUBECONFIG names. It must run on this machine: the tests look into its volumes.
    Cluster,
}

#[derive(Default)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Count {
    pub fn add(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

pub fn test(steps: &[Step]) -> Result<()> {
    setup::to_test()?;
    let steps = if steps.is_empty() { &[Step::Check, Step::Rust, Step::Browser, Step::Cluster] } else { steps };
    let mut count = Count::default();
    let mut failures = Vec::new();
    for step in steps {
        let started = Instant::now();
        let outcome = match step {
            Step::Check => check(),
            Step::Rust => rust(&mut count, if shell::is_ci() { &[("FLETCHLINE_FUZZ_SECONDS", "30")] } else { &[] }),
            Step::Browser => bundle::bundle(Profile::Small).and_then(|()| e2e::e2e(None, &mut count)),
            Step::Cluster => cluster(&mut count, &[]),
        };
        println!("-- {} took {} s", name(*step), started.elapsed().as_secs());
        if let Err(error) = outcome {
            eprintln!("error in {}: {error:#}", name(*step));
            failures.push(name(*step));
        }
    }
    println!("{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    if shell::is_ci() && count.skipped > 0 {
        bail!("{} tests were skipped, and with CI=true every test must run", count.skipped);
    }
    if !failures.is_empty() || count.failed > 0 {
        bail!("not everything works: {}", failures.join(", "));
    }
    Ok(())
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Check => "check",
        Step::Rust => "rust",
        Step::Browser => "browser",
        Step::Cluster => "cluster",
    }
}

fn check() -> Result<()> {
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))?;
    shell::run(&mut shell::cargo(&["clippy", "--quiet", "--all-targets", "--", "--deny", "warnings"]))?;
    // Not among the targets that are tested by themselves.
    let cluster = ["clippy", "--quiet", "--package", "server", "--test", "kubernetes", "--", "--deny", "warnings"];
    shell::run(&mut shell::cargo(&cluster))?;
    let wasm = ["clippy", "--quiet", "--package", "frontend", "--package", "app", "--features", "app/csr"];
    shell::run(shell::cargo(&wasm).args(["--target", "wasm32-unknown-unknown", "--", "--deny", "warnings"]))
}

/// `environment`: how long the long ones take.
pub fn rust(count: &mut Count, environment: &[(&str, &str)]) -> Result<()> {
    // Tests of the server start these programs, which cargo would not build for them.
    run::programs()?;
    let mut tests = shell::cargo(&["test", "--no-fail-fast"]);
    watch(tests.envs(environment.iter().copied()), count)
}

fn watch(tests: &mut Command, count: &mut Count) -> Result<()> {
    let went_well = shell::watch(tests, |line| {
        if let Some(more) = counted(line) {
            count.add(more);
        }
    })?;
    if went_well { Ok(()) } else { bail!("cargo test failed") }
}

/// `environment`: how long the long ones take.
pub fn cluster(count: &mut Count, environment: &[(&str, &str)]) -> Result<()> {
    // Three at a time: they wait more than they work.
    let mut tests = shell::cargo(&["test", "--package", "server", "--test", "kubernetes", "--", "--test-threads=3"]);
    tests.envs(environment.iter().copied());
    // They say themselves that there is none, and are counted as skipped.
    if std::env::var_os("KUBECONFIG").is_none() {
        return watch(&mut tests, count);
    }
    e2e::installed()?;
    images::load(true)?;
    watch(&mut tests, count)
}

/// `test result: ok. 5 passed; 0 failed; 0 ignored; …`
fn counted(line: &str) -> Option<Count> {
    let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let number = |word: &str| -> u64 {
        rest.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok()).unwrap_or(0)
    };
    Some(Count { passed: number(" passed"), failed: number(" failed"), skipped: number(" ignored") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_cargo_are_counted_with_the_ignored_ones_as_skipped() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let count = counted(line).unwrap();
        assert_eq!((count.passed, count.failed, count.skipped), (12, 3, 1));
        assert!(counted("running 3 tests").is_none());
    }
}
