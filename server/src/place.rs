//! Where do this installation's tasks run, and who decides about them?

use std::sync::{Arc, RwLock};

use crate::{
    backend::{Runs, absent::Absent},
    data_folder::DataFolder,
    python::Programs,
    runner::Runner,
    secrets::Secrets,
    settings::Settings,
    store::Store,
};

pub struct Wanted {
    pub data: DataFolder,
    pub store: Arc<dyn Store>,
    pub settings: Arc<RwLock<Settings>>,
    pub secrets: Arc<Secrets>,
    pub programs: Arc<Programs>,
    pub installation: String,
}

pub struct Place {
    pub runs: Arc<dyn Runs>,
    pub runner: Arc<dyn Runner>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PlaceError(String);

/// # Errors
/// One sentence.
pub async fn place(wanted: Wanted) -> Result<Place, PlaceError> {
    let absent = Arc::new(Absent::new(wanted.data));
    Ok(Place { runs: absent.clone(), runner: absent })
}
