//! Who may start this execution, and what has been told of it?

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use model::supervise::{Mark, STATE};
use rustix::fs::{FlockOperation, flock};

use crate::sys;

/// The file `state`, locked for as long as this lives.
pub struct State(File);

/// `None` when somebody else has claimed it, now or ever.
///
/// # Errors
/// The folder cannot be written: nothing was claimed.
pub fn claim(folder: &Path) -> io::Result<Option<State>> {
    let file = OpenOptions::new().create(true).append(true).read(true).open(folder.join(STATE))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() || file.metadata()?.len() > 0 {
        return Ok(None);
    }
    let claimed = Mark::Claimed {
        supervisor: sys::process(i32::try_from(std::process::id()).unwrap_or(i32::MAX))?,
        boot: sys::boot_id()?,
        at: sys::now(),
    };
    let mut state = State(file);
    state.write(&[claimed])?;
    Ok(Some(state))
}

impl State {
    /// Appends in one write, so that a reader never finds half of what was told together.
    fn write(&mut self, marks: &[Mark]) -> io::Result<()> {
        let mut text = String::new();
        for mark in marks {
            text.push_str(&serde_json::to_string(mark)?);
            text.push('\n');
        }
        self.0.write_all(text.as_bytes())
    }

    /// What cannot be told for want of space is told by what follows it, at the latest by the end.
    pub fn mark(&mut self, marks: &[Mark]) {
        let _ = self.write(marks);
    }
}
