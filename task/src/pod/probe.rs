//! How does the kubelet learn that a program is ready, and that its rule holds?
//!
//! By HTTP on a port of ours: a program started each second for each pod would cost more than many a task.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use model::pod::{READY_PATH, RULE_PATH};

const PATIENCE: Duration = Duration::from_secs(1);

/// What is so by now; nothing of it becomes false again.
#[derive(Default)]
pub struct Flags {
    pub ready: AtomicBool,
    pub rule: AtomicBool,
}

/// # Errors
/// The port is in use.
pub fn serve(port: u16, flags: Arc<Flags>) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    thread::Builder::new().stack_size(128 * 1024).spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who asked asks again.
            let _ = answer(stream, &flags);
        }
    })?;
    Ok(())
}

fn answer(mut stream: TcpStream, flags: &Flags) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut bytes = [0; 1024];
    let count = stream.read(&mut bytes)?;
    let line = String::from_utf8_lossy(&bytes[..count]);
    let is_so = match line.split_whitespace().nth(1) {
        Some(READY_PATH) => flags.ready.load(Relaxed),
        Some(RULE_PATH) => flags.rule.load(Relaxed),
        Some(_) | None => false,
    };
    let status = if is_so { "200 OK" } else { "503 Service Unavailable" };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
