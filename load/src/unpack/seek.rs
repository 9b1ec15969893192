//! How is a packed file read at many places without losing the buffer at each?

use super::limits::Bounds;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A buffered file for decoders that seek a lot, mostly to where they are. What is read counts as progress.
pub struct Window {
    inner: BufReader<File>,
    at: u64,
    length: u64,
    bounds: Option<Bounds>,
}

impl Window {
    /// `bounds`: where progress is counted; `None` for the reader of a directory.
    pub fn open(path: &Path, bounds: Option<Bounds>) -> io::Result<Window> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Window { inner: BufReader::with_capacity(128 << 10, file), at: 0, length, bounds })
    }

    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.at += n as u64;
        if let Some(bounds) = &self.bounds {
            bounds.meter.add(n as u64);
            bounds.meter.tick()?;
        }
        Ok(n)
    }
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount as u64;
        self.inner.consume(amount);
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        match i64::try_from(i128::from(target) - i128::from(self.at)) {
            Ok(by) => self.inner.seek_relative(by)?,
            Err(_) => self.inner.seek(SeekFrom::Start(target)).map(|_| ())?,
        }
        self.at = target;
        Ok(target)
    }
}
