//! Where do programs find a Serving?
//!
//! The address belongs to the task and leads to whichever version is live. A runner may have addresses of its own; else it
//! is a port of this machine: the one that the task's settings name, else one that is chosen once and kept, so that it is
//! the same after a restart of the server.

use std::{
    collections::BTreeMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{ExecutionId, PipelineId, TaskId};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{LiveServing, Runs};
use crate::{
    runner::{Addresses, Runner},
    store::{Store, StoreError},
};

/// Below what systems give to outgoing connections, which come and go on any port.
const FIRST: u16 = 20_000;
const PORTS: u16 = 10_000;
/// Before a port that another program has is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of all Servings together: a program that never closes any does not use up the server's descriptors.
const CONNECTIONS: usize = 1024;

type Key = (PipelineId, TaskId);

/// Open as long as this lives.
pub struct Ports {
    doors: Arc<Mutex<BTreeMap<Key, Door>>>,
    led: Arc<Mutex<Addresses>>,
    _following: JoinSet<()>,
}

/// One Serving's.
struct Door {
    port: u16,
    /// Which version answers.
    to: watch::Sender<LiveServing>,
    /// Why nobody can come in; else who lets them in.
    open: Result<JoinSet<()>, String>,
}

struct Follower {
    doors: Arc<Mutex<BTreeMap<Key, Door>>>,
    /// What the runner has of its own.
    led: Arc<Mutex<Addresses>>,
    runs: Arc<dyn Runs>,
    runner: Arc<dyn Runner>,
    store: Arc<dyn Store>,
    room: Arc<Semaphore>,
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(execution: &ExecutionId) -> Key {
    (execution.pipeline.clone(), execution.task.clone())
}

impl Ports {
    /// Opens the ports of the Servings that are live, now and from now on.
    pub async fn open(runs: Arc<dyn Runs>, runner: Arc<dyn Runner>, store: Arc<dyn Store>) -> Ports {
        let (doors, led) = (Arc::default(), Arc::default());
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let follower = Follower { doors: Arc::clone(&doors), led: Arc::clone(&led), runs, runner, store, room };
        follower.settle().await;
        let mut following = JoinSet::new();
        following.spawn(follower.follow());
        Ports { doors, led, _following: following }
    }

    /// Where programs find the live version of this execution's task, or why they do not; `None`: nothing is live.
    pub fn address(&self, execution: &ExecutionId) -> Option<Result<String, String>> {
        if let Some(address) = locked(&self.led).get(&key(execution)) {
            return Some(Ok(address.clone()));
        }
        let doors = locked(&self.doors);
        let door = doors.get(&key(execution))?;
        Some(match &door.open {
            Ok(_) => Ok(format!("http://127.0.0.1:{}", door.port)),
            Err(why) => Err(why.clone()),
        })
    }
}

impl Follower {
    async fn follow(self) {
        let mut changes = self.runs.servings();
        loop {
            let is_whole = self.settle().await;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(PATIENCE), if !is_whole => {}
            }
        }
    }

    /// Every live Serving has its address, and nothing else has. False: one could not be made.
    async fn settle(&self) -> bool {
        let live = self.runs.live_servings();
        let wanted: Vec<_> = live.iter().map(|one| (one.execution.clone(), one.port)).collect();
        match self.runner.lead(&wanted).await {
            Ok(None) => self.open_doors(live).await,
            Ok(Some(addresses)) => {
                *locked(&self.led) = addresses;
                true
            }
            Err(error) => {
                tracing::warn!("The addresses of Servings could not be set: {error}");
                false
            }
        }
    }

    async fn open_doors(&self, live: Vec<LiveServing>) -> bool {
        locked(&self.doors).retain(|door, _| live.iter().any(|one| key(&one.execution) == *door));
        let mut is_whole = true;
        for one in live {
            if !self.lead(&one) {
                is_whole &= self.open(one).await;
            }
        }
        is_whole
    }

    /// Leads a door that is open to its version. False: there is none at this port.
    fn lead(&self, one: &LiveServing) -> bool {
        let doors = locked(&self.doors);
        let door = doors.get(&key(&one.execution)).filter(|door| door.open.is_ok());
        let Some(door) = door.filter(|door| one.wanted.is_none_or(|wanted| wanted == door.port)) else { return false };
        door.to.send_if_modified(|to| std::mem::replace(to, one.clone()) != *one);
        true
    }

    async fn open(&self, one: LiveServing) -> bool {
        let key = key(&one.execution);
        // An earlier one, at another port, is closed first.
        let before = locked(&self.doors).remove(&key).and_then(|door| door.open.err());
        let opened = self.listen(&key, one.wanted).await;
        let (to, leads_to) = watch::channel(one);
        let (port, open) = match opened {
            Ok((port, listener)) => (port, Ok(self.let_in(listener, leads_to))),
            Err(why) => {
                if before.as_ref() != Some(&why) {
                    tracing::warn!("{}: {why}", key.1);
                }
                (0, Err(why))
            }
        };
        let is_open = open.is_ok();
        locked(&self.doors).insert(key, Door { port, to, open });
        is_open
    }

    /// # Errors
    /// Why there is no listener, for the page.
    async fn listen(&self, key: &Key, wanted: Option<u16>) -> Result<(u16, TcpListener), String> {
        let name = format!("port {} {}", key.0, key.1);
        let known = match wanted {
            Some(port) => Some(port),
            None => self.kept(&name).await.map_err(|error| error.to_string())?,
        };
        let Some(port) = known else { return self.choose(&name).await };
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        Ok((port, bound.map_err(|error| self.closed(port, &error))?))
    }

    /// What a person reads where the address would stand.
    fn closed(&self, port: u16, error: &io::Error) -> String {
        let doors = locked(&self.doors);
        let other = doors.iter().find(|(_, door)| door.port == port).map(|(key, _)| key);
        let which = match (other, error.kind()) {
            (Some((pipeline, task)), _) => format!("which {task} of the pipeline {pipeline} has: stop that one"),
            (None, io::ErrorKind::AddrInUse) => "which another program on this machine has: end that one".to_owned(),
            (None, _) => format!("which cannot be opened ({error}): make it free"),
        };
        format!(
            "no program reaches it at port {port}, {which}, and it is opened by itself; or set another Port and run again"
        )
    }

    /// The port that was chosen for this task earlier.
    async fn kept(&self, name: &str) -> Result<Option<u16>, StoreError> {
        let kept = self.store.value(name).await?.and_then(|port| port.parse().ok());
        Ok(kept.filter(|port| !self.has(*port)))
    }

    fn has(&self, port: u16) -> bool {
        locked(&self.doors).values().any(|door| door.port == port)
    }

    /// The first free one from where the name leads, so that two installations seldom want the same.
    async fn choose(&self, name: &str) -> Result<(u16, TcpListener), String> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let from = (hasher.finish() % u64::from(PORTS)) as u16;
        for port in (0..PORTS).map(|step| FIRST + (from + step) % PORTS) {
            let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await else { continue };
            self.store.set_value(name, &port.to_string()).await.map_err(|error| error.to_string())?;
            return Ok((port, listener));
        }
        Err(format!("programs cannot reach it: none of the ports from {FIRST} to {} is free", FIRST + PORTS - 1))
    }

    fn let_in(&self, listener: TcpListener, leads_to: watch::Receiver<LiveServing>) -> JoinSet<()> {
        let (runner, room) = (self.runner.clone(), self.room.clone());
        let mut open = JoinSet::new();
        open.spawn(async move {
            loop {
                // Waits where all places are taken: who connects waits with it.
                let Ok(place) = room.clone().acquire_owned().await else { return };
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let (runner, to) = (runner.clone(), leads_to.borrow().clone());
                        tokio::spawn(async move {
                            pass_on(stream, &to, runner.as_ref()).await;
                            drop(place);
                        });
                    }
                    Err(error) => {
                        tracing::warn!("A connection to a Serving could not be taken: {error}");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        });
        open
    }
}

/// Closes at once where no version answers.
async fn pass_on(mut stream: TcpStream, to: &LiveServing, runner: &dyn Runner) {
    let Some(port) = to.port else { return };
    // Small answers are not held back.
    let _ = stream.set_nodelay(true);
    match runner.dial(&to.execution, port).await {
        // Either side going away is how it ends.
        Ok(mut serving) => drop(tokio::io::copy_bidirectional(&mut stream, &mut serving).await),
        Err(error) => tracing::debug!("{}: {error}", to.execution),
    }
}
