//! Which execution's supervisor has just written something?

use std::{
    collections::BTreeMap,
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, Weak},
};

use rustix::fs::inotify;
use tokio::{io::unix::AsyncFd, sync::Notify};

use super::{folder::waitable, locked};

type Waiting = Arc<Mutex<BTreeMap<i32, Weak<Notify>>>>;

/// One inotify descriptor for all.
pub struct Notices {
    descriptor: Arc<AsyncFd<OwnedFd>>,
    waiting: Waiting,
    reader: tokio::task::JoinHandle<()>,
}

/// As long as it lives, its [`Notify`] is told of writes.
pub struct Watch {
    descriptor: Arc<AsyncFd<OwnedFd>>,
    waiting: Waiting,
    number: i32,
}

impl Notices {
    /// # Errors
    /// The system has no more inotify instances.
    pub fn new() -> io::Result<Notices> {
        let descriptor = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let descriptor = Arc::new(waitable(descriptor)?);
        let waiting = Waiting::default();
        let reader = tokio::spawn(read(descriptor.clone(), waiting.clone()));
        Ok(Notices { descriptor, waiting, reader })
    }

    /// # Errors
    /// The file is not there, or the system has no more watches.
    pub fn watch(&self, file: &Path, notify: &Arc<Notify>) -> io::Result<Watch> {
        // Under the lock, so that a write right after finds its waiter.
        let mut waiting = locked(&self.waiting);
        let number = inotify::add_watch(self.descriptor.get_ref(), file, inotify::WatchFlags::MODIFY)?;
        waiting.insert(number, Arc::downgrade(notify));
        Ok(Watch { descriptor: self.descriptor.clone(), waiting: self.waiting.clone(), number })
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        locked(&self.waiting).remove(&self.number);
        // The file may be gone, and its watch with it.
        let _ = inotify::remove_watch(self.descriptor.get_ref(), self.number);
    }
}

async fn read(descriptor: Arc<AsyncFd<OwnedFd>>, waiting: Waiting) {
    loop {
        let Ok(mut ready) = descriptor.readable().await else { return };
        let mut buffer = [MaybeUninit::<u8>::uninit(); 8192];
        let mut events = inotify::Reader::new(descriptor.get_ref(), &mut buffer);
        while let Ok(event) = events.next() {
            if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) {
                locked(&waiting).values().filter_map(Weak::upgrade).for_each(|one| one.notify_one());
            }
            if let Some(one) = locked(&waiting).get(&event.wd()).and_then(Weak::upgrade) {
                one.notify_one();
            }
        }
        ready.clear_ready();
    }
}
