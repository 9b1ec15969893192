//! How does a pod's log come to lie on our side, each line once?
//!
//! The kubelet gives every line its time to the nanosecond; of lines to stdout and stderr the later may come first. After
//! a break the log is asked for again from the second of the latest line that we have, and as many lines as we have of
//! that are left out. Where the node has rotated those away, the log says between which times it may lack lines. How far
//! the file is good is written beside it; what a killed server wrote after that is cut off and read again.

use std::{
    cmp::Ordering,
    fs::{File, OpenOptions},
    io::{self, Seek, Write},
};

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::folder::Folder;

/// Bytes of one line's text, as on a machine: whoever reads a log holds a line in memory.
const LONGEST: usize = 64 * 1024;
/// A time and the blank after it are shorter.
const LONGEST_TIME: usize = 40;

const SECOND: i128 = 1_000_000_000;

/// Up to where the file is good, and which lines of the latest second are in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub length: u64,
    /// Nanoseconds since 1970 of the latest line; 0: there is none.
    pub at: i128,
    /// The time of the first line of its second.
    #[serde(default)]
    pub first: i128,
    /// The lines of its second.
    #[serde(default)]
    pub lines: u64,
    pub is_complete: bool,
}

/// Appends what the kubelet tells.
pub struct Sink {
    file: File,
    folder: Folder,
    position: Position,
    known: Known,
    line: Line,
    limit: u64,
}

/// What comes now is here already.
enum Known {
    /// Unless the node has rotated it away.
    Perhaps,
    /// So many lines more.
    Lines(u64),
    /// Up to `position.at`: of the lines before nobody knows how many there are still.
    Times,
    No,
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
        let known = if position.at > 0 { Known::Perhaps } else { Known::No };
        Ok(Sink { file, folder, position, known, line: Line::Time(Vec::new()), limit })
    }

    pub fn position(&self) -> Position {
        self.position
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
        if self.is_known(at, out) {
            return Line::Skipped;
        }
        let before = self.position;
        let (first, lines) = match (at / SECOND).cmp(&(before.at / SECOND)) {
            Ordering::Greater => (at, 1),
            Ordering::Equal => (before.first, before.lines + 1),
            Ordering::Less => (before.first, before.lines),
        };
        self.position = Position { at: at.max(before.at), first, lines, ..before };
        if self.is_full(out) {
            return Line::Dropped;
        }
        // Writing to memory cannot fail.
        let _ = write!(out, "{} ", at / 1_000_000);
        Line::Text(0)
    }

    fn is_full(&self, out: &[u8]) -> bool {
        self.position.length + out.len() as u64 > self.limit
    }

    fn is_known(&mut self, at: i128, out: &mut Vec<u8>) -> bool {
        if matches!(self.known, Known::Perhaps) {
            self.known = match at == self.position.first {
                true => Known::Lines(self.position.lines),
                false => Known::Times,
            };
            if at > self.position.at && !self.is_full(out) {
                said(&rotated(self.position.at, at), at, out);
            }
        }
        let (is_known, then) = match self.known {
            Known::Lines(left @ 1..) => (true, Known::Lines(left - 1)),
            Known::Times if at <= self.position.at => (true, Known::Times),
            Known::Perhaps | Known::Lines(0) | Known::Times | Known::No => (false, Known::No),
        };
        self.known = then;
        is_known
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
        let mut line = Vec::new();
        said(sentence, self.position.at, &mut line);
        self.file.write_all(&line)?;
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

/// A line of ours.
fn said(sentence: &str, at: i128, out: &mut Vec<u8>) {
    let _ = writeln!(out, "{} [Fletchline: {sentence}]", at / 1_000_000);
}

/// The kubelet tells of the newest of its files only, and not how many lines were between two.
fn rotated(from: i128, to: i128) -> String {
    let time = |at: i128| Timestamp::from_nanosecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"));
    format!("the node rotated this log between {} and {}: lines may be missing here", time(from), time(to))
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
    let time: Timestamp = std::str::from_utf8(time).ok()?.parse().ok()?;
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

    /// Takes all of it, with a break after so many bytes.
    fn taken(all: &[u8], then: &[u8]) -> Vec<String> {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(&place);
        Sink::open(folder.clone(), u64::MAX).unwrap().take(all).unwrap();
        let mut again = Sink::open(folder.clone(), u64::MAX).unwrap();
        again.take(then).unwrap();
        again.complete().unwrap();
        texts(&folder)
    }

    #[test]
    fn lines_to_stdout_and_stderr_that_come_in_another_order_than_their_times_are_all_there() {
        let lines =
            [line(1, 5, "a"), line(1, 4, "b"), line(2, 7, "c"), line(1, 9, "d"), line(2, 3, "e"), line(2, 8, "f")];
        let all = lines.concat();
        // From the second of the latest line on, as the kubelet answers.
        let answer = |since: u32| {
            let is_meant = |line: &&String| line.as_str() >= line_time(since).as_str();
            lines.iter().filter(is_meant).cloned().collect::<String>()
        };
        for cut in 0..all.len() {
            let is_second = cut >= lines[..3].concat().len();
            let again = answer(if is_second { 2 } else { 1 });
            // One that belongs to the second before comes no more when the break was just before it.
            let is_passed = (lines[..3].concat().len()..lines[..4].concat().len()).contains(&cut);
            let expected: Vec<&str> =
                "abcdef".split("").filter(|one| !(one.is_empty() || is_passed && *one == "d")).collect();
            assert_eq!(taken(&all.as_bytes()[..cut], again.as_bytes()), expected, "cut at {cut}");
        }
    }

    fn line_time(second: u32) -> String {
        line(second, 0, "").trim_end().to_owned()
    }

    #[test]
    fn what_the_node_has_rotated_away_during_a_break_is_said_where_it_is_missing() {
        let first = line(1, 5, "a") + &line(1, 700_000_000, "b");
        let said = "[Fletchline: the node rotated this log between 2026-01-01T00:00:01.700Z and 2026-01-01T00:00:09.000Z: \
                    lines may be missing here]";
        assert_eq!(taken(first.as_bytes(), line(9, 1, "z").as_bytes()), ["a", "b", said, "z"]);
        // What is here may be rotated away.
        let rest = line(1, 700_000_000, "b") + &line(1, 700_000_001, "c");
        assert_eq!(taken(first.as_bytes(), rest.as_bytes()), ["a", "b", "c"]);
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
