//! How does what nobody needs any more go from the claim: results of executions, and all that a pipeline has left?
//!
//! A deleted run has many executions, and each is asked for by itself. Those that come within a moment go together, by one
//! pod as the tasks' user; there is one such pod at a time.

use std::{sync::Arc, time::Duration};

use engine::observed::Phase;
use k8s_openapi::{
    api::core::v1::Pod,
    serde_json::{Value, json},
};
use model::{
    ExecutionId, PipelineId,
    mounts::{execution_folder, pipeline_folder},
    pod::RESULTS_AT,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    KubeConfig, Shared,
    errand::{self, Errand},
    manifest::OURS,
    waiting,
};
use crate::runner::{RunnerError, disk};

/// Of the pods.
const WHAT: &str = "remove";
/// How long those that come together are waited for.
const GATHERING: Duration = Duration::from_millis(300);
/// Folders that are named in one pod: far from what an object may hold.
const MOST: usize = 500;
/// How long one pod may take. What it has removed by then is gone.
const PATIENCE: Duration = Duration::from_secs(900);
/// When it is tried again: the namespace was full, or the cluster away.
const AGAIN: Duration = Duration::from_secs(20);

/// What is to go, and who waits for it.
pub struct Removal {
    folder: String,
    /// A person waits, who would rather hear why it cannot be done now.
    is_tried_once: bool,
    done: oneshot::Sender<Result<(), String>>,
}

/// Until it is aborted.
pub async fn keep_removing(shared: Arc<Shared>, mut asked: mpsc::UnboundedReceiver<Removal>) {
    let mut all = Vec::new();
    loop {
        if all.is_empty() {
            let Some(first) = asked.recv().await else { return };
            all.push(first);
            tokio::time::sleep(GATHERING).await;
        }
        while let Ok(next) = asked.try_recv() {
            all.push(next);
        }
        // Whoever waits for one try only does not wait for what is tried for long.
        all.sort_by_key(|one: &Removal| !one.is_tried_once);
        let later = all.split_off(all.len().min(MOST));
        all = shared.removed(all).await;
        if !all.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
        all.extend(later);
    }
}

impl Shared {
    /// What nobody reads any more, the log only with the whole of it. What has gone from the claim is written down: every
    /// start asks for it again.
    pub(super) async fn forget(&self, id: &ExecutionId, whole: bool) -> Result<(), RunnerError> {
        match self.hub.last(id).map(|seen| seen.phase) {
            None | Some(Phase::Absent) => {}
            Some(Phase::Ended(_) | Phase::Lost { .. }) => self.release(id).await?,
            Some(_) => return Err(RunnerError::Refused(format!("{id} is still running: stop it first."))),
        }
        let folder = self.folder(id);
        if whole {
            let _turn = self.turn(id).await;
            folder.forget_log().map_err(disk)?;
        }
        if folder.is_removed() {
            return Ok(());
        }
        self.taken_away(execution_folder(&id.pipeline, &id.task, id.n), false).await.map_err(RunnerError::Refused)?;
        folder.remove().map_err(disk)
    }

    /// On our side its executions' folders stay: they say what is not asked for at the next start.
    pub(super) async fn forget_pipeline(&self, id: &PipelineId) -> Result<(), RunnerError> {
        let gone = self.taken_away(pipeline_folder(id), true).await;
        gone.map_err(|why| {
            let claim = &self.config.results;
            RunnerError::Unavailable(format!(
                "Its work folders are still on the claim {claim}: delete it again · {why}"
            ))
        })
    }

    async fn taken_away(&self, folder: String, is_tried_once: bool) -> Result<(), String> {
        let (done, outcome) = oneshot::channel();
        let ends = || "The runner ends.".to_owned();
        self.removals.send(Removal { folder, is_tried_once, done }).map_err(|_| ends())?;
        outcome.await.map_err(|_| ends())?
    }

    /// Tells those that wait whether it is done. Given back are those for which it has to be tried again.
    async fn removed(&self, mut all: Vec<Removal>) -> Vec<Removal> {
        let folders: Vec<&str> = all.iter().map(|one| one.folder.as_str()).collect();
        let (outcome, left) = match self.remove_now(&folders).await {
            Ok(()) => (Ok(()), Vec::new()),
            Err(RunnerError::Refused(sentence)) => (Err(sentence), Vec::new()),
            Err(passing) => {
                tracing::warn!("{} folders of deleted results are still on the claim: {passing}", folders.len());
                let first = all.iter().take_while(|one| one.is_tried_once).count();
                (Err(passing.to_string()), all.split_off(first))
            }
        };
        for one in all {
            // Who asked may have gone.
            let _ = one.done.send(outcome.clone());
        }
        left
    }

    async fn remove_now(&self, folders: &[&str]) -> Result<(), RunnerError> {
        let (config, pods) = (self.config_now(), self.pods());
        // A server that was killed has left one: all that it was to remove is asked for again.
        errand::clear(WHAT, &pods, &config).await?;
        removing(&config, folders).go(&pods, &config, |pod| errand::has_ended(pod).then(|| outcome(pod))).await?
    }
}

fn outcome(pod: &Pod) -> Result<(), RunnerError> {
    if errand::phase(pod) == Some("Succeeded") {
        return Ok(());
    }
    let status = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref()?.first());
    let terminated = status.and_then(|status| status.state.as_ref()?.terminated.as_ref());
    match terminated.and_then(errand::told) {
        Some(sentence) => Err(RunnerError::Refused(sentence)),
        // Its node went away, for example.
        None => Err(RunnerError::Unavailable(waiting::sentence(pod, None, &|_| None))),
    }
}

fn removing(config: &KubeConfig, folders: &[&str]) -> Errand {
    let helper = format!("{OURS}/fletchline-task");
    let words = [helper.as_str(), "pod", "remove", &config.installation];
    let command: Vec<&str> = words.into_iter().chain(folders.iter().copied()).collect();
    let results = json!({"name": "results", "mountPath": format!("{RESULTS_AT}/pipeline"), "subPath": "pipeline"});
    let mut remove = errand::container(WHAT, &config.image, json!(command), json!([results]));
    remove["securityContext"]["readOnlyRootFilesystem"] = Value::Bool(true);
    Errand {
        what: WHAT,
        security: errand::as_task(config),
        init: Vec::new(),
        containers: vec![remove],
        volumes: vec![json!({"name": "results", "persistentVolumeClaim": {"claimName": config.results}})],
        patience: PATIENCE,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde_json::from_value;
    use model::{
        pod::PodEnd,
        supervise::{End, How},
    };

    use super::*;

    fn ended(phase: &str, message: &str) -> Result<(), RunnerError> {
        let state = json!({"terminated": {"exitCode": 1, "message": message}});
        let status =
            json!({"name": WHAT, "image": "i", "imageID": "", "restartCount": 0, "ready": false, "state": state});
        let pod = json!({"metadata": {}, "status": {"phase": phase, "containerStatuses": [status]}});
        outcome(&from_value(pod).unwrap())
    }

    #[test]
    fn what_the_helper_could_not_remove_is_told_and_what_became_of_its_pod_is_tried_again() {
        assert!(ended("Succeeded", "").is_ok());
        let how = How::NotStarted("It is not empty.".to_owned());
        let told = PodEnd { end: End { how, started: None, ended: 1 }, facts: None };
        let refused = ended("Failed", &k8s_openapi::serde_json::to_string(&told).unwrap()).unwrap_err();
        assert!(matches!(&refused, RunnerError::Refused(words) if words == "It is not empty."), "{refused:?}");
        let passing = ended("Failed", "").unwrap_err();
        assert!(matches!(passing, RunnerError::Unavailable(_)), "{passing:?}");
    }
}
