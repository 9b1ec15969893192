//! What does a pod of ours look like?

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        Affinity, Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, LocalObjectReference,
        Pod, PodAffinity, PodAffinityTerm, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ResourceRequirements,
        SeccompProfile, SecretKeySelector, SecurityContext, Toleration, Volume,
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use model::{
    EnvValue,
    launch::{Launch, Need, Work},
    path::WORK,
    pod::{ORDER, PYTHON_USER, PodOrder, READY_PATH, RULE_PATH},
    supervise::HELPER,
};

use super::{
    contents::contents,
    order::{linger, order},
    serves, volumes,
};
use crate::runner::{
    kube::{
        config::{KubeConfig, RunAs, Tolerated},
        name,
    },
    local::config::ProgramCommand,
    told,
};

/// Where our own image has its programs.
pub const OURS: &str = "/usr/local/bin";
/// The name of the container that runs the task.
pub const TASK: &str = "task";
/// The name of the one that makes its folders.
pub const PREPARE: &str = "prepare";
/// What copying snapshots may take, beyond the grace time.
pub const COPYING: u32 = 3600;
/// For ever: what makes a program ready is its own business.
const PATIENCE: i32 = i32::MAX;

/// # Errors
/// One sentence: it cannot be run on this cluster.
pub fn template(
    launch: &Launch,
    config: &KubeConfig,
    command: &ProgramCommand,
    image: &str,
) -> Result<PodTemplateSpec, String> {
    let name = name::name(&config.installation, &launch.execution);
    let order = order(launch, config, command);
    let seen = volumes::seen(launch, config, &name, &contents(launch, command))?;
    let held = held(&seen.volumes, config);
    let spec = PodSpec {
        affinity: together(&held),
        restart_policy: Some(if serves(&launch.program) { "Always" } else { "Never" }.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(pod_security(launch, config)),
        termination_grace_period_seconds: Some(grace(launch, launch.grace.0).into()),
        node_selector: (!config.node_selector.is_empty()).then(|| config.node_selector.clone()),
        tolerations: list(config.tolerations.iter().map(toleration).collect()),
        image_pull_secrets: list(
            config.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() }).collect(),
        ),
        init_containers: Some(vec![Container { volume_mounts: Some(seen.prepare), ..prepare(launch, config, &order) }]),
        containers: vec![Container { volume_mounts: Some(seen.task), ..task(launch, config, command, &order, image) }],
        volumes: Some(seen.volumes),
        ..PodSpec::default()
    };
    let metadata = ObjectMeta {
        labels: Some(name::labels(&config.installation, launch).into_iter().chain(held).collect()),
        annotations: Some(name::annotations(launch)),
        ..ObjectMeta::default()
    };
    Ok(PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) })
}

/// Lands where others of ours have its claims mounted that one node at a time can mount, and draws others there.
pub fn beside(pod: &mut Pod, config: &KubeConfig) {
    let Some(spec) = &mut pod.spec else { return };
    let held = held(spec.volumes.as_deref().unwrap_or_default(), config);
    spec.affinity = together(&held);
    pod.metadata.labels.get_or_insert_default().extend(held);
}

/// A label for each claim of its that one node at a time can mount.
fn held(volumes: &[Volume], config: &KubeConfig) -> BTreeMap<String, String> {
    let claims = volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    let held = claims.map(|claim| &claim.claim_name).filter(|claim| config.one_node.contains(*claim));
    held.map(|claim| (format!("fletchline.io/claim-{}", &name::hash(claim.as_bytes())[..10]), "held".to_owned()))
        .collect()
}

/// Where another pod of ours has the claim mounted already; anywhere, where none has.
fn together(held: &BTreeMap<String, String>) -> Option<Affinity> {
    let term = |(key, value): (&String, &String)| PodAffinityTerm {
        label_selector: Some(LabelSelector {
            match_labels: Some(BTreeMap::from([(key.clone(), value.clone())])),
            match_expressions: None,
        }),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    let pods = list(held.iter().map(term).collect()).map(|terms| PodAffinity {
        required_during_scheduling_ignored_during_execution: Some(terms),
        ..PodAffinity::default()
    });
    pods.map(|pods| Affinity { pod_affinity: Some(pods), ..Affinity::default() })
}

/// Seconds after which the kubelet kills what was asked to end. 0 would mean: forget it at once.
pub fn grace(launch: &Launch, seconds: u32) -> u32 {
    let copying = if launch.snapshots.is_empty() { 0 } else { COPYING };
    linger(&launch.program).0 + seconds.max(1) + copying
}

fn list<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// A user that the task has chosen is in the installation's group, too: by it, tasks share the results volume.
fn pod_security(launch: &Launch, config: &KubeConfig) -> PodSecurityContext {
    let of_all = config.run_as;
    let own = launch.run_as.map(|own| RunAs { user: own.user, group: own.group.unwrap_or(of_all.group) });
    let run_as = own.unwrap_or(of_all);
    PodSecurityContext {
        run_as_non_root: (run_as.user != 0).then_some(true),
        run_as_user: Some(run_as.user.into()),
        run_as_group: Some(run_as.group.into()),
        supplemental_groups: (run_as.group != of_all.group).then(|| vec![of_all.group.into()]),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

fn security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
        ..SecurityContext::default()
    }
}

pub fn toleration(tolerated: &Tolerated) -> Toleration {
    Toleration {
        key: Some(tolerated.key.clone()),
        operator: Some(if tolerated.value.is_some() { "Equal" } else { "Exists" }.to_owned()),
        value: tolerated.value.clone(),
        effect: tolerated.effect.clone(),
        toleration_seconds: None,
    }
}

fn prepare(launch: &Launch, config: &KubeConfig, order: &PodOrder) -> Container {
    let text = serde_json::to_string(order).unwrap_or_default();
    Container {
        name: PREPARE.to_owned(),
        image: Some(config.image.clone()),
        command: Some(vec![format!("{OURS}/fletchline-task"), "pod".to_owned(), "prepare".to_owned()]),
        env: Some(vec![variable(ORDER, &text)]),
        // A namespace with a quota wants them of every container; the task's own are not taken twice.
        resources: resources(&Need { gpu: 0, ..launch.resources }, config),
        security_context: Some(security()),
        ..Container::default()
    }
}

fn task(launch: &Launch, config: &KubeConfig, command: &ProgramCommand, order: &PodOrder, image: &str) -> Container {
    let helper = [HELPER, "pod", "run"].map(str::to_owned);
    let argv = command.argv.iter().map(|word| literal(word));
    let ports =
        launch.ports.iter().map(|port| ContainerPort { container_port: (*port).into(), ..ContainerPort::default() });
    let (startup, readiness) = probes(order);
    Container {
        name: TASK.to_owned(),
        image: Some(image.to_owned()),
        command: Some(helper.into_iter().chain(argv).collect()),
        working_dir: Some(WORK.to_owned()),
        env: Some(environment(launch, config, command)),
        ports: list(ports.collect()),
        resources: resources(&launch.resources, config),
        startup_probe: startup,
        readiness_probe: readiness,
        security_context: Some(security()),
        ..Container::default()
    }
}

/// Kubernetes keeps two answers for us: it has started when the program is ready, and is ready when the rule holds that
/// lets the run go on. Without a rule, ready is ready.
fn probes(order: &PodOrder) -> (Option<Probe>, Option<Probe>) {
    let Some(port) = order.probe else { return (None, None) };
    let probe = |path: &str, failures: i32| Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(port.into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(1),
        failure_threshold: Some(failures),
        ..Probe::default()
    };
    match order.advance {
        Some(_) => (Some(probe(READY_PATH, PATIENCE)), Some(probe(RULE_PATH, 1))),
        None => (None, Some(probe(READY_PATH, 1))),
    }
}

/// What it asks for is what it gets, neither less nor more: so it is evicted last.
fn resources(need: &Need, config: &KubeConfig) -> Option<ResourceRequirements> {
    let mut all = BTreeMap::new();
    if let Some(cpu) = need.cpu {
        all.insert("cpu".to_owned(), Quantity(format!("{}m", cpu.0)));
    }
    if let Some(memory) = need.memory {
        all.insert("memory".to_owned(), Quantity(memory.0.to_string()));
    }
    if need.gpu > 0 {
        all.insert(config.gpu_resource.clone(), Quantity(need.gpu.to_string()));
    }
    let some = (!all.is_empty()).then_some(all);
    some.map(|all| ResourceRequirements { requests: Some(all.clone()), limits: Some(all), claims: None })
}

/// The cluster would fill in `$(NAME)`, and take `$$` for `$`.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        literal.push(c);
        if c == '$' && matches!(rest.peek(), Some('$' | '(')) {
            literal.push('$');
        }
    }
    literal
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(literal(value)), value_from: None }
}

/// Ours, then the task's own, then what its program needs.
fn environment(launch: &Launch, config: &KubeConfig, command: &ProgramCommand) -> Vec<EnvVar> {
    let mut all: BTreeMap<String, EnvVar> = BTreeMap::new();
    let mut set = |name: &str, one: EnvVar| all.insert(name.to_owned(), one);
    for (name, value) in told(launch) {
        set(&name, variable(&name, &value));
    }
    if launch.resources.gpu == 0 {
        // Images of NVIDIA's show all GPUs of a node unless they are told otherwise.
        set("NVIDIA_VISIBLE_DEVICES", variable("NVIDIA_VISIBLE_DEVICES", "void"));
    }
    if let Work::Kept { .. } = &launch.work {
        // `pip install` lands in the work folder, and is found again wherever that is.
        set(PYTHON_USER, variable(PYTHON_USER, &format!("{WORK}/.python")));
    }
    for (name, execution) in &launch.addresses {
        set(name, variable(name, &format!("http://{}", name::name(&config.installation, execution))));
    }
    for (name, value) in &launch.env {
        let one = match value {
            EnvValue::Value(value) => variable(name, value),
            EnvValue::Secret(secret) => from_secret(name, &config.secrets, secret),
        };
        set(name, one);
    }
    for (name, value) in &command.env {
        set(name, variable(name, value));
    }
    all.into_values().collect()
}

fn from_secret(name: &str, secret: &str, key: &str) -> EnvVar {
    let reference = SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: None };
    let source = EnvVarSource { secret_key_ref: Some(reference), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value: None, value_from: Some(source) }
}
