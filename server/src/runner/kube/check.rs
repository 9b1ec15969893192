//! What would make tasks fail before they begin, and is it still so?
//!
//! A pod tells it that is made as every task's is and does nothing: our image prepares it in the results claim, and then a
//! container begins in each image that a task without one runs in.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::core::v1::{ContainerStatus, Pod},
    serde_json::{self, json},
};
use kube::Api;
use model::{
    pod::{ORDER, RESULTS_AT, SCRATCH_AT},
    site::Faults,
    supervise::HELPER,
};

use super::{
    KubeConfig, Shared,
    claims::{self, ClaimStatus},
    errand::{self, Errand, has_ended},
    locked,
    manifest::{OURS, PREPARE, idle},
    waiting,
};
use crate::runner::RunnerError;

/// When what was found is looked at again: somebody may have mended it.
const AGAIN: Duration = Duration::from_secs(20);
/// The same after all was well: somebody may have broken it.
pub const RARELY: Duration = Duration::from_secs(600);
/// How long all images together may take to be pulled.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long the cluster may take to find a node that can mount two claims, which it may have to make volumes for.
const TO_PLACE: Duration = Duration::from_secs(60);

/// Until it is aborted; where all is well, rarely, or when a launch has failed by what is looked for here.
pub async fn keep_looking(shared: Arc<Shared>) {
    loop {
        if let Err(error) = shared.look().await {
            locked(&shared.faults).unknown = Some(whole(error.to_string()));
        }
        tokio::time::sleep(AGAIN).await;
        if *locked(&shared.faults) == Faults::default() {
            // It is time either way.
            let _ = tokio::time::timeout(RARELY - AGAIN, shared.doubt.notified()).await;
        }
    }
}

/// Whether a pod waits or has failed for a reason that the check knows.
pub fn is_told_by(pod: &Pod, config: &KubeConfig) -> bool {
    let Some(status) = &pod.status else { return false };
    let is_ours = |image: &str| images(config).any(|one| config.found_at(one) == image);
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let fails = |one: &ContainerStatus| match &one.state {
        Some(state) if one.name == PREPARE && state.terminated.as_ref().is_some_and(|end| end.exit_code != 0) => true,
        Some(state) => {
            let waiting = state.waiting.as_ref().filter(|_| is_ours(&one.image));
            waiting.is_some_and(|waiting| waiting::refused(&one.image, waiting).is_some())
        }
        None => false,
    };
    all.into_iter().any(fails) || waiting::missing_claim(pod).is_some()
}

impl Shared {
    async fn look(&self) -> Result<(), RunnerError> {
        let found = claims::all(&self.client, &self.config_now()).await?;
        *locked(&self.one_node) = claims::one_node(&found);
        let (config, pods) = (self.config_now(), self.pods());
        let mut missing = missing(&found, &config);
        if missing.all.is_some() {
            *locked(&self.faults) = missing;
            return Ok(());
        }
        for (name, volume) in &config.volumes {
            if let Some(sentence) = apart(&volume.claim, &config, &pods).await? {
                missing.volumes.insert(name.clone(), sentence);
            }
        }
        let checked = checking(&config).go(&pods, &config, |pod| {
            let mut faults = locked(&self.faults);
            let is_known = seen(pod, &config, &mut faults);
            faults.volumes.clone_from(&missing.volumes);
            faults.unknown = self.why_unknown(pod).filter(|_| !is_known);
            match is_known {
                true => Some(Ok(())),
                // Its node went away, for example.
                false => has_ended(pod).then(|| Err(RunnerError::Unavailable(waiting::sentence(pod, None, &|_| None)))),
            }
        });
        match checked.await {
            Ok(told) => told,
            Err(RunnerError::Refused(sentence)) => {
                *locked(&self.faults) = Faults { all: Some(whole(sentence)), ..missing };
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// No node takes it, or none can mount what it mounts: no task may find one.
    fn why_unknown(&self, pod: &Pod) -> Option<String> {
        let warning = self.warning(pod);
        waiting::place(pod, warning.as_deref(), &|resource| self.largest_free(resource))
    }
}

/// As it stands among other problems.
fn whole(sentence: String) -> String {
    sentence.trim_end_matches('.').to_owned()
}

fn missing(found: &[ClaimStatus], config: &KubeConfig) -> Faults {
    let missing: Vec<&str> = found.iter().filter(|one| one.phase.is_none()).map(|one| one.claim.as_str()).collect();
    let sentence = |claim: &str| {
        format!(
            "The claim {claim} is not there: make it by `fletchline cluster prepare`, or name another one in fletchline.toml"
        )
    };
    let volumes = config.volumes.iter().filter(|(_, volume)| missing.contains(&volume.claim.as_str()));
    Faults {
        all: missing.contains(&config.results.as_str()).then(|| sentence(&config.results)),
        volumes: volumes.map(|(name, volume)| (name.clone(), sentence(&volume.claim))).collect(),
        ..Faults::default()
    }
}

/// What keeps every node from mounting this claim beside the results, where one node at a time can mount either. A pod that
/// mounts both finds it out; volumes that are only made with their first pod are made on one node by it.
async fn apart(claim: &str, config: &KubeConfig, pods: &Api<Pod>) -> Result<Option<String>, RunnerError> {
    let results = &config.results;
    if claim == results || ![claim, results].iter().all(|one| config.one_node.contains(*one)) {
        return Ok(None);
    }
    let answer = |pod: &Pod| match (waiting::apart(pod), errand::is_placed(pod)) {
        (Some(words), _) => Some(Some(words.to_owned())),
        (None, true) => Some(None),
        (None, false) => None,
    };
    match mounting(claim, config).go(pods, config, answer).await {
        Ok(words) => Ok(words.map(|words| {
            format!(
                "No node can mount the claim {claim} beside the results claim {results}: they lie on different nodes, so make \
                 one of them anew where the other is, or one that many nodes can mount · {}",
                whole(words)
            )
        })),
        // Whatever else keeps it from a node keeps the next pod from one, which says why.
        Err(RunnerError::Unavailable(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn mounting(claim: &str, config: &KubeConfig) -> Errand {
    let mounts = json!([{"name": "results", "mountPath": RESULTS_AT}, {"name": "shared", "mountPath": "/shared"}]);
    let command = json!([format!("{OURS}/fletchline-task")]);
    let of = |name: &str, claim: &str| json!({"name": name, "persistentVolumeClaim": {"claimName": claim}});
    Errand {
        what: "check",
        security: errand::as_task(config),
        init: Vec::new(),
        containers: vec![errand::container("mount", &config.image, command, mounts)],
        volumes: vec![of("results", &config.results), of("shared", claim)],
        patience: TO_PLACE,
    }
}

/// Writes down what the pod tells by now; what it does not tell yet stays as it was. Whether all is known.
fn seen(pod: &Pod, config: &KubeConfig, faults: &mut Faults) -> bool {
    let Some(status) = &pod.status else { return false };
    let prepare = status.init_container_statuses.iter().flatten().find(|one| one.name == PREPARE);
    match prepare.and_then(|one| prepared(one, config)) {
        None => return false,
        Some(Err(sentence)) => {
            faults.all = Some(sentence);
            return true;
        }
        Some(Ok(())) => faults.all = None,
    }
    let mut all_known = true;
    for (index, image) in images(config).enumerate() {
        let name = container(index);
        let status = status.container_statuses.iter().flatten().find(|one| one.name == name);
        match status.and_then(pulled) {
            None => all_known = false,
            Some(Ok(())) => drop(faults.images.remove(image)),
            Some(Err(sentence)) => drop(faults.images.insert(image.to_owned(), sentence)),
        }
    }
    all_known
}

/// `None`: nobody knows yet.
fn prepared(status: &ContainerStatus, config: &KubeConfig) -> Option<Result<(), String>> {
    let state = status.state.as_ref()?;
    if let Some(refused) = state.waiting.as_ref().and_then(|waiting| waiting::refused(&status.image, waiting)) {
        return Some(Err(format!("No task can be prepared · {refused}")));
    }
    let terminated = state.terminated.as_ref()?;
    if terminated.exit_code == 0 {
        return Some(Ok(()));
    }
    let words = errand::told(terminated).unwrap_or_else(|| {
        let reason = terminated.reason.as_deref().unwrap_or("It did not end well");
        let text = terminated.message.as_deref().unwrap_or_default();
        format!("{reason} (code {}) {text}", terminated.exit_code).trim_end().to_owned()
    });
    Some(Err(format!("No task can write into the claim {} · {}", config.results, whole(words))))
}

/// One that could not begin for another reason was pulled.
fn pulled(status: &ContainerStatus) -> Option<Result<(), String>> {
    let state = status.state.as_ref()?;
    let Some(waiting) = &state.waiting else { return Some(Ok(())) };
    match waiting.reason.as_deref()? {
        "ContainerCreating" | "PodInitializing" => None,
        _ => Some(waiting::refused(&status.image, waiting).map_or(Ok(()), Err)),
    }
}

/// A pod has one container at least.
fn images(config: &KubeConfig) -> impl Iterator<Item = &str> {
    let own = [config.image.as_str()].into_iter();
    own.chain(config.default_images.iter().map(String::as_str))
}

fn container(index: usize) -> String {
    format!("image-{index}")
}

fn checking(config: &KubeConfig) -> Errand {
    let helper = json!({"name": "helper", "mountPath": "/fletchline"});
    let results = json!({"name": "results", "mountPath": format!("{RESULTS_AT}/pipeline"), "subPath": "pipeline"});
    let command = json!([format!("{OURS}/fletchline-task"), "pod", "prepare"]);
    let mounts = json!([helper, {"name": "scratch", "mountPath": SCRATCH_AT}, results]);
    let mut prepare = errand::container(PREPARE, &config.image, command, mounts);
    prepare["env"] = json!([{"name": ORDER, "value": serde_json::to_string(&idle(config)).unwrap_or_default()}]);
    let begin = |(index, image): (usize, &str)| {
        errand::container(&container(index), &config.found_at(image), json!([HELPER]), json!([helper]))
    };
    Errand {
        what: "check",
        security: errand::as_task(config),
        init: vec![prepare],
        containers: images(config).enumerate().map(begin).collect(),
        volumes: vec![
            json!({"name": "helper", "emptyDir": {}}),
            json!({"name": "scratch", "emptyDir": {}}),
            json!({"name": "results", "persistentVolumeClaim": {"claimName": config.results}}),
        ],
        patience: PATIENCE,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde_json::Value;

    use super::*;
    use crate::runner::kube::manifest::tests::config;

    /// The pod's first container is of our own image, the others of default ones by their names.
    fn after(before: &Faults, init: Value, images: &[Value]) -> (bool, Faults) {
        let config = KubeConfig { default_images: ["a:1", "b:1"].map(str::to_owned).into(), ..config() };
        let status = |name: String, state: &Value| json!({"name": name, "image": "found/at:1", "imageID": "", "restartCount": 0, "ready": false, "state": state});
        let containers: Vec<Value> =
            images.iter().enumerate().map(|(index, state)| status(container(index), state)).collect();
        let init = status(PREPARE.to_owned(), &init);
        let status = json!({"initContainerStatuses": [init], "containerStatuses": containers});
        let pod = serde_json::from_value(json!({"metadata": {}, "status": status})).unwrap();
        let mut faults = before.clone();
        (seen(&pod, &config, &mut faults), faults)
    }

    fn waits(reason: &str) -> Value {
        json!({"waiting": {"reason": reason, "message": "words"}})
    }

    fn ended(code: i32) -> Value {
        json!({"terminated": {"exitCode": code, "reason": "StartError", "message": "no such file"}})
    }

    #[test]
    fn an_image_whose_container_could_not_begin_for_another_reason_was_pulled() {
        let images = [ended(2), ended(128), waits("CreateContainerError")];
        assert_eq!(after(&Faults::default(), ended(0), &images), (true, Faults::default()));
        let images = [ended(2), waits("InvalidImageName"), waits("ImagePullBackOff")];
        let (is_known, found) = after(&Faults::default(), ended(0), &images);
        let expected = [
            ("a:1", "found/at:1 is not the name of an image · words"),
            ("b:1", "The image found/at:1 cannot be pulled · words"),
        ];
        assert_eq!(found.images, expected.map(|(image, sentence)| (image.to_owned(), sentence.to_owned())).into());
        assert_eq!((is_known, found.all), (true, None));
    }

    #[test]
    fn what_the_pod_does_not_tell_yet_stays_as_it_was() {
        let (_, before) = after(&Faults::default(), ended(0), &[ended(2), waits("ErrImagePull"), ended(2)]);
        let before = Faults { all: Some("not prepared".to_owned()), ..before };
        let waiting = [waits("PodInitializing"), waits("PodInitializing"), waits("PodInitializing")];
        assert_eq!(after(&before, waits("PodInitializing"), &waiting), (false, before.clone()));
        let (is_known, found) = after(&before, ended(0), &[ended(2), waits("ContainerCreating"), ended(2)]);
        assert_eq!((is_known, found), (false, Faults { all: None, ..before.clone() }));
        assert_eq!(after(&before, ended(0), &[ended(2), ended(2), ended(2)]), (true, Faults::default()));
    }

    #[test]
    fn without_a_word_of_the_helper_the_clusters_is_told() {
        let (is_known, found) = after(&Faults::default(), ended(128), &[]);
        let expected = "No task can write into the claim results · StartError (code 128) no such file";
        assert_eq!((is_known, found.all.as_deref()), (true, Some(expected)));
        let (is_known, found) = after(&Faults::default(), waits("ErrImagePull"), &[]);
        let expected = "No task can be prepared · The image found/at:1 cannot be pulled · words";
        assert_eq!((is_known, found.all.as_deref()), (true, Some(expected)));
    }
}
