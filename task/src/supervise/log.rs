//! How does what a program prints become the log, without the program ever waiting long for the disk?
//!
//! Lines are `<milliseconds since 1970> <text>`: the time is when the line began. A text longer than [`LONGEST`] goes on
//! in a line of its own. What could not be kept is said in the log where it is missing.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use model::supervise::LOG;

use crate::sys;

/// Bytes of one line's text: whoever reads a log holds a line in memory.
const LONGEST: usize = 64 * 1024;
/// Bytes that wait for the disk.
const WAITING: usize = 8 << 20;
/// How long the program may be held up at a time.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the end of the log is waited for when the disk does not take it.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Gives every line its time.
#[derive(Default)]
struct Lines {
    /// Bytes of text in the line that is being written; `None`: at the beginning of one.
    length: Option<usize>,
}

impl Lines {
    fn format(&mut self, bytes: &[u8], now: u64, out: &mut Vec<u8>) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_end) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (part, false),
            };
            self.text(text, now, out);
            if is_end {
                out.push(b'\n');
                self.length = None;
            }
        }
    }

    fn text(&mut self, mut text: &[u8], now: u64, out: &mut Vec<u8>) {
        loop {
            let length = *self.length.get_or_insert_with(|| {
                // Writing to memory cannot fail.
                let _ = write!(out, "{now} ");
                0
            });
            let (fits, rest) = text.split_at(text.len().min(LONGEST - length));
            out.extend_from_slice(fits);
            self.length = Some(length + fits.len());
            if rest.is_empty() {
                return;
            }
            out.push(b'\n');
            self.length = None;
            text = rest;
        }
    }

    /// A line of ours.
    fn say(&mut self, sentence: &str, now: u64, out: &mut Vec<u8>) {
        if self.length.take().is_some() {
            out.push(b'\n');
        }
        let _ = writeln!(out, "{now} [Fletchline: {sentence}]");
    }
}

#[derive(Default)]
struct Shared {
    waiting: Vec<u8>,
    /// Taken by the writer and not on disk yet.
    is_writing: bool,
    is_over: bool,
}

/// Takes what the program prints.
pub struct Sink {
    shared: Arc<(Mutex<Shared>, Condvar)>,
    lines: Lines,
    writer: Option<JoinHandle<()>>,
    path: std::path::PathBuf,
    /// Bytes that may still be kept.
    left: u64,
    dropped: u64,
}

impl Sink {
    /// # Errors
    /// The log cannot be made.
    pub fn new(folder: &Path, limit: u64) -> io::Result<Sink> {
        let path = folder.join(LOG);
        open(&path)?;
        Ok(Sink { shared: Arc::default(), lines: Lines::default(), writer: None, path, left: limit, dropped: 0 })
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if self.left == 0 {
            return;
        }
        if !self.has_room() {
            self.dropped += bytes.len() as u64;
            return;
        }
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let now = sys::now();
        if self.dropped > 0 {
            let sentence = format!("{} bytes are missing here, the disk was too slow", self.dropped);
            self.lines.say(&sentence, now, &mut out);
            self.dropped = 0;
        }
        self.lines.format(bytes, now, &mut out);
        self.left = self.left.saturating_sub(out.len() as u64);
        if self.left == 0 {
            self.lines.say("the log is full, what follows is not kept", now, &mut out);
        }
        self.push(&out);
    }

    /// A sentence of ours, for whoever reads the log.
    pub fn say(&mut self, sentence: &str) {
        let mut out = Vec::new();
        self.lines.say(sentence, sys::now(), &mut out);
        self.push(&out);
    }

    fn push(&mut self, out: &[u8]) {
        if self.writer.is_none() {
            let (shared, path) = (self.shared.clone(), self.path.clone());
            self.writer = thread::Builder::new().stack_size(128 * 1024).spawn(move || write_all(&shared, &path)).ok();
        }
        lock(&self.shared.0).waiting.extend_from_slice(out);
        self.shared.1.notify_all();
    }

    /// Waits a little for room; once something was dropped, not until half of it is free again.
    fn has_room(&self) -> bool {
        let (shared, changed) = &*self.shared;
        let bound = if self.dropped > 0 { WAITING / 2 } else { WAITING };
        let patience = if self.dropped > 0 { Duration::ZERO } else { PATIENCE };
        let waited = changed.wait_timeout_while(lock(shared), patience, |shared| shared.waiting.len() >= bound);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Everything is on its way to the disk, or the disk has had its time.
    pub fn close(mut self) {
        if self.dropped > 0 {
            let sentence = format!("{} bytes are missing here, the disk was too slow", self.dropped);
            self.say(&sentence);
        }
        if self.lines.length.is_some() {
            self.push(b"\n");
        }
        let (shared, changed) = &*self.shared;
        let until = Instant::now() + LAST_PATIENCE;
        let mut guard = lock(shared);
        guard.is_over = true;
        changed.notify_all();
        while (!guard.waiting.is_empty() || guard.is_writing) && Instant::now() < until {
            guard = changed.wait_timeout(guard, Duration::from_millis(100)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write_all(shared: &(Mutex<Shared>, Condvar), path: &Path) {
    let Ok(mut file) = open(path) else { return };
    let (state, changed) = shared;
    let mut lost = Lost::default();
    loop {
        let bytes = {
            let mut guard = lock(state);
            guard.is_writing = false;
            changed.notify_all();
            while guard.waiting.is_empty() && !guard.is_over {
                guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            if guard.waiting.is_empty() {
                return;
            }
            guard.is_writing = true;
            changed.notify_all();
            std::mem::take(&mut guard.waiting)
        };
        lost.write(&mut file, &bytes);
    }
}

/// What the disk refused, and what it said.
#[derive(Default)]
struct Lost {
    bytes: u64,
    why: String,
}

impl Lost {
    fn write(&mut self, file: &mut File, bytes: &[u8]) {
        if self.bytes > 0 {
            let sentence =
                format!("\n{} [Fletchline: {} bytes are missing here: {}]\n", sys::now(), self.bytes, self.why);
            if write_counted(file, sentence.as_bytes()).is_err() {
                self.bytes += bytes.len() as u64;
                return;
            }
            self.bytes = 0;
        }
        if let Err((written, error)) = write_counted(file, bytes) {
            self.bytes = (bytes.len() - written) as u64;
            self.why = error.to_string();
        }
    }
}

fn write_counted(file: &mut File, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        pieces.iter().for_each(|piece| lines.format(piece, 7, &mut out));
        out
    }

    #[test]
    fn every_line_begins_with_its_time_however_it_arrives() {
        assert_eq!(formatted(&[b"a\n\nb", b"c\n"]), b"7 a\n7 \n7 bc\n");
        assert_eq!(formatted(&[b"a", b"\n"]), b"7 a\n");
    }

    #[test]
    fn a_long_line_goes_on_in_the_next_one() {
        let long = vec![b'x'; LONGEST + 3];
        let out = formatted(&[&long, b"\n"]);
        let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
        assert_eq!((lines[0].len(), lines[1]), (LONGEST + 2, b"7 xxx".as_slice()));
    }

    #[test]
    fn a_full_log_says_so_and_keeps_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = Sink::new(folder.path(), 100).unwrap();
        for _ in 0..50 {
            sink.write(b"0123456789\n");
        }
        sink.close();
        let text = std::fs::read_to_string(folder.path().join(LOG)).unwrap();
        assert!(
            text.len() < 300 && text.trim_end().ends_with("[Fletchline: the log is full, what follows is not kept]")
        );
    }
}
