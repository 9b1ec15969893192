//! How is one execution looked after from its start to its recorded end?
//!
//! # Guarantees
//! - At most one supervisor per execution ever starts the program: the claim in `state`, made under its lock, is the one
//!   doorway, and is never withdrawn.
//! - The end of the supervisor, by whatever cause, is the end of all processes of the task.
//! - The end is told by `exit.json`, whole and on disk, after everything that is kept is complete.

mod claim;
mod copy;
mod end;
mod log;
pub mod prepare;
mod run;
pub mod watch;

use std::{fs, io::Read, path::Path, process::ExitCode};

use model::supervise::{How, Mark, Order};

use crate::sys;
use claim::State;

/// Signals that the supervisor reads instead of dying from them.
const SIGNALS: [libc::c_int; 4] = [libc::SIGTERM, libc::SIGCHLD, libc::SIGINT, libc::SIGHUP];

/// `supervise FOLDER`, the order on stdin.
pub fn supervise(folder: &Path) -> ExitCode {
    // SAFETY: changes only this process; fails when it leads a session already, which is as good.
    unsafe { libc::setsid() };
    let Ok(signals) = sys::signals(&SIGNALS) else { return ExitCode::FAILURE };
    let mut text = Vec::new();
    // Before the claim: half an order is none.
    let order = std::io::stdin().read_to_end(&mut text).ok().and_then(|_| serde_json::from_slice::<Order>(&text).ok());
    let Some(order) = order else {
        eprintln!("fletchline-task: there is no whole order on stdin");
        return ExitCode::from(2);
    };
    let mut state = match claim::claim(folder) {
        Ok(Some(state)) => state,
        // Another one has it or has had it.
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fletchline-task: {} cannot be claimed: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    };
    be_alone();
    let (how, started) = carry_out(&order, folder, &mut state, signals);
    end::record(folder, how, started);
    state.mark(&[Mark::Ended]);
    prepare::clean_up(folder);
    ExitCode::SUCCESS
}

fn carry_out(
    order: &Order,
    folder: &Path,
    state: &mut State,
    signals: std::os::fd::OwnedFd,
) -> (How, Option<model::run::Millis>) {
    let prepared = match prepare::prepare(&order.prepare, folder) {
        Ok(prepared) => prepared,
        Err(sentence) => return (How::NotStarted(sentence), None),
    };
    let outcome = run::run(order, folder, state, signals);
    if outcome.started.is_none() || order.prepare.snapshots.is_empty() {
        return (outcome.how, outcome.started);
    }
    state.mark(&[Mark::Ending { at: sys::now() }]);
    match prepare::snapshots(&order.prepare.snapshots, &prepared) {
        Ok(()) => (outcome.how, outcome.started),
        Err(sentence) => (How::SnapshotFailed(sentence), outcome.started),
    }
}

/// Holds nothing of the server's: no terminal, no folder, no descriptor beyond its own.
fn be_alone() {
    if let Ok(null) = fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        use std::os::fd::AsRawFd;
        for standard in 0..3 {
            // A standard descriptor that stays open is no reason to end.
            let _ = sys::duplicate_to(null.as_raw_fd(), standard);
        }
    }
    let _ = std::env::set_current_dir("/");
}
