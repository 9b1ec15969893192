//! When has an archive brought more than anyone wants?

use crate::progress::Meter;
use crate::{Error, Limits};
use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Before this much has come out, no ratio is too large: small files of zeros are honest.
const RATIO_FROM: u64 = 64 << 20;
/// Before this many entries no number of them is too large for the packed size.
const ENTRIES_FROM: u64 = 50_000;
/// A packed entry of an honest archive is larger than this: its name alone is.
const BYTES_PER_ENTRY: u64 = 12;

/// Counts of one archive against its limits. Shared between the stages that read, decode and write it.
#[derive(Clone)]
pub struct Bounds {
    pub archive: Arc<str>,
    pub limits: Limits,
    pub(crate) meter: Meter,
    packed: Arc<AtomicU64>,
    decoded: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    entries: Arc<AtomicU64>,
    warnings: Arc<Mutex<Vec<String>>>,
}

/// More warnings than a person reads.
const WARNINGS: usize = 20;

impl Bounds {
    pub(crate) fn new(archive: &str, limits: &Limits, meter: Meter) -> Bounds {
        Bounds {
            archive: archive.into(),
            limits: limits.clone(),
            meter,
            packed: Arc::default(),
            decoded: Arc::default(),
            written: Arc::default(),
            entries: Arc::default(),
            warnings: Arc::default(),
        }
    }

    /// Something odd that is not wrong, as a sentence.
    pub fn warn(&self, sentence: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < WARNINGS && !warnings.contains(&sentence) {
            warnings.push(sentence);
        }
    }

    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Packed bytes were read (formats that are read in order).
    pub fn packed(&self, bytes: u64) {
        self.packed.fetch_add(bytes, Relaxed);
        self.meter.add(bytes);
    }

    /// The packed size is known as a whole (formats with a directory).
    pub fn packed_is(&self, bytes: u64) {
        self.packed.store(bytes, Relaxed);
    }

    /// Bytes came out of the decoder, whether or not they end in a file.
    pub fn decoded(&self, bytes: u64) -> Result<(), Error> {
        let all = self.decoded.fetch_add(bytes, Relaxed) + bytes;
        self.check_size(all)
    }

    /// Bytes are about to be written.
    pub fn written(&self, bytes: u64) -> Result<(), Error> {
        let all = self.written.fetch_add(bytes, Relaxed).saturating_add(bytes);
        self.check_size(all)?;
        self.meter.tick()
    }

    /// An entry says how large it will be: refused before anything is written if that is too much.
    pub fn announced(&self, bytes: u64) -> Result<(), Error> {
        let all = self.written.load(Relaxed).saturating_add(bytes);
        if all > self.limits.unpacked_bytes {
            return Err(self.over(format!("more than {} bytes when unpacked", self.limits.unpacked_bytes)));
        }
        Ok(())
    }

    fn check_size(&self, all: u64) -> Result<(), Error> {
        if all > self.limits.unpacked_bytes {
            return Err(self.over(format!("more than {} bytes when unpacked", self.limits.unpacked_bytes)));
        }
        let packed = self.packed.load(Relaxed);
        if all > RATIO_FROM && all / self.limits.ratio.max(1) > packed {
            return Err(self.over(format!("more than {} bytes for each packed byte", self.limits.ratio)));
        }
        Ok(())
    }

    /// One more file, folder or link.
    pub fn entry(&self) -> Result<(), Error> {
        let entries = self.entries.fetch_add(1, Relaxed) + 1;
        if entries > self.limits.entries {
            return Err(self.too_many());
        }
        if entries > ENTRIES_FROM && entries.saturating_mul(BYTES_PER_ENTRY) > self.packed.load(Relaxed) {
            return Err(self.over(format!("{entries} entries in less than {BYTES_PER_ENTRY} packed bytes each")));
        }
        if entries.is_multiple_of(64) { self.meter.tick() } else { Ok(()) }
    }

    pub fn too_many(&self) -> Error {
        self.over(format!("more than {} entries", self.limits.entries))
    }

    /// A format's directory that must be held in memory as a whole.
    pub fn too_many_at_once(&self, entries: u64) -> Error {
        self.over(format!("{entries} entries, more than its format lets us hold in memory"))
    }

    fn over(&self, what: String) -> Error {
        Error::Limit { archive: self.archive.to_string(), what }
    }

    /// An entry that would do harm, or cannot be made.
    pub fn unsafe_entry(&self, name: &[u8], why: &'static str) -> Error {
        Error::Unsafe { archive: self.archive.to_string(), entry: crate::error::shown(name), why }
    }

    pub fn corrupt(&self, why: impl Into<String>) -> Error {
        Error::Corrupt { archive: self.archive.to_string(), why: why.into() }
    }

    pub fn too_much_memory(&self) -> Error {
        let mebibytes = self.limits.decoder_memory >> 20;
        self.over(format!("a dictionary that needs more than {mebibytes} MiB of memory"))
    }

    pub fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported { archive: self.archive.to_string(), what: what.into() }
    }

    pub fn reading(&self, error: io::Error) -> Error {
        Error::from_reader(&self.archive, error)
    }
}

/// Counts what is read of the packed file.
pub struct Packed<R> {
    inner: R,
    bounds: Bounds,
}

impl<R> Packed<R> {
    pub fn new(inner: R, bounds: Bounds) -> Packed<R> {
        Packed { inner, bounds }
    }
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bounds.meter.tick()?;
        let n = self.inner.read(buffer)?;
        self.bounds.packed(n as u64);
        Ok(n)
    }
}

/// Counts what comes out of a decoder, and stops it where a limit is passed.
pub struct Decoded<R> {
    inner: R,
    bounds: Bounds,
}

impl<R> Decoded<R> {
    pub fn new(inner: R, bounds: Bounds) -> Decoded<R> {
        Decoded { inner, bounds }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.bounds.decoded(n as u64)?;
        Ok(n)
    }
}

/// Reads until `buffer` is full or the input ends; answers how much there was.
pub fn read_full(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Skips the rest of the input; answers how many bytes there were and whether one was not zero.
pub fn drain(reader: &mut dyn BufRead) -> io::Result<(u64, bool)> {
    let (mut bytes, mut content) = (0, false);
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok((bytes, content));
        }
        content |= chunk.iter().any(|b| *b != 0);
        let n = chunk.len();
        bytes += n as u64;
        reader.consume(n);
    }
}
