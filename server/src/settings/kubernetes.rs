//! How does a cluster have to be used?
//!
//! The table `[kubernetes]` of `fletchline.toml`. Everything in it is typed: there is no way for free-form parts of a
//! manifest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use app::api::site::SettingView;
use model::{IdRange, KindName, Memory, RunAs, Seconds};
use serde::Deserialize;

use super::{SettingsError, Source};

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kubernetes {
    /// None: the one that the kubeconfig or the service account names.
    pub namespace: Option<String>,
    /// Fletchline's own image.
    pub image: String,
    /// The claim that is the results volume.
    pub results: String,
    /// The Secret that holds the installation's secrets.
    pub secrets: String,
    /// `user:group` of every task that chooses no other.
    #[serde(deserialize_with = "user_and_group")]
    pub run_as: (u32, u32),
    /// Users and groups that a task may choose. None: it may not.
    pub run_as_range: Option<IdRange>,
    pub gpu_resource: String,
    pub node_selector: BTreeMap<String, String>,
    pub tolerations: Vec<Toleration>,
    pub pull_secrets: Vec<String>,
    /// Beginnings of image names and what stands in their place.
    pub registries: BTreeMap<String, String>,
    /// The image of a kind that says none, see [`Kubernetes::default_images`].
    pub images: BTreeMap<KindName, String>,
    /// The ConfigMap with the certificate authorities that a Load Data trusts. None: those of Fletchline's own image.
    pub certificates: Option<String>,
    pub node_lost_seconds: Seconds,
    pub new_claims: NewClaims,
    /// The fields that the file has.
    #[serde(skip)]
    written: BTreeSet<String>,
}

/// What a claim is like that `fletchline cluster prepare` makes because it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewClaims {
    pub size: Memory,
    /// None: the cluster's default.
    pub storage_class: Option<String>,
    pub access: ClaimAccess,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ClaimAccess {
    /// Every storage can: tasks that share the claim run on one node.
    ReadWriteOnce,
    ReadWriteMany,
}

impl Default for NewClaims {
    fn default() -> Self {
        NewClaims { size: Memory(50 << 30), storage_class: None, access: ClaimAccess::ReadWriteOnce }
    }
}

impl fmt::Display for NewClaims {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = self
            .storage_class
            .as_deref()
            .map_or("the default storage class".to_owned(), |class| format!("storage class {class}"));
        write!(out, "{}, {:?}, {class}", self.size, self.access)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toleration {
    pub key: String,
    pub value: Option<String>,
    pub effect: Option<String>,
}

impl Default for Kubernetes {
    fn default() -> Self {
        Kubernetes {
            namespace: None,
            image: concat!("fletchline:", env!("CARGO_PKG_VERSION")).to_owned(),
            results: "fletchline-results".to_owned(),
            secrets: "fletchline-secrets".to_owned(),
            run_as: (1000, 1000),
            run_as_range: None,
            gpu_resource: "nvidia.com/gpu".to_owned(),
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            pull_secrets: Vec::new(),
            registries: BTreeMap::new(),
            images: BTreeMap::new(),
            certificates: None,
            node_lost_seconds: Seconds(120),
            new_claims: NewClaims::default(),
            written: BTreeSet::new(),
        }
    }
}

fn user_and_group<'de, D: serde::Deserializer<'de>>(from: D) -> Result<(u32, u32), D::Error> {
    let text = String::deserialize(from)?;
    let read = text.parse::<RunAs>().ok().and_then(|ids| Some((ids.user, ids.group?)));
    read.ok_or_else(|| {
        serde::de::Error::custom(format!("run_as: \"{text}\" does not fit: write user:group in numbers, as 1000:1000"))
    })
}

/// `host/fletchline:1` gives `host/fletchline-python:1`.
fn beside(image: &str) -> String {
    let name = image.split('@').next().unwrap_or(image);
    let colon = name.rfind(':').filter(|at| name.rfind('/').is_none_or(|slash| slash < *at));
    let (name, version) = colon.map_or((name, env!("CARGO_PKG_VERSION")), |at| (&name[..at], &name[at + 1..]));
    format!("{name}-python:{version}")
}

pub(super) fn parse(value: toml::Value) -> Result<Kubernetes, SettingsError> {
    let wrong = |sentence: String| SettingsError::Value { place: "kubernetes (fletchline.toml)".into(), sentence };
    let written = value.as_table().into_iter().flat_map(|table| table.keys().cloned()).collect();
    let read: Kubernetes = value.try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    match read.run_as {
        (0, _) => Err(wrong("run_as: a task never runs as root: choose another user".into())),
        _ => Ok(Kubernetes { written, ..read }),
    }
}

/// Kinds with an image of ours. A Job and a Container take the Notebook's.
const OURS: [KindName; 3] = [KindName::Notebook, KindName::Viewer, KindName::Serving];

impl Kubernetes {
    /// What runs a task of a kind that names no image: what the settings name, else our own `fletchline-python`, in the
    /// registry and of the version that `image` has.
    pub fn default_images(&self) -> BTreeMap<KindName, String> {
        let ours = OURS.map(|kind| (kind, beside(&self.image)));
        let mut images = BTreeMap::from(ours);
        images.extend(self.images.clone());
        images
    }

    pub(super) fn views(&self) -> Vec<SettingView> {
        let view = |name: &str, value: String, help: &str| SettingView {
            name: format!("kubernetes.{name}"),
            value,
            source: if self.written.contains(name) { Source::File } else { Source::Default }.text(name),
            help: help.into(),
        };
        let listed = |all: &BTreeMap<String, String>| {
            all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
        };
        let tolerated: Vec<&str> = self.tolerations.iter().map(|one| one.key.as_str()).collect();
        let mut views = vec![
            view("namespace", self.namespace.clone().unwrap_or_default(), "The namespace that tasks run in."),
            view("image", self.image.clone(), "Fletchline's own image, which prepares every task."),
            view("results", self.results.clone(), "The claim that is the results volume."),
            view("secrets", self.secrets.clone(), "The Secret that holds what tasks get as secrets."),
            view(
                "run_as",
                format!("{}:{}", self.run_as.0, self.run_as.1),
                "User and group of a task that chooses none.",
            ),
            view(
                "run_as_range",
                self.run_as_range.map(|range| range.to_string()).unwrap_or_default(),
                "Users and groups that a task may choose.",
            ),
            view("gpu_resource", self.gpu_resource.clone(), "What a GPU is called on this cluster."),
            view("node_selector", listed(&self.node_selector), "Labels of the nodes that tasks run on."),
            view("tolerations", tolerated.join(", "), "Taints of nodes that tasks run on nevertheless."),
            view("pull_secrets", self.pull_secrets.join(", "), "Secrets that images are pulled with."),
            view("registries", listed(&self.registries), "Beginnings of image names and what stands in their place."),
            view(
                "certificates",
                self.certificates.clone().unwrap_or_default(),
                "Whose certificates a Load Data trusts.",
            ),
            view("node_lost_seconds", self.node_lost_seconds.0.to_string(), "After how long a silent node is lost."),
            view("new_claims", self.new_claims.to_string(), "Claims that `fletchline cluster prepare` makes."),
        ];
        let image = |(kind, image): (&KindName, &String)| {
            let source = if self.images.contains_key(kind) { Source::File.text("") } else { "beside `image`".into() };
            let name = format!("images.{}", kind.key());
            SettingView { source, ..view(&name, image.clone(), "The image of a task that names none.") }
        };
        views.extend(self.default_images().iter().map(image));
        views
    }
}
