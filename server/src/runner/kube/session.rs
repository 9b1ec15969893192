//! How does a person reach what runs in a pod?

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use engine::action::Link;
use futures::SinkExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{AttachParams, AttachedProcess, Portforwarder, TerminalSize as Size},
};
use model::supervise::HELPER;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    sync::mpsc,
};

use super::{client::ANSWER, manifest::TASK};
use crate::runner::{
    Connection, Exec, RunnerError, Session, SessionInput, SessionOutput, TerminalSize, WAITING, local::links, pass_on,
};

/// The code of a program that nothing more is heard of.
const KILLED: i32 = 137;
const SHELL: [&str; 3] = ["sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"];

fn unavailable(what: &str, error: impl std::fmt::Display) -> RunnerError {
    RunnerError::Unavailable(format!("{what}: {error}."))
}

/// What answers when `is_over` does: a node that went away may leave the connection open on this side.
///
/// # Errors
/// [`RunnerError::Unavailable`]: the cluster did not begin it.
pub async fn exec(
    pods: &Api<Pod>,
    pod: &str,
    exec: &Exec,
    is_over: impl Future<Output = ()> + Send + 'static,
) -> Result<Session, RunnerError> {
    let argv: Vec<String> = if exec.argv.is_empty() { SHELL.map(str::to_owned).into() } else { exec.argv.clone() };
    let is_terminal = exec.terminal.is_some();
    let wanted = AttachParams::default().container(TASK).stdin(true).stdout(true).stderr(!is_terminal).tty(is_terminal);
    let process = pods
        .exec(pod, argv, &wanted)
        .await
        .map_err(|error| unavailable("A program inside the task could not be begun", error))?;
    let (input, from_person) = mpsc::channel(WAITING);
    let (to_person, output) = mpsc::channel(WAITING);
    let carried = carry(process, exec.terminal, from_person, to_person.clone());
    tokio::spawn(unless_over(carried, is_over, to_person));
    Ok(Session { input, output })
}

/// Ends both ways, as if it had been killed, when the task is over and it has not ended by itself soon.
pub async fn unless_over(
    carried: impl Future<Output = ()>,
    is_over: impl Future<Output = ()>,
    to: mpsc::Sender<SessionOutput>,
) {
    let late = async {
        is_over.await;
        tokio::time::sleep(ANSWER).await;
    };
    tokio::select! {
        () = carried => {}
        // Whoever has left needs no answer.
        () = late => drop(to.send(SessionOutput::Exit(KILLED)).await),
    }
}

async fn carry(
    mut process: AttachedProcess,
    size: Option<TerminalSize>,
    from: mpsc::Receiver<SessionInput>,
    to: mpsc::Sender<SessionOutput>,
) {
    let status = process.take_status();
    let out = pass_on(process.stdout(), to.clone(), SessionOutput::Stdout);
    let err = pass_on(process.stderr(), to.clone(), SessionOutput::Stderr);
    let mut typed = std::pin::pin!(type_in(&mut process, size, from));
    let mut shown = std::pin::pin!(async { tokio::join!(out, err) });
    tokio::select! {
        _ = &mut shown => {}
        // The person has left: dropping the connection ends it.
        () = &mut typed => return,
    }
    let status = match status {
        Some(status) => status.await,
        None => None,
    };
    // Whoever has left needs no answer.
    let _ = to.send(SessionOutput::Exit(exit_code(status.as_ref()))).await;
}

/// `Failure` with a cause `ExitCode`, or `Success`.
fn exit_code(status: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Status>) -> i32 {
    let Some(status) = status else { return KILLED };
    if status.status.as_deref() == Some("Success") {
        return 0;
    }
    let causes = status.details.iter().filter_map(|details| details.causes.as_ref()).flatten();
    let code = causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode"));
    code.filter_map(|cause| cause.message.as_deref()?.parse().ok()).next().unwrap_or(126)
}

/// Returns when the person has left.
async fn type_in(process: &mut AttachedProcess, size: Option<TerminalSize>, mut from: mpsc::Receiver<SessionInput>) {
    let mut sizes = process.terminal_size();
    let mut stdin = process.stdin();
    let is_terminal = sizes.is_some();
    if let (Some(sizes), Some(size)) = (&mut sizes, size) {
        let _ = sizes.send(sized(size)).await;
    }
    while let Some(input) = from.recv().await {
        match (input, &mut stdin, &mut sizes) {
            (SessionInput::Resize(size), _, Some(sizes)) => {
                let _ = sizes.send(sized(size)).await;
            }
            (SessionInput::Bytes(bytes), Some(open), _) => {
                if open.write_all(&bytes).await.is_err() {
                    stdin = None;
                }
            }
            // Ctrl+D, as one types it.
            (SessionInput::End, Some(open), _) if is_terminal => {
                let _ = open.write_all(&[4]).await;
            }
            (SessionInput::End, Some(open), _) => {
                let _ = open.shutdown().await;
                stdin = None;
            }
            (SessionInput::Resize(_), _, None) | (SessionInput::Bytes(_) | SessionInput::End, None, _) => {}
        }
    }
}

fn sized(size: TerminalSize) -> Size {
    Size { width: size.columns, height: size.rows }
}

/// # Errors
/// [`RunnerError::Unavailable`]: the cluster did not connect.
pub async fn dial(pods: &Api<Pod>, pod: &str, port: u16) -> Result<Box<dyn Connection>, RunnerError> {
    let failed = |error: &dyn std::fmt::Display| unavailable(&format!("Port {port} does not answer"), error);
    let mut forwarder = pods.portforward(pod, &[port]).await.map_err(|error| failed(&error))?;
    let stream = forwarder.take_stream(port).ok_or_else(|| failed(&"there is no stream"))?;
    Ok(Box::new(Forwarded { stream, _forwarder: forwarder }))
}

/// The stream lives as long as what carries it.
struct Forwarded {
    stream: DuplexStream,
    _forwarder: Portforwarder,
}

impl AsyncRead for Forwarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Makes a Viewer's folder of links hold exactly these.
///
/// # Errors
/// The cluster or the helper did not do it.
pub async fn link(pods: &Api<Pod>, pod: &str, wanted: &[Link]) -> Result<(), RunnerError> {
    let session = helper(pods, pod, &["links"]).await?;
    let text = serde_json::to_vec(&links::wanted(wanted)).unwrap_or_default();
    // Who does not listen any more says why by its code.
    let _ = session.input.send(SessionInput::Bytes(text)).await;
    let set = tokio::time::timeout(ANSWER, finish(session)).await;
    let set = set.unwrap_or_else(|_| Err("the helper does not answer".to_owned()));
    set.map_err(|why| unavailable("The links could not be set", why))
}

/// Begins `fletchline-task pod …` in the pod.
///
/// # Errors
/// As [`exec`].
pub async fn helper(pods: &Api<Pod>, pod: &str, words: &[&str]) -> Result<Session, RunnerError> {
    let argv = [HELPER, "pod"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    // Whoever asked does not wait for ever.
    exec(pods, pod, &Exec { argv, terminal: None }, std::future::pending()).await
}

/// Ends its input and waits until it has ended well.
///
/// # Errors
/// Why it has not.
pub async fn finish(mut session: Session) -> Result<(), String> {
    let _ = session.input.send(SessionInput::End).await;
    let mut said = String::new();
    while let Some(output) = session.output.recv().await {
        match output {
            SessionOutput::Exit(0) => return Ok(()),
            SessionOutput::Exit(code) => return Err(format!("code {code}, {}", said.trim())),
            SessionOutput::Stdout(bytes) | SessionOutput::Stderr(bytes) => {
                said.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
    Err("the helper has left".to_owned())
}
