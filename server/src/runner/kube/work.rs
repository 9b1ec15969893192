//! How does the server reach the work folders, which lie on the claim?
//!
//! By a pod of our own image beside them, as the tasks' user: `fletchline work` is begun in it, which gets an order and
//! answers. There is one such pod at a time.

use std::time::Duration;

use k8s_openapi::serde_json::{Value, json};
use model::pod::RESULTS_AT;
use tokio::{fs::File, io::AsyncWriteExt};

use super::{
    KubeConfig, Shared,
    attend::feed,
    errand::{self, Errand},
    manifest::{OURS, TASK},
    session,
};
use crate::runner::{Exec, RunnerError, Session, SessionInput, SessionOutput, disk};

/// Of the pods.
const WHAT: &str = "work";
/// How long the pod may take to begin, the pull of our image included.
const PATIENCE: Duration = Duration::from_secs(900);
/// As long as nothing may be said. What is packed is packed whole before a byte of it comes.
const STALLED: Duration = Duration::from_secs(900);
/// Of what it says in words.
const MOST_SAID: usize = 4096;

impl Shared {
    /// `input` goes to it after the order; what it answers is written to `output`.
    pub(super) async fn work(&self, order: &[u8], input: Option<File>, output: &mut File) -> Result<(), RunnerError> {
        let _turn = self.working.lock().await;
        let (config, pods) = (self.config_now(), self.pods());
        // A server that was killed, or somebody who did not wait, has left one.
        errand::clear(WHAT, &pods, &config).await?;
        let pod = beside(&config).stay(&pods, &config).await?;
        let argv = vec![format!("{OURS}/fletchline"), WHAT.to_owned(), RESULTS_AT.to_owned()];
        let asked = session::exec(&pods, &pod, &Exec { argv, terminal: None }, std::future::pending()).await;
        let done = match asked {
            Ok(session) => speak(session, order, input, output).await,
            Err(error) => Err(error),
        };
        errand::clear(WHAT, &pods, &config).await?;
        done
    }
}

async fn speak(mut session: Session, order: &[u8], input: Option<File>, output: &mut File) -> Result<(), RunnerError> {
    let stalled = || RunnerError::Unavailable(format!("The work folders did not answer for {} s.", STALLED.as_secs()));
    let gone = |why: String| RunnerError::Unavailable(format!("The work folders could not be asked: {why}."));
    feed(&session, &mut [order, b"\n"].concat().as_slice()).await.map_err(gone)?;
    if let Some(mut input) = input {
        feed(&session, &mut input).await.map_err(gone)?;
    }
    // Who does not listen any more says why by its code.
    session.input.send(SessionInput::End).await.ok();
    let mut words = String::new();
    loop {
        match tokio::time::timeout(STALLED, session.output.recv()).await.map_err(|_| stalled())? {
            Some(SessionOutput::Stdout(bytes)) => output.write_all(&bytes).await.map_err(disk)?,
            Some(SessionOutput::Stderr(bytes)) if words.len() < MOST_SAID => {
                words.push_str(&String::from_utf8_lossy(&bytes));
            }
            Some(SessionOutput::Stderr(_)) => {}
            Some(SessionOutput::Exit(0)) => return output.flush().await.map_err(disk),
            Some(SessionOutput::Exit(_)) => return Err(RunnerError::Refused(words.trim().to_owned())),
            None => return Err(RunnerError::Unavailable("The pod beside the work folders is gone.".to_owned())),
        }
    }
}

fn beside(config: &KubeConfig) -> Errand {
    let command = json!([format!("{OURS}/fletchline"), WHAT, "--wait", (2 * PATIENCE.as_secs()).to_string()]);
    let results = json!({"name": "results", "mountPath": format!("{RESULTS_AT}/pipeline"), "subPath": "pipeline"});
    let scratch = json!({"name": "scratch", "mountPath": "/tmp"});
    let mut stay = errand::container(TASK, &config.image, command, json!([results, scratch]));
    stay["securityContext"]["readOnlyRootFilesystem"] = Value::Bool(true);
    stay["resources"]["limits"] = json!({"cpu": "1", "memory": "256Mi"});
    Errand {
        what: WHAT,
        security: errand::as_task(config),
        init: Vec::new(),
        containers: vec![stay],
        volumes: vec![
            json!({"name": "results", "persistentVolumeClaim": {"claimName": config.results}}),
            json!({"name": "scratch", "emptyDir": {}}),
        ],
        patience: PATIENCE,
    }
}
