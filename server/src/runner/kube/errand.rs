//! How does a short-lived pod of ours do one thing in the namespace?

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{ContainerStateTerminated, Pod},
    serde_json::{self, Value, from_value, json},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};
use model::{pod::PodEnd, supervise::How};

use super::{
    KubeConfig,
    actions::{Failure, asked, unless_absent},
    manifest::{beside, toleration},
    name, waiting,
};
use crate::runner::RunnerError;

/// What a pod is sent for.
const ERRAND: &str = "fletchline.io/errand";
const LOOK: Duration = Duration::from_millis(500);

/// What differs between errands.
pub struct Errand {
    pub what: &'static str,
    /// Of the pod.
    pub security: Value,
    pub init: Vec<Value>,
    pub containers: Vec<Value>,
    pub volumes: Vec<Value>,
    /// How long it may take, the pull of its images included.
    pub patience: Duration,
}

impl Errand {
    /// Goes until `answer` has one, and leaves nothing. Its name is its own and its installation's: whoever sends it at the same time
    /// gets the same answer.
    pub async fn go<T>(
        self,
        pods: &Api<Pod>,
        config: &KubeConfig,
        answer: impl Fn(&Pod) -> Option<T>,
    ) -> Result<T, RunnerError> {
        let (name, answered) = self.watched(pods, config, "end", answer).await?;
        let removed = remove(pods, &name).await;
        // Why there is no answer says more than why the pod is left.
        let answer = answered?;
        removed?;
        Ok(answer)
    }

    /// Goes, and stays there until it is [`clear`]ed: its name, as soon as it runs.
    pub async fn stay(self, pods: &Api<Pod>, config: &KubeConfig) -> Result<String, RunnerError> {
        let runs = |pod: &Pod| match phase(pod) {
            Some("Running") => Some(Ok(())),
            _ => has_ended(pod).then(|| Err(RunnerError::Unavailable(waiting::sentence(pod, None, &|_| None)))),
        };
        let (name, answered) = self.watched(pods, config, "begin", runs).await?;
        answered??;
        Ok(name)
    }

    /// Its name, and what `answer` has; an error inside where it did not `what` in time, or the cluster did not say.
    async fn watched<T>(
        self,
        pods: &Api<Pod>,
        config: &KubeConfig,
        what: &str,
        answer: impl Fn(&Pod) -> Option<T>,
    ) -> Result<(String, Result<T, RunnerError>), RunnerError> {
        let patience = self.patience;
        let pod = self.pod(config)?;
        let name = pod.metadata.name.clone().unwrap_or_default();
        begin(pods, &name, &pod).await?;
        let mut last = pod;
        let answered = tokio::time::timeout(patience, async {
            loop {
                last = asked(pods.get(&name)).await.map_err(RunnerError::from)?;
                match answer(&last) {
                    Some(answer) => return Ok(answer),
                    None => tokio::time::sleep(LOOK).await,
                }
            }
        })
        .await;
        let answered = answered.unwrap_or_else(|_| {
            Err(RunnerError::Unavailable(format!(
                "The pod {name} did not {what} in {} s: {}",
                patience.as_secs(),
                waiting::sentence(&last, None, &|_| None)
            )))
        });
        Ok((name, answered))
    }

    fn pod(self, config: &KubeConfig) -> Result<Pod, RunnerError> {
        let pull: Vec<_> = config.pull_secrets.iter().map(|name| json!({ "name": name })).collect();
        let tolerations: Vec<_> = config.tolerations.iter().map(toleration).collect();
        let spec = json!({
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            // Longer than anybody waits: for one that nobody removes.
            "activeDeadlineSeconds": 2 * self.patience.as_secs(),
            "imagePullSecrets": pull,
            "nodeSelector": config.node_selector,
            "tolerations": tolerations,
            "securityContext": self.security,
            "initContainers": self.init,
            "containers": self.containers,
            "volumes": self.volumes,
        });
        let hash = name::hash(format!("{}{spec}", config.installation).as_bytes());
        let metadata = json!({
            "name": format!("fletchline-{}-{}", self.what, &hash[..10]),
            "labels": {
                "app.kubernetes.io/managed-by": "fletchline",
                name::INSTALLATION: name::label(&config.installation),
                ERRAND: self.what,
            },
        });
        let mut pod: Pod = from_value(json!({"metadata": metadata, "spec": spec}))
            .map_err(|error| RunnerError::Refused(format!("The pod cannot be made: {error}.")))?;
        beside(&mut pod, config);
        Ok(pod)
    }
}

async fn begin(pods: &Api<Pod>, name: &str, pod: &Pod) -> Result<(), Failure> {
    let made = asked(pods.create(&PostParams::default(), pod)).await;
    if !matches!(made, Err(Failure::There)) {
        return made.map(drop);
    }
    // One that has ended tells of another time.
    let left = asked(pods.get_opt(name)).await?;
    if left.as_ref().is_some_and(|left| !has_ended(left)) {
        return Ok(());
    }
    remove(pods, name).await?;
    asked(pods.create(&PostParams::default(), pod)).await.map(drop)
}

async fn remove(pods: &Api<Pod>, name: &str) -> Result<(), Failure> {
    unless_absent(asked(pods.delete(name, &DeleteParams::default().grace_period(0))).await)
}

/// Takes away all that were sent for this.
pub async fn clear(what: &str, pods: &Api<Pod>, config: &KubeConfig) -> Result<(), RunnerError> {
    let sent = format!("{},{ERRAND}={what}", name::selector(&config.installation));
    for pod in asked(pods.list(&ListParams::default().labels(&sent))).await? {
        remove(pods, &pod.metadata.name.unwrap_or_default()).await?;
    }
    Ok(())
}

/// The security of a pod that is as a task's.
pub fn as_task(config: &KubeConfig) -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": config.run_as.user,
        "runAsGroup": config.run_as.group,
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

/// One of such a pod.
pub fn container(name: &str, image: &str, command: Value, mounts: Value) -> Value {
    json!({
        "name": name,
        "image": image,
        "command": command,
        "volumeMounts": mounts,
        // A namespace with a quota wants them.
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "64Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
    })
}

/// What our helper says of why it has not done it; `None`: not a word.
pub fn told(terminated: &ContainerStateTerminated) -> Option<String> {
    match serde_json::from_str::<PodEnd>(terminated.message.as_deref()?).ok()?.end.how {
        How::NotStarted(sentence) => Some(sentence),
        _ => None,
    }
}

pub fn has_ended(pod: &Pod) -> bool {
    matches!(phase(pod), Some("Succeeded" | "Failed"))
}

pub fn is_placed(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some())
}

pub fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}
