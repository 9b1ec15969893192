//! Does the program answer yet, and does the rule hold that lets the run go on?
//!
//! A thread of its own asks, so that a peer that never answers holds up neither the log nor a stop.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::{AsRawFd, OwnedFd},
    thread,
    time::{Duration, Instant},
};

use model::{kind::Advance, launch::Ready};

use crate::{beneath, sys};

pub const READY: u8 = b'r';
pub const RULE: u8 = b'a';
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether there is anything to ask.
pub fn is_needed(ready: &Ready, advance: Option<&Advance>) -> bool {
    let is_rule = match advance {
        Some(Advance::File { .. } | Advance::Time { .. } | Advance::Port { .. }) => true,
        Some(Advance::Hand | Advance::Exit) | None => false,
    };
    *ready != Ready::Running || is_rule
}

/// Writes [`READY`], then [`RULE`], each once, when it is so. `root` is the task's own root folder.
pub fn start(ready: Ready, advance: Option<Advance>, root: OwnedFd, tell: OwnedFd) -> io::Result<()> {
    thread::Builder::new().stack_size(128 * 1024).spawn(move || {
        let mut tell = std::fs::File::from(tell);
        // Ready at once was told with the start.
        if ready != Ready::Running {
            until(|| is_ready(&ready));
            let _ = tell.write_all(&[READY]);
        }
        let at = Instant::now();
        if let Some(rule) = advance.filter(|rule| is_needed(&Ready::Running, Some(rule))) {
            until(|| holds(&rule, &root, at));
            let _ = tell.write_all(&[RULE]);
        }
    })?;
    Ok(())
}

/// Often at first, when a person waits for it; then at leisure.
fn until(mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        let pause = if begin.elapsed() < Duration::from_secs(5) { 20 } else { 200 };
        thread::sleep(Duration::from_millis(pause));
    }
}

fn is_ready(ready: &Ready) -> bool {
    match ready {
        Ready::Running => true,
        Ready::Port { port } => answers(*port),
        Ready::Http { port, path } => says_200(*port, path).unwrap_or(false),
    }
}

fn holds(rule: &Advance, root: &OwnedFd, ready: Instant) -> bool {
    match rule {
        Advance::File { path } => exists(root, path.as_str()),
        Advance::Time { seconds } => ready.elapsed() >= Duration::from_secs(seconds.0.into()),
        Advance::Port { port } => answers(*port),
        Advance::Hand | Advance::Exit => false,
    }
}

/// As the task itself would find it: links lead wherever they lead inside.
fn exists(root: &OwnedFd, path: &str) -> bool {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, flags, Mode::empty(), resolve).is_ok()
}

fn connect(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)
}

pub fn answers(port: u16) -> bool {
    connect(port).is_ok()
}

fn says_200(port: u16, path: &str) -> io::Result<bool> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0_u8; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.") && answer.ends_with(b" 200"))
}

/// The root folder that a process sees.
pub fn root_of(pid: i32) -> io::Result<OwnedFd> {
    beneath::root(std::path::Path::new(&format!("/proc/{pid}/root")))
}

/// Reads what the watcher has told.
pub fn read(from: &OwnedFd) -> Vec<u8> {
    let mut bytes = [0_u8; 8];
    if !sys::wait_readable(&[from.as_raw_fd()], Some(Duration::ZERO))[0] {
        return Vec::new();
    }
    let got = rustix::io::read(from, &mut bytes).unwrap_or(0);
    bytes[..got].to_vec()
}
