//! What lies in an execution's folder, and which executions are not released yet?
//!
//! `executions/<pipeline>/<task>/<n>/` is one execution's; `executions/.live/` has one more name of the `state` of each
//! that is accepted and not released, so that a start needs to look at those alone.

use std::{
    fs, io,
    io::Write,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use model::{
    ExecutionId, PipelineId, TaskId,
    launch::Launch,
    run::Millis,
    supervise::{End, How, LOG, Mark, Process, STATE, STOP, StopOrder},
};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

const LIVE: &str = ".live";

/// The first line of `state`: what was accepted, with what the runner chose for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The machine's boot in which it was accepted.
    pub boot: String,
    /// The loopback port of a program that listens on whichever it is told.
    pub port: Option<u16>,
    /// The GPUs that it was given, by their minor numbers.
    pub gpus: Vec<u32>,
    pub launch: Launch,
}

/// All executions of an installation.
#[derive(Clone, Debug)]
pub struct Executions {
    root: PathBuf,
}

impl Executions {
    /// # Errors
    /// The data folder cannot be written.
    pub fn open(data: &Path) -> io::Result<Executions> {
        let root = data.join("executions");
        fs::create_dir_all(root.join(LIVE))?;
        Ok(Executions { root })
    }

    pub fn folder(&self, id: &ExecutionId) -> ExecutionFolder {
        let path = self.task(id).join(id.n.to_string());
        ExecutionFolder { path, live: self.root.join(LIVE).join(format!("{}.{}.{}", id.pipeline, id.task, id.n)) }
    }

    /// All of an execution's task.
    pub fn task(&self, id: &ExecutionId) -> PathBuf {
        self.root.join(id.pipeline.as_str()).join(id.task.as_str())
    }

    /// All of a pipeline.
    pub fn pipeline(&self, id: &PipelineId) -> PathBuf {
        self.root.join(id.as_str())
    }

    /// Those that are accepted and not released.
    pub fn live(&self) -> io::Result<Vec<ExecutionId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.root.join(LIVE))? {
            found.extend(entry?.file_name().to_str().and_then(parse_live));
        }
        found.sort();
        Ok(found)
    }
}

/// Ids hold no dots.
fn parse_live(name: &str) -> Option<ExecutionId> {
    let mut parts = name.split('.');
    let (pipeline, task, n) = (parts.next()?, parts.next()?, parts.next()?);
    Some(ExecutionId { pipeline: PipelineId::new(pipeline).ok()?, task: TaskId::new(task).ok()?, n: n.parse().ok()? })
}

/// One execution's.
#[derive(Clone, Debug)]
pub struct ExecutionFolder {
    pub path: PathBuf,
    live: PathBuf,
}

/// What the supervisor has told so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    pub supervisor: Option<Process>,
    pub boot: Option<String>,
    pub init: Option<Process>,
    pub program: Option<i32>,
    pub started: Option<Millis>,
    pub ready: Option<Millis>,
    pub is_rule_met: bool,
    pub is_ending: bool,
    pub end: Option<End>,
}

impl ExecutionFolder {
    pub fn is_live(&self) -> bool {
        self.live.exists()
    }

    /// `None`: it never was, or it is released.
    pub fn accepted(&self) -> Option<Accepted> {
        if !self.is_live() {
            return None;
        }
        serde_json::from_str(self.state().lines().next()?).ok()
    }

    /// A supervisor has begun, or it has ended without one. For good.
    pub fn is_claimed(&self) -> bool {
        is_claimed(&self.state())
    }

    fn state(&self) -> String {
        fs::read_to_string(self.path.join(STATE)).unwrap_or_default()
    }

    /// The other name comes last: when it is there, what was accepted can be read.
    ///
    /// # Errors
    /// The disk.
    pub fn accept(&self, accepted: &Accepted) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        let mut line = serde_json::to_vec(accepted)?;
        line.push(b'\n');
        let state = self.path.join(STATE);
        // Over one that was cut short: nothing was started for it.
        fs::write(&state, line)?;
        match fs::hard_link(&state, &self.live) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // Not every file system has such names.
            Err(_) => fs::File::create_new(&self.live).map(drop),
            Ok(()) => Ok(()),
        }
    }

    pub fn told(&self) -> Told {
        let mut told = Told::default();
        self.state().lines().skip(1).for_each(|line| told.hear(line));
        told
    }

    /// # Errors
    /// The disk.
    pub fn order_stop(&self, order: &StopOrder) -> io::Result<()> {
        write_whole(&self.path, STOP, &serde_json::to_vec(order)?)
    }

    /// Ends an execution that no supervisor has claimed, and never will then. False: one has.
    ///
    /// # Errors
    /// The disk.
    pub fn end_unclaimed(&self, how: How, now: Millis) -> io::Result<bool> {
        let mut file = fs::OpenOptions::new().append(true).open(self.path.join(STATE))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() || self.is_claimed() {
            return Ok(false);
        }
        let mark = serde_json::to_string(&Mark::Ended(End { how, started: None, ended: now }))?;
        writeln!(file, "{mark}")?;
        Ok(true)
    }

    /// Removes everything but the log and `state`, which is the claim.
    ///
    /// # Errors
    /// The disk; it can be tried again.
    pub fn release(&self) -> io::Result<()> {
        ignore_missing(self.clear())?;
        ignore_missing(fs::remove_file(&self.live))
    }

    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != STATE && name != LOG {
                // Its supervisor may be clearing up as well.
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let path = entry.path();
                ignore_missing(if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) })?;
            }
        }
        Ok(())
    }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether anything follows the launch.
fn is_claimed(state: &str) -> bool {
    state.lines().nth(1).is_some()
}

impl Told {
    /// One line of the supervisor. What is not one, or only half, says nothing.
    pub fn hear(&mut self, line: &str) {
        if let Ok(mark) = serde_json::from_str(line) {
            self.take(mark);
        }
    }

    fn take(&mut self, mark: Mark) {
        match mark {
            Mark::Claimed { supervisor, boot, .. } => (self.supervisor, self.boot) = (Some(supervisor), Some(boot)),
            Mark::Init { init } => self.init = Some(init),
            Mark::Started { at, program } => (self.started, self.program) = (Some(at), Some(program)),
            Mark::Ready { at } => self.ready = Some(at),
            Mark::RuleMet { .. } => self.is_rule_met = true,
            Mark::Ending { .. } => self.is_ending = true,
            Mark::Ended(end) => self.end = Some(end),
        }
    }
}

/// Removes a folder, which may not be there. Links in it, which a task may have made, are not followed.
///
/// # Errors
/// The disk.
pub fn remove(folder: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_dir_all(folder))
}

/// Readers find all of it or the earlier one.
pub fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let partial = folder.join(format!("{name}.partial"));
    fs::write(&partial, bytes)?;
    fs::rename(partial, folder.join(name))
}

/// A process that is alive and is the one that was meant; `None`: it is gone.
pub fn alive(process: Process) -> Option<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(process.pid)?;
    let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
    // Only after the descriptor: it pins whichever process has the id now.
    (start_of(process.pid)? == process.start).then_some(fd)
}

/// The one that has this id now.
pub fn process(pid: i32) -> Option<Process> {
    Some(Process { pid, start: start_of(pid)? })
}

fn start_of(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// # Errors
/// No /proc.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// To wait for: a pidfd, or inotify's.
///
/// # Errors
/// The runtime cannot watch it.
pub fn waitable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor names the same open file for as long as it lives.
    unsafe { AsyncFd::register(fd) }.map_err(io::Error::from)
}
