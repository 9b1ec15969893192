//! Which objects of a cluster are one execution?
//!
//! Pure: a launch, the installation's settings and the program's command in, objects out. What ends is one bare Pod; what
//! serves beyond a run is a Deployment and a Service. `docs/guide/kubernetes.md` tells administrators about them.
//!
//! # Guarantees
//! - Pod Security `restricted`: no capability, no privilege, no host path, the installation's user.
//! - Every folder of a volume is a claim and a sub-path. No secret's value is in an object that is not a Secret.
//! - `$(` in whatever people wrote means nothing to the cluster.

mod contents;
mod order;
mod pod;
#[cfg(test)]
pub(super) mod tests;
mod volumes;

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy},
        core::v1::{ConfigMap, Pod, PodTemplateSpec, Secret, Service, ServicePort, ServiceSpec},
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use model::launch::{Launch, Program};
use serde::Serialize;

pub use order::idle;
pub use pod::{COPYING, OURS, PREPARE, TASK, beside, toleration};
pub use volumes::TRUSTED;

use super::{
    config::KubeConfig,
    name::{self, EXECUTION, FINALIZER},
};
use crate::runner::local::config::ProgramCommand;

/// In the order in which they are made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    /// The script, files and copies of a task that has any.
    pub contents: Option<ConfigMap>,
    /// The files of a program of ours, which may hold a token.
    pub state: Option<Secret>,
    pub service: Option<Service>,
    pub workload: Option<Workload>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Workload {
    Pod(Box<Pod>),
    Deployment(Box<Deployment>),
}

/// # Errors
/// One sentence: it cannot be run on this cluster.
pub fn objects(launch: &Launch, config: &KubeConfig, command: &ProgramCommand) -> Result<Objects, String> {
    let image = image(launch, config)?;
    let contents = contents::contents(launch, command);
    let meta = meta(launch, config);
    let template = pod::template(launch, config, command, &image)?;
    let is_service = serves(&launch.program);
    let workload = match is_service {
        true => Workload::Deployment(Box::new(deployment(&meta, template))),
        false => Workload::Pod(Box::new(pod(&meta, template))),
    };
    Ok(Objects {
        contents: contents.plain.map(|data| ConfigMap {
            metadata: meta.clone(),
            data: Some(data),
            immutable: Some(true),
            ..ConfigMap::default()
        }),
        state: contents.secret.map(|data| Secret {
            metadata: meta.clone(),
            string_data: Some(data),
            immutable: Some(true),
            ..Secret::default()
        }),
        service: is_service.then(|| {
            let port = launch.ports.first().copied().unwrap_or(80);
            service(&meta, meta.name.clone().unwrap_or_default(), port)
        }),
        workload: Some(workload),
    })
}

/// What goes on beyond its run.
pub fn serves(program: &Program) -> bool {
    match program {
        Program::Viewer | Program::Serve { .. } => true,
        Program::Load { .. }
        | Program::Command { .. }
        | Program::Script { .. }
        | Program::Stay
        | Program::Notebook { .. }
        | Program::Pack { .. } => false,
    }
}

fn image(launch: &Launch, config: &KubeConfig) -> Result<String, String> {
    match (&launch.program, &launch.image) {
        (Program::Load { .. }, _) => Ok(config.image.clone()),
        (_, Some(image)) => Ok(config.found_at(image)),
        (_, None) => Err(format!(
            "{} has no image, and the installation has none for its kind: set one in the task or in fletchline.toml.",
            launch.name
        )),
    }
}

fn meta(launch: &Launch, config: &KubeConfig) -> ObjectMeta {
    ObjectMeta {
        name: Some(name::name(&config.installation, &launch.execution)),
        namespace: Some(config.namespace.clone()),
        labels: Some(name::labels(&config.installation, launch)),
        annotations: Some(name::annotations(launch)),
        ..ObjectMeta::default()
    }
}

fn pod(meta: &ObjectMeta, template: PodTemplateSpec) -> Pod {
    let labels = template.metadata.and_then(|template| template.labels);
    let metadata = ObjectMeta { finalizers: Some(vec![FINALIZER.to_owned()]), labels, ..meta.clone() };
    Pod { metadata, spec: template.spec, status: None }
}

fn by_execution(name: String) -> BTreeMap<String, String> {
    BTreeMap::from([(EXECUTION.to_owned(), name)])
}

/// One at a time: two of them would write into one folder of links, and hold two GPUs.
fn deployment(meta: &ObjectMeta, template: PodTemplateSpec) -> Deployment {
    Deployment {
        metadata: meta.clone(),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            strategy: Some(DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None }),
            selector: LabelSelector {
                match_labels: Some(by_execution(meta.name.clone().unwrap_or_default())),
                match_expressions: None,
            },
            template,
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

/// The port of every Service.
pub const PORT: u16 = 80;

/// Leads [`PORT`] to a port of the execution whose objects have this name.
pub fn service(meta: &ObjectMeta, execution: String, port: u16) -> Service {
    Service {
        metadata: meta.clone(),
        spec: Some(ServiceSpec {
            selector: Some(by_execution(execution)),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: PORT.into(),
                target_port: Some(IntOrString::Int(port.into())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

impl Objects {
    /// Several YAML documents, as `kubectl apply -f` takes them.
    pub fn yaml(&self) -> String {
        let mut text = String::new();
        let mut add = |document: String| text.push_str(&format!("---\n{document}"));
        if let Some(one) = &self.contents {
            add(yaml(one));
        }
        if let Some(one) = &self.state {
            add(yaml(one));
        }
        if let Some(one) = &self.service {
            add(yaml(one));
        }
        match &self.workload {
            Some(Workload::Pod(one)) => add(yaml(&**one)),
            Some(Workload::Deployment(one)) => add(yaml(&**one)),
            None => {}
        }
        text
    }
}

fn yaml(object: &impl Serialize) -> String {
    let text = serde_saphyr::to_string(object).unwrap_or_else(|error| format!("# It cannot be written: {error}\n"));
    if text.ends_with('\n') { text } else { format!("{text}\n") }
}
