//! How does what was drawn survive a closed tab and a lost connection?

use gloo::storage::{LocalStorage, Storage};
use model::PipelineId;
use serde::{Deserialize, Serialize};

use crate::api::pipelines::Opened;

/// What this browser keeps of one pipeline, saved or not: the history goes on after a reload.
#[derive(Clone, Serialize, Deserialize)]
pub struct Draft {
    /// The revision that it was made from.
    pub revision: u64,
    pub document: String,
    /// What the server had at that revision, where this differs from it: what a merge begins with.
    #[serde(default)]
    pub base: Option<String>,
    /// Not in the server yet.
    pub unsaved: bool,
    pub history: String,
}

impl Draft {
    /// Whether one goes on from it: what is unsaved always (a newer save makes it stale, and both are shown), else
    /// only where the server has nothing newer.
    pub fn belongs_to(&self, opened: &Opened) -> bool {
        self.unsaved || self.revision == opened.revision
    }
}

fn key(id: &PipelineId) -> String {
    format!("fletchline.draft.{id}")
}

pub fn load(id: &PipelineId) -> Option<Draft> {
    LocalStorage::get(key(id)).ok()
}

/// Answers whether it is kept. A history that is too large for the browser is left out before the document is.
pub fn keep(id: &PipelineId, draft: Draft) -> bool {
    LocalStorage::set(key(id), &draft).is_ok()
        || LocalStorage::set(key(id), Draft { history: String::new(), ..draft }).is_ok()
}

pub fn forget(id: &PipelineId) {
    LocalStorage::delete(key(id));
}
