//! What is told of a pod in each state that a cluster reports?

use engine::observed::{Ended, Exit, Phase};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{
    actions::{Failure, forbidden},
    phase::{phase, unless_deleted},
    waiting::sentence,
};

const NOW: u64 = 1_800_000_000_000;

fn pod(spec: Value, status: Value) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec, "status": status})).unwrap()
}

fn spec() -> Value {
    json!({"nodeName": "n", "restartPolicy": "Never", "containers": [{"name": "task"}]})
}

fn task(state: Value) -> Value {
    json!({"containerStatuses": [{"name": "task", "image": "i", "imageID": "", "restartCount": 0, "ready": false, "state": state}]})
}

fn seen(pod: &Pod) -> Phase {
    phase(pod, None, &|| sentence(pod, None, &|_| None), NOW)
}

fn exit(pod: &Pod) -> Exit {
    match seen(pod) {
        Phase::Ended(Ended { exit, .. }) => exit,
        other => panic!("{other:?}"),
    }
}

fn terminated(code: i32, reason: &str, message: &str) -> Value {
    task(json!({"terminated": {"exitCode": code, "reason": reason, "message": message}}))
}

#[test]
fn the_helpers_word_about_an_end_is_what_is_told() {
    let told = |how: Value| json!({"end": {"how": how, "started": 5, "ended": 7}, "facts": {"a": 1}}).to_string();
    let ended = seen(&pod(spec(), terminated(3, "Error", &told(json!({"code": 3})))));
    let facts = Some(json!({"a": 1}));
    assert_eq!(ended, Phase::Ended(Ended { exit: Exit::Code { code: 3 }, started: Some(5), ended: 7, facts }));
    let exits = [
        (json!({"signal": 15}), Exit::Signal { signal: 15 }),
        (json!("timed_out"), Exit::TimedOut),
        (json!({"not_started": "no"}), Exit::NotStarted { sentence: "no".into() }),
        (json!({"snapshot_failed": "full"}), Exit::SnapshotFailed { sentence: "full".into() }),
    ];
    for (how, expected) in exits {
        assert_eq!(exit(&pod(spec(), terminated(1, "Error", &told(how)))), expected);
    }
}

#[test]
fn an_end_without_a_word_is_told_by_the_clusters_reason() {
    let limited = json!({"restartPolicy": "Never", "containers": [{"name": "task", "resources": {"limits": {"memory": "4294967296"}}}]});
    let sentence = "It needed more memory than its limit of 4 GiB.".to_owned();
    assert_eq!(
        exit(&pod(limited.clone(), terminated(137, "OOMKilled", ""))),
        Exit::OutOfMemory { sentence: sentence.clone() }
    );
    let killed = json!({"end": {"how": {"signal": 9}, "started": 1, "ended": 2}}).to_string();
    assert_eq!(exit(&pod(limited, terminated(137, "OOMKilled", &killed))), Exit::OutOfMemory { sentence });
    assert_eq!(exit(&pod(spec(), terminated(137, "Error", ""))), Exit::Signal { signal: 9 });
    assert_eq!(exit(&pod(spec(), terminated(2, "Error", ""))), Exit::Code { code: 2 });
    assert!(matches!(exit(&pod(spec(), terminated(128, "StartError", "no such file"))), Exit::NotStarted { .. }));
}

#[test]
fn eviction_preemption_and_lost_nodes_are_not_the_tasks_fault() {
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    assert!(matches!(seen(&pod(spec(), evicted)), Phase::Lost { sentence } if sentence.contains("low on memory")));
    for reason in ["PreemptionByScheduler", "DeletionByTaintManager", "TerminationByKubelet", "EvictionByEvictionAPI"] {
        let mut status = terminated(143, "Error", "");
        status["conditions"] = json!([{"type": "DisruptionTarget", "status": "True", "reason": reason}]);
        assert!(matches!(seen(&pod(spec(), status)), Phase::Lost { .. }), "{reason}");
    }
    let unknown = terminated(137, "ContainerStatusUnknown", "");
    assert!(matches!(seen(&pod(spec(), unknown)), Phase::Lost { .. }));
}

#[test]
fn ready_is_when_it_has_started_and_the_rule_is_met_when_it_is_ready() {
    let with_rule = json!({"restartPolicy": "Never", "containers": [{"name": "task", "startupProbe": {}}]});
    let status = |started: bool, ready: bool| {
        let mut status = task(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
        status["containerStatuses"][0]["started"] = json!(started);
        status["containerStatuses"][0]["ready"] = json!(ready);
        status
    };
    let started = 1_767_225_600_000;
    assert_eq!(seen(&pod(with_rule.clone(), status(false, false))), Phase::Running { started });
    assert_eq!(seen(&pod(with_rule.clone(), status(true, false))), Phase::Ready { started, ready: NOW });
    assert_eq!(seen(&pod(with_rule.clone(), status(true, true))), Phase::RuleMet { started, ready: NOW });
    assert_eq!(seen(&pod(spec(), status(true, false))), Phase::Running { started });
    assert_eq!(seen(&pod(spec(), status(true, true))), Phase::Ready { started, ready: NOW });
    // What was told before does not change.
    let before = Phase::RuleMet { started, ready: 9 };
    let again = phase(&pod(with_rule, status(true, false)), Some(&before), &String::new, NOW);
    assert_eq!(again, before);
}

#[test]
fn what_was_stopped_before_it_ran_has_ended_when_nothing_of_it_can_run_any_more() {
    let stopped = |spec: Value, status: Value| {
        let mut pod = pod(spec, status);
        pod.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        pod
    };
    let unplaced = json!({"restartPolicy": "Never", "containers": []});
    assert_eq!(exit(&stopped(unplaced, json!({"phase": "Pending"}))), Exit::Signal { signal: 15 });
    assert!(matches!(seen(&stopped(spec(), json!({"phase": "Pending"}))), Phase::Preparing { .. }));
    assert_eq!(exit(&stopped(spec(), json!({"phase": "Failed"}))), Exit::Signal { signal: 15 });
    let running = task(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
    assert!(matches!(seen(&stopped(spec(), running)), Phase::Ending { .. }));
}

#[test]
fn folders_that_could_not_be_made_end_it_with_the_helpers_sentence() {
    let told = json!({"not_started": "The results volume is not there."});
    assert_eq!(prepared(told), Exit::NotStarted { sentence: "The results volume is not there.".into() });
}

/// The end of one whose init container ended so.
fn prepared(how: Value) -> Exit {
    let message = json!({"end": {"how": how, "started": null, "ended": 2}});
    let status = json!({"initContainerStatuses": [{"name": "prepare", "image": "", "imageID": "", "ready": false,
        "restartCount": 0, "state": {"terminated": {"exitCode": 1, "message": message.to_string()}}}]});
    exit(&pod(spec(), status))
}

#[test]
fn a_folder_that_is_there_already_is_told_as_a_number_that_is_taken() {
    assert_eq!(prepared(json!({"taken": 17})), Exit::Taken { last: 17 });
}

#[test]
fn a_service_that_comes_up_again_goes_on_and_one_that_does_not_has_ended() {
    let serving = json!({"restartPolicy": "Always", "containers": [{"name": "task"}]});
    let status = |restarts: u32| {
        let mut status = task(json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}));
        status["containerStatuses"][0]["restartCount"] = json!(restarts);
        status["containerStatuses"][0]["lastState"] = json!({"terminated": {"exitCode": 4}});
        status
    };
    assert!(matches!(seen(&pod(serving.clone(), status(1))), Phase::Preparing { .. }));
    assert_eq!(exit(&pod(serving, status(2))), Exit::Code { code: 4 });
}

#[test]
fn a_service_whose_folders_cannot_be_made_says_so_while_it_is_tried_again_and_then_has_ended() {
    let serving = json!({"nodeName": "n", "restartPolicy": "Always", "containers": [{"name": "task"}]});
    let how = json!({"not_started": "What is to be read is not there."});
    let message = json!({"end": {"how": how, "started": null, "ended": 2}}).to_string();
    let status = |restarts: u32| {
        json!({"initContainerStatuses": [{"name": "prepare", "image": "", "imageID": "", "ready": false,
            "restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "message": message}}}]})
    };
    let sentence = "What is to be read is not there.".to_owned();
    assert_eq!(seen(&pod(serving.clone(), status(1))), Phase::Preparing { sentence: sentence.clone() });
    assert_eq!(exit(&pod(serving, status(2))), Exit::NotStarted { sentence });
}

fn says(spec: Value, status: Value, event: Option<&str>, expected: &str) {
    let said = sentence(&pod(spec, status), event, &|_| None);
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn a_waiting_pod_says_why_in_a_sentence_with_the_clusters_words_behind_it() {
    let unplaced = |message: &str| json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]});
    let asks = json!({"containers": [{"name": "task", "resources": {"requests":
        {"nvidia.com/gpu": "2", "cpu": "1500m", "memory": "4294967296"}}}]});
    let none = || json!({"containers": []});
    let words = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.";
    let expected = format!("asks for 2 GPUs, 1.5 processors, 4 GiB, and no node has that free · {words}");
    says(asks.clone(), unplaced(words), None, &expected);
    let free = |room: u64| sentence(&pod(asks.clone(), unplaced(words)), None, &move |_| Some(room));
    assert_eq!(free(1), format!("asks for 2 GPUs, the largest free node has 1 GPU · {words}"));
    assert_eq!(free(0), format!("asks for 2 GPUs, the largest free node has none · {words}"));
    assert_eq!(free(2), expected, "others have taken what is seen as free");
    let words = "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.";
    says(none(), unplaced(words), None, "the claims that it mounts are in use on another node");
    let words =
        "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) had volume node affinity conflict.";
    says(none(), unplaced(words), None, "no node can mount all of its claims: they lie on different nodes");
    says(none(), unplaced("persistentvolumeclaim \"nas\" not found"), None, "The claim nas is not there: make it");
    says(none(), unplaced("1 node(s) had untolerated taint {gpu: }"), None, "no node takes it: see the node selector");
    says(none(), unplaced("pod has unbound immediate PersistentVolumeClaims"), None, "waits for a volume to be made");
    let pull = task(json!({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}));
    says(spec(), pull, None, "The image i cannot be pulled · not found");
    let config =
        task(json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"x\" not found"}}));
    says(spec(), config, None, "Its container cannot be made · secret");
    says(
        spec(),
        json!({}),
        Some("Multi-Attach error for volume"),
        "Its volume is still in use on another node · Multi",
    );
    says(spec(), json!({}), Some("MountVolume.SetUp failed"), "A volume cannot be mounted · MountVolume");
    says(spec(), json!({}), Some("nothing that matters"), "Its pod is being begun on a node.");
    says(none(), json!({}), None, "It waits for a node.");
}

#[test]
fn what_a_cluster_forbids_for_good_is_told_apart_from_what_may_change() {
    let told = |words: &str| match forbidden(words) {
        Failure::Passing(sentence) => (true, sentence),
        Failure::Refused(sentence) => (false, sentence),
        Failure::There | Failure::Absent | Failure::Foreign(_) => panic!("{words}"),
    };
    let each = [
        (true, "waits for room in the namespace's quota", "exceeded quota: full, requested: pods=1, used: pods=0"),
        (true, "waits for room in the namespace's quota", "status unknown for quota: full, resources: pods"),
        (false, "The namespace's quota wants to know what it needs", "failed quota: q: must specify cpu for: task"),
        (true, "The cluster refuses this account", "User \"me\" cannot create resource \"pods\" in API group \"\""),
        (true, "The cluster refuses this account", "error looking up service account ml/default: not found"),
        (
            false,
            "The cluster's rules do not allow it",
            "violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
        ),
        (
            false,
            "The cluster's rules do not allow it",
            "maximum memory usage per Container is 64Mi, but limit is 128Mi",
        ),
        (false, "The cluster's rules do not allow it", "admission webhook \"w\" denied the request: no"),
        (false, "The cluster's rules do not allow it", "unable to create new content: it is being terminated"),
    ];
    for (passes, sentence, words) in each {
        let words = format!("pods \"p\" is forbidden: {words}");
        let (is_passing, said) = told(&words);
        assert_eq!(is_passing, passes, "{words}");
        assert!(said.starts_with(sentence) && said.ends_with(&format!(" · {words}")), "{said}");
    }
}

#[test]
fn one_that_somebody_else_deletes_while_it_runs_is_lost_whatever_its_code() {
    let deleted = |finished: &str| -> Pod {
        let state = json!({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": finished}});
        let metadata =
            json!({"name": "p", "deletionTimestamp": "2026-01-01T00:01:00Z", "deletionGracePeriodSeconds": 30});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec(), "status": task(state)})).unwrap()
    };
    let told = |pod: Pod| unless_deleted(&pod, seen(&pod), &|| false);
    let sentence = "Its pod was deleted in the cluster by somebody else.".to_owned();
    assert_eq!(told(deleted("2026-01-01T00:00:31Z")), Phase::Lost { sentence });
    assert!(matches!(told(deleted("2026-01-01T00:00:29Z")), Phase::Ended(_)), "it had ended before");
    let plain = pod(spec(), terminated(0, "Completed", ""));
    assert!(matches!(told(plain), Phase::Ended(_)));
    let ours = deleted("2026-01-01T00:00:31Z");
    assert!(matches!(unless_deleted(&ours, seen(&ours), &|| true), Phase::Ended(_)));
}
