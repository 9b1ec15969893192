//! Which of a task's settings decide what happens to it?

use model::{Seconds, kind::Kind};

/// Further tries and the wait before the first of them; without one it tries again at once.
pub fn retries(kind: &Kind) -> (u32, Seconds) {
    match kind {
        Kind::Job(job) => (job.retries, job.back_off.unwrap_or(Seconds(0))),
        Kind::LoadData(_)
        | Kind::Container(_)
        | Kind::Notebook(_)
        | Kind::Viewer(_)
        | Kind::Serving(_)
        | Kind::Volume(_) => (0, Seconds(0)),
    }
}

/// How often a new execution starts by itself after its machine went away.
pub const LOST_AGAIN: u32 = 3;
/// How many numbers in a row may be taken. A second one already means that somebody makes folders at this moment, since
/// the next number is above all that are there.
pub const TAKEN_AGAIN: u32 = 10;
/// The longest wait between two tries.
pub const LONGEST_BACK_OFF: u64 = 3_600_000;

/// Milliseconds before try number `failures` + 1: doubles each time, up to an hour.
pub fn back_off(first: Seconds, failures: u32) -> u64 {
    let doubled = u64::from(first.0) * 1000 * (1_u64 << failures.min(20));
    doubled.min(LONGEST_BACK_OFF)
}
