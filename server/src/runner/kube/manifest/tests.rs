//! Are the manifests what they were, and what a restricted namespace takes?

#[path = "../../../../tests/kubernetes/kinds.rs"]
pub mod kinds;

use std::collections::BTreeMap;

use kinds::{every_kind, job, launch, mount};
use model::{
    Acl, EnvValue, IdRange, KindName, Memory, Seconds,
    launch::{Launch, Program},
};

use super::{Objects, objects};
use crate::runner::kube::{
    config::{ClaimVolume, KubeConfig, NewClaims, RunAs, Tolerated},
    program,
};

pub fn config() -> KubeConfig {
    KubeConfig {
        installation: "5f0c".into(),
        inside: false,
        namespace: "fletchline".into(),
        image: "registry.example/fletchline:1".into(),
        results: "results".into(),
        one_node: std::collections::BTreeSet::new(),
        volumes: BTreeMap::from([
            ("team".into(), ClaimVolume { claim: "nas".into(), access: Acl::ReadWrite }),
            ("same".into(), ClaimVolume { claim: "results".into(), access: Acl::ReadOnly }),
        ]),
        secrets: "fletchline-secrets".into(),
        run_as: RunAs { user: 1000, group: 1000 },
        run_as_range: None,
        gpu_resource: "nvidia.com/gpu".into(),
        node_selector: BTreeMap::new(),
        tolerations: Vec::new(),
        pull_secrets: Vec::new(),
        default_images: std::collections::BTreeSet::new(),
        registries: BTreeMap::new(),
        load_from: Vec::new(),
        node_lost: Seconds(120),
        certificates: None,
        new_claims: NewClaims { size: Memory(1 << 30), storage_class: None, for_many: false },
    }
}

pub fn made(launch: &Launch, config: &KubeConfig) -> Objects {
    let command = program::command(launch, config, "TOKEN").unwrap();
    objects(launch, config, &command).unwrap()
}

fn refused(launch: &Launch, config: &KubeConfig) -> String {
    let command = program::command(launch, config, "TOKEN").unwrap();
    objects(launch, config, &command).unwrap_err()
}

#[test]
fn the_manifests_of_every_kind_are_as_they_were() {
    for (name, launch) in every_kind() {
        insta::assert_snapshot!(name, made(&launch, &config()).yaml());
    }
}

#[test]
fn settings_reach_every_pod_and_only_those_of_the_list() {
    let mut config = config();
    config.node_selector = BTreeMap::from([("pool".into(), "ml".into())]);
    config.tolerations = vec![Tolerated { key: "gpu".into(), value: None, effect: Some("NoSchedule".into()) }];
    config.pull_secrets = vec!["registry".into()];
    config.registries = BTreeMap::from([("python:".into(), "mirror.example/python:".into())]);
    config.one_node = ["nas".to_owned()].into();
    config.gpu_resource = "amd.com/gpu".into();
    config.run_as = RunAs { user: 2000, group: 3000 };
    insta::assert_snapshot!("settings", made(&job(), &config).yaml());
}

#[test]
fn a_task_runs_as_the_user_that_it_chose_in_the_group_that_all_share() {
    let config = KubeConfig { run_as_range: Some(IdRange { first: 2000, last: 3000 }), ..config() };
    let security = |run_as: Option<&str>| {
        let launch = Launch { run_as: run_as.map(|text| text.parse().unwrap()), ..job() };
        let yaml = made(&launch, &config).yaml();
        let lines = ["runAsUser: ", "runAsGroup: ", "supplementalGroups:\n    - "];
        lines.map(|line| yaml.split_once(line).map(|(_, rest)| rest.lines().next().unwrap_or_default().to_owned()))
    };
    let read = |all: [Option<&str>; 3]| all.map(|one| one.map(str::to_owned));
    assert_eq!(security(None), read([Some("1000"), Some("1000"), None]));
    assert_eq!(security(Some("2000")), read([Some("2000"), Some("1000"), None]));
    assert_eq!(security(Some("2000:3000")), read([Some("2000"), Some("3000"), Some("1000")]));
}

#[test]
fn a_load_and_nothing_else_is_given_the_certificates_of_the_settings() {
    let config = KubeConfig { certificates: Some("company".into()), ..config() };
    for (kind, launch) in every_kind() {
        let yaml = made(&launch, &config).yaml();
        let parts = ["name: SSL_CERT_FILE\n", "/etc/ssl/company/ca-certificates.crt", "mountPath: /etc/ssl/company\n"];
        assert_eq!(parts.map(|part| yaml.contains(part)), [kind == "load"; 3], "{kind}: {yaml}");
    }
}

#[test]
fn what_a_person_wrote_reaches_the_program_as_it_was() {
    let mut launch = launch("echo", KindName::Job, Program::Command { argv: vec!["$(A)".into(), "$$(B) $C".into()] });
    launch.env.insert("X".into(), EnvValue::Value("$(PATH)".into()));
    let yaml = made(&launch, &config()).yaml();
    assert!(yaml.contains("$$(A)") && yaml.contains("$$$$(B) $C") && yaml.contains("$$(PATH)"), "{yaml}");
}

#[test]
fn what_this_cluster_cannot_run_is_said_in_a_sentence() {
    let mut nothing = job();
    nothing.image = None;
    assert!(refused(&nothing, &config()).contains("has no image"));
    let mut unknown = job();
    unknown.mounts = vec![mount("lost", Acl::ReadOnly, "/lost", None)];
    assert!(refused(&unknown, &config()).contains("no shared volume \"lost\""));
}

#[test]
fn a_shared_volume_that_is_the_results_volume_shows_the_results_read_only() {
    let mut launch = job();
    launch.mounts = vec![mount("same", Acl::ReadWrite, "/all", None)];
    let yaml = made(&launch, &config()).yaml();
    let after = yaml.split("mountPath: /all/pipeline").nth(1).unwrap_or_else(|| panic!("{yaml}"));
    assert!(after.trim_start().starts_with("name: claim-0\n"), "{after}");
    assert!(after.split("mountPath").next().unwrap().contains("readOnly: true"), "{after}");
}
