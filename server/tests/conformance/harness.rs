//! How is a runner asked, and how is it waited for?

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{
    action::Action,
    observed::{Ended, Exit, Observation, Observed, Phase},
};
use model::{
    ExecutionId, KindName, PipelineId, RunId, Seconds, TaskId,
    launch::{Launch, Need, Output, Program, Ready, Work},
};
use server::runner::Runner;
use tokio::sync::mpsc;

/// No wait of these tests is longer; none is waited out when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A runner with its volumes. Dropping it ends what is left.
pub trait Harness: Send + 'static {
    fn runner(&self) -> Arc<dyn Runner>;
    /// Drops the runner and makes it again on the same state, as a restart of the server does.
    fn remake(&mut self);
    /// The results volume, seen from here.
    fn results(&self) -> PathBuf;
    /// The shared volume `team`, which tasks may write.
    fn team(&self) -> PathBuf;
    /// The data folder of the installation.
    fn data(&self) -> PathBuf;
    /// A program that answers up to nine bytes on a port in capitals.
    fn answers_in_capitals(&self, port: u16) -> Vec<String>;
    /// What tasks run in, where they run in images.
    fn image(&self) -> Option<String> {
        None
    }
    /// One that every task finds, and may not change.
    fn system_file(&self) -> &'static str {
        "/usr/bin/env"
    }
    /// Bytes of a text without an end that the log takes whole.
    fn long_text(&self) -> usize {
        10_000_000
    }
    /// No wait is longer; none is waited out when all is well.
    fn patience(&self) -> Duration {
        PATIENCE
    }
}

pub fn id(task: &str, n: u64) -> ExecutionId {
    ExecutionId { pipeline: PipelineId::new("pipe").unwrap(), task: TaskId::new(task).unwrap(), n }
}

/// A Job with nothing but a script.
pub fn script(task: &str, n: u64, text: &str) -> Launch {
    Launch {
        execution: id(task, n),
        run: RunId::new("run-1").unwrap(),
        copy: None,
        kind: KindName::Job,
        name: task.to_owned(),
        program: Program::Script { text: text.to_owned() },
        image: None,
        run_as: None,
        env: BTreeMap::new(),
        addresses: Default::default(),
        resources: Need::default(),
        mounts: Vec::new(),
        outputs: Vec::new(),
        work: Work::Scratch,
        files: Vec::new(),
        snapshots: Vec::new(),
        copies_json: Vec::new(),
        ports: Vec::new(),
        ready: Ready::Running,
        advance: None,
        grace: Seconds(5),
        timeout: None,
    }
}

/// Nothing runs in it until it is stopped.
pub fn stay(task: &str) -> Launch {
    Launch { program: Program::Stay, ..script(task, 1, "") }
}

pub fn output(launch: &Launch, path: &str) -> Output {
    let id = &launch.execution;
    let folder = format!("pipeline/{}/{}/{}{path}", id.pipeline, id.task, id.n);
    Output { path: path.into(), folder }
}

/// A runner under test with what it has told.
pub struct Asked<H> {
    pub harness: H,
    from: mpsc::Receiver<Observed>,
    pub seen: BTreeMap<ExecutionId, Observation>,
    pub patience: Duration,
}

impl<H: Harness> Asked<H> {
    pub async fn new(harness: H) -> Asked<H> {
        let from = harness.runner().observe().await.unwrap();
        let patience = harness.patience();
        Asked { harness, from, seen: BTreeMap::new(), patience }
    }

    pub async fn remake(&mut self) {
        self.harness.remake();
        self.seen.clear();
        self.from = self.harness.runner().observe().await.unwrap();
    }

    pub async fn perform(&self, action: Action) {
        self.harness.runner().perform(action).await.unwrap();
    }

    pub async fn launch(&self, launch: &Launch) {
        let image = launch.image.clone().or_else(|| self.harness.image());
        self.perform(Action::Launch(Box::new(Launch { image, ..launch.clone() }))).await;
    }

    pub async fn stop(&self, id: &ExecutionId, grace: u32) {
        self.perform(Action::Stop { execution: id.clone(), grace: Seconds(grace) }).await;
    }

    fn take(&mut self, observed: Observed) {
        match observed {
            Observed::All(all) => {
                self.seen = all.into_iter().map(|one| (one.execution.clone(), one)).collect();
            }
            Observed::One(one) => {
                self.seen.insert(one.execution.clone(), one);
            }
        }
    }

    /// Waits until an execution's phase is as wanted.
    pub async fn until<T>(&mut self, id: &ExecutionId, wanted: impl Fn(&Phase) -> Option<T>) -> T {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(found) = self.seen.get(id).and_then(|one| wanted(&one.phase)) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, self.from.recv()).await {
                Ok(Some(observed)) => self.take(observed),
                Ok(None) => panic!("the stream of observations ended"),
                Err(_) => panic!("{id} never came so far: {:?}\n{}", self.seen.get(id), self.log(id)),
            }
        }
    }

    pub async fn end(&mut self, id: &ExecutionId) -> Ended {
        self.until(id, |phase| match phase {
            Phase::Ended(ended) => Some(ended.clone()),
            Phase::Lost { sentence } => panic!("lost: {sentence}"),
            _ => None,
        })
        .await
    }

    /// Launches it and waits for its end.
    pub async fn run(&mut self, launch: &Launch) -> Exit {
        self.launch(launch).await;
        self.end(&launch.execution).await.exit
    }

    /// Launches it; it must end well.
    pub async fn succeed(&mut self, launch: &Launch) {
        let exit = self.run(launch).await;
        assert_eq!(exit, Exit::Code { code: 0 }, "{}", self.log(&launch.execution));
    }

    pub async fn ready(&mut self, id: &ExecutionId) {
        self.until(id, |phase| match phase {
            Phase::Ready { .. } | Phase::RuleMet { .. } => Some(()),
            Phase::Ended(ended) => panic!("it ended: {ended:?}"),
            _ => None,
        })
        .await;
    }

    /// The log without its times.
    pub fn log(&self, id: &ExecutionId) -> String {
        let bytes = std::fs::read(self.harness.runner().log(id)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines().map(|line| format!("{}\n", line.split_once(' ').map_or("", |(_, text)| text))).collect()
    }
}

/// Waits until something on this machine is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}
