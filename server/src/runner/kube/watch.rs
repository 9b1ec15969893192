//! What has changed in the cluster?

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use engine::observed::{Ended, Exit, Observation, Phase};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{Container, Event, Pod},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api,
    runtime::{WatchStreamExt, watcher},
};
use model::{ExecutionId, run::Millis};

use super::{
    Known, Shared,
    actions::{Failure, asked, forbidden},
    attend::Attendant,
    check,
    client::WATCH_SECONDS,
    follow::Follower,
    locked,
    manifest::TASK,
    name, nodes, phase, waiting,
};
use crate::runner::{RunnerError, disk, taken};

/// Warnings that are kept; more than pods can wait at a time are no help.
const WARNINGS: usize = 10_000;
/// Before a cluster that has not said whether something is there is asked again.
const PAUSE: Duration = Duration::from_secs(2);

fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// Until it is aborted. A broken or outdated stream begins again with a list.
pub async fn watch(shared: Arc<Shared>) {
    tokio::join!(pods(&shared), deployments(&shared), warnings(&shared), nodes::watch(&shared));
}

/// A watch that has died without a word is noticed soon.
pub(super) fn wanted() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS)
}

async fn pods(shared: &Arc<Shared>) {
    let wanted = wanted().labels(&name::selector(&shared.config.installation));
    let mut stream = pin!(watcher(shared.pods(), wanted).default_backoff());
    let mut listed = BTreeSet::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(watcher::Event::Init) => listed.clear(),
            Ok(watcher::Event::InitApply(pod)) => listed.extend(shared.see(pod)),
            Ok(watcher::Event::InitDone) => {
                let known: Vec<ExecutionId> = locked(&shared.pods).keys().cloned().collect();
                known.into_iter().filter(|id| !listed.contains(id)).for_each(|id| shared.gone(id));
                shared.is_complete.send_replace(true);
            }
            Ok(watcher::Event::Apply(pod)) => shared.see_newer(pod),
            Ok(watcher::Event::Delete(pod)) => {
                if let Some(id) = name::execution(&pod.metadata) {
                    shared.gone(id);
                }
            }
            Err(error) => tracing::warn!("the pods of {} cannot be watched: {error}", shared.config.namespace),
        }
    }
}

/// Of what serves nobody but its Deployment says why the cluster takes no pod of it.
async fn deployments(shared: &Arc<Shared>) {
    let wanted = wanted().labels(&name::selector(&shared.config.installation));
    let mut stream = pin!(watcher(shared.deployments(), wanted).default_backoff().applied_objects());
    loop {
        match stream.try_next().await {
            Ok(Some(deployment)) => shared.see_deployment(&deployment),
            Ok(None) => return,
            Err(error) => tracing::warn!("the services of {} cannot be watched: {error}", shared.config.namespace),
        }
    }
}

async fn warnings(shared: &Arc<Shared>) {
    let events: Api<Event> = Api::namespaced(shared.client.clone(), &shared.config.namespace);
    let wanted = wanted().fields("type=Warning,involvedObject.kind=Pod");
    let mut stream = pin!(watcher(events, wanted).default_backoff().applied_objects());
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => shared.warned(event),
            Ok(None) => return,
            // Without the right to read them the pods' own words have to do.
            Err(error) => tracing::debug!("events cannot be watched: {error}"),
        }
    }
}

impl Shared {
    fn warned(self: &Arc<Self>, event: Event) {
        let (Some(pod), Some(words)) = (event.involved_object.uid, event.message) else { return };
        {
            let mut warnings = locked(&self.warnings);
            if warnings.len() >= WARNINGS {
                warnings.clear();
            }
            warnings.insert(pod.clone(), words);
        }
        let known = locked(&self.pods)
            .values()
            .map(|known| &known.pod)
            .find(|known| known.metadata.uid.as_deref() == Some(pod.as_str()))
            .cloned();
        if let Some(pod) = known {
            self.see(pod);
        }
    }

    pub(super) fn warning(&self, pod: &Pod) -> Option<String> {
        locked(&self.warnings).get(pod.metadata.uid.as_ref()?).cloned()
    }

    /// As long as it has no pod. What can never have one has ended, as a pod that is refused has.
    fn see_deployment(&self, deployment: &Deployment) {
        let Some(id) = name::execution(&deployment.metadata) else { return };
        let folder = self.folder(&id);
        let has_pod = locked(&self.pods).contains_key(&id);
        let is_over = self.hub.last(&id).is_some_and(|seen| matches!(seen.phase, Phase::Ended(_)));
        if has_pod || is_over || folder.is_released() || folder.is_foreign() {
            return;
        }
        match phase::without_pods(deployment).map(forbidden) {
            Some(Failure::Passing(sentence)) => self.prepares(&id, sentence),
            Some(Failure::Refused(sentence)) => self.refuse(&id, sentence),
            Some(Failure::There | Failure::Absent | Failure::Foreign(_)) | None => {}
        }
    }

    /// As [`Self::see`], but for what was known before: whoever makes a pod may hear of it later than whoever watches.
    pub(super) fn see_newer(self: &Arc<Self>, pod: Pod) {
        let is_known = name::execution(&pod.metadata)
            .and_then(|id| locked(&self.pods).get(&id).map(|known| is_older(&pod.metadata, &known.pod.metadata)));
        if is_known != Some(true) {
            self.see(pod);
        }
    }

    /// Tells what a pod's state means, and follows its log. `None`: it is none of ours.
    pub(super) fn see(self: &Arc<Self>, pod: Pod) -> Option<ExecutionId> {
        let id = name::execution(&pod.metadata)?;
        if !locked(&self.pods).contains_key(&id) && self.folder(&id).is_foreign() {
            return None;
        }
        if self.folder(&id).is_released() {
            // Its release was cut short.
            let (shared, id) = (self.clone(), id.clone());
            tokio::spawn(async move {
                if let Err(error) = shared.remove(&id).await {
                    tracing::warn!("{id}: {error}");
                }
            });
            return None;
        }
        let (before, progress) = self.hub.last(&id).map_or((None, None), |seen| (Some(seen.phase), seen.progress));
        let pod_name = pod.metadata.name.clone().unwrap_or_default();
        let warning = self.warning(&pod);
        let phase = phase::phase(&pod, before.as_ref(), &|| self.why_it_waits(&pod, warning.as_deref()), now());
        let phase = phase::unless_deleted(&pod, phase, &|| self.folder(&id).is_stopping());
        let mut pods = locked(&self.pods);
        let pod = kept(pod);
        let known = pods.entry(id.clone()).or_insert_with(|| Known {
            pod: pod.clone(),
            follower: None,
            attendant: None,
            is_over: false,
        });
        if known.pod.metadata.uid != pod.metadata.uid {
            known.follower = None;
        }
        known.pod = pod;
        if known.is_over {
            return Some(id);
        }
        if check::is_told_by(&known.pod, &self.config) {
            self.doubt.notify_one();
        }
        if known.follower.is_none() && has_log(&known.pod) {
            known.follower = Some(Follower::begin(self.pods(), pod_name.clone(), self.folder(&id)));
        }
        let is_running = matches!(phase, Phase::Running { .. } | Phase::Ready { .. });
        if known.attendant.is_none() && is_running && name::is_load(&known.pod.metadata) {
            let uploads = name::uploads(&known.pod.metadata);
            known.attendant = Some(Attendant::begin(self.clone(), id.clone(), pod_name, uploads));
        }
        let observation = Observation { execution: id.clone(), phase, progress: progress.filter(|_| is_running) };
        match matches!(observation.phase, Phase::Ended(_) | Phase::Lost { .. }) {
            true => self.tell_end(known, observation),
            false => self.hub.tell(observation),
        }
        Some(id)
    }

    fn tell_end(self: &Arc<Self>, known: &mut Known, observation: Observation) {
        known.is_over = true;
        known.attendant = None;
        match (&known.follower, &observation.phase) {
            (Some(follower), Phase::Ended(Ended { started: Some(started), .. })) => {
                // It is there, whoever asks for everything meanwhile.
                let phase = Phase::Ending { started: *started };
                self.hub.tell(Observation { phase, ..observation.clone() });
                self.tell_after(follower.ending(), observation);
            }
            (Some(_) | None, _) => self.hub.tell(observation),
        }
    }

    /// An end is told when the log is here, so that whoever hears of it finds all of it.
    fn tell_after(self: &Arc<Self>, mut complete: tokio::sync::watch::Receiver<bool>, observation: Observation) {
        let shared = self.clone();
        tokio::spawn(async move {
            // Without it the end is told all the same, and the release waits for the log.
            let _ = tokio::time::timeout(super::PATIENCE, complete.wait_for(|complete| *complete)).await;
            shared.hub.tell(observation);
        });
    }

    fn why_it_waits(&self, pod: &Pod, warning: Option<&str>) -> String {
        waiting::sentence(pod, warning, &|resource| self.largest_free(resource))
    }

    /// A pod that is not there any more, though nobody here has released it. It is lost when the cluster, asked once
    /// more, says so.
    fn gone(self: &Arc<Self>, id: ExecutionId) {
        let shared = self.clone();
        tokio::spawn(async move {
            while let Some(serves) = shared.unfinished(&id) {
                match shared.is_left(&id, serves).await {
                    Ok(true) => return,
                    Ok(false) => return shared.is_over(&id, without_pod(serves)),
                    Err(error) => tracing::warn!("{id}: {}", RunnerError::from(error)),
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Whether it serves; `None`: it is over, or not ours any more.
    fn unfinished(&self, id: &ExecutionId) -> Option<bool> {
        let pods = locked(&self.pods);
        pods.get(id).filter(|known| !known.is_over).map(|known| phase::serves(&known.pod))
    }

    async fn is_left(&self, id: &ExecutionId, serves: bool) -> Result<bool, Failure> {
        let name = self.name(id);
        match serves {
            true => asked(self.deployments().get_opt(&name)).await.map(|found| found.is_some()),
            false => asked(self.pods().get_opt(&name)).await.map(|found| found.is_some()),
        }
    }

    /// What was over, or has been released meanwhile, stays as it is.
    pub(super) fn is_over(&self, id: &ExecutionId, phase: Phase) {
        match locked(&self.pods).get_mut(id) {
            Some(known) if !known.is_over => {
                known.is_over = true;
                known.follower = None;
                known.attendant = None;
            }
            Some(_) | None => return,
        }
        self.hub.tell(Observation { execution: id.clone(), phase, progress: None });
    }

    /// It could not be launched, and nothing of it is there.
    pub(super) fn refuse(&self, id: &ExecutionId, sentence: String) {
        let exit = Exit::NotStarted { sentence };
        let phase = Phase::Ended(Ended { exit, started: None, ended: now(), facts: None });
        self.hub.tell(Observation { execution: id.clone(), phase, progress: None });
    }

    /// Another launch had its number, and nothing of this one is there.
    pub(super) fn skip(&self, id: &ExecutionId) -> Result<(), RunnerError> {
        self.hub.tell(taken(id, self.folder(id).last().map_err(disk)?, now()));
        Ok(())
    }

    pub(super) fn prepares(&self, id: &ExecutionId, sentence: String) {
        self.hub.tell(Observation { execution: id.clone(), phase: Phase::Preparing { sentence }, progress: None });
    }
}

/// What is asked of a pod again, and no more: there may be thousands of them, and whole they take most of the memory.
fn kept(mut pod: Pod) -> Pod {
    pod.metadata.managed_fields = None;
    let Some(spec) = &mut pod.spec else { return pod };
    spec.init_containers = None;
    if let Some(volumes) = &mut spec.volumes {
        volumes.retain(|one| one.config_map.is_some() || one.projected.is_some());
        volumes.shrink_to_fit();
    }
    for one in &mut spec.containers {
        let Container { name, image, resources, startup_probe, .. } = std::mem::take(one);
        *one = Container { name, image, resources, startup_probe, ..Container::default() };
    }
    pod
}

/// Of the same object, by the cluster's own count.
fn is_older(one: &ObjectMeta, other: &ObjectMeta) -> bool {
    let version = |meta: &ObjectMeta| meta.resource_version.as_ref()?.parse::<u64>().ok();
    one.uid == other.uid && version(one).zip(version(other)).is_some_and(|(one, other)| one < other)
}

fn without_pod(serves: bool) -> Phase {
    match serves {
        true => {
            let exit = Exit::Signal { signal: 15 };
            Phase::Ended(Ended { exit, started: None, ended: now(), facts: None })
        }
        false => Phase::Lost { sentence: "Its pod was taken out of the cluster by somebody else.".to_owned() },
    }
}

/// The task's container has begun, at least.
fn has_log(pod: &Pod) -> bool {
    let all = pod.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten();
    let states = all.filter(|one| one.name == TASK).filter_map(|one| one.state.as_ref());
    states.into_iter().any(|state| state.running.is_some() || state.terminated.is_some())
}
