//! What does the page know of its run, kept true by the live connection?

use std::collections::BTreeMap;

use leptos::prelude::*;
use model::{
    RunId, TaskId,
    run::{RunSummary, TaskView, events_of},
};

use crate::{
    api::runs::RunPage,
    live::{Ask, Tell},
    ui::live_socket::Live,
};

/// A run's tasks as signals.
#[derive(Clone, Copy)]
pub struct LiveRun {
    pub summary: RwSignal<RunSummary>,
    pub tasks: RwSignal<BTreeMap<TaskId, TaskView>>,
    /// The values it was started with.
    pub parameters: StoredValue<BTreeMap<String, String>>,
    version: RwSignal<u64>,
}

impl LiveRun {
    /// Starts from what was fetched and follows from its version on.
    pub fn follow(page: &RunPage) -> LiveRun {
        let live = LiveRun {
            summary: RwSignal::new(page.view.summary.clone()),
            tasks: RwSignal::new(page.view.tasks.clone()),
            parameters: StoredValue::new(page.view.parameters.clone()),
            version: RwSignal::new(page.view.version),
        };
        let run = page.view.summary.id.clone();
        let asked = run.clone();
        Live::here().watch(
            move || Ask::Run { run: asked.clone(), version: live.version.try_get_untracked().unwrap_or_default() },
            move |tell| live.hear(&run, tell),
        );
        live
    }

    fn hear(self, own: &RunId, tell: &Tell) {
        let Tell::Run { summary, version, whole, tasks } = tell else { return };
        if summary.id != *own {
            return;
        }
        self.version.try_set(*version);
        self.summary.try_set(summary.clone());
        self.tasks.try_update(|known| {
            if *whole {
                known.clear();
            }
            known.extend(tasks.iter().map(|(id, view)| (id.clone(), view.clone())));
        });
    }

    /// How many events there are by now.
    pub fn events(self) -> Memo<u32> {
        Memo::new(move |_| events_of(self.version.get()))
    }

    pub fn task(self, id: TaskId) -> Memo<Option<TaskView>> {
        Memo::new(move |_| self.tasks.with(|tasks| tasks.get(&id).cloned()))
    }
}
