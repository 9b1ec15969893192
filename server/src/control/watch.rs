//! How is a run followed to its end without looking at all of it at every change?

use std::{collections::BTreeMap, sync::Arc};

use model::{RunId, run::RunView};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::backend::{RunChange, Runs};

/// First the whole run, then the tasks that changed, at its end the whole run.
pub struct Watch {
    runs: Arc<dyn Runs>,
    run: RunId,
    changes: Receiver<RunChange>,
    parameters: BTreeMap<String, String>,
    /// None: the whole is to be looked at.
    seen: Option<u64>,
}

impl Watch {
    pub fn new(runs: &Arc<dyn Runs>, run: &RunId) -> Watch {
        // Before the first look, so that nothing falls between the two.
        let changes = runs.subscribe();
        Watch { runs: runs.clone(), run: run.clone(), changes, parameters: BTreeMap::new(), seen: None }
    }

    /// What is new; `None`: the run is gone, or the server stops.
    pub async fn next(&mut self) -> Option<RunView> {
        let Some(seen) = self.seen else { return self.whole() };
        loop {
            match self.changes.recv().await {
                Ok(change) if change.summary.id != self.run || change.version <= seen => {}
                Ok(change) if change.summary.status.has_ended() => return self.whole(),
                Ok(RunChange { summary, version, tasks }) => {
                    self.seen = Some(version);
                    return Some(RunView { summary, parameters: self.parameters.clone(), tasks, version });
                }
                Err(RecvError::Lagged(_)) => return self.whole(),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn whole(&mut self) -> Option<RunView> {
        let view = self.runs.view(&self.run)?;
        self.seen = Some(view.version);
        self.parameters.clone_from(&view.parameters);
        Some(view)
    }
}
