//! Which pipelines are being deleted, so that nothing of them begins meanwhile?

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::error::ApiError;
use model::PipelineId;

use super::Answer;

#[derive(Default)]
pub struct Leaving(Mutex<BTreeSet<PipelineId>>);

/// As long as this lives.
pub struct Leave<'a> {
    all: &'a Leaving,
    id: PipelineId,
}

impl Leaving {
    /// # Errors
    /// Somebody else deletes it already.
    pub fn begin(&self, id: &PipelineId) -> Answer<Leave<'_>> {
        match self.all().insert(id.clone()) {
            true => Ok(Leave { all: self, id: id.clone() }),
            false => Err(conflict()),
        }
    }

    /// # Errors
    /// It is being deleted.
    pub fn refuse(&self, id: &PipelineId) -> Answer<()> {
        if self.all().contains(id) { Err(conflict()) } else { Ok(()) }
    }

    fn all(&self) -> MutexGuard<'_, BTreeSet<PipelineId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn conflict() -> ApiError {
    ApiError::Conflict { sentence: "This pipeline is being deleted.".to_owned() }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.all.all().remove(&self.id);
    }
}
