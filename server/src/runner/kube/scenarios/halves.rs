//! Does what goes through the cluster's exec come to an end when the other side has vanished without a word?

use std::time::Duration;

use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{launch, pod, running, scene};
use crate::runner::{
    Session, SessionInput, SessionOutput, WAITING,
    kube::{
        attend::{give, listen},
        session::unless_over,
    },
};

/// As long as any of them may hang.
const BOUND: Duration = Duration::from_secs(130);

/// Open on this side only: the other ends are kept and never used.
fn half() -> (Session, mpsc::Receiver<SessionInput>, mpsc::Sender<SessionOutput>) {
    let (input, from) = mpsc::channel(WAITING);
    let (to, output) = mpsc::channel(WAITING);
    (Session { input, output }, from, to)
}

#[tokio::test(start_paused = true)]
async fn a_dropped_file_that_nobody_takes_any_more_is_given_up_to_be_sent_again() {
    let (large, small) = (vec![0; 4 << 20], vec![0; 10]);
    for (bytes, why) in [(large, "nothing of it was taken for 60 s"), (small, "the helper does not answer")] {
        let (session, _from, _to) = half();
        let given = timeout(BOUND, give(session, &mut bytes.as_slice())).await.expect("it hangs");
        assert_eq!(given, Err(why.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_tells_no_progress_any_more_is_asked_anew() {
    let (session, _from, to) = half();
    let told = std::cell::Cell::new(0);
    let line = json!({"bytes": 1, "total": 2, "bytes_per_second": 1, "seconds_left": 1, "phase": "Downloading"})
        .to_string()
        + "\n";
    let talks = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(30)).await;
            to.send(SessionOutput::Stdout(line.clone().into_bytes())).await.unwrap();
        }
        Instant::now()
    };
    let listens = async {
        listen(session, |_| told.set(told.get() + 1)).await;
        Instant::now()
    };
    let (last, end) = timeout(BOUND * 3, async { tokio::join!(talks, listens) }).await.expect("it hangs");
    assert_eq!(told.get(), 5);
    assert!(end - last < BOUND, "{:?}", end - last);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_ends_when_its_node_has_gone_and_its_connection_says_nothing() {
    let one = launch(1);
    let scene = scene([]).await;
    scene.see(pod(&one, 5, running(true)));
    let shared = scene.runner.shared.clone();
    let name = shared.running(&one.execution).unwrap();
    let (to, mut output) = mpsc::channel(WAITING);
    tokio::spawn(unless_over(std::future::pending(), shared.until_over(one.execution.clone(), name), to));
    // As long as it runs it may say nothing.
    assert!(timeout(Duration::from_secs(7200), output.recv()).await.is_err());
    let mut gone = running(true);
    gone["conditions"] = json!([{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]);
    scene.see(pod(&one, 6, gone));
    let last = timeout(BOUND, output.recv()).await.expect("it hangs");
    assert!(matches!(last, Some(SessionOutput::Exit(137))), "{last:?}");
}
