//! Is a claim made ready for tasks, and does it say what is missing where it cannot be?

use std::{fs, os::unix::fs::MetadataExt};

use k8s_openapi::{
    api::core::v1::{Namespace, PersistentVolumeClaim},
    serde_json::json,
};
use kube::Api;
use server::runner::kube::{KubeConfig, claims};

use crate::cluster::{Cluster, PATIENCE, USER, config, make};

pub async fn a_claim_is_prepared_once_as_root_or_it_is_said_who_has_to_do_what(cluster: Cluster) {
    let (client, restricted) = cluster.client().await;
    let refused = claims::prepare(&client, &config(restricted)).await.unwrap_err().to_string();
    assert!(refused.contains("install -d -o 1000 -g 1000 pipeline"), "{refused}");

    let open = Cluster::called(format!("{restricted}-open"));
    let namespace = json!({"metadata": {"name": open.namespace()}});
    make::<Namespace>(Api::all(client.clone()), namespace).await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let asked = KubeConfig { results: "results".into(), ..config(open.namespace()) };
    let missing = claims::status(&client, &asked).await.unwrap().to_string();
    assert!(missing.contains("Claim results: not there"), "{missing}");

    open.claim(&client, "results", place.path()).await;
    let claims_there: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), open.namespace());
    let is_bound = |claim: Option<&PersistentVolumeClaim>| {
        claim.and_then(|claim| claim.status.as_ref()?.phase.as_deref()) == Some("Bound")
    };
    let bound = kube::runtime::wait::await_condition(claims_there, "results", is_bound);
    tokio::time::timeout(PATIENCE, bound).await.expect("a claim that is bound").unwrap();
    let there = claims::status(&client, &asked).await.unwrap().to_string();
    assert!(there.contains("Claim results: bound, ReadWriteMany; tasks run on any node."), "{there}");
    for _ in 0..2 {
        claims::prepare(&client, &asked).await.unwrap();
    }
    let made = fs::metadata(place.path().join("pipeline")).unwrap();
    assert_eq!((made.uid(), made.gid()), (USER, USER));
    open.remove_all(&client).await;
}
