//! How does a pod's log come to lie on our side, each line once?
//!
//! The kubelet gives every line its time to the nanosecond. After a break the log is asked for again from the second of
//! the last line that we have, and what we have is left out. How far the file is good is written beside it; what a
//! killed server wrote after that is cut off and read again.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, Write},
};

use serde::{Deserialize, Serialize};

use super::folder::Folder;

/// Bytes of one line's text, as on a machine: whoever reads a log holds a line in memory.
const LONGEST: usize = 64 * 1024;
/// A time and the blank after it are shorter.
const LONGEST_TIME: usize = 40;

/// Up to where the file is good, and what the last line in it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub length: u64,
    /// Nanoseconds since 1970 of the last line; 0: there is none.
    pub at: i128,
    /// Lines with that time.
    pub same: u32,
    pub is_complete: bool,
}

/// Appends what the kubelet tells.
pub struct Sink {
    file: File,
    folder: Folder,
    position: Position,
    /// Lines of the time `position.at` that are still to be left out.
    skip: u32,
    line: Line,
    limit: u64,
}

/// Where in a line the next byte is.
enum Line {
    Time(Vec<u8>),
    Skipped,
    /// Bytes of text so far in this line of ours.
    Text(usize),
    /// Beyond the limit: only line ends count.
    Dropped,
}

impl Sink {
    /// # Errors
    /// The disk.
    pub fn open(folder: Folder, limit: u64) -> io::Result<Sink> {
        folder.make()?;
        let read = std::fs::read(folder.position()).ok();
        let position: Position = read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.log())?;
        file.set_len(position.length)?;
        file.seek(io::SeekFrom::End(0))?;
        let mut sink = Sink { file, folder, position, skip: 0, line: Line::Time(Vec::new()), limit };
        sink.begin();
        Ok(sink)
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// The log comes again from the second of the last line.
    pub fn begin(&mut self) {
        self.skip = self.position.same;
        self.line = Line::Time(Vec::new());
    }

    /// # Errors
    /// The disk.
    pub fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let before = self.position;
        let mut good = None;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.part(part, &mut out);
            if part.ends_with(b"\n") {
                good = Some((out.len() as u64, self.position));
            }
        }
        self.file.write_all(&out)?;
        self.position = Position { length: before.length + out.len() as u64, ..self.position };
        if let Some((length, position)) = good {
            self.note(Position { length: before.length + length, ..position })?;
        }
        Ok(())
    }

    /// A part of one line, its end included or not.
    fn part(&mut self, part: &[u8], out: &mut Vec<u8>) {
        let (mut text, is_end) = match part.split_last() {
            Some((b'\n', text)) => (text, true),
            _ => (part, false),
        };
        if let Line::Time(time) = &mut self.line {
            let end = text.iter().position(|byte| *byte == b' ');
            time.extend_from_slice(&text[..end.unwrap_or(text.len())]);
            text = end.map_or(&[][..], |end| &text[end + 1..]);
            if end.is_some() || is_end || time.len() > LONGEST_TIME {
                let at = nanoseconds(time);
                self.line = self.start(at, out);
            }
        }
        if let Line::Text(length) = &mut self.line {
            wrapped(text, length, self.position.at, out);
        }
        if is_end {
            if matches!(self.line, Line::Text(_)) {
                out.push(b'\n');
            }
            self.line = Line::Time(Vec::new());
        }
    }

    fn start(&mut self, at: Option<i128>, out: &mut Vec<u8>) -> Line {
        let at = at.unwrap_or(self.position.at);
        if at < self.position.at {
            return Line::Skipped;
        }
        if at == self.position.at && self.skip > 0 {
            self.skip -= 1;
            return Line::Skipped;
        }
        let same = if at == self.position.at { self.position.same + 1 } else { 1 };
        self.position = Position { at, same, ..self.position };
        self.skip = 0;
        if self.position.length + out.len() as u64 > self.limit {
            return Line::Dropped;
        }
        // Writing to memory cannot fail.
        let _ = write!(out, "{} ", at / 1_000_000);
        Line::Text(0)
    }

    /// All of it is here: it is never asked for again.
    ///
    /// # Errors
    /// The disk.
    pub fn complete(&mut self) -> io::Result<()> {
        if matches!(self.line, Line::Text(_)) {
            self.take(b"\n")?;
        }
        self.file.sync_all()?;
        self.note(Position { is_complete: true, ..self.position })?;
        self.position.is_complete = true;
        Ok(())
    }

    /// A line of ours.
    ///
    /// # Errors
    /// The disk.
    pub fn say(&mut self, sentence: &str) -> io::Result<()> {
        let line = format!("{} [Fletchline: {sentence}]\n", self.position.at / 1_000_000);
        self.file.write_all(line.as_bytes())?;
        self.position.length += line.len() as u64;
        self.note(self.position)
    }

    fn note(&self, position: Position) -> io::Result<()> {
        let place = self.folder.position();
        let partial = place.with_extension("partial");
        std::fs::write(&partial, serde_json::to_vec(&position)?)?;
        std::fs::rename(partial, place)
    }
}

/// A long text goes on in a line of its own.
fn wrapped(mut text: &[u8], length: &mut usize, at: i128, out: &mut Vec<u8>) {
    loop {
        let (fits, rest) = text.split_at(text.len().min(LONGEST - *length));
        out.extend_from_slice(fits);
        *length += fits.len();
        if rest.is_empty() {
            return;
        }
        let _ = write!(out, "\n{} ", at / 1_000_000);
        *length = 0;
        text = rest;
    }
}

fn nanoseconds(time: &[u8]) -> Option<i128> {
    let time: k8s_openapi::jiff::Timestamp = std::str::from_utf8(time).ok()?.parse().ok()?;
    Some(time.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use model::{ExecutionId, PipelineId, TaskId};

    use super::*;

    fn folder(place: &tempfile::TempDir) -> Folder {
        let id = ExecutionId { pipeline: PipelineId::new("p").unwrap(), task: TaskId::new("t").unwrap(), n: 1 };
        Folder::of(place.path(), &id)
    }

    fn line(second: u32, nanosecond: u32, text: &str) -> String {
        format!("2026-01-01T00:00:{second:02}.{nanosecond:09}Z {text}\n")
    }

    fn texts(folder: &Folder) -> Vec<String> {
        let text = std::fs::read_to_string(folder.log()).unwrap();
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn after_a_break_at_any_byte_each_line_is_there_once() {
        let lines = [line(1, 5, "a"), line(1, 5, "a"), line(1, 900_000_000, "b c"), line(2, 0, ""), line(3, 1, "d")];
        let all = lines.concat();
        for cut in 0..all.len() {
            let place = tempfile::tempdir().unwrap();
            let folder = folder(&place);
            let mut sink = Sink::open(folder.clone(), u64::MAX).unwrap();
            let first = &all.as_bytes()[..cut];
            sink.take(&first[..cut / 2]).unwrap();
            sink.take(&first[cut / 2..]).unwrap();
            drop(sink);
            let mut again = Sink::open(folder.clone(), u64::MAX).unwrap();
            again.take(all.as_bytes()).unwrap();
            again.complete().unwrap();
            assert_eq!(texts(&folder), ["a", "a", "b c", "", "d"], "cut at {cut}");
            assert!(Sink::open(folder, u64::MAX).unwrap().position().is_complete);
        }
    }

    #[test]
    fn a_break_without_a_restart_goes_on_where_it_was() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(&place);
        let mut sink = Sink::open(folder.clone(), u64::MAX).unwrap();
        sink.take(format!("{}{}", line(1, 1, "a"), &line(1, 2, "bbbb")[..34]).as_bytes()).unwrap();
        drop(sink);
        let mut sink = Sink::open(folder.clone(), u64::MAX).unwrap();
        sink.take((line(1, 1, "a") + &line(1, 2, "bbbb")).as_bytes()).unwrap();
        assert_eq!(texts(&folder), ["a", "bbbb"]);
    }

    #[test]
    fn a_text_longer_than_a_line_goes_on_in_one_of_its_own_and_beyond_the_limit_nothing_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(&place);
        let mut sink = Sink::open(folder.clone(), 200_000).unwrap();
        let long = "x".repeat(2 * LONGEST + 7);
        for part in line(1, 0, &long).as_bytes().chunks(1000) {
            sink.take(part).unwrap();
        }
        assert_eq!(texts(&folder).iter().map(String::len).collect::<Vec<_>>(), [LONGEST, LONGEST, 7]);
        sink.take(line(2, 0, &long).as_bytes()).unwrap();
        sink.take(line(3, 0, "dropped").as_bytes()).unwrap();
        assert!(!texts(&folder).contains(&"dropped".to_owned()));
    }
}
