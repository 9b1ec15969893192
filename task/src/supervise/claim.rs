//! Who may start this execution, and what has been told of it?

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    thread,
    time::Duration,
};

use model::{
    run::Millis,
    supervise::{End, How, KEPT, Mark, STATE},
};
use rustix::fs::{FlockOperation, flock};

use crate::sys;

/// Before a disk that took nothing is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a server that was told of the end may take to write it down.
const PATIENCE: Duration = Duration::from_secs(1);

/// The file `state`, locked for as long as this lives.
pub struct State {
    file: File,
    /// To the server that gave the order, as long as it listens.
    line: Option<OwnedFd>,
    /// The disk took only a part of what was written last.
    is_torn: bool,
}

/// `None` when somebody else has claimed it, now or ever.
///
/// # Errors
/// The execution was never accepted or is removed, or its folder cannot be written: nothing was claimed.
pub fn claim(folder: &Path, line: OwnedFd) -> io::Result<Option<State>> {
    let mut file = OpenOptions::new().append(true).read(true).open(folder.join(STATE))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(None);
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    match text.split_once('\n') {
        Some((_, "")) => {}
        Some(_) => return Ok(None),
        None => return Err(io::Error::other("it was never accepted")),
    }
    let claimed = Mark::Claimed {
        supervisor: sys::process(i32::try_from(std::process::id()).unwrap_or(i32::MAX))?,
        boot: sys::boot_id()?,
        at: sys::now(),
    };
    let mut state = State { file, line: Some(line), is_torn: false };
    state.write(&[claimed])?;
    Ok(Some(state))
}

impl State {
    /// Appends in one write, so that a reader never finds half of what was told together. Answers what it wrote.
    fn write(&mut self, marks: &[Mark]) -> io::Result<String> {
        let mut text = String::new();
        for mark in marks {
            text.push_str(&serde_json::to_string(mark)?);
            text.push('\n');
        }
        // Upon the rest of a line nothing could be read.
        let whole = if self.is_torn { format!("\n{text}") } else { text.clone() };
        let written = self.file.write_all(whole.as_bytes());
        self.is_torn = written.is_err();
        written.map(|()| text)
    }

    /// A server that is gone, or does not keep up, reads the file.
    fn tell(&mut self, text: &str) {
        let is_told = |line: &OwnedFd| sys::send_now(line.as_raw_fd(), text.as_bytes()).is_ok();
        self.line = self.line.take().filter(is_told);
    }

    /// For later servers alone.
    pub fn note(&mut self, mark: Mark) {
        let _ = self.write(&[mark]);
    }

    /// What cannot be told for want of space is told by what follows it, at the latest by the end.
    pub fn mark(&mut self, marks: &[Mark]) {
        if let Ok(text) = self.write(marks) {
            self.tell(&text);
        }
    }

    /// Comes back only when it is written: a full disk delays the news and does not lose it.
    pub fn end(&mut self, how: How, started: Option<Millis>) {
        let ended = [Mark::Ended(End { how, started, ended: sys::now() })];
        loop {
            match self.write(&ended) {
                Ok(text) => return self.tell(&text),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Comes back only when the end is on the disk: in the journal of the server that was told, which says so, or else
    /// here. A journal takes many ends with one fsync.
    pub fn keep(&self) {
        let is_kept = self.line.as_ref().is_some_and(|line| {
            sys::wait_readable(&[line.as_raw_fd()], Some(PATIENCE))[0] && sys::take_byte(line.as_raw_fd()) == Some(KEPT)
        });
        while !is_kept && self.file.sync_data().is_err() {
            thread::sleep(PAUSE);
        }
    }
}
