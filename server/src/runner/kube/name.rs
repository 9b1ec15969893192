//! What are an execution's objects called, and how are they found again?

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use model::{ExecutionId, KindName, PipelineId, TaskId, launch::Launch};
use sha2::{Digest, Sha256};

use crate::runner::local::load;

/// Keeps an object until its end and its log are on our side.
pub const FINALIZER: &str = "fletchline.io/recorded";
pub const INSTALLATION: &str = "fletchline.io/installation";
/// A pod's kind of task.
const KIND: &str = "fletchline.io/kind";
pub const RUN: &str = "fletchline.io/run";
/// What was launched, so that a foreign object under our name is not taken for ours.
pub const SPEC: &str = "fletchline.io/spec";
/// The object's own name: what its Service selects by.
pub const EXECUTION: &str = "fletchline.io/execution";
/// Has the Service that leads to a task's live version.
const ADDRESS: &str = "fletchline.io/address";
const PIPELINE: &str = "fletchline.io/pipeline";
const TASK: &str = "fletchline.io/task";
const NUMBER: &str = "fletchline.io/n";
const TITLE: &str = "fletchline.io/name";
const UPLOADS: &str = "fletchline.io/uploads";
/// The longest name that is a host name, too.
const LONGEST: usize = 63;

/// Readable, and never another execution's.
pub fn name(installation: &str, id: &ExecutionId) -> String {
    unique(&format!("fl-{}-{}-{}", id.pipeline, id.task, id.n), &format!("{installation}/{id}"))
}

/// Of the Service that leads to the live version of this execution's task.
pub fn address(installation: &str, namespace: &str, id: &ExecutionId) -> ObjectMeta {
    let readable = format!("fl-{}-{}", id.pipeline, id.task);
    let owned = |(key, value): (&str, String)| (key.to_owned(), value);
    let labels = [
        ("app.kubernetes.io/managed-by", "fletchline".to_owned()),
        (INSTALLATION, label(installation)),
        (ADDRESS, "live".to_owned()),
    ];
    ObjectMeta {
        name: Some(unique(&readable, &format!("{installation}/{}/{}", id.pipeline, id.task))),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels.map(owned).into()),
        annotations: Some([(PIPELINE, id.pipeline.to_string()), (TASK, id.task.to_string())].map(owned).into()),
        ..ObjectMeta::default()
    }
}

/// Finds the Services that lead to live versions.
pub fn addresses(installation: &str) -> String {
    format!("{},{ADDRESS}", selector(installation))
}

/// The readable text as far as it fits, and the hash of the whole.
fn unique(readable: &str, whole: &str) -> String {
    let hash = &hash(whole.as_bytes())[..10];
    let readable = slug(readable);
    let cut: String = readable.chars().take(LONGEST - hash.len() - 1).collect();
    format!("{}-{hash}", cut.trim_end_matches('-'))
}

fn slug(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    plain.collect()
}

pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of everything that the launch says.
pub fn spec(launch: &Launch) -> String {
    let text = serde_json::to_vec(launch).unwrap_or_default();
    hash(&text)[..40].to_owned()
}

/// An id as a label's value, which may not end as an id may; ids that differ stay different.
pub fn label(id: &str) -> String {
    let is_end = |c: char| c.is_ascii_alphanumeric();
    if id.len() <= LONGEST && id.ends_with(is_end) { id.to_owned() } else { hash(id.as_bytes())[..40].to_owned() }
}

/// Finds everything of an installation.
pub fn selector(installation: &str) -> String {
    format!("{INSTALLATION}={}", label(installation))
}

pub fn labels(installation: &str, launch: &Launch) -> BTreeMap<String, String> {
    let all = [
        ("app.kubernetes.io/managed-by", "fletchline".to_owned()),
        (INSTALLATION, label(installation)),
        (RUN, label(launch.run.as_str())),
        (SPEC, spec(launch)),
        (KIND, launch.kind.key().to_owned()),
        (EXECUTION, name(installation, &launch.execution)),
    ];
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whether an object is a Load Data's.
pub fn is_load(meta: &ObjectMeta) -> bool {
    let labels = meta.labels.as_ref();
    labels.and_then(|labels| labels.get(KIND)).is_some_and(|is| is == KindName::LoadData.key())
}

/// The checksums of what is sent into its pod.
pub fn uploads(meta: &ObjectMeta) -> Vec<String> {
    let found = meta.annotations.as_ref().and_then(|all| all.get(UPLOADS));
    found.iter().flat_map(|all| all.split(',')).map(str::to_owned).collect()
}

/// What [`execution`] and [`uploads`] read.
pub fn annotations(launch: &Launch) -> BTreeMap<String, String> {
    let id = &launch.execution;
    let all = [
        (PIPELINE, id.pipeline.to_string()),
        (TASK, id.task.to_string()),
        (NUMBER, id.n.to_string()),
        (RUN, launch.run.to_string()),
        (TITLE, launch.name.clone()),
    ];
    let uploads = load::uploads(launch);
    let uploads = (!uploads.is_empty()).then(|| (UPLOADS, uploads.join(",")));
    all.into_iter().chain(uploads).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Which execution an object is. None: somebody has changed it.
pub fn execution(meta: &ObjectMeta) -> Option<ExecutionId> {
    let of = |key: &str| meta.annotations.as_ref()?.get(key).cloned();
    Some(ExecutionId {
        pipeline: PipelineId::new(of(PIPELINE)?).ok()?,
        task: TaskId::new(of(TASK)?).ok()?,
        n: of(NUMBER)?.parse().ok()?,
    })
}

/// Whether an object under our name is what this launch made.
pub fn is_of(meta: &ObjectMeta, installation: &str, launch: &Launch) -> bool {
    let has =
        |key: &str, value: &str| meta.labels.as_ref().and_then(|labels| labels.get(key)).is_some_and(|is| is == value);
    has(INSTALLATION, &label(installation)) && has(RUN, &label(launch.run.as_str())) && has(SPEC, &spec(launch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(pipeline: &str, task: &str, n: u64) -> ExecutionId {
        ExecutionId { pipeline: PipelineId::new(pipeline).unwrap(), task: TaskId::new(task).unwrap(), n }
    }

    #[test]
    fn a_name_is_a_host_name_and_of_one_execution_of_one_installation() {
        let long = "X".repeat(64);
        let all = [
            name("a", &id("p", "t", 1)),
            name("b", &id("p", "t", 1)),
            name("a", &id("p", "T", 1)),
            name("a", &id("p-t", "t", 1)),
            name("a", &id(&long, &long, u64::MAX)),
            name("a", &id(&long, &long, 1)),
            name("a", &id("p__", "t_-", 7)),
        ];
        for one in &all {
            assert!(one.len() <= 63 && one.starts_with("fl-") && !one.contains("_"), "{one}");
            assert!(one.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{one}");
        }
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert!(all[0].starts_with("fl-p-t-1-"));
    }

    #[test]
    fn an_id_that_no_label_can_hold_is_told_by_its_hash() {
        assert_eq!(label("run-1"), "run-1");
        assert_eq!(label("run-").len(), 40);
        assert_eq!(label(&"r".repeat(64)).len(), 40);
    }
}
