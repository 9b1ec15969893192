//! Which nodes have gone away, and for how long?
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
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api,
    runtime::{WatchStreamExt, watcher},
};
use model::ExecutionId;

use super::{Shared, locked, phase};

const LOOK: Duration = Duration::from_secs(1);

/// Until it is aborted.
pub async fn watch(shared: &Arc<Shared>) {
    let nodes: Api<Node> = Api::all(shared.client.clone());
    let mut stream = pin!(watcher(nodes, watcher::Config::default()).default_backoff());
    let mut away = BTreeMap::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            event = stream.next() => match event {
                Some(Ok(event)) => take(event, &mut away),
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

impl Shared {
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
