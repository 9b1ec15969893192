//! Would these tests notice a runner that is wrong?

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::{
    action::Action,
    observed::{Exit, Observed, Phase},
};
use model::{ExecutionId, site::Capacity};
use server::runner::{Connection, Exec, Runner, RunnerError, Session};
use tokio::sync::mpsc;

use crate::{
    ends, folders,
    harness::{Asked, Harness},
    local::Local,
    watching,
};

#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    LaunchesTwice,
    ForgetsTheExit,
    MountsNothing,
    NeverStops,
}

/// The real runner, wrong in one thing.
struct Sabotaged {
    inner: Arc<dyn Runner>,
    wrong: Wrong,
}

struct Spoilt {
    local: Local,
    wrong: Wrong,
}

impl Harness for Spoilt {
    fn runner(&self) -> Arc<dyn Runner> {
        Arc::new(Sabotaged { inner: self.local.runner(), wrong: self.wrong })
    }
    fn remake(&mut self) {
        self.local.remake();
    }
    fn results(&self) -> PathBuf {
        self.local.results()
    }
    fn team(&self) -> PathBuf {
        self.local.team()
    }
    fn data(&self) -> PathBuf {
        Harness::data(&self.local)
    }
    fn answers_in_capitals(&self, port: u16) -> Vec<String> {
        self.local.answers_in_capitals(port)
    }
}

#[async_trait]
impl Runner for Sabotaged {
    async fn observe(&self) -> Result<mpsc::Receiver<Observed>, RunnerError> {
        let mut from = self.inner.observe().await?;
        let (to, answer) = mpsc::channel(100);
        let forgets = self.wrong == Wrong::ForgetsTheExit;
        tokio::spawn(async move {
            while let Some(mut observed) = from.recv().await {
                if let (true, Observed::One(one)) = (forgets, &mut observed)
                    && let Phase::Ended(ended) = &mut one.phase
                {
                    ended.exit = Exit::Code { code: 0 };
                }
                if to.send(observed).await.is_err() {
                    return;
                }
            }
        });
        Ok(answer)
    }

    async fn perform(&self, action: Action) -> Result<(), RunnerError> {
        match (self.wrong, action) {
            (Wrong::LaunchesTwice, Action::Launch(launch)) => {
                let mut other = launch.clone();
                other.execution.n += 1000;
                self.inner.perform(Action::Launch(other)).await?;
                self.inner.perform(Action::Launch(launch)).await
            }
            (Wrong::MountsNothing, Action::Launch(mut launch)) => {
                launch.mounts.clear();
                self.inner.perform(Action::Launch(launch)).await
            }
            (Wrong::NeverStops, Action::Stop { .. }) => Ok(()),
            (_, action) => self.inner.perform(action).await,
        }
    }

    async fn forget(&self, pipeline: &model::PipelineId) -> Result<(), RunnerError> {
        self.inner.forget(pipeline).await
    }

    fn budget(&self) -> Option<Capacity> {
        self.inner.budget()
    }

    fn address(&self, execution: &ExecutionId, port: u16) -> Option<String> {
        self.inner.address(execution, port)
    }

    fn log(&self, execution: &ExecutionId) -> PathBuf {
        self.inner.log(execution)
    }

    async fn exec(&self, execution: &ExecutionId, exec: Exec) -> Result<Session, RunnerError> {
        self.inner.exec(execution, exec).await
    }

    async fn dial(&self, execution: &ExecutionId, port: u16) -> Result<Box<dyn Connection>, RunnerError> {
        self.inner.dial(execution, port).await
    }
}

async fn spoilt(wrong: Wrong) -> Asked<Spoilt> {
    let mut asked = Asked::new(Spoilt { local: Local::new(), wrong }).await;
    asked.patience = Duration::from_secs(3);
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_launches_twice_fails() {
    assert!(
        tokio::spawn(watching::a_launch_that_is_asked_twice_starts_one_workload(spoilt(Wrong::LaunchesTwice).await))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_forgets_an_exit_status_fails() {
    assert!(
        tokio::spawn(ends::an_exit_code_and_a_signal_are_told_as_they_were(spoilt(Wrong::ForgetsTheExit).await))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_mounts_nothing_fails() {
    assert!(
        tokio::spawn(folders::what_one_writes_the_next_reads_at_its_own_path_and_cannot_change(
            spoilt(Wrong::MountsNothing).await
        ))
        .await
        .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_never_stops_fails() {
    assert!(
        tokio::spawn(ends::a_stop_asks_first_and_leaves_the_grace_time(spoilt(Wrong::NeverStops).await)).await.is_err()
    );
}
