//! What is kept when the API server fails?

mod api;
mod checks;
mod halves;
mod launches;
mod watches;

use std::{sync::Arc, time::Duration};

use engine::{
    action::Action,
    observed::{Observation, Observed, Phase},
};
use model::{
    ExecutionId, KindName,
    launch::{Launch, Program},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{KubeRunner, manifest::tests, name};
use crate::runner::{Runner, RunnerError};
use api::{Answer, ApiServer};

/// A runner whose cluster is a script.
struct Scene {
    api: ApiServer,
    runner: KubeRunner,
    told: mpsc::Receiver<Observed>,
    _data: tempfile::TempDir,
}

async fn scene(script: impl IntoIterator<Item = (&'static str, Answer)>) -> Scene {
    let (client, api) = ApiServer::start(script);
    let data = tempfile::tempdir().unwrap();
    let runner = KubeRunner::new(tests::config(), client, data.path().to_owned(), Arc::new(|_| String::new()));
    let told = runner.observe().await.unwrap();
    Scene { api, runner, told, _data: data }
}

impl Scene {
    async fn launch(&self, launch: &Launch) -> Result<(), RunnerError> {
        self.runner.perform(Action::Launch(Box::new(launch.clone()))).await
    }

    async fn release(&self, id: &ExecutionId) {
        self.runner.perform(Action::Release { execution: id.clone() }).await.unwrap();
    }

    /// As if the watch had told of it.
    fn see(&self, pod: Value) {
        self.runner.shared.see(serde_json::from_value(pod).unwrap());
    }

    /// What was told so far, and in the next time of that length.
    async fn told(&mut self, for_so_long: Duration) -> Vec<Observation> {
        tokio::time::sleep(for_so_long).await;
        let mut all = Vec::new();
        while let Ok(observed) = self.told.try_recv() {
            match observed {
                Observed::All(many) => all.extend(many),
                Observed::One(one) => all.push(one),
            }
        }
        all
    }

    /// As [`Self::told`], in short.
    async fn phases(&mut self, for_so_long: Duration) -> Vec<(u64, &'static str)> {
        let told = self.told(for_so_long).await;
        told.iter().map(|one| (one.execution.n, word(&one.phase))).collect()
    }
}

fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Absent => "absent",
        Phase::Preparing { .. } => "preparing",
        Phase::Running { .. } => "running",
        Phase::Ready { .. } => "ready",
        Phase::RuleMet { .. } => "rule met",
        Phase::Ending { .. } => "ending",
        Phase::Ended(_) => "ended",
        Phase::Lost { .. } => "lost",
    }
}

fn launch(n: u64) -> Launch {
    let mut launch = tests::kinds::launch("train", KindName::Job, Program::Command { argv: vec!["true".into()] });
    launch.execution.n = n;
    launch
}

/// Its pod, as it is at a version of the cluster.
fn pod(launch: &Launch, version: u64, status: Value) -> Value {
    let config = tests::config();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name::name(&config.installation, &launch.execution),
            "namespace": config.namespace,
            "uid": format!("uid-{}", launch.execution.n),
            "resourceVersion": version.to_string(),
            "labels": name::labels(&config.installation, launch),
            "annotations": name::annotations(launch),
        },
        "spec": {"nodeName": "n", "restartPolicy": "Never", "containers": [{"name": "task"}]},
        "status": status,
    })
}

fn pending() -> Value {
    json!({"phase": "Pending"})
}

fn in_state(state: Value, ready: bool) -> Value {
    json!({"containerStatuses": [{"name": "task", "image": "i", "imageID": "", "restartCount": 0,
        "ready": ready, "state": state}]})
}

fn running(ready: bool) -> Value {
    in_state(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}), ready)
}

fn ended(code: i32) -> Value {
    let times = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z");
    in_state(json!({"terminated": {"exitCode": code, "startedAt": times.0, "finishedAt": times.1}}), false)
}
