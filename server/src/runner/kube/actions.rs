//! How are launch, stop and release carried out, each as often as it is asked?

use std::{fmt::Debug, sync::Arc, time::Duration};

use engine::{action::Link, observed::Phase};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Secret, Service},
};
use kube::{
    Api, Resource,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use model::{EnvValue, ExecutionId, Seconds, launch::Launch};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Shared, locked,
    manifest::{COPYING, Objects, Workload, objects},
    name, phase, program,
};
use crate::runner::{RunnerError, disk, local::load};

/// How long a release waits for the end of a log.
const LOG: Duration = Duration::from_secs(30);

/// What a request that failed means.
pub(super) enum Failure {
    /// Somebody has it already.
    There,
    Absent,
    /// What has the name is not what was launched.
    Foreign(String),
    /// Asking again as it is will not help.
    Refused(String),
    Passing(String),
}

impl From<Failure> for RunnerError {
    fn from(failure: Failure) -> RunnerError {
        match failure {
            Failure::There => RunnerError::Unavailable("It is there already.".to_owned()),
            Failure::Absent => RunnerError::Unavailable("It is not there.".to_owned()),
            Failure::Foreign(sentence) | Failure::Refused(sentence) => RunnerError::Refused(sentence),
            Failure::Passing(sentence) => RunnerError::Unavailable(sentence),
        }
    }
}

fn failure(error: kube::Error) -> Failure {
    let status = match &error {
        kube::Error::Api(status) => status,
        kube::Error::Service(why) => return Failure::Passing(format!("The cluster does not answer: {why}.")),
        other => return Failure::Passing(format!("The cluster does not answer: {other}.")),
    };
    let words = &status.message;
    match (status.code, status.reason.as_str()) {
        (404, _) => Failure::Absent,
        (409, "AlreadyExists") => Failure::There,
        (422, _) | (400, _) => Failure::Refused(format!("The cluster does not take it · {words}")),
        (403, _) => forbidden(words),
        _ => Failure::Passing(format!("The cluster did not do it · {words}")),
    }
}

/// What one of a cluster's many keepers says; each has words of its own.
pub(super) fn forbidden(words: &str) -> Failure {
    let has = |part: &str| words.contains(part);
    if has("exceeded quota") || has("status unknown for quota") {
        return Failure::Passing(format!("waits for room in the namespace's quota · {words}"));
    }
    if has("failed quota") && has("must specify") {
        let sentence = "The namespace's quota wants to know what it needs: say so in the task's resources";
        return Failure::Refused(format!("{sentence} · {words}"));
    }
    // A right can be given, and a new namespace has no account yet for a moment.
    if (has("User \"") && has(" cannot ")) || has("error looking up service account") {
        return Failure::Passing(format!("The cluster refuses this account · {words}"));
    }
    Failure::Refused(format!("The cluster's rules do not allow it · {words}"))
}

pub(super) async fn asked<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
    request.await.map_err(failure)
}

pub(super) fn unless_absent<T>(outcome: Result<T, Failure>) -> Result<(), Failure> {
    match outcome {
        Ok(_) | Err(Failure::Absent) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Which objects an execution has.
struct Parts {
    is_pod: bool,
    serves: bool,
    contents: bool,
    state: bool,
}

impl Parts {
    const ALL: Parts = Parts { is_pod: true, serves: true, contents: true, state: true };

    fn of(pod: &Pod) -> Parts {
        let volumes = || pod.spec.iter().filter_map(|spec| spec.volumes.as_ref()).flatten();
        let sources = || volumes().filter_map(|volume| volume.projected.as_ref()?.sources.as_ref()).flatten();
        let serves = phase::serves(pod);
        Parts {
            is_pod: !serves,
            serves,
            contents: sources().any(|source| source.config_map.is_some())
                || volumes().any(|volume| volume.config_map.is_some()),
            state: sources().any(|source| source.secret.is_some()),
        }
    }
}

fn without_finalizer() -> Patch<serde_json::Value> {
    Patch::Merge(serde_json::json!({"metadata": {"finalizers": null}}))
}

impl Shared {
    pub(super) fn all<K>(&self) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.config.namespace)
    }

    pub(super) fn deployments(&self) -> Api<Deployment> {
        self.all()
    }

    /// What can never be launched is told as an end, so that it is in the journal.
    pub(super) async fn launch(self: &Arc<Self>, launch: Launch) -> Result<(), RunnerError> {
        let id = launch.execution.clone();
        let _turn = self.turn(&id).await;
        let known = locked(&self.pods).get(&id).map(|known| known.pod.metadata.clone());
        let begun = match known {
            Some(pod) if !name::is_of(&pod, &self.config.installation, &launch) => {
                Err(self.foreign::<Pod>(&pod.name.unwrap_or_default()))
            }
            Some(_) => return Ok(()),
            // Its number is never used again: a journal that is older than the executions gives it out twice.
            None if self.folder(&id).is_released() => return self.skip(&id),
            None => {
                self.folder(&id).own().map_err(disk)?;
                Box::pin(self.begin(&launch)).await
            }
        };
        match begun {
            Ok(()) => Ok(()),
            Err(Failure::Refused(sentence)) => {
                self.doubt.notify_one();
                self.refuse(&id, sentence);
                Ok(())
            }
            Err(Failure::Foreign(sentence)) => {
                Box::pin(self.give_way(&launch)).await?;
                self.refuse(&id, sentence);
                Ok(())
            }
            Err(Failure::Passing(sentence)) => {
                self.prepares(&id, sentence.clone());
                Err(RunnerError::Unavailable(sentence))
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn begin(self: &Arc<Self>, launch: &Launch) -> Result<(), Failure> {
        let token = (self.token)(&launch.execution);
        let config = self.config_now();
        let command = program::command(launch, &config, &token).map_err(Failure::Refused)?;
        let made = objects(launch, &config, &command).map_err(Failure::Refused)?;
        self.look_at_secrets(launch).await?;
        for sha256 in load::uploads(launch) {
            load::uploaded(&self.data, launch, &sha256).map_err(Failure::Refused)?;
        }
        let Objects { contents, state, service, workload } = made;
        if let Some(one) = contents {
            self.make::<ConfigMap>(one, launch).await?;
        }
        if let Some(one) = state {
            self.make::<Secret>(one, launch).await?;
        }
        if let Some(one) = service {
            self.make::<Service>(one, launch).await?;
        }
        match workload {
            Some(Workload::Pod(pod)) => {
                let pod = self.make::<Pod>(*pod, launch).await?;
                self.see_newer(pod);
            }
            Some(Workload::Deployment(one)) => {
                self.make::<Deployment>(*one, launch).await?;
                self.prepares(&launch.execution, "Its pod is being made.".to_owned());
            }
            None => {}
        }
        Ok(())
    }

    /// Makes it, or finds that it was made by the same launch.
    async fn make<K>(&self, object: K, launch: &Launch) -> Result<K, Failure>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
        K::DynamicType: Default,
    {
        let all: Api<K> = self.all();
        match asked(all.create(&PostParams::default(), &object)).await {
            Err(Failure::There) => {
                let name = self.name(&launch.execution);
                let live = asked(all.get(&name)).await?;
                match name::is_of(live.meta(), &self.config.installation, launch) {
                    true => Ok(live),
                    false => Err(self.foreign::<K>(&name)),
                }
            }
            other => other,
        }
    }

    fn foreign<K>(&self, name: &str) -> Failure
    where
        K: Resource<DynamicType: Default>,
    {
        Failure::Foreign(format!(
            "There is a {} {name} in namespace {} that this launch has not made: remove it.",
            K::kind(&Default::default()),
            self.config.namespace
        ))
    }

    /// Takes back what the launch has made, and leaves alone what somebody else has under its name.
    async fn give_way(&self, launch: &Launch) -> Result<(), RunnerError> {
        let id = &launch.execution;
        self.take_back::<ConfigMap>(launch).await?;
        self.take_back::<Secret>(launch).await?;
        self.take_back::<Service>(launch).await?;
        self.folder(id).disown().map_err(disk)?;
        // Its log, too, is none of this launch.
        locked(&self.pods).remove(id);
        self.folder(id).forget_log().map_err(disk)
    }

    async fn take_back<K>(&self, launch: &Launch) -> Result<(), Failure>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let (all, name) = (self.all::<K>(), self.name(&launch.execution));
        let live = asked(all.get_opt(&name)).await?;
        match live.is_some_and(|live| name::is_of(live.meta(), &self.config.installation, launch)) {
            true => unless_absent(asked(all.delete(&name, &DeleteParams::background())).await),
            false => Ok(()),
        }
    }

    /// A pod whose secret is missing would wait for ever.
    async fn look_at_secrets(&self, launch: &Launch) -> Result<(), Failure> {
        let wanted = launch.env.values().filter_map(|value| match value {
            EnvValue::Secret(name) => Some(name),
            EnvValue::Value(_) => None,
        });
        let wanted: Vec<&String> = wanted.collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let kept = asked(self.all::<Secret>().get_opt(&self.config.secrets)).await?;
        let data = kept.and_then(|secret| secret.data).unwrap_or_default();
        match wanted.into_iter().find(|name| !data.contains_key(*name)) {
            None => Ok(()),
            Some(missing) => Err(Failure::Refused(format!(
                "There is no secret \"{missing}\" on this cluster: set it with `fletchline secret set {missing}`."
            ))),
        }
    }

    pub(super) async fn stop(&self, id: &ExecutionId, grace: Seconds) -> Result<(), RunnerError> {
        let _turn = self.turn(id).await;
        let is_over = self.hub.last(id).is_some_and(|seen| matches!(seen.phase, Phase::Ended(_) | Phase::Lost { .. }));
        if is_over {
            return Ok(());
        }
        // First: an end that nobody here has asked for is another one.
        self.folder(id).stop().map_err(disk)?;
        let name = self.name(id);
        let Some(pod) = asked(self.pods().get_opt(&name)).await? else {
            let stopped = asked(self.deployments().delete(&name, &DeleteParams::background())).await;
            return Ok(unless_absent(stopped)?);
        };
        let of_pod = pod.spec.and_then(|spec| spec.termination_grace_period_seconds).unwrap_or(0);
        let copying = if of_pod > COPYING.into() { COPYING } else { 0 };
        let stop = DeleteParams::default().grace_period(grace.0.max(1) + copying);
        Ok(unless_absent(asked(self.pods().delete(&name, &stop)).await)?)
    }

    /// First what is to be kept, then our finalizer, then the object.
    pub(super) async fn release(&self, id: &ExecutionId) -> Result<(), RunnerError> {
        self.is_kept(id).await?;
        let _turn = self.turn(id).await;
        self.folder(id).release().map_err(disk)?;
        if !self.folder(id).is_foreign() {
            Box::pin(self.remove(id)).await?;
        }
        self.hub.forget(id);
        Ok(())
    }

    /// It is over, and its log is here. Nobody else's turn is held up meanwhile.
    async fn is_kept(&self, id: &ExecutionId) -> Result<(), RunnerError> {
        let complete = match locked(&self.pods).get(id) {
            Some(known) if !known.is_over => {
                return Err(RunnerError::Refused(format!("{id} is still running: stop it first.")));
            }
            Some(known) => known.follower.as_ref().map(super::follow::Follower::ending),
            None => None,
        };
        let is_lost = self.hub.last(id).is_some_and(|seen| matches!(seen.phase, Phase::Lost { .. }));
        if let Some(mut complete) = complete.filter(|_| !is_lost) {
            let stored = tokio::time::timeout(LOG, complete.wait_for(|complete| *complete)).await;
            if !matches!(stored, Ok(Ok(_))) {
                return Err(RunnerError::Unavailable(format!("The log of {id} is not here yet.")));
            }
        }
        Ok(())
    }

    /// Everything of this installation, whatever it does: for an installation that ends.
    pub(super) async fn release_everything(&self) -> Result<(), RunnerError> {
        let ours = ListParams::default().labels(&name::selector(&self.config.installation));
        let plain = DeleteParams::background();
        asked(self.deployments().delete_collection(&plain, &ours)).await?;
        for service in asked(self.all::<Service>().list(&ours)).await? {
            let name = service.metadata.name.unwrap_or_default();
            unless_absent(asked(self.all::<Service>().delete(&name, &plain)).await)?;
        }
        for pod in asked(self.pods().list(&ours)).await? {
            let name = pod.metadata.name.unwrap_or_default();
            let stop = DeleteParams::default().grace_period(1);
            unless_absent(asked(self.pods().delete(&name, &stop)).await)?;
            unless_absent(asked(self.pods().patch(&name, &PatchParams::default(), &without_finalizer())).await)?;
        }
        asked(self.all::<Secret>().delete_collection(&plain, &ours)).await?;
        asked(self.all::<ConfigMap>().delete_collection(&plain, &ours)).await?;
        Ok(())
    }

    /// Everything of a released execution.
    pub(super) async fn remove(&self, id: &ExecutionId) -> Result<(), RunnerError> {
        let name = self.name(id);
        let parts = locked(&self.pods).get(id).map_or(Parts::ALL, |known| Parts::of(&known.pod));
        let plain = DeleteParams::background();
        if parts.serves {
            unless_absent(asked(self.deployments().delete(&name, &plain)).await)?;
            unless_absent(asked(self.all::<Service>().delete(&name, &plain)).await)?;
        }
        if parts.state {
            unless_absent(asked(self.all::<Secret>().delete(&name, &plain)).await)?;
        }
        if parts.contents {
            unless_absent(asked(self.all::<ConfigMap>().delete(&name, &plain)).await)?;
        }
        // The pod last: as long as it is there, it says what else there is.
        if parts.is_pod {
            unless_absent(asked(self.pods().patch(&name, &PatchParams::default(), &without_finalizer())).await)?;
            unless_absent(asked(self.pods().delete(&name, &DeleteParams::default().grace_period(0))).await)?;
        }
        locked(&self.pods).remove(id);
        Ok(())
    }

    /// The folder of links lies in the Viewer's pod.
    pub(super) async fn link(&self, viewer: &ExecutionId, links: &[Link]) -> Result<(), RunnerError> {
        let pod = match self.running(viewer) {
            Ok(pod) => pod,
            // It asks again when it runs.
            Err(_) => return Ok(()),
        };
        super::session::link(&self.pods(), &pod, links).await
    }
}
