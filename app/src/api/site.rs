//! What can the browser know of the installation?

use leptos::prelude::*;
use model::{PipelineId, Site, pipeline::Acl};
use serde::{Deserialize, Serialize};

use super::strict::Call;
use crate::error::ApiError;

/// One setting with where its value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingView {
    pub name: String,
    pub value: String,
    /// "default", "fletchline.toml", "FLETCHLINE_PORT", "--port".
    pub source: String,
    pub help: String,
}

#[server(prefix = "/api", endpoint = "site", protocol = Call)]
pub async fn get_site() -> Result<Site, ApiError> {
    super::answer(|backend| async move { backend.site().await }).await
}

/// There is little room left for results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpaceWarning {
    pub sentence: String,
    /// The pipelines with the most, largest first: id, name, bytes.
    pub largest: Vec<(PipelineId, String, u64)>,
}

/// What to say to whoever presses Run while less than a tenth of the disk is free.
#[server(prefix = "/api", endpoint = "site/space", protocol = Call)]
pub async fn little_space() -> Result<Option<SpaceWarning>, ApiError> {
    super::answer(|backend| async move { backend.space_warning().await }).await
}

#[server(prefix = "/api", endpoint = "settings", protocol = Call)]
pub async fn settings() -> Result<Vec<SettingView>, ApiError> {
    super::answer(|backend| async move { backend.settings().await }).await
}

/// Names a volume: a folder on this machine, or a claim of the cluster that tasks run on.
#[server(prefix = "/api", endpoint = "volumes/make", protocol = Call)]
pub async fn make_volume(name: String, place: String, access: Acl) -> Result<Site, ApiError> {
    super::answer(|backend| async move { backend.make_volume(name, place, access).await }).await
}

/// Stores a secret. Its value never comes back.
#[server(prefix = "/api", endpoint = "secrets/set", protocol = Call)]
pub async fn set_secret(name: String, value: String) -> Result<Site, ApiError> {
    super::answer(|backend| async move { backend.set_secret(name, value).await }).await
}
