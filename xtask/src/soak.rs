//! Which tests take too long for every day?

use anyhow::{Result, bail};

use crate::{setup, shell, test};

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// What is known of the crates that are built in: faults, licences, sources.
    Crates,
    /// Mutated input, led by coverage.
    Fuzz,
    /// The tests of every day with more of everything.
    Rust,
    /// The same on the cluster that KUBECONFIG names.
    Cluster,
}

const ALL: [Step; 4] = [Step::Crates, Step::Fuzz, Step::Rust, Step::Cluster];
/// What the tests read, and each fuzz target; a value of one's own goes first.
const SECONDS: &str = "FLETCHLINE_FUZZ_SECONDS";

pub fn soak(steps: &[Step]) -> Result<()> {
    let seconds = std::env::var(SECONDS).unwrap_or_else(|_| "600".to_owned());
    each(if steps.is_empty() { &ALL } else { steps }, |step| match step {
        Step::Crates => crates(),
        Step::Fuzz => fuzz(&seconds),
        Step::Rust => rust(&seconds),
        Step::Cluster => cluster(),
    })
}

/// One that fails does not hide those after it.
fn each<T>(all: &[T], carry_out: impl Fn(&T) -> Result<()>) -> Result<()> {
    let failed: Vec<_> = all.iter().filter_map(|one| carry_out(one).err()).map(|error| format!("{error:#}")).collect();
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("; ")) }
}

/// The fuzz targets are not among them: they are in nothing that we give away.
fn crates() -> Result<()> {
    setup::tool("cargo-deny")?;
    let deny = |arguments: &[&str]| shell::run(shell::cargo(&["deny"]).args(arguments));
    // What is known of faults lies in a repository that not every machine reaches; the rest is said by the crates.
    if deny(&["fetch", "db"]).is_ok() {
        return deny(&["check"]);
    }
    deny(&["check", "bans", "licenses", "sources"])?;
    println!(
        "Known faults and yanked versions were NOT looked for: the database of advisories cannot be fetched from \
         here (see above); run `cargo xtask soak crates` where https://github.com/RustSec/advisory-db can be reached."
    );
    Ok(())
}

fn fuzz(seconds: &str) -> Result<()> {
    setup::tool("cargo-fuzz")?;
    setup::nightly()?;
    // What is fuzzed are the versions that are built in; cargo leaves out and adds what the targets differ by.
    std::fs::copy(crate::root().join("Cargo.lock"), crate::root().join("fuzz/Cargo.lock"))?;
    let longest = format!("-max_total_time={seconds}");
    each(&["extract", "import"], |target| {
        let found = format!("fuzz/corpus/{target}");
        let kept = format!("fuzz/seeds/{target}");
        std::fs::create_dir_all(crate::root().join(&found))?;
        // One input that takes a minute or much memory is a fault, too.
        let limits = [&longest, "-timeout=60", "-rss_limit_mb=2048"];
        let fuzz = ["+nightly", "fuzz", "run", target, &found, &kept, "--"];
        // The rustup proxy, not the compiler that runs this program: it alone knows `+nightly`.
        shell::run(shell::command("cargo", &fuzz).args(limits))
    })
}

fn rust(seconds: &str) -> Result<()> {
    setup::to_test()?;
    let more = [("FLETCHLINE_KILLS", "200"), (SECONDS, seconds), ("PROPTEST_CASES", "10000")];
    test::rust(&mut test::Count::default(), &more)
}

fn cluster() -> Result<()> {
    setup::to_test()?;
    let more = [("FLETCHLINE_CLUSTER_KILLS", "50"), ("FLETCHLINE_API_AWAY", "60")];
    test::cluster(&mut test::Count::default(), &more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_fails_hides_none_after_it_and_all_failures_are_told() {
        let done = std::cell::RefCell::new(Vec::new());
        let outcome = each(&[1, 2, 3], |number| {
            done.borrow_mut().push(*number);
            if *number == 2 { Ok(()) } else { bail!("{number} failed") }
        });
        assert_eq!(*done.borrow(), [1, 2, 3]);
        assert_eq!(outcome.unwrap_err().to_string(), "1 failed; 3 failed");
    }
}
