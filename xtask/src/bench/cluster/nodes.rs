//! Which nodes take thousands of pods that run nothing?
//!
//! Objects alone, whose kubelet is a few threads here: what is placed on them runs for a second, as far as the cluster
//! knows, and ends. Where the log of such a pod is asked for, the kubelet of a real node answers that it has none.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::http::{Api, Proxy};

/// The label of these nodes, and the taint that keeps everybody else's pods away.
pub const OURS: &str = "fletchline-bench";
const COUNT: usize = 20;
/// Threads that tell the cluster how pods are.
const HANDS: usize = 6;
const LIFE: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_secs(10);
/// Each so many-th pod ends with [`CODE`].
pub const FAILS: u64 = 50;
pub const CODE: i64 = 3;

pub struct Nodes<'a> {
    proxy: &'a Proxy,
    names: Vec<String>,
    is_over: Arc<AtomicBool>,
}

impl Nodes<'_> {
    /// For the pods of this namespace.
    pub fn make<'a>(proxy: &'a Proxy, namespace: &str) -> Result<Nodes<'a>> {
        let mut api = proxy.api()?;
        let address = address(&api.get("/api/v1/nodes")?).context("no node of the cluster has an address")?;
        let names: Vec<String> = (0..COUNT).map(|at| format!("{namespace}-{at}")).collect();
        let nodes = Nodes { proxy, names, is_over: Arc::default() };
        for name in &nodes.names {
            let room = json!({"cpu": "64", "memory": "512Gi", "pods": "1000"});
            let node = json!({"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": {OURS: namespace, "kubernetes.io/hostname": name}},
                "spec": {"taints": [{"key": OURS, "effect": "NoSchedule"}]},
                "status": {"capacity": room, "allocatable": room, "conditions": [ready()],
                    "addresses": [{"type": "InternalIP", "address": address}]}});
            api.change("POST", "/api/v1/nodes", &node.to_string())?;
        }
        nodes.beat()?;
        nodes.play(namespace)?;
        Ok(nodes)
    }

    /// Or the cluster would take them for gone.
    fn beat(&self) -> Result<()> {
        let (mut api, names, is_over) = (self.proxy.api()?, self.names.clone(), self.is_over.clone());
        thread::spawn(move || {
            while !is_over.load(Relaxed) {
                for name in &names {
                    let status = json!({"status": {"conditions": [ready()]}}).to_string();
                    told(api.change("PATCH", &format!("/api/v1/nodes/{name}/status"), &status));
                }
                thread::sleep(BEAT);
            }
        });
        Ok(())
    }

    /// From the placing of each pod to its end.
    fn play(&self, namespace: &str) -> Result<()> {
        let names: BTreeSet<String> = self.names.iter().cloned().collect();
        let (begun, to_begin) = channel();
        let (ending, to_end) = channel();
        let rows = self.proxy.rows(namespace);
        thread::spawn(move || {
            let mut known = BTreeSet::new();
            for row in rows.filter(|row| names.contains(&row.node)) {
                if known.insert(row.pod.clone()) && begun.send((Instant::now(), row.pod)).is_err() {
                    return;
                }
            }
        });
        let (to_begin, to_end) = (Arc::new(Mutex::new(to_begin)), Arc::new(Mutex::new(to_end)));
        for _ in 0..HANDS {
            let hand = |from: &Arc<Mutex<_>>| -> Result<Hand> {
                Ok(Hand { api: self.proxy.api()?, namespace: namespace.to_owned(), from: from.clone() })
            };
            hand(&to_begin)?.works(running, Some(ending.clone()));
            hand(&to_end)?.works(ended, None);
        }
        Ok(())
    }
}

impl Drop for Nodes<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        let Ok(mut api) = self.proxy.api() else { return };
        for name in &self.names {
            told(api.change("DELETE", &format!("/api/v1/nodes/{name}"), ""));
        }
    }
}

/// With whoever measures sees it.
fn told(outcome: Result<()>) {
    if let Err(error) = outcome {
        eprintln!("{error:#}");
    }
}

/// A pod, and not before when.
type Due = (Instant, String);

struct Hand {
    api: Api,
    namespace: String,
    from: Arc<Mutex<Receiver<Due>>>,
}

impl Hand {
    /// Until nobody sends any more.
    fn works(mut self, status: fn(&str) -> Value, next: Option<Sender<Due>>) {
        thread::spawn(move || {
            loop {
                let due = self.from.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((at, pod)) = due else { return };
                thread::sleep(at.saturating_duration_since(Instant::now()));
                let path = format!("/api/v1/namespaces/{}/pods/{pod}/status", self.namespace);
                told(self.api.change("PATCH", &path, &json!({"status": status(&pod)}).to_string()));
                if let Some(next) = &next {
                    // The other hands are there as long as this one.
                    let _ = next.send((Instant::now() + LIFE, pod));
                }
            }
        });
    }
}

fn container(name: &str, state: Value) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": state["running"].is_object(), "started": true,
        "restartCount": 0, "state": state})
}

fn terminated(code: i64) -> Value {
    let reason = if code == 0 { "Completed" } else { "Error" };
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": utc(), "finishedAt": utc()}})
}

fn running(_: &str) -> Value {
    json!({"phase": "Running", "startTime": utc(), "initContainerStatuses": [container("prepare", terminated(0))],
        "containerStatuses": [container("task", json!({"running": {"startedAt": utc()}}))]})
}

fn ended(pod: &str) -> Value {
    let code = if fails(number(pod)) { CODE } else { 0 };
    json!({"phase": if code == 0 { "Succeeded" } else { "Failed" },
        "containerStatuses": [container("task", terminated(code))]})
}

pub fn fails(number: u64) -> bool {
    number.is_multiple_of(FAILS)
}

/// `fl-bench-many-17-<hash>` and `plain-17-x`: 17.
fn number(pod: &str) -> u64 {
    pod.rsplit('-').nth(1).and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// Of a node that has a kubelet.
fn address(nodes: &Value) -> Option<String> {
    let all = nodes["items"].as_array()?.iter().flat_map(|node| node["status"]["addresses"].as_array()).flatten();
    let address = all.into_iter().find(|one| one["type"] == "InternalIP")?;
    Some(address["address"].as_str()?.to_owned())
}

fn ready() -> Value {
    json!({"type": "Ready", "status": "True", "reason": "Bench", "message": "", "lastHeartbeatTime": utc(),
        "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

/// Now, as Kubernetes writes it.
fn utc() -> String {
    written(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Years begin in March here, so that a leap day is the last of its year.
fn written(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        let times = [0, 951_782_399, 951_782_400, 951_868_800, 1_767_225_599, 1_796_000_000];
        let expected = [
            "1970-01-01T00:00:00Z",
            "2000-02-28T23:59:59Z",
            "2000-02-29T00:00:00Z",
            "2000-03-01T00:00:00Z",
            "2025-12-31T23:59:59Z",
            "2026-11-30T00:53:20Z",
        ];
        assert_eq!(times.map(written), expected);
    }

    #[test]
    fn each_fiftieth_pod_of_ours_and_of_the_plain_ones_fails() {
        assert_eq!([number("fl-bench-many-100-0a1b2c3d4e"), number("plain-17-x")], [100, 17]);
        assert_eq!(ended("fl-bench-many-100-0a1b2c3d4e")["phase"], "Failed");
        assert_eq!(ended("plain-17-x")["phase"], "Succeeded");
    }
}
