//! How does the first process of a task's container start the program, and how does it end?

use std::{
    collections::BTreeMap,
    fs,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::Path,
    process::{ExitCode, ExitStatus},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use model::{
    launch::Ready,
    path::WORK,
    pod::{OWN_AT, PYTHON_USER, PodEnd, PodOrder},
    run::Millis,
    supervise::{End, How, ProgramOrder, TASK_STATE_AT},
};

use super::{
    ORDER_AT, not_started, open,
    probe::{self, Flags},
    tell, uploads,
};
use crate::{
    beneath, init,
    supervise::{
        prepare::{self, Prepared},
        watch,
    },
    sys,
};

/// Signals that are read instead of dying from them.
const SIGNALS: [libc::c_int; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGCHLD];
/// What a Load Data leaves for later runs.
const FACTS: &str = "facts.json";

/// `pod run PROGRAM …`
pub fn run(program: &[&str]) -> ExitCode {
    let end = match begin(program) {
        Ok(run) => run.follow(),
        Err(sentence) => not_started(sentence),
    };
    if let How::NotStarted(sentence) | How::SnapshotFailed(sentence) = &end.end.how {
        eprintln!("{sentence}");
    }
    let code = code(&end.end.how);
    tell(end);
    ExitCode::from(code)
}

/// For those who look at the pod alone; the message says more.
fn code(how: &How) -> u8 {
    match how {
        How::Code(code) => u8::try_from(*code).unwrap_or(1),
        How::Signal(signal) => u8::try_from(128 + signal).unwrap_or(1),
        How::OutOfMemory(_) | How::TimedOut | How::NotStarted(_) | How::Taken(_) | How::SnapshotFailed(_) => 1,
    }
}

struct Run {
    order: PodOrder,
    signals: OwnedFd,
    /// The program tells on it that it starts, or why not.
    control: OwnedFd,
    program: i32,
    is_deaf: bool,
    started: Option<Millis>,
    refusal: Option<String>,
    status: Option<libc::c_int>,
    is_stopping: bool,
    ask_at: Option<Instant>,
    is_timed_out: bool,
    kill_at: Option<Instant>,
    timeout_at: Option<Instant>,
    watcher: Option<OwnedFd>,
    flags: Arc<Flags>,
}

fn begin(program: &[&str]) -> Result<Run, String> {
    let failed = |error: std::io::Error| format!("The program could not be begun: {error}.");
    let text = fs::read_to_string(ORDER_AT).map_err(failed)?;
    let order: PodOrder = serde_json::from_str(&text).map_err(|error| failed(error.into()))?;
    if order.prepare.work.is_some() {
        prepare::hold(&beneath::root(Path::new(WORK)).map_err(failed)?)?;
    }
    // The task has our user: without this it could read our memory.
    sys::prctl(libc::PR_SET_DUMPABLE, 0).map_err(failed)?;
    let signals = sys::signals(&SIGNALS).map_err(failed)?;
    sys::umask(if order.by_group { 0o002 } else { 0o022 });
    uploads::wait(&order.uploads, &signals)?;
    let (control, theirs) = sys::control_pair().map_err(failed)?;
    let env = with_installed_programs(std::env::vars().collect());
    let directory = order.directory.display().to_string();
    let argv = program.iter().map(|word| (*word).to_owned()).collect();
    let program = init::spawn(&ProgramOrder { argv, env, directory }, theirs.as_raw_fd(), 1, None).map_err(failed)?;
    Ok(Run {
        order,
        signals,
        control,
        program,
        is_deaf: false,
        started: None,
        refusal: None,
        status: None,
        is_stopping: false,
        ask_at: None,
        is_timed_out: false,
        kill_at: None,
        timeout_at: None,
        watcher: None,
        flags: Arc::default(),
    })
}

/// The image's PATH is known only here. Last, so that the image's own programs are what they were.
fn with_installed_programs(mut env: BTreeMap<String, String>) -> BTreeMap<String, String> {
    if let (Some(folder), Some(path)) = (env.get(PYTHON_USER).cloned(), env.get_mut("PATH")) {
        path.push_str(&format!(":{folder}/bin"));
    }
    env
}

impl Run {
    fn follow(mut self) -> PodEnd {
        while self.status.is_none() {
            let none = -1;
            let fds = [
                if self.is_deaf { none } else { self.control.as_raw_fd() },
                self.signals.as_raw_fd(),
                self.watcher.as_ref().map_or(none, AsRawFd::as_raw_fd),
            ];
            let next = [self.ask_at, self.kill_at, self.timeout_at].into_iter().flatten().min();
            let ready = sys::wait_readable(&fds, next.map(|at| at.saturating_duration_since(Instant::now())));
            if ready[0] {
                self.hear();
            }
            for signal in sys::read_signals(self.signals.as_fd()) {
                if signal == libc::SIGCHLD {
                    self.reap();
                } else {
                    self.stop();
                }
            }
            if ready[2] {
                self.watched();
            }
            self.act_on_time();
        }
        self.outcome()
    }

    fn hear(&mut self) {
        match sys::receive(self.control.as_raw_fd()) {
            Ok((message, _)) => match message.split_first() {
                Some((b'P', _)) => self.has_started(),
                Some((b'E', sentence)) => self.refusal = Some(String::from_utf8_lossy(sentence).into_owned()),
                Some(_) => {}
                None => self.is_deaf = true,
            },
            Err(_) => self.is_deaf = true,
        }
    }

    fn has_started(&mut self) {
        self.started = Some(sys::now());
        self.timeout_at = self.order.timeout.map(|time| Instant::now() + Duration::from_secs(time.0.into()));
        if let Err(error) = self.begin_watch() {
            eprintln!("[Fletchline: whether it is ready cannot be watched: {error}]");
        }
    }

    fn begin_watch(&mut self) -> std::io::Result<()> {
        let Some(port) = self.order.probe else { return Ok(()) };
        self.flags.ready.store(self.order.ready == Ready::Running, Relaxed);
        probe::serve(port, self.flags.clone())?;
        let (ours, theirs) = sys::pipe()?;
        watch::start(self.order.ready.clone(), self.order.advance.clone(), beneath::root(Path::new("/"))?, theirs)?;
        self.watcher = Some(ours);
        Ok(())
    }

    fn watched(&mut self) {
        let told = self.watcher.as_ref().map(watch::read).unwrap_or_default();
        if told.is_empty() {
            self.watcher = None;
        }
        for one in told {
            let flag = if one == watch::READY { &self.flags.ready } else { &self.flags.rule };
            flag.store(true, Relaxed);
        }
    }

    /// Buries what is left behind, too.
    fn reap(&mut self) {
        while let Some((pid, status)) = sys::reap(-1) {
            if pid == self.program {
                while !self.is_deaf && sys::wait_readable(&[self.control.as_raw_fd()], Some(Duration::ZERO))[0] {
                    self.hear();
                }
                self.status = Some(status);
            }
        }
    }

    /// The kubelet asks, and kills everything after the time that it was told.
    fn stop(&mut self) {
        self.is_stopping = true;
        self.ask_at.get_or_insert_with(|| Instant::now() + Duration::from_secs(self.order.linger.0.into()));
    }

    /// Whoever has something to copy keeps to its own grace time, so that there is time left for that.
    fn ask(&mut self) {
        init::signal_all(self.program, libc::SIGTERM);
        if !self.order.prepare.snapshots.is_empty() {
            self.kill_at.get_or_insert_with(|| Instant::now() + Duration::from_secs(self.order.grace.0.into()));
        }
    }

    fn act_on_time(&mut self) {
        let now = Instant::now();
        if self.ask_at.is_some_and(|at| at <= now) {
            self.ask_at = None;
            self.ask();
        }
        if self.timeout_at.is_some_and(|at| at <= now) {
            self.timeout_at = None;
            self.is_timed_out = !self.is_stopping;
            init::signal_all(self.program, libc::SIGTERM);
            self.kill_at.get_or_insert(now + Duration::from_secs(self.order.grace.0.into()));
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            self.kill_all();
        }
    }

    fn kill_all(&self) {
        // SAFETY: only sends signals; -1 is everybody but us only where we are the first process.
        unsafe {
            match std::process::id() {
                1 => libc::kill(-1, libc::SIGKILL),
                _ => libc::kill(-self.program, libc::SIGKILL),
            };
        }
    }

    fn outcome(self) -> PodEnd {
        self.kill_all();
        let mut how = match (&self.refusal, self.status) {
            (Some(sentence), _) => How::NotStarted(sentence.clone()),
            (None, _) if self.is_timed_out => How::TimedOut,
            (None, status) => how(ExitStatus::from_raw(status.unwrap_or(libc::SIGKILL))),
        };
        let started = self.started.filter(|_| self.refusal.is_none());
        if started.is_some()
            && let Err(sentence) = self.snapshots()
        {
            how = How::SnapshotFailed(sentence);
        }
        self.open();
        PodEnd { end: End { how, started, ended: sys::now() }, facts: facts() }
    }

    /// What a program keeps from the group is still a result: one that cannot be opened is told in the log alone.
    fn open(&self) {
        if !self.order.by_group {
            return;
        }
        let kept = self.order.prepare.work.as_ref().map(|_| WORK);
        for folder in kept.into_iter().chain([OWN_AT]).map(Path::new).filter(|folder| folder.exists()) {
            if let Err(error) = open::to_group(folder) {
                eprintln!("[Fletchline: {} could not be opened to the group: {error}]", folder.display());
            }
        }
    }

    fn snapshots(&self) -> Result<(), String> {
        let wanted = &self.order.prepare;
        if wanted.snapshots.is_empty() {
            return Ok(());
        }
        // What was killed may still be writing for a moment.
        while sys::reap(-1).is_some() {}
        let open = |path: &str| beneath::root(Path::new(path)).map_err(|error| format!("{path}: {error}."));
        let own = format!("{}/", wanted.own.as_deref().unwrap_or_default());
        let mut below = wanted.snapshots.clone();
        for snapshot in &mut below {
            snapshot.to = snapshot.to.strip_prefix(&own).unwrap_or(&snapshot.to).to_owned();
        }
        prepare::snapshots(&below, &Prepared { work: open(WORK)?, results: open(OWN_AT)? })
    }
}

fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code), _) => How::Code(code),
        (None, signal) => How::Signal(signal.unwrap_or(libc::SIGKILL)),
    }
}

/// The program wrote it: too much of it is none.
fn facts() -> Option<serde_json::Value> {
    let file = Path::new(TASK_STATE_AT).join(FACTS);
    let length = fs::symlink_metadata(&file).ok().filter(fs::Metadata::is_file)?.len();
    serde_json::from_slice(&fs::read(file).ok().filter(|_| length < 65_536)?).ok()
}
