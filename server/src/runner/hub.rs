//! Who is told what changes?

use std::{collections::BTreeMap, sync::Mutex};

use engine::observed::{Observation, Observed, Phase};
use model::{ExecutionId, run::Progress};
use tokio::sync::mpsc;

use super::locked;

/// Changes that may wait for the listener. One that lets more pile up has to observe again.
const PATIENCE: usize = 16_384;

/// The last observation of each execution, and the one listener.
#[derive(Default)]
pub struct Hub {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: BTreeMap<ExecutionId, Observation>,
    listener: Option<mpsc::Sender<Observed>>,
}

impl State {
    fn tell(&mut self, observation: Observation) {
        if self.last.get(&observation.execution) == Some(&observation) {
            return;
        }
        self.last.insert(observation.execution.clone(), observation.clone());
        let is_lost = self.listener.as_ref().is_some_and(|to| to.try_send(Observed::One(observation)).is_err());
        if is_lost {
            // Its stream ends: what was missed is in the next "all".
            self.listener = None;
        }
    }
}

impl Hub {
    /// What is as it was is not told.
    pub fn tell(&self, observation: Observation) {
        locked(&self.state).tell(observation);
    }

    /// How far a Load Data is, as long as it runs.
    pub fn progress(&self, id: &ExecutionId, progress: Progress) {
        let mut state = locked(&self.state);
        let last = state.last.get(id).cloned();
        if let Some(last) = last.filter(|last| matches!(last.phase, Phase::Running { .. } | Phase::Ready { .. })) {
            state.tell(Observation { progress: Some(progress), ..last });
        }
    }

    /// What was told last.
    pub fn last(&self, id: &ExecutionId) -> Option<Observation> {
        locked(&self.state).last.get(id).cloned()
    }

    pub fn forget(&self, id: &ExecutionId) {
        locked(&self.state).last.remove(id);
    }

    /// All that is known, then every change. Ends the earlier listener's stream.
    pub fn subscribe(&self) -> mpsc::Receiver<Observed> {
        let (to, from) = mpsc::channel(PATIENCE);
        let mut state = locked(&self.state);
        // An empty channel takes one.
        let _ = to.try_send(Observed::All(state.last.values().cloned().collect()));
        state.listener = Some(to);
        from
    }
}
