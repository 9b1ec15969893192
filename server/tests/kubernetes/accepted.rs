//! Does a real API server take every manifest as it is?

use k8s_openapi::{NamespaceResourceScope, serde_json};
use kube::{
    Client, Resource,
    core::{Request, params::PostParams},
};
use model::Acl;
use server::runner::kube::{
    config::ClaimVolume,
    manifest::{Workload, objects},
    program,
};

use crate::{cluster::Cluster, kinds};

pub async fn a_restricted_namespace_takes_every_manifest_with_strict_validation(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let mut config = crate::cluster::config(namespace);
    config.certificates = Some("company".into());
    config.volumes.insert("team".into(), ClaimVolume { claim: "nas".into(), access: Acl::ReadWrite });
    for (name, launch) in kinds::every_kind() {
        let command = program::command(&launch, &config, "token").unwrap();
        let made = objects(&launch, &config, &command).unwrap();
        if let Some(one) = &made.contents {
            is_taken(&client, namespace, name, one).await;
        }
        if let Some(one) = &made.state {
            is_taken(&client, namespace, name, one).await;
        }
        if let Some(one) = &made.service {
            is_taken(&client, namespace, name, one).await;
        }
        match &made.workload {
            Some(Workload::Pod(one)) => is_taken(&client, namespace, name, &**one).await,
            Some(Workload::Deployment(one)) => is_taken(&client, namespace, name, &**one).await,
            None => panic!("{name} has no workload"),
        }
    }
}

/// A dry run that takes no unknown field, and no warning of Pod Security for a template either.
async fn is_taken<K>(client: &Client, namespace: &str, name: &str, object: &K)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + k8s_openapi::serde::Serialize,
{
    let text = serde_json::to_vec(object).unwrap();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let mut request = Request::new(K::url_path(&(), Some(namespace))).create(&dry, text).unwrap();
    let uri = format!("{}&fieldValidation=Strict", request.uri());
    *request.uri_mut() = uri.parse().unwrap();
    let answer = client.send(request.map(Into::into)).await.unwrap();
    let warnings: Vec<_> = answer.headers().get_all("warning").iter().cloned().collect();
    let status = answer.status();
    let said = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert!(status.is_success(), "{name}, {}: {}", K::kind(&()), String::from_utf8_lossy(&said));
    assert!(warnings.is_empty(), "{name}, {}: {warnings:?}", K::kind(&()));
}
