//! What happens between a program's start and its end?

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use model::{
    launch::Ready,
    run::Millis,
    supervise::{How, Mark, Order, STOP, StopOrder, Way},
};
use rustix::{buffer::spare_capacity, io::Errno};

use super::{claim::State, log::Sink, memory, watch};
use crate::{
    init,
    sandbox::{bubblewrap, own},
    sys,
    template::Bases,
};

pub struct Outcome {
    pub how: How,
    /// None: the program never ran.
    pub started: Option<Millis>,
}

struct Run<'a> {
    order: &'a Order,
    folder: &'a Path,
    state: &'a mut State,
    /// To the first process inside.
    control: OwnedFd,
    /// Our child: the first process itself, or bubblewrap.
    child: i32,
    /// The first process, as seen from here.
    init: Option<i32>,
    sink: Sink,
    started: Option<Millis>,
    status: Option<libc::c_int>,
    refusal: Option<String>,
    is_stopping: bool,
    is_timed_out: bool,
    kill_at: Option<Instant>,
    timeout_at: Option<Instant>,
    watcher: Option<OwnedFd>,
    /// The other end of `control` is gone.
    is_deaf: bool,
}

/// Runs the program to its end, and all that it has started.
pub fn run(order: &Order, folder: &Path, state: &mut State, (signals, bases): (OwnedFd, &mut Bases)) -> Outcome {
    let not_started = |sentence: String| Outcome { how: How::NotStarted(sentence), started: None };
    if folder.join(STOP).exists() {
        return Outcome { how: How::Signal(libc::SIGTERM), started: None };
    }
    if let Some(port) = order.ports.iter().find(|port| watch::answers(**port)) {
        return not_started(format!(
            "Port {port} is in use by another program of this machine: end it, or choose another port."
        ));
    }
    let sink = match Sink::new(folder, order.log_limit) {
        Ok(sink) => sink,
        Err(error) => return not_started(format!("The log could not be made: {error}.")),
    };
    let (output, theirs) = match log_pipe() {
        Ok(pair) => pair,
        Err(error) => return not_started(format!("A pipe for the log could not be made: {error}.")),
    };
    match start(order, folder, theirs, bases) {
        Ok((control, child, init)) => {
            let mut run = Run {
                order,
                folder,
                state,
                control,
                child,
                init,
                sink,
                started: None,
                status: None,
                refusal: None,
                is_stopping: false,
                is_timed_out: false,
                kill_at: None,
                timeout_at: None,
                watcher: None,
                is_deaf: false,
            };
            run.follow(&signals, output);
            run.outcome()
        }
        Err(sentence) => not_started(sentence),
    }
}

fn log_pipe() -> io::Result<(File, OwnedFd)> {
    let (ours, theirs) = sys::pipe()?;
    // A larger one takes a burst without a switch to us; the ordinary size does, too.
    let _ = rustix::pipe::fcntl_setpipe_size(&ours, 1 << 20);
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((File::from(ours), theirs))
}

/// Our control end, our child, and the first process inside if that is known.
fn start(
    order: &Order,
    folder: &Path,
    output: OwnedFd,
    bases: &mut Bases,
) -> Result<(OwnedFd, i32, Option<i32>), String> {
    let failed = |error: io::Error| format!("The sandbox could not be begun: {error}.");
    let (ours, theirs) = sys::control_pair().map_err(failed)?;
    match &order.sandbox.way {
        Way::Own => {
            let plan = own::Plan::new(&order.sandbox, |key| bases.find(key))?;
            let open_files = sys::raise_open_files();
            // SAFETY: threads begin after this.
            let pid = unsafe { sys::fork_into(own::NAMESPACES) }
                .map_err(|error| format!("This system does not let us make namespaces ({error})."))?;
            if pid == 0 {
                drop(ours);
                let entered = || plan.enter(folder, |key, namespace| bases.offer(key, namespace));
                be_first(order, entered, (&theirs, &output), open_files);
            }
            drop(plan);
            bases.close();
            Ok((ours, pid, Some(pid)))
        }
        Way::Bubblewrap { program, helper } => {
            let text = serde_json::to_vec(&order.program).map_err(|error| failed(error.into()))?;
            let memory = in_memory(&text).map_err(failed)?;
            let child = bubblewrap::start(&order.sandbox, program, helper, (memory, &theirs, &output))?;
            Ok((ours, i32::try_from(child.id()).unwrap_or(i32::MAX), None))
        }
    }
}

fn in_memory(text: &[u8]) -> io::Result<OwnedFd> {
    use std::io::{Seek, Write};
    let fd = rustix::fs::memfd_create("order", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(text)?;
    file.rewind()?;
    Ok(file.into())
}

/// The child of the fork: never comes back.
fn be_first(
    order: &Order,
    enter: impl FnOnce() -> Result<(), String>,
    (control, output): (&OwnedFd, &OwnedFd),
    open_files: libc::rlimit,
) -> ! {
    // The supervisor may be gone by now: then the first message fails, and nothing starts.
    let _ = sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
    if let Err(sentence) = enter() {
        let _ = sys::send(control.as_raw_fd(), format!("E{sentence}").as_bytes());
        // SAFETY: ends the child of a fork.
        unsafe { libc::_exit(1) }
    }
    init::run(&order.program, control.as_raw_fd(), output.as_raw_fd(), Some(open_files))
}

impl Run<'_> {
    fn follow(&mut self, signals: &OwnedFd, output: File) {
        if let Some(process) = self.init.and_then(|pid| sys::process(pid).ok()) {
            self.state.note(Mark::Init { init: process });
        }
        let mut is_reaped = false;
        let mut is_open = true;
        while !is_reaped || is_open {
            let none = -1;
            let fds = [
                if self.is_deaf { none } else { self.control.as_raw_fd() },
                signals.as_raw_fd(),
                if is_open { output.as_raw_fd() } else { none },
                self.watcher.as_ref().map_or(none, AsRawFd::as_raw_fd),
            ];
            let ready = sys::wait_readable(&fds, self.next_deadline(is_reaped));
            if ready[0] {
                self.hear();
            }
            for signal in sys::read_signals(signals.as_fd()) {
                if signal == libc::SIGCHLD {
                    is_reaped |= self.reap();
                } else {
                    self.stop();
                }
            }
            if ready[2] {
                is_open = self.pump(&output);
            }
            if ready[3] {
                self.watched();
            }
            self.act_on_time();
        }
    }

    fn next_deadline(&self, is_reaped: bool) -> Option<Duration> {
        let next = [self.kill_at, self.timeout_at].into_iter().flatten().min().filter(|_| !is_reaped)?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn hear(&mut self) {
        let Ok((message, sender)) = sys::receive(self.control.as_raw_fd()) else {
            self.is_deaf = true;
            return;
        };
        match message.split_first() {
            Some((b'I', _)) if self.init.is_none() => {
                self.init = Some(sender);
                if let Ok(init) = sys::process(sender) {
                    self.state.note(Mark::Init { init });
                }
            }
            Some((b'P', _)) => self.has_started(sender),
            Some((b'E', sentence)) => self.refusal = Some(String::from_utf8_lossy(sentence).into_owned()),
            Some((b'X', status)) => self.status = status.try_into().ok().map(libc::c_int::from_le_bytes),
            Some(_) => {}
            None => self.is_deaf = true,
        }
    }

    fn has_started(&mut self, program: i32) {
        let at = sys::now();
        let mut marks = vec![Mark::Started { at, program }];
        if self.order.ready == Ready::Running {
            marks.push(Mark::Ready { at });
        }
        self.state.mark(&marks);
        self.started = Some(at);
        self.timeout_at = self.order.timeout.map(|time| Instant::now() + Duration::from_secs(time.0.into()));
        self.hold_mounts();
        if watch::is_needed(&self.order.ready, self.order.advance.as_ref()) && !self.is_stopping {
            self.begin_watch();
        }
    }

    /// Until this process ends: to take its mounts down takes a while, and nobody has to wait for it to hear how the
    /// program ended.
    fn hold_mounts(&self) {
        if self.order.sandbox.way == Way::Own {
            std::mem::forget(File::open(format!("/proc/{}/ns/mnt", self.child)));
        }
    }

    fn begin_watch(&mut self) {
        let begun = (|| {
            let root = watch::root_of(self.init.unwrap_or(self.child))?;
            let (ours, theirs) = sys::pipe()?;
            watch::start(self.order.ready.clone(), self.order.advance.clone(), root, theirs)?;
            Ok::<_, io::Error>(ours)
        })();
        match begun {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => self.sink.say(&format!("whether it is ready cannot be watched: {error}")),
        }
    }

    fn watched(&mut self) {
        let told = self.watcher.as_ref().map(watch::read).unwrap_or_default();
        if told.is_empty() {
            self.watcher = None;
        }
        for one in told {
            let at = sys::now();
            self.state.mark(&[if one == watch::READY { Mark::Ready { at } } else { Mark::RuleMet { at } }]);
        }
    }

    /// False at the end.
    fn pump(&mut self, output: &File) -> bool {
        // Not zeroed: most programs say little, and every page that is touched is one more to be found.
        let mut bytes = Vec::with_capacity(16 * 1024);
        // A few at a time: signals and deadlines have their turn, too.
        for _ in 0..64 {
            bytes.clear();
            match rustix::io::read(output, spare_capacity(&mut bytes)) {
                Ok(0) => return false,
                Ok(_) => self.sink.write(&bytes),
                Err(Errno::INTR) => {}
                Err(error) => return error == Errno::AGAIN,
            }
        }
        true
    }

    /// True when our child, and with it every process of the task, is gone.
    fn reap(&mut self) -> bool {
        let mut is_gone = false;
        while let Some((pid, status)) = sys::reap(-1) {
            if pid == self.child {
                is_gone = true;
                // What it said last may come after the news of its end.
                while !self.is_deaf && sys::wait_readable(&[self.control.as_raw_fd()], Some(Duration::ZERO))[0] {
                    self.hear();
                }
                if self.status.is_none() && self.started.is_some() {
                    self.status = Some(if libc::WIFSIGNALED(status) { status } else { libc::SIGKILL });
                }
            }
        }
        is_gone
    }

    /// Asked from outside, for good.
    fn stop(&mut self) {
        let grace =
            fs::read(self.folder.join(STOP)).ok().and_then(|text| serde_json::from_slice::<StopOrder>(&text).ok());
        let grace = grace.map_or(self.order.grace, |order| order.grace);
        if !self.is_stopping {
            self.is_stopping = true;
            self.watcher = None;
            self.state.mark(&[Mark::Ending { at: sys::now() }]);
        }
        self.ask(Duration::from_secs(grace.0.into()));
    }

    /// SIGTERM now, SIGKILL after the grace time; a second time never later than the first said.
    fn ask(&mut self, grace: Duration) {
        // Nobody hears it only when the end is near anyway.
        let _ = sys::send(self.control.as_raw_fd(), &[b'S', libc::SIGTERM as u8]);
        let at = Instant::now() + grace;
        self.kill_at = Some(self.kill_at.map_or(at, |earlier| earlier.min(at)));
    }

    fn act_on_time(&mut self) {
        let now = Instant::now();
        if self.timeout_at.is_some_and(|at| at <= now) {
            self.timeout_at = None;
            // Asked to stop before: that is how it ends.
            self.is_timed_out = !self.is_stopping;
            self.ask(Duration::from_secs(self.order.grace.0.into()));
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            // SAFETY: our child, not reaped yet, or the first process inside, which is alive as long as it is not.
            unsafe { libc::kill(self.init.unwrap_or(self.child), libc::SIGKILL) };
        }
    }

    fn outcome(self) -> Outcome {
        let how = match (&self.refusal, self.status) {
            (Some(sentence), _) => How::NotStarted(sentence.clone()),
            (None, Some(_)) if self.is_timed_out => How::TimedOut,
            (None, Some(status)) => self.how(ExitStatus::from_raw(status)),
            (None, None) if self.is_stopping => How::Signal(libc::SIGTERM),
            (None, None) => How::NotStarted("The sandbox could not be made: the log says more.".to_owned()),
        };
        let started = self.started.filter(|_| self.refusal.is_none());
        self.sink.close();
        Outcome { how, started }
    }

    fn how(&self, status: ExitStatus) -> How {
        match (status.code(), status.signal()) {
            (Some(code), _) => How::Code(code),
            (None, Some(libc::SIGKILL)) if !self.is_stopping && memory::was_short() => {
                How::OutOfMemory("The machine ran out of memory, and the system ended the program.".to_owned())
            }
            (None, signal) => How::Signal(signal.unwrap_or(libc::SIGKILL)),
        }
    }
}
