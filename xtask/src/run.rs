//! How does the product start from its sources?

use std::os::unix::process::CommandExt;

use anyhow::Result;

use crate::{
    bundle::{self, Profile},
    shell,
};

pub fn run(dev: bool, serve: &[String]) -> Result<()> {
    let (profile, folder) = if dev { ("dev", "debug") } else { ("release", "release") };
    bundle::bundle(if dev { Profile::Dev } else { Profile::Small })?;
    shell::run(&mut shell::cargo(&["build", "--package", "server", "--package", "task", "--profile", profile]))?;
    let program = bundle::target().join(folder).join("fletchline");
    let mut command = std::process::Command::new(program);
    // In our place, so that Ctrl+C and the exit code are the server's.
    Err(command.arg("serve").args(serve).exec().into())
}
