//! How far is an execution, by what the cluster says of its pod?

use engine::observed::{Ended, Exit, Phase};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ContainerStateTerminated, ContainerStatus, Pod},
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use model::{pod::PodEnd, run::Millis, supervise::How};

use super::manifest::{PREPARE, TASK};

/// A container of what serves is started again this often before it counts as ended.
const RESTARTS: i32 = 2;

/// `before`: what was told last. `waiting`: the sentence for one that waits.
pub fn phase(pod: &Pod, before: Option<&Phase>, waiting: &dyn Fn() -> String, now: Millis) -> Phase {
    if let Some(sentence) = disrupted(pod) {
        return Phase::Lost { sentence };
    }
    let task = container(pod, TASK);
    if let Some(terminated) = task.and_then(|task| task.state.as_ref()?.terminated.as_ref())
        && !serves(pod)
    {
        return over(pod, terminated, now);
    }
    if let Some(sentence) = crashes(pod, task) {
        return sentence;
    }
    if let Some(running) = task.and_then(|task| task.state.as_ref()?.running.as_ref()) {
        let started = running.started_at.as_ref().map_or(now, millis);
        return live(pod, task, started, before, now);
    }
    not_started(pod, waiting, now)
}

/// Why the cluster makes no pod for it.
pub fn without_pods(deployment: &Deployment) -> Option<&str> {
    let mut conditions = deployment.status.as_ref()?.conditions.iter().flatten();
    let failure = conditions.find(|one| one.type_ == "ReplicaFailure" && one.status == "True")?;
    failure.message.as_deref()
}

/// What serves is started again by the cluster.
pub fn serves(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()) == Some("Always")
}

fn container<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    all.into_iter().find(|one| one.name == name)
}

fn millis(time: &Time) -> Millis {
    u64::try_from(time.0.as_millisecond()).unwrap_or(0)
}

/// Eviction, preemption and lost nodes are not the task's fault.
fn disrupted(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let mut conditions = status.conditions.iter().flatten();
    let condition = conditions.find(|one| one.type_ == "DisruptionTarget" && one.status == "True");
    let words = |said: Option<&String>| said.map_or_else(String::new, |said| format!(" · {said}"));
    if let Some(condition) = condition {
        let what = match condition.reason.as_deref() {
            Some("PreemptionByScheduler") => "Another pod with more priority took its place.",
            Some("DeletionByTaintManager") => "Its node went away or was tainted; it may still run there.",
            Some("TerminationByKubelet") => "Its node ended it to save itself.",
            Some("EvictionByEvictionAPI") => "It was evicted from its node.",
            Some(_) | None => "The cluster ended it.",
        };
        return Some(format!("{what}{}", words(condition.message.as_ref())));
    }
    let reason = status.reason.as_deref().filter(|_| status.phase.as_deref() == Some("Failed"))?;
    let what = match reason {
        "Evicted" => "It was evicted from its node.",
        "NodeLost" | "NodeShutdown" | "Terminated" | "Shutdown" => "Its node went away under it.",
        _ => return None,
    };
    Some(format!("{what}{}", words(status.message.as_ref())))
}

/// One that somebody else deleted while it ran has not come to an end of its own, whatever its code says. `is_ours`: its
/// end was asked for from here.
pub fn unless_deleted(pod: &Pod, phase: Phase, is_ours: &dyn Fn() -> bool) -> Phase {
    let asked = pod.metadata.deletion_timestamp.as_ref().map(|at| {
        let grace = pod.metadata.deletion_grace_period_seconds.and_then(|grace| u64::try_from(grace).ok());
        millis(at).saturating_sub(grace.unwrap_or(0) * 1000)
    });
    match (phase, asked) {
        (Phase::Ended(ended), Some(asked)) if !serves(pod) && ended.ended >= asked && !is_ours() => {
            Phase::Lost { sentence: "Its pod was deleted in the cluster by somebody else.".to_owned() }
        }
        (phase, _) => phase,
    }
}

fn over(pod: &Pod, terminated: &ContainerStateTerminated, now: Millis) -> Phase {
    if terminated.reason.as_deref() == Some("ContainerStatusUnknown") {
        return Phase::Lost { sentence: "Its node went away under it, and nobody knows how it ended.".to_owned() };
    }
    let told = terminated.message.as_deref().and_then(|text| serde_json::from_str::<PodEnd>(text).ok());
    let exit = match &told {
        Some(told) => of_how(&told.end.how, terminated, pod),
        None => untold(pod, terminated),
    };
    let started = match &told {
        Some(told) => told.end.started,
        None => terminated.started_at.as_ref().map(millis),
    };
    let ended = told.as_ref().map(|told| told.end.ended).or_else(|| terminated.finished_at.as_ref().map(millis));
    Phase::Ended(Ended { exit, started, ended: ended.unwrap_or(now), facts: told.and_then(|told| told.facts) })
}

fn of_how(how: &How, terminated: &ContainerStateTerminated, pod: &Pod) -> Exit {
    match how {
        // The kernel takes the largest of its processes, and whoever waited for that one may say so by its own code.
        How::Signal(9) | How::Code(1..) if terminated.reason.as_deref() == Some("OOMKilled") => out_of_memory(pod),
        how => crate::runner::exit(how),
    }
}

/// The helper itself was killed, or never ran.
fn untold(pod: &Pod, terminated: &ContainerStateTerminated) -> Exit {
    match (terminated.reason.as_deref(), terminated.exit_code) {
        (Some("OOMKilled"), _) => out_of_memory(pod),
        (Some("StartError" | "ContainerCannotRun"), _) => {
            let words = terminated.message.clone().unwrap_or_default();
            Exit::NotStarted { sentence: format!("Its container could not be started · {words}") }
        }
        (_, code @ 129..=192) => Exit::Signal { signal: code - 128 },
        (_, code) => Exit::Code { code },
    }
}

fn out_of_memory(pod: &Pod) -> Exit {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let limit = containers
        .filter_map(|one| one.resources.as_ref()?.limits.as_ref()?.get("memory"))
        .find_map(|limit| limit.0.parse::<model::Memory>().ok());
    let sentence = match limit {
        Some(limit) => format!("It needed more memory than its limit of {limit}."),
        None => "Its node ran out of memory, and ended it.".to_owned(),
    };
    Exit::OutOfMemory { sentence }
}

/// What serves and does not come up, however often the cluster starts it again.
fn crashes(pod: &Pod, task: Option<&ContainerStatus>) -> Option<Phase> {
    let task = task.filter(|task| serves(pod) && !task.ready && task.restart_count >= RESTARTS)?;
    task.state.as_ref()?.waiting.as_ref()?;
    let last = task.last_state.as_ref()?.terminated.as_ref()?;
    Some(over(pod, last, 0))
}

fn live(pod: &Pod, task: Option<&ContainerStatus>, started: Millis, before: Option<&Phase>, now: Millis) -> Phase {
    if pod.metadata.deletion_timestamp.is_some() {
        return Phase::Ending { started };
    }
    let has_startup = pod.spec.iter().flat_map(|spec| &spec.containers).any(|one| one.startup_probe.is_some());
    let (is_started, is_ready) = task.map_or((false, false), |task| (task.started == Some(true), task.ready));
    let (is_ready, is_rule_met) = if has_startup { (is_started, is_ready) } else { (is_ready, false) };
    let ready = match before {
        Some(Phase::Ready { ready, .. } | Phase::RuleMet { ready, .. }) => *ready,
        _ => now.max(started),
    };
    let was_met = matches!(before, Some(Phase::RuleMet { .. }));
    match (is_ready, is_rule_met || was_met) {
        (false, false) => Phase::Running { started },
        (_, true) => Phase::RuleMet { started, ready },
        (true, false) => Phase::Ready { started, ready },
    }
}

/// Why its folders are not there, by how the helper ended last.
fn unprepared(prepare: &ContainerStatus) -> Option<Exit> {
    let state = [prepare.state.as_ref(), prepare.last_state.as_ref()];
    let terminated = state.into_iter().flatten().find_map(|state| state.terminated.as_ref())?;
    if terminated.exit_code == 0 {
        return None;
    }
    let said = terminated.message.as_deref().unwrap_or_default();
    Some(match serde_json::from_str::<PodEnd>(said).map(|told| told.end.how) {
        Ok(how @ (How::NotStarted(_) | How::Taken(_))) => crate::runner::exit(&how),
        Ok(_) | Err(_) => {
            let code = terminated.exit_code;
            Exit::NotStarted {
                sentence: format!("Its folders could not be made: the helper ended with code {code} · {said}"),
            }
        }
    })
}

fn not_started(pod: &Pod, waiting: &dyn Fn() -> String, now: Millis) -> Phase {
    let ended = |exit| Phase::Ended(Ended { exit, started: None, ended: now, facts: None });
    let is_failed = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Failed");
    let is_placed = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    if pod.metadata.deletion_timestamp.is_some() {
        return match is_failed || !is_placed {
            true => ended(Exit::Signal { signal: 15 }),
            false => Phase::Preparing { sentence: "It is being stopped.".to_owned() },
        };
    }
    if let Some((prepare, exit)) = container(pod, PREPARE).and_then(|one| Some((one, unprepared(one)?))) {
        if let Exit::NotStarted { sentence } = &exit
            && serves(pod)
            && prepare.restart_count < RESTARTS
        {
            return Phase::Preparing { sentence: sentence.clone() };
        }
        return ended(exit);
    }
    if is_failed {
        let words = pod.status.as_ref().and_then(|status| status.message.clone()).unwrap_or_default();
        return ended(Exit::NotStarted { sentence: format!("The cluster refused its pod · {words}") });
    }
    Phase::Preparing { sentence: waiting() }
}
