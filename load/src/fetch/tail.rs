//! How is a download read while it is still coming?
//!
//! Formats that are read from beginning to end need not wait for the end. The writer says how far it is; a reader on
//! another thread follows. Nothing of what is unpacked so is shown before the whole download was checked.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What writer and reader know of each other.
#[derive(Default)]
pub(crate) struct Tail {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    file: Option<(PathBuf, String)>,
    /// Bytes that are in the file.
    at: u64,
    /// The file was begun anew: what was read belongs to another one.
    restarted: bool,
    ended: Option<Ended>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    Failed,
}

impl Tail {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first `at` bytes of the file called `name` lie at `path`.
    pub fn begin(&self, path: PathBuf, name: String, at: u64) {
        let mut state = self.lock();
        state.restarted |= state.at > at;
        state.file = Some((path, name));
        state.at = at;
        self.changed.notify_all();
    }

    /// The file has `at` bytes now.
    pub fn advance(&self, at: u64) {
        self.lock().at = at;
        self.changed.notify_all();
    }

    /// The download is complete and checked.
    pub fn whole(&self) {
        self.end(Ended::Whole);
    }

    /// It will not be completed. Does nothing after [`Tail::whole`].
    pub fn failed(&self) {
        self.end(Ended::Failed);
    }

    fn end(&self, how: Ended) {
        self.lock().ended.get_or_insert(how);
        self.changed.notify_all();
    }

    /// Waits until more than `read` bytes are there or the download has ended; answers how many there are.
    fn wait(&self, read: u64) -> io::Result<u64> {
        let more = |state: &mut State| state.ended.is_none() && !state.restarted && state.at <= read;
        let state = self.changed.wait_while(self.lock(), more).unwrap_or_else(PoisonError::into_inner);
        if state.restarted || state.ended == Some(Ended::Failed) {
            return Err(io::Error::other("the download began anew or failed"));
        }
        Ok(state.at)
    }

    /// Waits for the first `head` bytes, or all if there are fewer, and opens the file.
    pub fn follow(self: &Arc<Self>, head: u64) -> io::Result<(Follower, String)> {
        let mut there = 0;
        while there < head {
            let now = self.wait(there)?;
            if now == there {
                break;
            }
            there = now;
        }
        let (path, name) = self.lock().file.clone().ok_or(io::ErrorKind::NotFound)?;
        Ok((Follower { tail: Arc::clone(self), file: File::open(path)?, at: 0 }, name))
    }
}

/// Reads a download from its beginning, waiting where it is faster.
pub(crate) struct Follower {
    tail: Arc<Tail>,
    file: File,
    at: u64,
}

impl Read for Follower {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.tail.wait(self.at)?;
        let most = usize::try_from(there - self.at).map_or(buffer.len(), |left| left.min(buffer.len()));
        let n = self.file.read(&mut buffer[..most])?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Lets the reader go when the download's future is dropped.
pub(crate) struct FailOnDrop(pub Arc<Tail>);

impl Drop for FailOnDrop {
    fn drop(&mut self) {
        self.0.failed();
    }
}
