//! How is one execution looked after from its start to its recorded end?
//!
//! # Guarantees
//! - At most one supervisor per execution ever starts the program: the claim in `state`, made under its lock, is the one
//!   doorway, and is never withdrawn.
//! - The end of the supervisor, by whatever cause, is the end of all processes of the task.
//! - The end is told by the last mark in `state`, after everything that is kept is complete. A supervisor ends when that
//!   mark is on the disk, there or in the journal of the server that it told.

mod claim;
mod copy;
mod log;
pub mod memory;
pub mod prepare;
mod run;
pub mod watch;

use std::{fs::File, io, io::Read, os::fd::OwnedFd, path::Path};

use model::supervise::{How, Mark, Order};

use crate::{sys, template::Bases};
use claim::State;

/// Signals that the supervisor reads instead of dying from them.
const SIGNALS: [libc::c_int; 4] = [libc::SIGTERM, libc::SIGCHLD, libc::SIGINT, libc::SIGHUP];

/// In a process and a session of its own, which holds nothing of the server's but the order and the line. Answers the
/// code to end with.
pub fn supervise(folder: &Path, order: OwnedFd, line: OwnedFd, bases: &mut Bases) -> i32 {
    let Ok(signals) = sys::signals(&SIGNALS) else { return 1 };
    // Before the claim: half an order is none.
    let Ok(order) = read(order) else { return 1 };
    let mut state = match claim::claim(folder, line) {
        Ok(Some(state)) => state,
        // Another one has it or has had it.
        Ok(None) => return 0,
        Err(_) => return 1,
    };
    let (how, started) = carry_out(&order, folder, &mut state, (signals, bases));
    state.end(how, started);
    prepare::clean_up(folder);
    state.keep();
    0
}

fn read(order: OwnedFd) -> io::Result<Order> {
    let mut text = Vec::new();
    File::from(order).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn carry_out(
    order: &Order,
    folder: &Path,
    state: &mut State,
    (signals, bases): (OwnedFd, &mut Bases),
) -> (How, Option<model::run::Millis>) {
    let prepared = match prepare::prepare(&order.prepare, folder) {
        Ok(prepared) => prepared,
        Err(how) => return (how, None),
    };
    let outcome = run::run(order, folder, state, (signals, bases));
    if outcome.started.is_none() || order.prepare.snapshots.is_empty() {
        return (outcome.how, outcome.started);
    }
    state.mark(&[Mark::Ending { at: sys::now() }]);
    match prepare::snapshots(&order.prepare.snapshots, &prepared) {
        Ok(()) => (outcome.how, outcome.started),
        Err(sentence) => (How::SnapshotFailed(sentence), outcome.started),
    }
}
