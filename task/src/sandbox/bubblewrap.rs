//! How is a sandbox made by bubblewrap, for a user who is not root?

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use model::supervise::{From, HELPER, Item, Sandbox};

use super::own::shown;
use crate::{beneath, init::CONTROL, sys};

/// Starts bubblewrap with our own first process inside. `order` is that one's, `control` its end, `output` the log's.
///
/// # Errors
/// One sentence.
pub fn start(
    sandbox: &Sandbox,
    program: &Path,
    helper: &Path,
    (order, control, output): (OwnedFd, &OwnedFd, &OwnedFd),
) -> Result<Child, String> {
    let failed = |error: io::Error| format!("bubblewrap could not be started: {} ({error}).", program.display());
    let mut command = Command::new(program);
    command.args(["--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--as-pid-1"]);
    command.args(["--clearenv", "--tmpfs", "/"]);
    let items = || sandbox.base.iter().chain(&sandbox.items);
    for item in items() {
        command.args(arguments(item)?);
    }
    command.arg("--ro-bind").arg(helper).arg(HELPER);
    for item in items() {
        if let Item::Empty { path, read_only: true } = item {
            command.args(["--remount-ro", path]);
        }
    }
    command.args(["--remount-ro", "/", "--chdir", "/", "--", HELPER, "init"]);
    command.stdin(Stdio::from(order));
    command.stdout(Stdio::from(output.try_clone().map_err(failed)?));
    command.stderr(Stdio::from(output.try_clone().map_err(failed)?));
    let control = control.as_raw_fd();
    // SAFETY: dup2 and fcntl may be called between fork and exec.
    unsafe { command.pre_exec(move || sys::duplicate_to(control, CONTROL)) };
    command.spawn().map_err(failed)
}

fn arguments(item: &Item) -> Result<Vec<String>, String> {
    let words = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect());
    match item {
        Item::Folder { path } => words(&["--dir", path]),
        Item::Empty { path, .. } => words(&["--tmpfs", path]),
        Item::Bind { from, path, writable, devices } => {
            let source = resolved(from).map_err(|error| {
                format!("What is mounted at {path} is not there or cannot be read: {} ({error}).", shown(from))
            })?;
            let flag = match (devices, writable) {
                (true, _) => "--dev-bind",
                (false, true) => "--bind",
                (false, false) => "--ro-bind",
            };
            words(&[flag, &source, path])
        }
        Item::Link { path, target } => words(&["--symlink", target, path]),
        // With its terminals.
        Item::Devices => words(&["--dev", "/dev"]),
        Item::Terminals => Ok(Vec::new()),
        Item::Processes => words(&["--proc", "/proc"]),
    }
}

/// The place itself: bubblewrap would follow a link that a task has put on the way.
fn resolved(from: &From) -> io::Result<String> {
    if from.below.is_empty() {
        return Ok(from.root.display().to_string());
    }
    let found = beneath::find(beneath::root(&from.root)?, &from.below, from.links)?;
    Ok(std::fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()))?.display().to_string())
}
