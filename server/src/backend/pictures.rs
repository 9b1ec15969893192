//! What small picture has a pipeline?

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use app::api::pipelines::Picture;
use model::{Pipeline, PipelineId, TaskId};

/// Pictures by pipeline and the revision they were made of: a list does not read every document again.
#[derive(Default)]
pub(super) struct Pictures(Mutex<BTreeMap<PipelineId, (u64, Picture)>>);

impl Pictures {
    pub fn known(&self, id: &PipelineId, revision: u64) -> Option<Picture> {
        let pictures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.get(id).filter(|(made, _)| *made == revision).map(|(_, picture)| picture.clone())
    }

    pub fn keep(&self, id: &PipelineId, revision: u64, picture: Picture) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), (revision, picture));
    }

    pub fn forget(&self, id: &PipelineId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

pub(super) fn picture(pipeline: &Pipeline) -> Picture {
    let place = |id: &TaskId| pipeline.task_places.get(id).map_or((0.0, 0.0), |place| (place.x, place.y));
    let index: BTreeMap<&TaskId, u32> = pipeline.tasks.keys().zip(0..).collect();
    let tasks = pipeline.tasks.iter().map(|(id, task)| (task.kind.name(), place(id).0, place(id).1)).collect();
    let ends = |arrow: &model::Arrow| Some((*index.get(&arrow.from_task)?, *index.get(&arrow.to_task)?));
    Picture { tasks, arrows: pipeline.arrows.values().filter_map(|arrow| ends(arrow)).collect() }
}
