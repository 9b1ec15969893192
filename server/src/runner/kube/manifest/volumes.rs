//! Which folders does each container of a pod see?

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, ConfigMapVolumeSource, EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource,
    ProjectedVolumeSource, SecretProjection, Volume, VolumeMount, VolumeProjection,
};
use model::{
    Acl,
    launch::{Launch, Mount, Program, RESULTS, Work},
    pod::{CONTENTS, LINKS, LINKS_AT, OWN_AT, RESULTS_AT, SCRATCH_AT, UPLOADS, UPLOADS_AT},
    supervise::{SCRATCH, TASK_STATE, TASK_STATE_AT},
};

use super::{
    contents::{Contents, copies_key},
    order,
};
use crate::runner::{kube::config::KubeConfig, local::load};

const HELPER: &str = "helper";
const SCRATCHES: &str = "scratch";
const WRITTEN: &str = "contents";
/// For single files of the contents, which are not mounted from a projection.
const COPIES: &str = "copies";
const CERTIFICATES: &str = "certificates";
const CERTIFICATES_AT: &str = "/etc/ssl/company";
/// What [`KubeConfig::certificates`] has, as a load sees it.
pub const TRUSTED: &str = "/etc/ssl/company/ca-certificates.crt";

/// Names each claim once.
struct Claims<'a> {
    config: &'a KubeConfig,
    /// Volume names by claim.
    used: BTreeMap<String, String>,
}

impl Claims<'_> {
    fn volume(&mut self, claim: &str) -> String {
        let next = format!("claim-{}", self.used.len());
        self.used.entry(claim.to_owned()).or_insert(next).clone()
    }

    fn results(&mut self, path: &str, below: &str, writable: bool) -> VolumeMount {
        let name = self.volume(&self.config.results.clone());
        mount(&name, path, Some(below), writable)
    }

    fn one(&mut self, wanted: &Mount) -> Result<Vec<VolumeMount>, String> {
        let path = wanted.mount_path.normal().0;
        if wanted.id == RESULTS {
            // Results are read; the results of another task are never written.
            return Ok(vec![self.results(&path, wanted.sub_path.as_deref().unwrap_or("pipeline"), false)]);
        }
        let volume = self.config.volumes.get(&wanted.id).ok_or_else(|| {
            format!(
                "There is no shared volume \"{}\" with a claim in the settings: add it to fletchline.toml.",
                wanted.id
            )
        })?;
        let writable = wanted.acl == Acl::ReadWrite && volume.access == Acl::ReadWrite;
        let below = wanted.sub_path.as_deref().map(|path| path.trim_matches('/')).filter(|path| !path.is_empty());
        let name = self.volume(&volume.claim);
        let mut mounts = vec![mount(&name, &path, below, writable)];
        if below.is_none() && volume.claim == self.config.results {
            mounts.push(mount(&name, &format!("{path}/pipeline"), Some("pipeline"), false));
        }
        Ok(mounts)
    }
}

fn mount(volume: &str, path: &str, below: Option<&str>, writable: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        sub_path: below.map(str::to_owned),
        read_only: (!writable).then_some(true),
        ..VolumeMount::default()
    }
}

/// The volumes of a pod and what its two containers mount.
pub struct Seen {
    pub volumes: Vec<Volume>,
    pub prepare: Vec<VolumeMount>,
    pub task: Vec<VolumeMount>,
}

/// # Errors
/// One sentence: a volume is not known.
pub fn seen(launch: &Launch, config: &KubeConfig, name: &str, contents: &Contents) -> Result<Seen, String> {
    let mut claims = Claims { config, used: BTreeMap::new() };
    let mut prepare = vec![
        mount(HELPER, "/fletchline", None, true),
        mount(SCRATCHES, SCRATCH_AT, None, true),
        claims.results(&format!("{RESULTS_AT}/pipeline"), "pipeline", true),
    ];
    let mut volumes = vec![empty(HELPER), empty(SCRATCHES)];
    if contents.plain.is_some() || contents.secret.is_some() {
        prepare.push(mount(WRITTEN, CONTENTS, None, false));
        volumes.push(written(name, contents));
    }
    let mut task = own(launch, &mut claims);
    for wanted in &launch.mounts {
        task.extend(claims.one(wanted)?);
    }
    for output in &launch.outputs {
        task.push(claims.results(&output.path.normal().0, &output.folder, true));
    }
    for (index, copies) in launch.copies_json.iter().enumerate() {
        let path = format!("{}/copies.json", copies.path.normal());
        task.push(mount(COPIES, &path, Some(&copies_key(index)), false));
    }
    if !launch.copies_json.is_empty() {
        volumes.push(copies(name));
    }
    if let (Program::Load { .. }, Some(name)) = (&launch.program, &config.certificates) {
        task.push(mount(CERTIFICATES, CERTIFICATES_AT, None, false));
        volumes.push(authorities(name));
    }
    // Outer ones first, so that an inner one lies upon them.
    task.sort_by(|one, other| one.mount_path.cmp(&other.mount_path));
    volumes.extend(claims.used.into_iter().map(|(claim, name)| claimed(&name, &claim)));
    Ok(Seen { volumes, prepare, task })
}

/// Its work folder, /tmp, and what is ours.
fn own(launch: &Launch, claims: &mut Claims) -> Vec<VolumeMount> {
    let scratch = |path: &str, below: &str| mount(SCRATCHES, path, Some(below), true);
    let mut own = vec![
        mount(HELPER, "/fletchline", None, true),
        scratch("/tmp", SCRATCH[1]),
        scratch(TASK_STATE_AT, TASK_STATE),
        match &launch.work {
            Work::Kept { folder } => claims.results("/work", folder, true),
            Work::Scratch => scratch("/work", SCRATCH[0]),
        },
    ];
    if !launch.snapshots.is_empty() || (launch.keeps() && claims.config.run_as_range.is_some()) {
        own.push(claims.results(OWN_AT, &order::own(launch), true));
    }
    if launch.program == Program::Viewer {
        own.push(scratch(LINKS_AT, LINKS));
    }
    if let Program::Load { downloads, .. } = &launch.program {
        own.push(claims.results(load::DOWNLOADS_AT, downloads, true));
        own.push(scratch(UPLOADS_AT, UPLOADS));
    }
    own
}

fn authorities(name: &str) -> Volume {
    let source = ConfigMapVolumeSource { name: name.to_owned(), ..ConfigMapVolumeSource::default() };
    Volume { name: CERTIFICATES.to_owned(), config_map: Some(source), ..Volume::default() }
}

fn empty(name: &str) -> Volume {
    Volume { name: name.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
}

fn claimed(name: &str, claim: &str) -> Volume {
    let source = PersistentVolumeClaimVolumeSource { claim_name: claim.to_owned(), read_only: None };
    Volume { name: name.to_owned(), persistent_volume_claim: Some(source), ..Volume::default() }
}

fn written(name: &str, contents: &Contents) -> Volume {
    let plain = contents.plain.as_ref().map(|_| VolumeProjection {
        config_map: Some(ConfigMapProjection { name: name.to_owned(), ..ConfigMapProjection::default() }),
        ..VolumeProjection::default()
    });
    let secret = contents.secret.as_ref().map(|_| VolumeProjection {
        secret: Some(SecretProjection { name: name.to_owned(), ..SecretProjection::default() }),
        ..VolumeProjection::default()
    });
    let sources = plain.into_iter().chain(secret).collect();
    let projected = ProjectedVolumeSource { sources: Some(sources), ..ProjectedVolumeSource::default() };
    Volume { name: WRITTEN.to_owned(), projected: Some(projected), ..Volume::default() }
}

fn copies(name: &str) -> Volume {
    let source = ConfigMapVolumeSource { name: name.to_owned(), ..ConfigMapVolumeSource::default() };
    Volume { name: COPIES.to_owned(), config_map: Some(source), ..Volume::default() }
}
