//! How does a tab stay up to date?
//!
//! One WebSocket a tab. Nothing is queued for it here: a tab that is slower than the news is told the whole again.

mod tab;

use std::{path::PathBuf, sync::Arc};

use axum::{
    extract::{State, WebSocketUpgrade},
    response::Response,
};
use model::{ExecutionId, PipelineId};
use tokio::sync::{broadcast, watch};

use crate::backend::{Core, RunChange, Runs, Saved};

/// A tab asks in short messages.
const LONGEST_ASK: usize = 64 << 10;

/// What tabs are told from.
pub struct Live {
    core: Arc<Core>,
    /// True when the server stops: tabs are let go at once, and come back to the next server.
    stopping: watch::Receiver<bool>,
}

impl Live {
    pub fn new(core: Arc<Core>, stopping: watch::Receiver<bool>) -> Live {
        Live { core, stopping }
    }

    fn runs(&self) -> &Arc<dyn Runs> {
        &self.core.runs
    }

    fn changes(&self) -> broadcast::Receiver<RunChange> {
        self.core.runs.subscribe()
    }

    fn saves(&self) -> broadcast::Receiver<Saved> {
        self.core.saves.subscribe()
    }

    async fn revision(&self, id: &PipelineId) -> Option<u64> {
        self.core.store.pipeline(id).await.ok().flatten().map(|found| found.head.revision)
    }

    fn log(&self, execution: &ExecutionId) -> PathBuf {
        self.core.runner.log(execution)
    }
}

/// Answers `/live`. Who asks, and from which page, was checked by the same middleware as for everything else.
pub async fn connect(State(live): State<Arc<Live>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(LONGEST_ASK)
        .max_frame_size(LONGEST_ASK)
        .on_upgrade(move |socket| async move { tab::Tab::new(live, socket).serve().await })
}
