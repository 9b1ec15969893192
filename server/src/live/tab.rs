//! What does one tab watch, and what is it told?

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::live::{Ask, Tell};
use axum::extract::ws::{Message, WebSocket};
use model::{ExecutionId, PipelineId, RunId, run::RunView};
use tokio::{
    sync::{broadcast, broadcast::error::RecvError, watch},
    time::{Instant, Interval, MissedTickBehavior},
};

use super::Live;
use crate::backend::{RunChange, Saved};

/// How soon a new line of a watched log is seen.
const LOOK: Duration = Duration::from_millis(100);
const PING: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(60);
/// A tab that takes nothing for so long is gone.
const SLOWEST: Duration = Duration::from_secs(20);
/// More than a page ever shows.
const WATCHES: usize = 64;

pub(super) struct Tab {
    live: Arc<Live>,
    socket: WebSocket,
    changes: broadcast::Receiver<RunChange>,
    saves: broadcast::Receiver<Saved>,
    stopping: watch::Receiver<bool>,
    all_runs: bool,
    /// The version that the tab has seen.
    runs: BTreeMap<RunId, u64>,
    logs: BTreeMap<ExecutionId, Log>,
    /// The revision that the tab has.
    pipelines: BTreeMap<PipelineId, u64>,
    heard: Instant,
}

/// A watched log.
struct Log {
    next: u64,
    run: Option<RunId>,
    /// Looks since it last grew.
    idle: u32,
}

enum News {
    Message(Message),
    Change(Result<RunChange, RecvError>),
    Saved(Result<Saved, RecvError>),
    Look,
    Ping,
}

/// The tab is gone or does not keep to the protocol.
struct Gone;

impl Tab {
    pub fn new(live: Arc<Live>, socket: WebSocket) -> Tab {
        Tab {
            changes: live.changes(),
            saves: live.saves(),
            stopping: live.stopping.clone(),
            live,
            socket,
            all_runs: false,
            runs: BTreeMap::new(),
            logs: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            heard: Instant::now(),
        }
    }

    pub async fn serve(mut self) {
        let (mut look, mut ping) = (every(LOOK), every(PING));
        while self.step(&mut look, &mut ping).await.is_ok() {}
        // The other side may be gone already.
        let _ = self.socket.send(Message::Close(None)).await;
    }

    async fn step(&mut self, look: &mut Interval, ping: &mut Interval) -> Result<(), Gone> {
        let watches_logs = !self.logs.is_empty();
        let news = tokio::select! {
            message = self.socket.recv() => News::Message(message.ok_or(Gone)?.map_err(|_| Gone)?),
            change = self.changes.recv() => News::Change(change),
            saved = self.saves.recv() => News::Saved(saved),
            _ = look.tick(), if watches_logs => News::Look,
            _ = ping.tick() => News::Ping,
            _ = self.stopping.wait_for(|stopping| *stopping) => return Err(Gone),
        };
        match news {
            News::Message(message) => self.heard(message).await,
            News::Change(change) => self.changed(change).await,
            News::Saved(saved) => self.saved(saved).await,
            News::Look => self.look_at_logs().await,
            News::Ping => self.ping().await,
        }
    }

    async fn ping(&mut self) -> Result<(), Gone> {
        if self.heard.elapsed() > SILENCE {
            return Err(Gone);
        }
        self.send(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(SLOWEST, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    async fn tell(&mut self, tell: &Tell) -> Result<(), Gone> {
        let text = serde_json::to_string(tell).map_err(|_| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn heard(&mut self, message: Message) -> Result<(), Gone> {
        self.heard = Instant::now();
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ask) => self.asked(ask).await,
                Err(error) => self.refuse(format!("This message is not understood: {error}")).await,
            },
            Message::Binary(_) => self.refuse("Messages are texts.".into()).await,
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(Gone),
        }
    }

    async fn refuse(&mut self, sentence: String) -> Result<(), Gone> {
        self.tell(&Tell::Refused { sentence }).await
    }

    async fn asked(&mut self, ask: Ask) -> Result<(), Gone> {
        let is_full = self.runs.len() + self.logs.len() + self.pipelines.len() >= WATCHES;
        match ask {
            Ask::Forget { what } => {
                self.forget(*what);
                Ok(())
            }
            _ if is_full => self.refuse(format!("A tab watches at most {WATCHES} things.")).await,
            Ask::Runs => {
                self.all_runs = true;
                self.tell_all_lines().await
            }
            Ask::Run { run, version } => self.watch_run(run, version).await,
            Ask::Log { execution, from } => {
                let run = self.run_of(&execution);
                self.logs.insert(execution, Log { next: from, run, idle: 0 });
                self.look_at_logs().await
            }
            Ask::Pipeline { id, revision } => {
                self.pipelines.insert(id.clone(), revision);
                self.tell_newer(&id).await
            }
        }
    }

    fn forget(&mut self, what: Ask) {
        match what {
            Ask::Runs => self.all_runs = false,
            Ask::Run { run, .. } => drop(self.runs.remove(&run)),
            Ask::Log { execution, .. } => drop(self.logs.remove(&execution)),
            Ask::Pipeline { id, .. } => drop(self.pipelines.remove(&id)),
            Ask::Forget { .. } => {}
        }
    }

    async fn tell_all_lines(&mut self) -> Result<(), Gone> {
        for summary in self.live.runs().summaries() {
            self.tell(&Tell::RunLine { summary }).await?;
        }
        Ok(())
    }

    async fn watch_run(&mut self, run: RunId, version: u64) -> Result<(), Gone> {
        let Some(view) = self.live.runs().view(&run) else {
            return self.refuse("There is no such run (any more).".into()).await;
        };
        self.runs.insert(run, view.version);
        if view.version == version { Ok(()) } else { self.tell_whole(view).await }
    }

    async fn tell_whole(&mut self, view: RunView) -> Result<(), Gone> {
        let RunView { summary, tasks, version, .. } = view;
        self.runs.insert(summary.id.clone(), version);
        self.tell(&Tell::Run { summary, version, whole: true, tasks }).await
    }

    async fn changed(&mut self, change: Result<RunChange, RecvError>) -> Result<(), Gone> {
        match change {
            Ok(change) => self.tell_change(change).await,
            // Slower than the news: what is now counts, not what was in between.
            Err(RecvError::Lagged(_)) => self.tell_everything().await,
            Err(RecvError::Closed) => Err(Gone),
        }
    }

    async fn tell_change(&mut self, change: RunChange) -> Result<(), Gone> {
        let RunChange { summary, version, tasks } = change;
        if self.all_runs {
            self.tell(&Tell::RunLine { summary: summary.clone() }).await?;
        }
        match self.runs.get_mut(&summary.id) {
            Some(seen) if *seen < version => {
                *seen = version;
                self.tell(&Tell::Run { summary, version, whole: false, tasks }).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn tell_everything(&mut self) -> Result<(), Gone> {
        if self.all_runs {
            self.tell_all_lines().await?;
        }
        let watched: Vec<RunId> = self.runs.keys().cloned().collect();
        for view in watched.iter().filter_map(|run| self.live.runs().view(run)).collect::<Vec<_>>() {
            self.tell_whole(view).await?;
        }
        Ok(())
    }

    async fn saved(&mut self, saved: Result<Saved, RecvError>) -> Result<(), Gone> {
        match saved {
            Ok(Saved { id, revision }) => self.tell_saved(id, revision).await,
            Err(RecvError::Lagged(_)) => {
                let watched: Vec<PipelineId> = self.pipelines.keys().cloned().collect();
                for id in watched {
                    self.tell_newer(&id).await?;
                }
                Ok(())
            }
            Err(RecvError::Closed) => Err(Gone),
        }
    }

    async fn tell_saved(&mut self, id: PipelineId, revision: u64) -> Result<(), Gone> {
        match self.pipelines.get_mut(&id) {
            Some(known) if *known < revision => *known = revision,
            Some(_) | None => return Ok(()),
        }
        self.tell(&Tell::Saved { id, revision }).await
    }

    /// What was saved before it was watched, or while nobody listened.
    async fn tell_newer(&mut self, id: &PipelineId) -> Result<(), Gone> {
        match self.live.revision(id).await {
            Some(revision) => self.tell_saved(id.clone(), revision).await,
            // A pipeline that is gone or cannot be read is told by whatever the tab asks next.
            None => Ok(()),
        }
    }

    async fn look_at_logs(&mut self) -> Result<(), Gone> {
        let watched: Vec<ExecutionId> = self.logs.keys().cloned().collect();
        for execution in watched {
            self.look_at(&execution).await?;
        }
        Ok(())
    }

    async fn look_at(&mut self, execution: &ExecutionId) -> Result<(), Gone> {
        // An end is asked for once a second: it needs a look at the whole run.
        const LOOKS: u32 = 10;
        let Some(log) = self.logs.get(execution) else { return Ok(()) };
        let (from, asks) = (log.next, log.idle % LOOKS == 0);
        let ended = asks && self.has_ended(execution);
        let text = crate::logs::lines(&self.live.log(execution), from, ended).await.map_err(|_| Gone)?;
        let is_over = ended && text.is_empty();
        let Some(log) = self.logs.get_mut(execution) else { return Ok(()) };
        log.idle = if text.is_empty() { log.idle + 1 } else { 0 };
        log.next += text.len() as u64;
        if is_over {
            self.logs.remove(execution);
        }
        if text.is_empty() && !is_over {
            return Ok(());
        }
        self.tell(&Tell::Log { execution: execution.clone(), from, text, ended: is_over }).await
    }

    fn run_of(&self, execution: &ExecutionId) -> Option<RunId> {
        let runs = self.live.runs();
        let mine = runs.summaries().into_iter().filter(|run| run.pipeline == execution.pipeline);
        mine.map(|run| run.id).find(|run| status(runs.view(run), execution).is_some())
    }

    fn has_ended(&self, execution: &ExecutionId) -> bool {
        let run = self.logs.get(execution).and_then(|log| log.run.clone()).or_else(|| self.run_of(execution));
        run.and_then(|run| status(self.live.runs().view(&run), execution)).is_some_and(|ended| ended)
    }
}

/// Whether the execution has ended; none: it is not in this run.
fn status(view: Option<RunView>, execution: &ExecutionId) -> Option<bool> {
    let view = view?;
    let task = view.tasks.get(&execution.task)?;
    task.executions.iter().find(|one| one.n == execution.n).map(|one| one.status.has_ended())
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
