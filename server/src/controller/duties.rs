//! How are actions carried out without waiting for one another?
//!
//! Actions on one execution go in their order, one at a time; those on different ones side by side.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use engine::action::Action;
use model::ExecutionId;
use tokio::sync::mpsc;

use crate::runner::{Runner, RunnerError};

pub struct Duties {
    runner: Arc<dyn Runner>,
    queues: BTreeMap<ExecutionId, VecDeque<Action>>,
    finished: mpsc::UnboundedSender<Done>,
    done: mpsc::UnboundedReceiver<Done>,
}

/// An action that was tried.
pub struct Done {
    pub action: Action,
    pub outcome: Result<(), RunnerError>,
}

impl Duties {
    pub fn new(runner: Arc<dyn Runner>) -> Self {
        let (finished, done) = mpsc::unbounded_channel();
        Duties { runner, queues: BTreeMap::new(), finished, done }
    }

    pub fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            let execution = execution_of(&action).clone();
            let queue = self.queues.entry(execution.clone()).or_default();
            queue.push_back(action);
            if queue.len() == 1 {
                self.begin(&execution);
            }
        }
    }

    /// The next action that is over; its execution's next one begins. Never ends.
    pub async fn done(&mut self) -> Done {
        let done = self.done.recv().await.expect("this value holds a sender");
        self.next(&done.action);
        done
    }

    /// As [`Duties::done`], without waiting.
    pub fn try_done(&mut self) -> Option<Done> {
        let done = self.done.try_recv().ok()?;
        self.next(&done.action);
        Some(done)
    }

    fn next(&mut self, action: &Action) {
        let execution = execution_of(action).clone();
        let Some(queue) = self.queues.get_mut(&execution) else { return };
        queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&execution);
        } else {
            self.begin(&execution);
        }
    }

    fn begin(&self, execution: &ExecutionId) {
        let Some(action) = self.queues.get(execution).and_then(VecDeque::front).cloned() else { return };
        let (runner, finished) = (self.runner.clone(), self.finished.clone());
        tokio::spawn(async move {
            let outcome = runner.perform(action.clone()).await;
            // Nobody hears it any more when the server stops; the next one plans it again.
            let _ = finished.send(Done { action, outcome });
        });
    }
}

pub fn execution_of(action: &Action) -> &ExecutionId {
    match action {
        Action::Launch(launch) => &launch.execution,
        Action::Stop { execution, .. } | Action::Release { execution } | Action::Remove { execution, .. } => execution,
        Action::Links { viewer, .. } => viewer,
    }
}
