//! Where do programs of the cluster find a Serving?
//!
//! Each version has a Service of its own. The task has one more, which outlives its versions and selects the live one.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use model::ExecutionId;

use super::{
    Shared,
    actions::{asked, unless_absent},
    manifest::service,
    name,
};
use crate::runner::{Addresses, RunnerError};

/// From every namespace.
pub fn of(namespace: &str, service: &str) -> String {
    format!("http://{service}.{namespace}.svc")
}

impl Shared {
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
