//! What must a namespace have before tasks run in it, and how does a claim become writable for them?

use std::{collections::BTreeSet, fmt, time::Duration};

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, Pod},
    serde_json::{from_value, json},
};
use kube::{
    Api, Client,
    api::{ListParams, PostParams},
};
use serde::Serialize;

use super::{
    KubeConfig,
    actions::{Failure, asked},
    config::NewClaims,
    errand::{self, Errand},
    manifest::OURS,
    name, secrets,
};
use crate::runner::RunnerError;

/// How long the pod that prepares a claim may take, its image's pull included.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was found in the namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    pub namespace: String,
    /// Pods of this installation.
    pub pods: usize,
    pub claims: Vec<ClaimStatus>,
    pub secrets: SecretStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimStatus {
    pub claim: String,
    /// `None`: it is not there.
    pub phase: Option<String>,
    pub access_modes: Vec<String>,
}

/// The names that tasks can ask for; `None`: there is no such Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretStatus {
    pub secret: String,
    pub names: Option<BTreeSet<String>>,
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Namespace {}: {} pods of this installation.", self.namespace, self.pods)?;
        self.claims.iter().try_for_each(|claim| writeln!(out, "{claim}"))?;
        let SecretStatus { secret, names } = &self.secrets;
        match names {
            None => write!(out, "Secret {secret}: not there, so tasks get no secrets."),
            Some(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                write!(out, "Secret {secret}: {}.", names.join(", "))
            }
        }
    }
}

impl ClaimStatus {
    fn is_for_many(&self) -> bool {
        self.access_modes.iter().any(|mode| mode == "ReadWriteMany" || mode == "ReadOnlyMany")
    }
}

impl fmt::Display for ClaimStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = if self.is_for_many() { "tasks run on any node" } else { "tasks that share it run on one node" };
        match self.phase.as_deref() {
            None => write!(out, "Claim {}: not there; `fletchline cluster prepare` makes it.", self.claim),
            Some("Bound") => write!(out, "Claim {}: bound, {}; {nodes}.", self.claim, self.access_modes.join(", ")),
            Some(phase) => write!(out, "Claim {}: {phase}, so what mounts it waits.", self.claim),
        }
    }
}

/// # Errors
/// The cluster does not answer, or this account may not read there.
pub async fn status(client: &Client, config: &KubeConfig) -> Result<Status, RunnerError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &config.namespace);
    let ours = ListParams::default().labels(&name::selector(&config.installation));
    let found = all(client, config).await?;
    Ok(Status {
        namespace: config.namespace.clone(),
        pods: asked(pods.list(&ours)).await?.items.len(),
        claims: found,
        secrets: SecretStatus { secret: config.secrets.clone(), names: secrets::names(client, config).await? },
    })
}

/// # Errors
/// The cluster does not answer, or this account may not read there.
pub async fn all(client: &Client, config: &KubeConfig) -> Result<Vec<ClaimStatus>, RunnerError> {
    let mut found = Vec::new();
    for claim in config.claims() {
        found.push(claim_status(client, config, claim).await?);
    }
    Ok(found)
}

/// Those that only one node at a time can mount. One that is missing may become anything.
pub fn one_node(claims: &[ClaimStatus]) -> BTreeSet<String> {
    let held = claims.iter().filter(|claim| claim.phase.is_some() && !claim.is_for_many());
    held.map(|claim| claim.claim.clone()).collect()
}

async fn claim_status(client: &Client, config: &KubeConfig, claim: &str) -> Result<ClaimStatus, RunnerError> {
    let all: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &config.namespace);
    let found = match asked(all.get(claim)).await {
        Ok(found) => Some(found),
        Err(Failure::Absent) => None,
        Err(other) => return Err(other.into()),
    };
    let phase = found.as_ref().and_then(|found| found.status.as_ref()?.phase.clone());
    let modes = found.as_ref().and_then(|found| found.spec.as_ref()?.access_modes.clone());
    Ok(ClaimStatus {
        claim: claim.to_owned(),
        phase: found.map(|_| phase.unwrap_or_else(|| "Pending".to_owned())),
        access_modes: modes.unwrap_or_default(),
    })
}

/// Makes a claim that is missing; one that is there is left as it is. Says what was done.
///
/// # Errors
/// One sentence: it could not be made.
pub async fn make(client: &Client, config: &KubeConfig, claim: &str) -> Result<String, RunnerError> {
    let all: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &config.namespace);
    let is_there = || format!("Claim {claim}: there already, and left as it is.");
    // First: whoever may not make one may still prepare one.
    if claim_status(client, config, claim).await?.phase.is_some() {
        return Ok(is_there());
    }
    let NewClaims { size, storage_class, for_many } = &config.new_claims;
    let access = if *for_many { "ReadWriteMany" } else { "ReadWriteOnce" };
    let wanted = json!({
        "metadata": {"name": claim, "labels": {"app.kubernetes.io/managed-by": "fletchline"}},
        "spec": {
            "accessModes": [access],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
    });
    let wanted = from_value(wanted).map_err(|error| RunnerError::Refused(error.to_string()))?;
    match asked(all.create(&PostParams::default(), &wanted)).await {
        Ok(_) => Ok(format!("Claim {claim}: made, {size}, {access}.")),
        Err(Failure::There) => Ok(is_there()),
        Err(Failure::Absent) => Err(RunnerError::Refused(format!(
            "There is no namespace {0}: make it with `kubectl create namespace {0}`.",
            config.namespace
        ))),
        Err(Failure::Foreign(words) | Failure::Refused(words) | Failure::Passing(words)) => {
            Err(RunnerError::Refused(format!("The claim {claim} could not be made: {words}")))
        }
    }
}

/// Makes `pipeline/` of the results claim and gives it to the tasks' user, by a pod that runs as root once.
///
/// # Errors
/// One sentence; where the namespace takes no such pod, with the command for whoever runs the storage.
pub async fn prepare(client: &Client, config: &KubeConfig) -> Result<(), RunnerError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &config.namespace);
    let has_done = |pod: &Pod| errand::has_ended(pod).then(|| errand::phase(pod) == Some("Succeeded"));
    match preparing(config).go(&pods, config, has_done).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(RunnerError::Refused(by_hand("Root may not give a folder of the claim away.", config))),
        Err(RunnerError::Refused(words)) if words.contains("violates PodSecurity") => {
            let why = format!("Namespace {} takes no pod that runs as root.", config.namespace);
            Err(RunnerError::Refused(by_hand(&why, config)))
        }
        Err(other) => Err(other),
    }
}

fn by_hand(why: &str, config: &KubeConfig) -> String {
    let (user, group) = (config.run_as.user, config.run_as.group);
    format!(
        "{why} Whoever runs the storage can do this once, in the root folder of the claim {}:\n  install -d -m 2775 -o {user} -g {group} pipeline",
        config.results
    )
}

fn preparing(config: &KubeConfig) -> Errand {
    let owner = format!("{}:{}", config.run_as.user, config.run_as.group);
    Errand {
        what: "prepare",
        security: json!({"runAsUser": 0, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}}),
        init: Vec::new(),
        containers: vec![json!({
            "name": "prepare",
            "image": config.image,
            "command": [format!("{OURS}/fletchline-task"), "pod", "claim", owner],
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"]},
            },
            "volumeMounts": [{"name": "claim", "mountPath": "/claim"}],
        })],
        volumes: vec![json!({"name": "claim", "persistentVolumeClaim": {"claimName": config.results}})],
        patience: PATIENCE,
    }
}
