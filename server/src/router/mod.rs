//! What answers under which path?
//!
//! The only place that mounts. Everything passes [`crate::auth::guard`] first.

mod api;
mod assets;
mod files;
mod transfer;

use std::sync::Arc;

use app::{backend::Backend, paths};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post, put},
};

use crate::{
    auth::{self, Doors},
    live::Live,
};

pub use files::Files;

/// What the routes answer from.
pub struct Parts {
    pub doors: Arc<Doors>,
    pub backend: Arc<dyn Backend>,
    pub files: Arc<Files>,
    pub live: Arc<Live>,
}

/// An import is a zip with work folders in it, an upload any data set.
const TRANSFER_LIMIT: usize = 64 << 30;

pub fn router(parts: Parts) -> Router {
    let link = Router::new().route(paths::LINK, get(auth::open_link)).with_state(parts.doors.clone());
    let live = Router::new().route(paths::LIVE, get(crate::live::connect)).with_state(parts.live);
    let files = Router::new()
        .route(paths::LOG_FILE, get(files::log))
        .route(paths::PIPELINE_FILE, get(transfer::export))
        .route(paths::IMPORT, post(transfer::import))
        .route(paths::UPLOAD, put(files::upload))
        .layer(DefaultBodyLimit::max(TRANSFER_LIMIT))
        .with_state(parts.files);
    // `api` bounds what it takes itself; the framework's own 2 MB would refuse a large pipeline.
    let api = Router::new()
        .route(&format!("{}/{{*function}}", paths::API), any(api::answer))
        .layer(DefaultBodyLimit::disable())
        .with_state(parts.backend);
    Router::new()
        .route(paths::HEALTH, get(auth::health))
        .merge(link)
        .merge(live)
        .merge(files)
        .merge(api)
        .fallback(assets::answer)
        .layer(middleware::from_fn_with_state(parts.doors, auth::guard))
}
