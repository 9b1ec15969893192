//! What do browser and server share?
//!
//! `api` (server functions and their values), `live` (what goes over the WebSocket), `paths`, `error`; with `ssr` the
//! trait that the server implements; with `csr` the pages.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod error;
pub mod live;
pub mod paths;
#[cfg(feature = "csr")]
pub mod ui;

pub use model;
