//! Which nodes have gone away, for how long, and what have the others left?
//!
//! Only where the account may read nodes; without that the cluster's own word about each pod has to do, which comes
//! after its eviction time of some minutes.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use engine::observed::Phase;
use futures::StreamExt;
use k8s_openapi::{api::core::v1::Node, apimachinery::pkg::api::resource::Quantity};
use kube::{
    Api,
    runtime::{WatchStreamExt, watcher},
};
use model::ExecutionId;

use super::{Shared, locked, phase, watch::wanted};

const LOOK: Duration = Duration::from_secs(1);

/// Until it is aborted.
pub async fn watch(shared: &Arc<Shared>) {
    let nodes: Api<Node> = Api::all(shared.client.clone());
    let mut stream = pin!(watcher(nodes, wanted()).default_backoff());
    let mut away = BTreeMap::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            event = stream.next() => match event {
                Some(Ok(event)) => {
                    shared.note(&event);
                    take(event, &mut away);
                }
                Some(Err(error)) => tracing::debug!("nodes cannot be watched: {error}"),
                None => return,
            },
            _ = look.tick() => shared.look_at(&mut away),
        }
    }
}

fn take(event: watcher::Event<Node>, away: &mut BTreeMap<String, Instant>) {
    match event {
        watcher::Event::Apply(node) | watcher::Event::InitApply(node) => {
            let Some(name) = node.metadata.name.clone() else { return };
            match is_ready(&node) {
                true => drop(away.remove(&name)),
                false => drop(away.entry(name).or_insert_with(Instant::now)),
            }
        }
        watcher::Event::Delete(node) => {
            away.extend(node.metadata.name.map(|name| (name, Instant::now())));
        }
        watcher::Event::Init | watcher::Event::InitDone => {}
    }
}

fn is_ready(node: &Node) -> bool {
    let mut conditions = node.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What a pod or a node counts of a resource: thousandths of a processor, bytes, pieces.
pub fn amount(resource: &str, quantity: &Quantity) -> Option<u64> {
    match (resource, quantity.0.strip_suffix('m')) {
        ("cpu", Some(thousandths)) => thousandths.parse().ok(),
        ("cpu", None) => quantity.0.parse::<model::Cpu>().ok().map(|cpu| cpu.0.into()),
        (_, _) => quantity.0.parse().ok().or_else(|| Some(quantity.0.parse::<model::Memory>().ok()?.0)),
    }
}

impl Shared {
    fn note(&self, event: &watcher::Event<Node>) {
        let mut nodes = locked(&self.nodes);
        match event {
            watcher::Event::Apply(node) | watcher::Event::InitApply(node) => {
                let takes = node.spec.as_ref().is_none_or(|spec| spec.unschedulable != Some(true)) && is_ready(node);
                let labels = node.metadata.labels.clone().unwrap_or_default();
                let is_meant = self.config.node_selector.iter().all(|(key, value)| labels.get(key) == Some(value));
                let has = node.status.as_ref().and_then(|status| status.allocatable.clone());
                let name = node.metadata.name.clone().unwrap_or_default();
                match has.filter(|_| takes && is_meant) {
                    Some(has) => drop(nodes.insert(name, has)),
                    None => drop(nodes.remove(&name)),
                }
            }
            watcher::Event::Delete(node) => drop(node.metadata.name.as_ref().and_then(|name| nodes.remove(name))),
            watcher::Event::Init => nodes.clear(),
            watcher::Event::InitDone => {}
        }
    }

    /// What the roomiest node has left for tasks beside those of ours; `None`: no node can be seen.
    pub(super) fn largest_free(&self, resource: &str) -> Option<u64> {
        let mut taken: BTreeMap<String, u64> = BTreeMap::new();
        for known in locked(&self.pods).values().filter(|known| !known.is_over) {
            let Some(spec) = &known.pod.spec else { continue };
            let requests = spec.containers.iter().filter_map(|one| one.resources.as_ref()?.requests.as_ref());
            let asked = requests.filter_map(|all| amount(resource, all.get(resource)?)).sum::<u64>();
            if let Some(node) = &spec.node_name {
                *taken.entry(node.clone()).or_default() += asked;
            }
        }
        let nodes = locked(&self.nodes);
        let free = nodes.iter().map(|(name, has)| {
            let all = has.get(resource).and_then(|quantity| amount(resource, quantity)).unwrap_or(0);
            all.saturating_sub(taken.get(name).copied().unwrap_or(0))
        });
        free.max()
    }

    /// What ran on a node that is away for too long is lost. What serves is placed again by the cluster.
    fn look_at(&self, away: &mut BTreeMap<String, Instant>) {
        let longest = Duration::from_secs(self.config.node_lost.0.into());
        for (name, _) in away.iter().filter(|(_, since)| since.elapsed() >= longest) {
            let on_it: Vec<ExecutionId> = locked(&self.pods)
                .iter()
                .filter(|(_, known)| !known.is_over && !phase::serves(&known.pod))
                .filter(|(_, known)| known.pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) == Some(name))
                .map(|(id, _)| id.clone())
                .collect();
            for id in on_it {
                let sentence =
                    format!("Its node {name} has not answered for {} s; it may still run there.", longest.as_secs());
                self.is_over(&id, Phase::Lost { sentence });
            }
        }
    }
}
