//! Which tests take too long for every day?

use anyhow::Result;

use crate::{shell, test};

/// The same tests as every day, with more of everything.
pub fn soak() -> Result<()> {
    shell::run(&mut shell::cargo(&["build", "--package", "server", "--package", "task"]))?;
    let mut tests = shell::cargo(&["test", "--no-fail-fast"]);
    fuzz()?;
    shell::run(
        tests.env("FLETCHLINE_KILLS", "200").env("FLETCHLINE_FUZZ_SECONDS", "600").env("PROPTEST_CASES", "10000"),
    )?;
    test::cluster(&mut test::Count::default(), &[("FLETCHLINE_CLUSTER_KILLS", "50"), ("FLETCHLINE_API_AWAY", "60")])
}

/// With coverage, which wants a nightly compiler.
fn fuzz() -> Result<()> {
    if !shell::exists("cargo-fuzz") {
        shell::run(&mut shell::cargo(&["install", "--locked", "cargo-fuzz"]))?;
    }
    shell::run(&mut shell::command("rustup", &["toolchain", "install", "nightly", "--profile", "minimal"]))?;
    for target in ["extract", "import"] {
        let fuzz = ["+nightly", "fuzz", "run", target, "--", "-max_total_time=600", "-rss_limit_mb=2048"];
        // The rustup proxy, not the compiler that runs this program: it alone knows `+nightly`.
        shell::run(&mut shell::command("cargo", &fuzz))?;
    }
    Ok(())
}
