//! What does the helper do in a pod?
//!
//! The init container runs `pod prepare` from our image, as the task's own user; the task's container runs
//! `pod run PROGRAM …` from an emptyDir, as its first process, so that the image needs neither a shell nor anything of
//! ours. When the first process ends, the kernel ends all others of the container. `pod claim` runs once for a claim, `pod remove`
//! whenever executions go.

mod claim;
pub mod links;
mod open;
pub mod prepare;
mod probe;
pub mod progress;
mod remove;
pub mod run;
pub mod uploads;

use std::fs;

use model::{
    pod::{END_AT, END_LIMIT, PodEnd},
    supervise::{End, How},
};

use crate::sys;

pub use claim::claim;
pub use remove::remove;

/// The order, as the init container leaves it for the task's.
const ORDER_AT: &str = "/fletchline/order.json";
/// What a sentence may take of the termination message.
const LONGEST: usize = 1024;

fn not_started(sentence: String) -> PodEnd {
    not_begun(How::NotStarted(sentence))
}

fn not_begun(how: How) -> PodEnd {
    let how = match how {
        How::NotStarted(sentence) => How::NotStarted(sentence.chars().take(LONGEST).collect()),
        how => how,
    };
    PodEnd { end: End { how, started: None, ended: sys::now() }, facts: None }
}

/// Writes the end where the kubelet takes it from; facts go without where there is no room for them.
fn tell(mut end: PodEnd) {
    let mut text = serde_json::to_string(&end).unwrap_or_default();
    if text.len() > END_LIMIT {
        end.facts = None;
        text = serde_json::to_string(&end).unwrap_or_default();
    }
    if let Err(error) = fs::write(END_AT, text) {
        eprintln!("fletchline-task: the end could not be written to {END_AT}: {error}");
    }
}
