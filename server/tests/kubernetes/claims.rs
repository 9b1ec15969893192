//! Is a claim made ready for tasks, and does it say what is missing where it cannot be?

use std::{fs, os::unix::fs::MetadataExt, sync::Arc};

use k8s_openapi::{
    api::{
        core::v1::{Namespace, PersistentVolumeClaim},
        storage::v1::StorageClass,
    },
    serde_json::json,
};
use kube::{Api, Client, api::DeleteParams};
use model::{Acl, Memory};
use server::runner::kube::{
    KubeConfig, KubeRunner, claims,
    config::{ClaimVolume, NewClaims},
};

use crate::{
    check,
    cluster::{Cluster, PATIENCE, USER, config, inside, make},
};

/// A namespace that takes pods of root.
pub async fn open(cluster: &Cluster, name: &str) -> (Client, Cluster) {
    let (client, restricted) = cluster.client().await;
    let open = Cluster::called(format!("{restricted}-{name}"));
    make::<Namespace>(Api::all(client.clone()), json!({"metadata": {"name": open.namespace()}})).await;
    (client, open)
}

async fn until_bound(client: &Client, namespace: &str, claim: &str) {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let is_bound = |claim: Option<&PersistentVolumeClaim>| {
        claim.and_then(|claim| claim.status.as_ref()?.phase.as_deref()) == Some("Bound")
    };
    let bound = kube::runtime::wait::await_condition(claims, claim, is_bound);
    tokio::time::timeout(PATIENCE, bound).await.expect("a claim that is bound").unwrap();
}

pub async fn missing_claims_are_made_as_the_settings_say_and_those_that_are_there_are_left(cluster: Cluster) {
    let (client, open) = open(&cluster, "made").await;
    let team = ClaimVolume { claim: "nas".into(), access: Acl::ReadWrite };
    // Such a claim stays Pending until a pod mounts it.
    let class = format!("{}-late", open.namespace());
    let late = json!({"metadata": {"name": class}, "provisioner": "kubernetes.io/host-path",
        "volumeBindingMode": "WaitForFirstConsumer"});
    make::<StorageClass>(Api::all(client.clone()), late).await;
    let new = NewClaims { size: Memory(3 << 30), storage_class: Some(class.clone()), for_many: true };
    let asked =
        KubeConfig { volumes: [("team".to_owned(), team)].into(), new_claims: new.clone(), ..config(open.namespace()) };
    for claim in asked.claims() {
        let said = claims::make(&client, &asked, claim).await.unwrap();
        assert_eq!(said, format!("Claim {claim}: made, 3 GiB, ReadWriteMany."));
    }
    let all: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), open.namespace());
    let before = all.get("nas").await.unwrap().spec.unwrap();
    assert_eq!(before.resources.unwrap().requests.unwrap()["storage"].0, "3Gi");
    let other = KubeConfig { new_claims: NewClaims { size: Memory(9 << 30), for_many: false, ..new }, ..asked.clone() };
    let said = claims::make(&client, &other, "nas").await.unwrap();
    assert_eq!(said, "Claim nas: there already, and left as it is.");
    let after = all.get("nas").await.unwrap().spec.unwrap();
    assert_eq!(after.access_modes, Some(vec!["ReadWriteMany".to_owned()]));

    claims::prepare(&client, &asked).await.unwrap();
    until_bound(&client, open.namespace(), "results").await;
    Api::<StorageClass>::all(client.clone()).delete(&class, &DeleteParams::default()).await.unwrap();
    let nowhere = claims::make(&client, &config("fletchline-nowhere"), "results").await.unwrap_err().to_string();
    assert!(nowhere.contains("kubectl create namespace fletchline-nowhere"), "{nowhere}");
}

pub async fn the_rights_of_the_server_inside_are_enough_to_prepare_and_check_a_claim_that_is_there(cluster: Cluster) {
    let (client, open) = open(&cluster, "rights").await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    open.claim(&client, "results", place.path()).await;
    let inside = inside(open.namespace()).await;

    let asked = KubeConfig { default_images: ["localhost/nowhere:1".to_owned()].into(), ..config(open.namespace()) };
    let said = claims::make(&inside, &asked, "results").await.unwrap();
    assert_eq!(said, "Claim results: there already, and left as it is.");
    let refused = claims::make(&inside, &asked, "other").await.unwrap_err().to_string();
    assert!(refused.starts_with("The claim other could not be made: The cluster refuses this account"), "{refused}");
    claims::prepare(&inside, &asked).await.unwrap();
    let runner = KubeRunner::new(asked, inside, place.path().join("data"), Arc::new(|_| String::new())).checked();
    let found = check::until(&runner, |faults| !faults.images.is_empty()).await;
    assert_eq!(found.all, None);
    drop(runner);
}

pub async fn a_claim_is_prepared_once_as_root_or_it_is_said_who_has_to_do_what(cluster: Cluster) {
    let (client, restricted) = cluster.client().await;
    let refused = claims::prepare(&client, &config(restricted)).await.unwrap_err().to_string();
    assert!(refused.contains("install -d -m 2775 -o 1000 -g 1000 pipeline"), "{refused}");

    let (client, open) = open(&cluster, "open").await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let asked = KubeConfig { results: "results".into(), ..config(open.namespace()) };
    let missing = claims::status(&client, &asked).await.unwrap().to_string();
    assert!(missing.contains("Claim results: not there"), "{missing}");

    open.claim(&client, "results", place.path()).await;
    until_bound(&client, open.namespace(), "results").await;
    let there = claims::status(&client, &asked).await.unwrap().to_string();
    assert!(there.contains("Claim results: bound, ReadWriteMany; tasks run on any node."), "{there}");
    for _ in 0..2 {
        claims::prepare(&client, &asked).await.unwrap();
    }
    let made = fs::metadata(place.path().join("pipeline")).unwrap();
    assert_eq!((made.uid(), made.gid(), made.mode() & 0o7777), (USER, USER, 0o2775));
}
