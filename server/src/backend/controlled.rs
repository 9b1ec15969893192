//! How does the controller answer what pages ask of runs?

use std::collections::BTreeMap;

use app::{
    api::runs::{EventLine, Reading, Service},
    error::ApiError,
};
use async_trait::async_trait;
use engine::command::Refusal;
use model::{
    PipelineId, RunId, Site, TaskId,
    run::{Deed, RunSummary, RunView},
};
use tokio::sync::{broadcast, watch};

use super::{Answer, Holding, LiveServing, Openable, RunChange, Runs, StartRun};
use crate::controller::{Controller, NotDone, RunWish};

fn told<T>(done: Result<T, NotDone>) -> Answer<T> {
    done.map_err(|not| {
        let sentence = not.to_string();
        match not {
            NotDone::Refused(Refusal::NotFound(_)) => ApiError::NotFound { sentence },
            NotDone::Refused(Refusal::Conflict(_)) => ApiError::Conflict { sentence },
            NotDone::Refused(Refusal::Bad(_)) => ApiError::Bad { sentence },
            NotDone::Stopping | NotDone::Full | NotDone::Later => ApiError::Unavailable { sentence },
        }
    })
}

#[async_trait]
impl Runs for Controller {
    async fn start(&self, start: StartRun, unchanged: BTreeMap<TaskId, String>) -> Answer<RunId> {
        let StartRun { document, part, parameters, download_again, reading, .. } = start;
        let wish = RunWish { document, part, parameters, download_again, reading, unchanged };
        told(self.start_run(wish).await)
    }
    async fn reading(&self, start: StartRun) -> Answer<Vec<Reading>> {
        told(self.readings(&start.document, &start.part, start.reading.as_ref()))
    }
    fn summaries(&self) -> Vec<RunSummary> {
        Controller::summaries(self)
    }
    fn view(&self, run: &RunId) -> Option<RunView> {
        self.run_view(run)
    }
    fn snapshot(&self, run: &RunId) -> Option<String> {
        Controller::snapshot(self, run)
    }
    async fn events(&self, run: &RunId) -> Answer<Vec<EventLine>> {
        super::stored(self.event_lines(run).await)
    }
    async fn cancel(&self, run: &RunId) -> Answer<()> {
        told(Controller::cancel(self, run.clone()).await)
    }
    async fn deed(&self, run: &RunId, task: &TaskId, deed: Deed) -> Answer<()> {
        told(Controller::deed(self, run.clone(), task.clone(), deed).await)
    }
    fn holding(&self, run: &RunId) -> Option<Holding> {
        Controller::holding(self, run)
    }
    async fn pin(&self, run: &RunId, pinned: bool) -> Answer<()> {
        told(Controller::pin(self, run.clone(), pinned).await)
    }
    async fn delete_run(&self, run: &RunId) -> Answer<()> {
        told(Controller::delete_run(self, run.clone()).await)
    }
    async fn delete_pipeline(&self, id: &PipelineId) -> Answer<()> {
        told(self.forget_pipeline(id).await)
    }
    fn services(&self) -> Vec<Service> {
        Controller::services(self)
    }
    fn live_servings(&self) -> Vec<LiveServing> {
        Controller::live_servings(self)
    }
    fn servings(&self) -> watch::Receiver<()> {
        Controller::servings(self)
    }
    fn openable(&self) -> Vec<Openable> {
        Controller::openable(self)
    }
    fn held_by(&self, pipeline: &PipelineId) -> Vec<String> {
        Controller::held_by(self, pipeline)
    }
    fn live_tasks(&self) -> usize {
        Controller::live_tasks(self)
    }
    fn newest_facts(&self, pipeline: &PipelineId, task: &TaskId) -> Option<serde_json::Value> {
        Controller::newest_facts(self, pipeline, task)
    }
    fn set_site(&self, site: Site) {
        Controller::set_site(self, site);
    }
    fn subscribe(&self) -> broadcast::Receiver<RunChange> {
        Controller::subscribe(self)
    }
}
