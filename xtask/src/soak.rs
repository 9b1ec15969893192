//! Which tests take too long for every day?

use anyhow::Result;

use crate::shell;

/// The same tests as every day, with more of everything.
pub fn soak() -> Result<()> {
    shell::run(&mut shell::cargo(&["build", "--package", "server", "--package", "task"]))?;
    let mut tests = shell::cargo(&["test", "--no-fail-fast"]);
    shell::run(
        tests.env("FLETCHLINE_KILLS", "200").env("FLETCHLINE_FUZZ_SECONDS", "600").env("PROPTEST_CASES", "10000"),
    )
}
