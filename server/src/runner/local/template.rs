//! How does a supervisor start without a program being loaded for it?
//!
//! The helper program's `template` runs beside the server and forks a supervisor for every order. It knows nothing that
//! could be lost: one that is gone is started again with the next order.

use std::{
    fs::File,
    io::{self, IoSlice, Seek, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt, net::UnixStream},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
};

use model::supervise::{Order, Process, Way};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg, socketpair,
};

use super::{folder::process, locked};

pub struct Template {
    helper: PathBuf,
    /// Nothing that supervisors start needs capabilities.
    is_bound: bool,
    running: Mutex<Option<Running>>,
}

struct Running {
    requests: OwnedFd,
    process: Option<Child>,
}

impl Template {
    /// bubblewrap may need capabilities; a supervisor that makes the sandbox itself starts the task's program alone.
    pub fn new(helper: PathBuf, way: &Way) -> Template {
        Template { helper, is_bound: *way == Way::Own, running: Mutex::default() }
    }

    /// Starts a supervisor. What it tells comes through the answer, which ends when it does. Blocks.
    ///
    /// # Errors
    /// The helper program cannot be started, or the system has no more descriptors.
    pub fn supervise(&self, folder: &Path, order: &Order) -> io::Result<UnixStream> {
        let order = in_memory(order)?;
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let with = [order.as_fd(), theirs.as_fd()];
        let mut running = locked(&self.running);
        if running.as_ref().is_some_and(|running| running.ask(folder, &with).is_ok()) {
            return Ok(ours);
        }
        running.insert(Running::start(&self.helper, self.is_bound)?).ask(folder, &with)?;
        Ok(ours)
    }

    pub fn process(&self) -> Option<Process> {
        let pid = locked(&self.running).as_ref()?.process.as_ref()?.id();
        process(i32::try_from(pid).ok()?)
    }
}

impl Running {
    fn start(helper: &Path, is_bound: bool) -> io::Result<Running> {
        let (requests, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let mut command = Command::new(helper);
        command.arg("template").args(is_bound.then_some("bound")).env_clear().current_dir("/");
        let process = command.stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Running { requests, process: Some(process) })
    }

    fn ask(&self, folder: &Path, with: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(with));
        let text = [IoSlice::new(folder.as_os_str().as_bytes())];
        sendmsg(&self.requests, &text, &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

impl Drop for Running {
    /// It ends by itself when it has done what it was asked for.
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            thread::spawn(move || process.wait());
        }
    }
}

/// Never a file: it holds secrets.
fn in_memory(order: &Order) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("order", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(order)?)?;
    file.rewind()?;
    Ok(file)
}
