//! How is the log of one pod followed to its end?

use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt};
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{Api, api::LogParams};
use tokio::{sync::watch, time::Instant};

use super::{folder::Folder, log::Sink, manifest::TASK};

/// One GiB, as on a machine.
const LIMIT: u64 = 1 << 30;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Between the end of a container's log and the news of its end.
const END: Duration = Duration::from_secs(10);
/// The log of a container that writes less than this is in one file of its node.
const ROTATED: u64 = 1 << 20;
/// A running task that has said nothing for so long is asked anew: its connection may be open on this side only.
const QUIET: Duration = Duration::from_secs(300);
/// How long the cluster may say that it does not get at the log of a pod that has ended. A node that is started again is
/// back by then, and has it still.
const HOPELESS: Duration = Duration::from_secs(300);

/// The log of an execution, as far as it has come.
pub struct Follower {
    /// The pod has ended: what comes now is the end of the log.
    over: watch::Sender<bool>,
    complete: watch::Receiver<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    pub fn begin(pods: Api<Pod>, name: String, folder: Folder) -> Follower {
        let (over, is_over) = watch::channel(false);
        let (done, complete) = watch::channel(false);
        let task = tokio::spawn(async move {
            follow(pods, &name, folder, is_over).await;
            done.send_replace(true);
        });
        Follower { over, complete, task }
    }

    /// What is told when all of it is here. To be called when the pod has ended.
    pub fn ending(&self) -> watch::Receiver<bool> {
        self.over.send_replace(true);
        self.complete.clone()
    }
}

async fn follow(pods: Api<Pod>, name: &str, folder: Folder, mut is_over: watch::Receiver<bool>) {
    let (mut pause, mut seen, mut refused) = (FIRST_PAUSE, None, None);
    loop {
        match read(&pods, name, &folder, &mut is_over).await {
            // Whole when the container has ended: the kubelet ends a stream with its container, and breaks it otherwise.
            // It ends it with a file, too, that was rotated before all of it was read: then the next one has more.
            Ok(mut sink) => {
                let is_more = seen.replace(sink.position()) != Some(sink.position());
                let ended = tokio::time::timeout(END, is_over.wait_for(|over| *over)).await;
                if matches!(ended, Ok(Ok(_))) && !(is_more && sink.position().length > ROTATED) {
                    if let Err(error) = sink.complete() {
                        tracing::warn!("{name}: the end of the log could not be written: {error}");
                    }
                    return;
                }
                pause = FIRST_PAUSE;
            }
            Err(Failed::Gone(sentence)) => return give_up(name, folder, &sentence),
            Err(failed @ (Failed::Refused(_) | Failed::Passing(_))) => {
                let (sentence, is_refused) = match failed {
                    Failed::Refused(sentence) => (sentence, *is_over.borrow()),
                    Failed::Passing(sentence) | Failed::Gone(sentence) => (sentence, false),
                };
                refused = is_refused.then(|| refused.unwrap_or_else(Instant::now));
                if refused.is_some_and(|since| since.elapsed() > HOPELESS) {
                    let sentence = format!("the rest of the log cannot be had from its node · {sentence}");
                    return give_up(name, folder, &sentence);
                }
                tracing::debug!("{name}: {sentence}");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Says in the log that the rest of it cannot be had.
fn give_up(name: &str, folder: Folder, sentence: &str) {
    let said = Sink::open(folder, LIMIT).and_then(|mut sink| {
        sink.say(sentence)?;
        sink.complete()
    });
    if let Err(error) = said {
        tracing::warn!("{name}: {sentence} ({error})");
    }
}

enum Failed {
    Passing(String),
    /// The cluster itself answers, and does not get at it.
    Refused(String),
    Gone(String),
}

/// To its end.
async fn read(
    pods: &Api<Pod>,
    name: &str,
    folder: &Folder,
    is_over: &mut watch::Receiver<bool>,
) -> Result<Sink, Failed> {
    let disk = |error: std::io::Error| Failed::Passing(format!("the log could not be written: {error}"));
    let mut sink = Sink::open(folder.clone(), LIMIT).map_err(disk)?;
    if sink.position().is_complete {
        return Ok(sink);
    }
    // Whole seconds are all that can be asked for; earlier lines are left out.
    let since =
        Timestamp::from_second((sink.position().at / 1_000_000_000) as i64).ok().filter(|_| sink.position().at > 0);
    let wanted = LogParams {
        container: Some(TASK.to_owned()),
        follow: true,
        timestamps: true,
        since_time: since,
        ..LogParams::default()
    };
    let stream = heard(is_over, pods.log_stream(name, &wanted)).await?.map_err(of_kube)?;
    copy(&mut std::pin::pin!(stream), &mut sink, is_over).await?;
    Ok(sink)
}

/// The cluster's next word, unless it takes longer than one may be silent. The log of one that is over has an end.
async fn heard<T>(is_over: &mut watch::Receiver<bool>, word: impl Future<Output = T>) -> Result<T, Failed> {
    let silence = async {
        let _ = tokio::time::timeout(QUIET, is_over.wait_for(|over| *over)).await;
        tokio::time::sleep(END).await;
    };
    tokio::select! {
        word = word => Ok(word),
        () = silence => Err(Failed::Passing("the log says nothing more".to_owned())),
    }
}

async fn copy(
    stream: &mut (impl AsyncBufRead + Unpin),
    sink: &mut Sink,
    is_over: &mut watch::Receiver<bool>,
) -> Result<(), Failed> {
    loop {
        // As it came: thousands of logs are followed at a time, and most of them say nothing.
        let word = heard(is_over, stream.fill_buf()).await?;
        let bytes = word.map_err(|error| Failed::Passing(error.to_string()))?;
        if bytes.is_empty() {
            return Ok(());
        }
        let count = bytes.len();
        sink.take(bytes).map_err(|error| Failed::Passing(error.to_string()))?;
        stream.consume_unpin(count);
    }
}

fn of_kube(error: kube::Error) -> Failed {
    match &error {
        kube::Error::Api(status) if status.code == 404 => {
            Failed::Gone("the rest of the log is gone with its pod".to_owned())
        }
        // The container is not there yet, or its node does not answer.
        kube::Error::Api(status) => Failed::Refused(status.message.clone()),
        _ => Failed::Passing(error.to_string()),
    }
}
