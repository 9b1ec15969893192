//! Which tests take too long for every day?

use anyhow::Result;

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
    for step in if steps.is_empty() { &ALL } else { steps } {
        match step {
            Step::Crates => crates()?,
            Step::Fuzz => fuzz(&seconds)?,
            Step::Rust => {
                let more = [("FLETCHLINE_KILLS", "200"), (SECONDS, &seconds), ("PROPTEST_CASES", "10000")];
                test::rust(&mut test::Count::default(), &more)?;
            }
            Step::Cluster => {
                let more = [("FLETCHLINE_CLUSTER_KILLS", "50"), ("FLETCHLINE_API_AWAY", "60")];
                test::cluster(&mut test::Count::default(), &more)?;
            }
        }
    }
    Ok(())
}

/// The fuzz targets have a lock file of their own, and are in nothing that we give away.
fn crates() -> Result<()> {
    setup::tool("cargo-deny")?;
    shell::run(&mut shell::cargo(&["deny", "check"]))
}

fn fuzz(seconds: &str) -> Result<()> {
    setup::tool("cargo-fuzz")?;
    setup::nightly()?;
    let longest = format!("-max_total_time={seconds}");
    for target in ["extract", "import"] {
        let found = format!("fuzz/corpus/{target}");
        let kept = format!("fuzz/seeds/{target}");
        std::fs::create_dir_all(crate::root().join(&found))?;
        let fuzz = ["+nightly", "fuzz", "run", target, &found, &kept, "--", &longest, "-rss_limit_mb=2048"];
        // The rustup proxy, not the compiler that runs this program: it alone knows `+nightly`.
        shell::run(&mut shell::command("cargo", &fuzz))?;
    }
    Ok(())
}
