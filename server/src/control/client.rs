//! How does the command line ask?

use std::{io, path::Path};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{Ask, Input, Tell};

/// One question to the server of a data folder.
pub struct Client {
    answers: BufReader<OwnedReadHalf>,
    questions: OwnedWriteHalf,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("No Fletchline server holds this data folder: start one with `fletchline serve`.")]
    NoServer,
    #[error("The server went away: {0}")]
    Gone(#[from] io::Error),
    #[error("The server's answer is not understood: {0}")]
    Answer(#[from] serde_json::Error),
}

impl Client {
    /// # Errors
    /// [`ClientError::NoServer`] when nobody listens.
    pub async fn ask(socket: &Path, ask: &Ask) -> Result<Client, ClientError> {
        let stream = UnixStream::connect(socket).await.map_err(|_| ClientError::NoServer)?;
        let (read, mut questions) = stream.into_split();
        write(&mut questions, ask).await?;
        Ok(Client { answers: BufReader::new(read), questions })
    }

    /// The next answer; none when the server has said all.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Tell>, ClientError> {
        next(&mut self.answers).await
    }

    /// For a program in a task: where input goes and where output comes from.
    pub fn split(self) -> (Sender, Receiver) {
        (Sender(self.questions), Receiver(self.answers))
    }
}

pub struct Sender(OwnedWriteHalf);

impl Sender {
    /// # Errors
    /// The connection broke.
    pub async fn send(&mut self, input: &Input) -> Result<(), ClientError> {
        write(&mut self.0, input).await
    }
}

pub struct Receiver(BufReader<OwnedReadHalf>);

impl Receiver {
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Tell>, ClientError> {
        next(&mut self.0).await
    }
}

async fn next(answers: &mut BufReader<OwnedReadHalf>) -> Result<Option<Tell>, ClientError> {
    let mut line = String::new();
    match answers.read_line(&mut line).await? {
        0 => Ok(None),
        _ => Ok(Some(serde_json::from_str(&line)?)),
    }
}

async fn write(to: &mut OwnedWriteHalf, message: &impl serde::Serialize) -> Result<(), ClientError> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(to.write_all(&line).await?)
}
