//! How does a program that runs inside a task on somebody's behalf reach that person?
//!
//! `fletchline-task exec` joins the task; its stdin, stdout and stderr are pipes, or one end of a terminal that we hold
//! the other end of.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
};

use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    sync::mpsc,
};

use crate::runner::{Exec, PIECE, RunnerError, Session, SessionInput, SessionOutput, TerminalSize, WAITING, pass_on};

/// Must be called inside a tokio runtime.
///
/// # Errors
/// [`RunnerError::Unavailable`]: no terminal or process could be made.
pub fn session(helper: &Path, folder: &Path, exec: &Exec) -> Result<Session, RunnerError> {
    let mut command = Command::new(helper);
    command.arg("exec").arg(folder).args(&exec.argv).env_clear().current_dir("/").kill_on_drop(true);
    let (input, from_person) = mpsc::channel(WAITING);
    let (to_person, output) = mpsc::channel(WAITING);
    let begun = match exec.terminal {
        Some(size) => in_terminal(command, size, from_person, to_person),
        None => with_pipes(command, from_person, to_person),
    };
    begun
        .map_err(|error| RunnerError::Unavailable(format!("A program inside the task could not be begun: {error}.")))?;
    Ok(Session { input, output })
}

fn resize(master: &OwnedFd, size: TerminalSize) -> io::Result<()> {
    let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(master, size)?)
}

fn in_terminal(
    mut command: Command,
    size: TerminalSize,
    from_person: mpsc::Receiver<SessionInput>,
    to_person: mpsc::Sender<SessionOutput>,
) -> io::Result<()> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    resize(&master, size)?;
    let mut open = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut open, OFlags::NOCTTY.bits().cast_signed());
    let slave = open.read(true).write(true).open(name.to_string_lossy().as_ref())?;
    command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
    let child = command.spawn()?;
    // The command holds the terminal's other end open until it goes.
    drop(command);
    let shown = File::from(master.try_clone()?);
    let (done, finished) = tokio::sync::oneshot::channel();
    let showing = to_person.clone();
    tokio::task::spawn_blocking(move || {
        show(shown, &showing);
        // Nobody waits for it when the session was dropped.
        let _ = done.send(());
    });
    tokio::spawn(async move {
        let mut child = child;
        let typed = type_in(from_person, &master);
        let code = tokio::select! {
            status = child.wait() => status,
            () = typed => { end(&mut child).await }
        };
        let _ = finished.await;
        tell_end(code, &to_person).await;
    });
    Ok(())
}

/// Reads until the terminal's other end is closed everywhere, which reads as an error.
fn show(mut master: File, to: &mpsc::Sender<SessionOutput>) {
    let mut bytes = vec![0; PIECE];
    while let Ok(count @ 1..) = master.read(&mut bytes) {
        if to.blocking_send(SessionOutput::Stdout(bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

/// Returns when the person has left.
async fn type_in(mut from: mpsc::Receiver<SessionInput>, master: &OwnedFd) {
    while let Some(input) = from.recv().await {
        let done = match input {
            SessionInput::Resize(size) => resize(master, size),
            SessionInput::Bytes(bytes) => write_to(master, bytes).await,
            // Ctrl+D, as one types it.
            SessionInput::End => write_to(master, vec![4]).await,
        };
        if done.is_err() {
            // The program has closed its terminal: its end comes by the child.
            std::future::pending::<()>().await;
        }
    }
}

async fn write_to(master: &OwnedFd, bytes: Vec<u8>) -> io::Result<()> {
    let mut file = File::from(master.try_clone()?);
    tokio::task::spawn_blocking(move || file.write_all(&bytes)).await.map_err(io::Error::other)?
}

fn with_pipes(
    mut command: Command,
    mut from_person: mpsc::Receiver<SessionInput>,
    to_person: mpsc::Sender<SessionOutput>,
) -> io::Result<()> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let out = tokio::spawn(pass_on(stdout, to_person.clone(), SessionOutput::Stdout));
    let err = tokio::spawn(pass_on(stderr, to_person.clone(), SessionOutput::Stderr));
    tokio::spawn(async move {
        let typed = async {
            while let Some(input) = from_person.recv().await {
                match (input, &mut stdin) {
                    (SessionInput::Bytes(bytes), Some(open)) => {
                        if open.write_all(&bytes).await.is_err() {
                            stdin = None;
                        }
                    }
                    (SessionInput::End, _) => stdin = None,
                    (SessionInput::Bytes(_), None) | (SessionInput::Resize(_), _) => {}
                }
            }
        };
        let code = tokio::select! {
            status = child.wait() => status,
            () = typed => { end(&mut child).await }
        };
        let _ = tokio::join!(out, err);
        tell_end(code, &to_person).await;
    });
    Ok(())
}

/// The session was dropped.
async fn end(child: &mut Child) -> io::Result<std::process::ExitStatus> {
    child.kill().await?;
    child.wait().await
}

async fn tell_end(status: io::Result<std::process::ExitStatus>, to: &mpsc::Sender<SessionOutput>) {
    let code = status.ok().and_then(|status| status.code()).unwrap_or(137);
    // Whoever has left needs no answer.
    let _ = to.send(SessionOutput::Exit(code)).await;
}
