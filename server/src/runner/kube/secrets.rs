//! Which secrets has this installation on the cluster, and how does another one come there?
//!
//! They are the keys of one Secret, which the administrator may fill as well. Nothing of their values is kept here.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{
    KubeConfig, Shared,
    actions::{Failure, asked},
    locked,
};
use crate::runner::RunnerError;

/// How soon a name is known that somebody else has added.
const AGAIN: Duration = Duration::from_secs(20);

/// `None`: there is no such Secret.
///
/// # Errors
/// The cluster did not say.
pub async fn names(client: &Client, config: &KubeConfig) -> Result<Option<BTreeSet<String>>, RunnerError> {
    let all: Api<Secret> = Api::namespaced(client.clone(), &config.namespace);
    match asked(all.get(&config.secrets)).await {
        Ok(found) => Ok(Some(found.data.unwrap_or_default().into_keys().collect())),
        Err(Failure::Absent) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// The others in the Secret stay as they are; without one it is made. It has no label of ours: it stays when all of an
/// installation is released.
///
/// # Errors
/// The cluster did not do it.
pub async fn set(client: &Client, config: &KubeConfig, name: &str, value: &str) -> Result<(), RunnerError> {
    let all: Api<Secret> = Api::namespaced(client.clone(), &config.namespace);
    let more = json!({"stringData": {name: value}});
    let add = || async { asked(all.patch(&config.secrets, &PatchParams::default(), &Patch::Merge(&more))).await };
    let done = match add().await {
        Err(Failure::Absent) => {
            let mut first = Secret::default();
            first.metadata.name = Some(config.secrets.clone());
            first.string_data = Some([(name.to_owned(), value.to_owned())].into());
            match asked(all.create(&PostParams::default(), &first)).await {
                // Somebody else has made it meanwhile.
                Err(Failure::There) => add().await,
                made => made,
            }
        }
        done => done,
    };
    Ok(done.map(drop)?)
}

/// Until it is aborted.
pub(super) async fn keep_reading(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(AGAIN).await;
        match names(&shared.client, &shared.config).await {
            Ok(names) => *locked(&shared.secrets) = names.unwrap_or_default(),
            // What was known counts on; a launch looks for itself.
            Err(error) => tracing::debug!("The names of secrets could not be read: {error}"),
        }
    }
}
