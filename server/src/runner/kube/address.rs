//! Where do programs of the cluster find a Serving?
//!
//! Each version has a Service of its own. The task has one more, which outlives its versions and selects the live one.

use std::{collections::BTreeSet, io::ErrorKind, time::Duration};

use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use model::ExecutionId;
use tokio::{net::TcpStream, time::timeout};

use super::{
    Shared,
    actions::{asked, unless_absent},
    locked,
    manifest::{PORT, service},
    name, phase,
};
use crate::runner::{Addresses, RunnerError};

/// How long a Service may take to connect, before another way is taken.
const TO_CONNECT: Duration = Duration::from_secs(2);

/// From every namespace.
pub fn of(namespace: &str, service: &str) -> String {
    format!("http://{}", host(namespace, service))
}

fn host(namespace: &str, service: &str) -> String {
    format!("{service}.{namespace}.svc")
}

impl Shared {
    /// A connection to what serves, by its own Service. `None`: it has none, or none leads there from here.
    pub(super) async fn near(&self, id: &ExecutionId) -> Option<TcpStream> {
        let serves = locked(&self.pods).get(id).is_some_and(|known| phase::serves(&known.pod));
        if !self.config.inside || !serves {
            return None;
        }
        let host = host(&self.config.namespace, &self.name(id));
        let connected = timeout(TO_CONNECT, TcpStream::connect((host.as_str(), PORT))).await;
        match connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!("{host} cannot be reached from here: {error}");
                None
            }
        }
    }

    /// As [`crate::runner::Runner::lead`].
    pub(super) async fn lead(&self, live: &[(ExecutionId, Option<u16>)]) -> Result<Addresses, RunnerError> {
        let (config, all) = (&self.config, self.all::<Service>());
        let (mut addresses, mut names) = (Addresses::new(), BTreeSet::new());
        for (execution, port) in live {
            let meta = name::address(&config.installation, &config.namespace, execution);
            let name = meta.name.clone().unwrap_or_default();
            if let Some(port) = port {
                let wanted = Patch::Apply(service(&meta, self.name(execution), *port));
                asked(all.patch(&name, &PatchParams::apply("fletchline").force(), &wanted)).await?;
            }
            addresses.insert((execution.pipeline.clone(), execution.task.clone()), of(&config.namespace, &name));
            names.insert(name);
        }
        let ours = ListParams::default().labels(&name::addresses(&config.installation));
        let there = asked(all.list(&ours)).await?.into_iter().filter_map(|service| service.metadata.name);
        for name in there.filter(|name| !names.contains(name)) {
            unless_absent(asked(all.delete(&name, &DeleteParams::background())).await)?;
        }
        Ok(addresses)
    }
}
