//! How far is a load, and how often is that said?

use crate::Error;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// At most two reports a second, whatever happens.
const INTERVAL: Duration = Duration::from_millis(500);

/// One report. All sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub phase: Phase,
    /// Which source, counted from 1, and of how many.
    pub source: usize,
    pub sources: usize,
    pub name: String,
    /// Of the download, or of the packed file while it is unpacked.
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Bytes a second, smoothed.
    pub rate: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// Files unpacked so far.
    pub files: u64,
    /// Why it waits, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Waiting,
    Connecting,
    Downloading,
    Checking,
    Unpacking,
    Finishing,
}

/// Counts, throttles, and carries the wish to stop. Cheap to clone, shared by all threads of a load.
#[derive(Clone)]
pub(crate) struct Meter(Arc<Inner>);

struct Inner {
    bytes: AtomicU64,
    files: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
    state: Mutex<State>,
    report: Box<dyn Fn(Progress) + Send + Sync>,
}

struct State {
    now: Progress,
    last: Option<Instant>,
    since: Instant,
    seen: u64,
    rate: f64,
}

impl Meter {
    pub fn new(sources: usize, report: Box<dyn Fn(Progress) + Send + Sync>) -> Meter {
        let now = Progress {
            phase: Phase::Waiting,
            source: 0,
            sources,
            name: String::new(),
            bytes: 0,
            total: None,
            rate: 0,
            seconds_left: None,
            files: 0,
            note: None,
        };
        let state = State { now, last: None, since: Instant::now(), seen: 0, rate: 0.0 };
        Meter(Arc::new(Inner {
            bytes: AtomicU64::new(0),
            files: Arc::default(),
            cancelled: Arc::default(),
            state: Mutex::new(state),
            report,
        }))
    }

    /// A meter that nobody listens to.
    pub fn silent() -> Meter {
        Meter::new(1, Box::new(|_| ()))
    }

    /// A meter of its own bytes that reports to nobody; files and the wish to stop are shared.
    pub fn aside(&self) -> Meter {
        let silent = Meter::silent();
        let inner = Arc::into_inner(silent.0).expect("nobody else has it yet");
        let (files, cancelled) = (Arc::clone(&self.0.files), Arc::clone(&self.0.cancelled));
        Meter(Arc::new(Inner { files, cancelled, ..inner }))
    }

    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Relaxed)
    }

    /// From here on `source` (counted from 1) is worked on.
    pub fn source(&self, source: usize, name: &str) {
        self.change(|now| {
            now.source = source;
            now.name = name.to_owned();
        });
    }

    /// A new phase begins at `bytes` of `total`.
    pub fn phase(&self, phase: Phase, bytes: u64, total: Option<u64>) {
        self.0.bytes.store(bytes, Relaxed);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now.phase = phase;
        state.now.total = total;
        state.now.note = None;
        (state.since, state.seen, state.rate) = (Instant::now(), bytes, 0.0);
        self.report_if_due(&mut state);
    }

    /// Why nothing moves at the moment.
    pub fn waiting(&self, note: String) {
        self.change(|now| {
            now.phase = Phase::Waiting;
            now.note = Some(note);
        });
    }

    pub fn add(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Relaxed);
    }

    pub fn set(&self, bytes: u64) {
        self.0.bytes.store(bytes, Relaxed);
    }

    pub fn file(&self) {
        self.0.files.fetch_add(1, Relaxed);
    }

    pub fn cancel(&self) {
        self.0.cancelled.store(true, Relaxed);
    }

    /// Reports if half a second has passed. To be called at every chunk.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the load is to stop.
    pub fn tick(&self) -> Result<(), Error> {
        if self.0.cancelled.load(Relaxed) {
            return Err(Error::Cancelled);
        }
        if let Ok(mut state) = self.0.state.try_lock() {
            self.report_if_due(&mut state);
        }
        Ok(())
    }

    /// Tells what no chunk tells, as that none comes, until it is dropped.
    pub async fn keep_telling(&self) -> Infallible {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.change(|_| ());
        }
    }

    fn change(&self, edit: impl FnOnce(&mut Progress)) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        edit(&mut state.now);
        self.report_if_due(&mut state);
    }

    fn report_if_due(&self, state: &mut State) {
        let now = Instant::now();
        if state.last.is_some_and(|last| now.duration_since(last) < INTERVAL) {
            return;
        }
        state.last = Some(now);
        state.now.bytes = self.0.bytes.load(Relaxed);
        state.now.files = self.0.files.load(Relaxed);
        state.measure(now);
        (self.0.report)(state.now.clone());
    }
}

impl State {
    /// Smooths the rate over the last few reports and derives the time that is left.
    fn measure(&mut self, now: Instant) {
        let seconds = now.duration_since(self.since).as_secs_f64();
        if seconds > 0.05 {
            let fresh = self.now.bytes.saturating_sub(self.seen) as f64 / seconds;
            self.rate = if self.rate == 0.0 { fresh } else { 0.7 * self.rate + 0.3 * fresh };
            (self.since, self.seen) = (now, self.now.bytes);
        }
        self.now.rate = self.rate as u64;
        let left = self.now.total.map(|total| total.saturating_sub(self.now.bytes));
        self.now.seconds_left = left.filter(|_| self.rate >= 1.0).map(|left| (left as f64 / self.rate).ceil() as u64);
    }
}
