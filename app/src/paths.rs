//! Under which paths does the server answer?
//!
//! Pages are in `ui/routes.rs`, a server function's endpoint stands at its function; everything else is here.

/// Server functions.
pub const API: &str = "/api";
/// The WebSocket.
pub const LIVE: &str = "/live";
/// The one-time link: `/link?code=…`.
pub const LINK: &str = "/link";
/// A log as a file: `/files/log/<pipeline>/<task>/<n>`.
pub const LOG_FILE: &str = "/files/log/{pipeline}/{task}/{n}";
/// A pipeline as JSON or zip: `/files/pipeline/<id>.json`, `/files/pipeline/<id>.zip`.
pub const PIPELINE_FILE: &str = "/files/pipeline/{file}";
/// POST of a zip or JSON that becomes a pipeline.
pub const IMPORT: &str = "/files/import";
/// PUT of a file that a Load Data reads; the answer is its `upload:<sha256>`.
pub const UPLOAD: &str = "/files/upload";
/// Answers 200 when the server is ready.
pub const HEALTH: &str = "/healthz";

pub fn log_file(execution: &model::ExecutionId) -> String {
    format!("/files/log/{}/{}/{}", execution.pipeline, execution.task, execution.n)
}
