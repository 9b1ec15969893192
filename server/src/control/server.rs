//! How does the server answer the command line?

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use app::backend::Backend;
use model::{RunId, document, run::Part};
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};

use super::{Ask, Base64, Input, LINE, Tell, Watch};
use crate::{
    backend::{StartRun, check_parameters},
    runner::{Exec, Session, SessionInput, SessionOutput, TerminalSize},
    serve::Inner,
};

type Asked<T> = Result<T, String>;

/// A socket that this user alone may open. Whoever calls holds the folder, so a socket that lies there is a dead one.
///
/// # Errors
/// The folder's path is too long for a socket, or the disk.
pub fn bind(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until it is dropped.
pub async fn serve(listener: UnixListener, inner: Arc<Inner>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer(stream, inner.clone()))),
            Err(error) => {
                tracing::warn!("The socket in the data folder did not take a connection: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

type Lines = BufReader<tokio::io::Take<OwnedReadHalf>>;

async fn answer(stream: UnixStream, inner: Arc<Inner>) {
    let (read, write) = stream.into_split();
    let (mut lines, mut to) = (BufReader::new(read.take(LINE)), Answers(write));
    let mut line = String::new();
    let asked = match lines.read_line(&mut line).await {
        Ok(1..) => serde_json::from_str::<Ask>(&line).map_err(|error| error.to_string()),
        Ok(0) | Err(_) => return,
    };
    let done = match asked {
        Ok(ask) => carry_out(ask, &inner, lines, &mut to).await,
        Err(error) => Err(format!("This version of the server does not understand that: {error}")),
    };
    if let Err(sentence) = done {
        to.tell(&Tell::Refused { sentence }).await;
    }
}

struct Answers(OwnedWriteHalf);

impl Answers {
    /// False: whoever asked is gone.
    async fn tell(&mut self, tell: &impl Serialize) -> bool {
        let Ok(mut line) = serde_json::to_vec(tell) else { return false };
        line.push(b'\n');
        self.0.write_all(&line).await.is_ok()
    }
}

async fn carry_out(ask: Ask, inner: &Inner, lines: Lines, to: &mut Answers) -> Asked<()> {
    match ask {
        Ask::Link => {
            to.tell(&Tell::Link { url: inner.link() }).await;
        }
        Ask::Run { document, parameters } => {
            let run = start(inner, document, parameters).await?;
            let warning = little_space(inner).await;
            to.tell(&Tell::Started { address: inner.page_of(&run), run, warning }).await;
        }
        Ask::Watch { run } => watch(inner, &run, to).await?,
        Ask::Services => {
            let services = inner.core.list_services().await.map_err(|error| error.to_string())?;
            to.tell(&Tell::Services { services }).await;
        }
        Ask::Stop { all } => {
            if all {
                inner.stop_tasks().await?;
            }
            to.tell(&Tell::Stopping { tasks: inner.core.runs.live_tasks() }).await;
            inner.stop();
        }
        Ask::Exec { task, argv, terminal } => {
            let execution = inner.running(&task)?;
            let terminal = terminal.map(|(columns, rows)| TerminalSize { columns, rows });
            let session = inner.core.runner.exec(&execution, Exec { argv, terminal }).await;
            talk(session.map_err(|error| error.to_string())?, lines, to).await;
        }
    }
    Ok(())
}

/// Starts a run of a document as it is given; nothing saved is touched.
pub(crate) async fn start(
    inner: &Inner,
    document: String,
    given: std::collections::BTreeMap<String, String>,
) -> Asked<RunId> {
    let pipeline = document::read(&document).map_err(|error| error.to_string())?.pipeline.id;
    check_parameters(&document, &given).map_err(|error| error.to_string())?;
    let start = StartRun {
        pipeline,
        document,
        part: Part::All,
        parameters: given,
        download_again: Default::default(),
        reading: None,
    };
    inner.core.start_run_of(start).await.map_err(|error| crate::cli::told(&error))
}

/// As the page says it to whoever presses Run.
pub(crate) async fn little_space(inner: &Inner) -> Option<String> {
    // A disk that cannot be looked at keeps nobody from running.
    let warning = inner.core.space_warning().await.ok()??;
    let largest = warning.largest.iter().map(|(_, name, bytes)| format!("{name} ({})", model::Memory(*bytes)));
    Some(format!("{} Largest: {}.", warning.sentence, largest.collect::<Vec<_>>().join(", ")))
}

async fn watch(inner: &Inner, run: &RunId, to: &mut Answers) -> Asked<()> {
    let mut watch = Watch::new(&inner.core.runs, run);
    loop {
        let view = watch.next().await.ok_or("There is no such run (any more), or the server stops.")?;
        let has_ended = view.summary.status.has_ended();
        if !to.tell(&Tell::Run { view: Box::new(view) }).await || has_ended {
            return Ok(());
        }
    }
}

/// Both ways until the program has ended or whoever asked is gone; dropping the session ends the program.
async fn talk(session: Session, mut lines: Lines, to: &mut Answers) {
    let Session { input, mut output } = session;
    // What is typed has no bound over time; single lines stay bounded by whoever types.
    lines.get_mut().set_limit(u64::MAX);
    let typing = type_in(lines, input);
    let showing = async {
        while let Some(output) = output.recv().await {
            let (tell, is_last) = match output {
                SessionOutput::Stdout(bytes) => (Tell::Stdout { bytes: Base64(bytes) }, false),
                SessionOutput::Stderr(bytes) => (Tell::Stderr { bytes: Base64(bytes) }, false),
                SessionOutput::Exit(code) => (Tell::Exit { code }, true),
            };
            if !to.tell(&tell).await || is_last {
                break;
            }
        }
    };
    tokio::select! {
        () = showing => {}
        () = typing => {}
    }
}

/// Returns only when the other side has gone away; the end of its input is a message.
async fn type_in(mut lines: Lines, input: mpsc::Sender<SessionInput>) {
    let mut line = String::new();
    while matches!(lines.read_line(&mut line).await, Ok(1..)) {
        let input_message = match serde_json::from_str(&line) {
            Ok(Input::Bytes { bytes }) => SessionInput::Bytes(bytes.0),
            Ok(Input::Resize { columns, rows }) => SessionInput::Resize(TerminalSize { columns, rows }),
            Ok(Input::End) => SessionInput::End,
            Err(_) => return,
        };
        // A program that has ended takes no more; its exit is on the way.
        let _ = input.send(input_message).await;
        line.clear();
    }
}
