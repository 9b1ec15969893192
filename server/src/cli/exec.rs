//! How does a shell open inside a running task?

use std::io::{IsTerminal, Write};

use clap::Args;
use rustix::termios::{self, OptionalActions, Termios};
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
};

use super::Outcome;
use crate::{
    control::{Ask, Base64, Client, Input, Receiver, Sender, Tell},
    data_folder::DataFolder,
};

#[derive(Args)]
pub(super) struct Arguments {
    /// The task: its name, its id, or <pipeline>/<task>/<n>.
    task: String,
    /// The program and its arguments; a shell without them.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Ends with the program's own exit code.
pub(super) async fn exec(data: &DataFolder, arguments: Arguments) -> anyhow::Result<Outcome> {
    let terminal = if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() { size() } else { None };
    let ask = Ask::Exec { task: arguments.task, argv: arguments.command, terminal };
    let (sender, receiver) = Client::ask(&data.socket(), &ask).await?.split();
    let raw = terminal.and_then(|_| Raw::begin());
    let typing = tokio::spawn(type_in(sender, terminal.is_some()));
    let ended = show(receiver).await;
    typing.abort();
    drop(raw);
    match ended {
        Ok(code) => Ok(Outcome::Code(u8::try_from(code).unwrap_or(1))),
        Err(error) => Err(error),
    }
}

fn size() -> Option<(u16, u16)> {
    termios::tcgetwinsize(std::io::stdin()).ok().map(|size| (size.ws_col, size.ws_row))
}

/// The terminal passes every key on; as before when dropped.
struct Raw(Termios);

impl Raw {
    fn begin() -> Option<Raw> {
        let before = termios::tcgetattr(std::io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

async fn type_in(mut sender: Sender, is_terminal: bool) -> anyhow::Result<()> {
    let mut resized = signal(SignalKind::window_change())?;
    let (mut input, mut piece) = (tokio::io::stdin(), vec![0; 16 << 10]);
    loop {
        tokio::select! {
            read = input.read(&mut piece) => match read? {
                0 => {
                    sender.send(&Input::End).await?;
                    // The connection stays: output is still to come.
                    return std::future::pending().await;
                }
                read => sender.send(&Input::Bytes { bytes: Base64(piece[..read].to_vec()) }).await?,
            },
            _ = resized.recv(), if is_terminal => {
                if let Some((columns, rows)) = size() {
                    sender.send(&Input::Resize { columns, rows }).await?;
                }
            }
        }
    }
}

async fn show(mut receiver: Receiver) -> anyhow::Result<i32> {
    while let Some(tell) = receiver.next().await? {
        match tell {
            Tell::Stdout { bytes } => write(&mut std::io::stdout(), &bytes.0)?,
            Tell::Stderr { bytes } => write(&mut std::io::stderr(), &bytes.0)?,
            Tell::Exit { code } => return Ok(code),
            Tell::Refused { sentence } => anyhow::bail!(sentence),
            other => anyhow::bail!("the server answered {other:?}"),
        }
    }
    anyhow::bail!("The connection to the task ended.")
}

fn write(to: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}
