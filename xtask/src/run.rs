//! How does the product start from its sources?

use std::{fs, os::unix::process::CommandExt, path::PathBuf};

use anyhow::Result;

use crate::{
    bundle::{self, Profile},
    setup, shell,
};

pub fn run(dev: bool, serve: &[String]) -> Result<()> {
    if dev {
        bundle::bundle(Profile::Dev)?;
    }
    let mut command = std::process::Command::new(if dev { programs()? } else { product()? });
    // In our place, so that Ctrl+C and the exit code are the server's.
    Err(command.arg("serve").args(serve).exec().into())
}

/// Quickly built, as the tests start them: the server, with the helper beside it.
pub fn programs() -> Result<PathBuf> {
    shell::run(&mut shell::cargo(&["build", "--package", "server", "--package", "task"]))?;
    Ok(bundle::target().join("debug/fletchline"))
}

/// As a user has it. The helper is started for every task, and a static one starts in a fraction of the time.
pub fn product() -> Result<PathBuf> {
    bundle::bundle(Profile::Small)?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "server"]))?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "task", "--target", setup::STATIC]))?;
    let release = bundle::target().join("release");
    let helper = bundle::target().join(setup::STATIC).join("release/fletchline-task");
    // Under another name first: the one that is there may be running.
    let arriving = release.join("fletchline-task.arriving");
    fs::copy(helper, &arriving)?;
    fs::rename(arriving, release.join("fletchline-task"))?;
    Ok(release.join("fletchline").canonicalize()?)
}
