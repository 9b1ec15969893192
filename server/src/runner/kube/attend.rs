//! What does a Load Data in its pod get from this side, and how far is it?
//!
//! Files that were dropped on it are sent through the cluster's exec, and its helper tells the progress the same way.

use std::{sync::Arc, time::Duration};

use model::{ExecutionId, run::Progress};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt},
};

use super::{
    Shared,
    session::{finish, helper},
};
use crate::runner::{RunnerError, Session, SessionInput, SessionOutput};

const PIECE: usize = 16 * 1024;
const PAUSE: Duration = Duration::from_secs(2);
/// The helper tells the progress every 10 s at least: a connection without a word is open on this side only.
const SILENCE: Duration = Duration::from_secs(40);
/// As long as nothing of a file may be taken, or its end not be answered.
const STALLED: Duration = Duration::from_secs(60);

/// As long as this lives.
pub struct Attendant(tokio::task::JoinHandle<()>);

impl Drop for Attendant {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Attendant {
    /// To be called when its container runs.
    pub fn begin(shared: Arc<Shared>, id: ExecutionId, pod: String, uploads: Vec<String>) -> Attendant {
        Attendant(tokio::spawn(async move {
            for sha256 in &uploads {
                while let Err(error) = send(&shared, &pod, sha256).await {
                    tracing::warn!("{id}: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            loop {
                if let Err(error) = hear(&shared, &id, &pod).await {
                    tracing::debug!("{id}: {error}");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }))
    }
}

/// Again and again, until it is there: the helper leaves what it has as it is.
async fn send(shared: &Shared, pod: &str, sha256: &str) -> Result<(), RunnerError> {
    let failed = |why: String| RunnerError::Unavailable(format!("A dropped file could not be sent into {pod}: {why}."));
    let place = shared.data.join("uploads").join(sha256);
    let mut file = File::open(place).await.map_err(|error| failed(error.to_string()))?;
    let length = file.metadata().await.map_err(|error| failed(error.to_string()))?.len();
    let session = helper(&shared.pods(), pod, &["take", sha256, &length.to_string()]).await?;
    give(session, &mut file).await.map_err(failed)
}

/// The whole of it to who takes it.
///
/// # Errors
/// Why it was not taken. A connection that is open on this side only is given up.
pub async fn give(session: Session, from: &mut (impl AsyncRead + Unpin)) -> Result<(), String> {
    feed(&session, from).await?;
    let answered = tokio::time::timeout(STALLED, finish(session)).await;
    answered.unwrap_or_else(|_| Err("the helper does not answer".to_owned()))
}

/// The same without a word of whether it was taken.
///
/// # Errors
/// It could not be read, or nothing of it is taken.
pub async fn feed(session: &Session, from: &mut (impl AsyncRead + Unpin)) -> Result<(), String> {
    let mut bytes = vec![0; PIECE];
    loop {
        let count = from.read(&mut bytes).await.map_err(|error| error.to_string())?;
        if count == 0 {
            return Ok(());
        }
        let piece = SessionInput::Bytes(bytes[..count].to_vec());
        match tokio::time::timeout(STALLED, session.input.send(piece)).await {
            Ok(Ok(())) => {}
            // Who does not listen any more says why by its code.
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(format!("nothing of it was taken for {} s", STALLED.as_secs())),
        }
    }
}

/// Until the connection ends.
async fn hear(shared: &Shared, id: &ExecutionId, pod: &str) -> Result<(), RunnerError> {
    let session = helper(&shared.pods(), pod, &["progress"]).await?;
    listen(session, |progress| shared.hub.progress(id, progress)).await;
    Ok(())
}

/// Until it ends or says nothing any more.
pub async fn listen(mut session: Session, told: impl Fn(Progress)) {
    let mut line = Vec::new();
    while let Ok(Some(output)) = tokio::time::timeout(SILENCE, session.output.recv()).await {
        let SessionOutput::Stdout(bytes) = output else { continue };
        for byte in bytes {
            match byte {
                b'\n' => {
                    if let Ok(progress) = serde_json::from_slice::<Progress>(&line) {
                        told(progress);
                    }
                    line.clear();
                }
                // A task may write what it likes there.
                _ if line.len() < 1 << 16 => line.push(byte),
                _ => {}
            }
        }
    }
}
