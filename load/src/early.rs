//! How is an archive unpacked while it is still coming?
//!
//! A thread follows the download into the source's own folder. If anything about it does not work out (another
//! format, a download that began anew, any error) that folder is emptied and the whole file is opened in the usual
//! way, which also finds the right words for what is wrong.

use crate::fetch::downloads::Downloads;
use crate::fetch::tail::{FailOnDrop, Tail};
use crate::progress::{Meter, Phase};
use crate::target::Target;
use crate::unpack::format::{self, Format, HEAD, Plan};
use crate::unpack::limits::{Bounds, read_full};
use crate::unpack::{self, Unpacked};
use crate::{Error, Limits, Unpack};
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// An unpacking under way.
pub(crate) struct Early {
    guard: FailOnDrop,
    thread: JoinHandle<Option<Unpacked>>,
    place: PathBuf,
    aside: Meter,
}

impl Early {
    /// Begins to follow a download into `place`. The thread holds the target and the lock of the downloads.
    pub fn start(
        target: &Arc<Target>,
        place: PathBuf,
        wish: Unpack,
        limits: &Limits,
        meter: &Meter,
        downloads: &Downloads,
    ) -> Early {
        let tail = Arc::new(Tail::default());
        let aside = meter.aside();
        let held = (Arc::clone(target), downloads.clone());
        let (follow, into, limits, counted) = (Arc::clone(&tail), place.clone(), limits.clone(), aside.clone());
        let thread = tokio::task::spawn_blocking(move || {
            let _held = held;
            run(&follow, wish, into, &limits, counted).ok().flatten()
        });
        Early { guard: FailOnDrop(tail), thread, place, aside }
    }

    /// What the download is to tell its progress to.
    pub fn tail(&self) -> &Arc<Tail> {
        &self.guard.0
    }

    /// After a good download: what was unpacked, or `None` with an empty folder.
    pub async fn finish(mut self, meter: &Meter, packed: Option<u64>) -> Result<Option<Unpacked>, Error> {
        // Ended by a download that ran to its end; else nobody has anything to wait for.
        self.guard.0.failed();
        meter.phase(Phase::Unpacking, self.aside.bytes(), packed);
        let done = loop {
            match tokio::time::timeout(Duration::from_millis(250), &mut self.thread).await {
                Ok(done) => break done,
                Err(_) => {
                    meter.set(self.aside.bytes());
                    meter.tick()?;
                }
            }
        };
        match done {
            Ok(Some(unpacked)) => Ok(Some(unpacked)),
            Ok(None) => {
                let place = self.place;
                std::fs::remove_dir_all(&place).map_err(|e| Error::io("emptying", &place, e))?;
                std::fs::create_dir(&place).map_err(|e| Error::io("making the folder", &place, e))?;
                Ok(None)
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Cancelled),
        }
    }
}

/// `None` where the format cannot be read from beginning to end.
fn run(
    tail: &Arc<Tail>,
    wish: Unpack,
    into: PathBuf,
    limits: &Limits,
    meter: Meter,
) -> Result<Option<Unpacked>, Error> {
    let (mut follower, name) = tail.follow(HEAD as u64).map_err(|e| Error::from_reader("", e))?;
    let mut head = vec![0; HEAD];
    let n = read_full(&mut follower, &mut head).map_err(|e| Error::from_reader("", e))?;
    head.truncate(n);
    let bounds = Bounds::new(&name, limits, meter);
    match format::plan(&name, &head, wish) {
        plan @ (Plan::Unpack(Format::Tar(_) | Format::Single(_)) | Plan::Look(_)) => {
            unpack::stream(Box::new(Cursor::new(head).chain(follower)), &name, plan, &into, &bounds).map(Some)
        }
        Plan::LeaveAlone | Plan::Mismatch { .. } | Plan::Unpack(Format::Zip | Format::SevenZ) => Ok(None),
    }
}
