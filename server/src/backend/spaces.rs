//! How much space do a pipeline's results take?
//!
//! Counting walks the folders, so lists show the last count and a new one is made beside them.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use model::PipelineId;

use super::folders;

#[derive(Clone, Default)]
pub(super) struct Spaces {
    known: Arc<Mutex<BTreeMap<PipelineId, u64>>>,
    counting: Arc<AtomicBool>,
}

impl Spaces {
    pub fn known(&self, id: &PipelineId) -> Option<u64> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    /// Counts in the background, one count at a time.
    pub fn count(&self, folders: Vec<(PipelineId, Vec<PathBuf>)>) {
        if self.counting.swap(true, Ordering::AcqRel) {
            return;
        }
        let spaces = self.clone();
        tokio::task::spawn_blocking(move || {
            for (id, folders) in folders {
                let bytes = folders.iter().map(|folder| folders::size(folder)).sum();
                spaces.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id, bytes);
            }
            spaces.counting.store(false, Ordering::Release);
        });
    }
}
