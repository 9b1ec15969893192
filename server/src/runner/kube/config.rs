//! What must a Kubernetes runner be told about the installation?

use std::collections::{BTreeMap, BTreeSet};

use model::{Acl, IdRange, Memory, Seconds};

/// Allow-listed and typed: nothing of a document reaches a manifest by another way.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeConfig {
    /// Names what is ours in the namespace.
    pub installation: String,
    pub namespace: String,
    /// The server itself runs in a pod, where the cluster's names and addresses lead somewhere.
    pub inside: bool,
    /// Our own image: it prepares every task and loads.
    pub image: String,
    /// The claim that is the results volume.
    pub results: String,
    /// Of this one and the shared ones, those that one node at a time can mount.
    pub one_node: BTreeSet<String>,
    /// Shared volumes by name.
    pub volumes: BTreeMap<String, ClaimVolume>,
    /// The Secret whose keys are the installation's secrets.
    pub secrets: String,
    pub run_as: RunAs,
    /// What tasks may choose instead.
    pub run_as_range: Option<IdRange>,
    pub gpu_resource: String,
    pub node_selector: BTreeMap<String, String>,
    pub tolerations: Vec<Tolerated>,
    pub pull_secrets: Vec<String>,
    /// What tasks run in that name no image.
    pub default_images: BTreeSet<String>,
    /// Beginnings of image names and what stands in their place.
    pub registries: BTreeMap<String, String>,
    /// Hosts and ranges of private addresses that may be loaded from.
    pub load_from: Vec<String>,
    /// The ConfigMap whose `ca-certificates.crt` a load trusts in place of our image's own.
    pub certificates: Option<String>,
    /// How long a node may be away before what ran on it counts as lost.
    pub node_lost: Seconds,
    pub new_claims: NewClaims,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimVolume {
    pub claim: String,
    /// The most that a task may do with it.
    pub access: Acl,
}

/// What a claim is like that is made because it is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClaims {
    pub size: Memory,
    /// None: the cluster's default.
    pub storage_class: Option<String>,
    /// Whether any number of nodes can mount it at a time.
    pub for_many: bool,
}

/// The user and group of a task's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunAs {
    pub user: u32,
    pub group: u32,
}

/// A taint of nodes that tasks may run on nevertheless. None: any value, any effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerated {
    pub key: String,
    pub value: Option<String>,
    pub effect: Option<String>,
}

impl KubeConfig {
    /// Those that tasks mount.
    pub fn claims(&self) -> BTreeSet<&str> {
        let shared = self.volumes.values().map(|volume| volume.claim.as_str());
        shared.chain([self.results.as_str()]).collect()
    }

    /// The image's name as this cluster's nodes find it. The longest beginning decides.
    pub fn found_at(&self, image: &str) -> String {
        let fits = self.registries.iter().filter(|(from, _)| image.starts_with(from.as_str()));
        match fits.max_by_key(|(from, _)| from.len()) {
            Some((from, to)) => format!("{to}{}", &image[from.len()..]),
            None => image.to_owned(),
        }
    }
}
