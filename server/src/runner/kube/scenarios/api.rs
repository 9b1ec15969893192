//! What does an API server answer, when a test says what?

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};
use tower::BoxError;
use tower_test::mock::{self, SendResponse};

use crate::runner::{kube::client::patient, locked};

type Answered = Response<UnsyncBoxBody<Bytes, BoxError>>;

pub enum Answer {
    Status {
        code: u16,
        retry_after: Option<u64>,
        body: Value,
    },
    /// Pieces, as long as somebody can send one.
    Pieces(mpsc::UnboundedReceiver<Bytes>),
    /// Not before this.
    After(Duration, Box<Answer>),
    /// It took the request, and the connection broke.
    Broken,
    /// It took the request, and says nothing.
    Silence,
}

pub fn found(object: Value) -> Answer {
    Answer::Status { code: 200, retry_after: None, body: object }
}

pub fn listed(version: u64, pods: &[Value]) -> Answer {
    let meta = json!({"resourceVersion": version.to_string()});
    found(json!({"apiVersion": "v1", "kind": "PodList", "metadata": meta, "items": pods}))
}

pub fn failed(code: u16, reason: &str, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
        "reason": reason, "code": code});
    Answer::Status { code, retry_after: None, body }
}

pub fn exists() -> Answer {
    failed(409, "AlreadyExists", "pods \"x\" already exists")
}

/// As the API server's own limits answer.
pub fn busy(code: u16, retry_after: Option<u64>) -> Answer {
    Answer::Status { code, retry_after, body: json!("Too many requests, please try again later.") }
}

/// Something that goes on, and what it tells.
pub fn open() -> (Line, Answer) {
    let (to, from) = mpsc::unbounded_channel();
    (Line(to), Answer::Pieces(from))
}

pub struct Line(mpsc::UnboundedSender<Bytes>);

impl Line {
    /// Of a watch.
    pub fn tell(&self, what: &str, object: &Value) {
        self.say(&format!("{}\n", json!({"type": what, "object": object})));
    }

    pub fn say(&self, text: &str) {
        self.0.send(Bytes::from(text.to_owned())).unwrap();
    }
}

/// A mock: these are failures that a real one does not show on request.
#[derive(Clone)]
pub struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    script: VecDeque<(&'static str, Answer)>,
    asked: Vec<(String, Instant)>,
    silent: Vec<SendResponse<Answered>>,
}

impl ApiServer {
    /// Each kind of request gets the answers for it in their order. Pods beyond that: there are none, and nothing changes.
    pub fn start(script: impl IntoIterator<Item = (&'static str, Answer)>) -> (Client, ApiServer) {
        let (service, handle) = mock::pair::<Request<Body>, Answered>();
        let server = ApiServer(Arc::default());
        server.then(script);
        let serving = server.clone();
        tokio::spawn(async move {
            let mut handle = pin!(handle);
            while let Some((request, send)) = handle.next_request().await {
                let answer = serving.take(&called(&request));
                tokio::spawn(serving.clone().answer(answer, send));
            }
        });
        (patient(Client::new(service, "fletchline")), server)
    }

    pub fn then(&self, script: impl IntoIterator<Item = (&'static str, Answer)>) {
        locked(&self.0).script.extend(script);
    }

    fn take(&self, request: &str) -> Answer {
        let mut state = locked(&self.0);
        state.asked.push((request.to_owned(), Instant::now()));
        let place = state.script.iter().position(|(for_it, _)| *for_it == request);
        if let Some((_, answer)) = place.and_then(|place| state.script.remove(place)) {
            return answer;
        }
        match request {
            "LIST pods" => listed(1, &[]),
            "WATCH pods" => Answer::Silence,
            "LIST nodes" | "LIST events" => failed(403, "Forbidden", "not yours"),
            _ => failed(404, "NotFound", "there is none"),
        }
    }

    async fn answer(self, answer: Answer, send: SendResponse<Answered>) {
        let answer = match answer {
            Answer::After(pause, answer) => {
                tokio::time::sleep(pause).await;
                *answer
            }
            other => other,
        };
        match answer {
            Answer::Status { code, retry_after, body } => {
                let after = retry_after.map(|seconds| ("retry-after", seconds.to_string()));
                let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                let whole = stream::iter([Ok::<_, BoxError>(Frame::data(Bytes::from(text)))]);
                let response = after.iter().fold(Response::builder().status(code), |all, (k, v)| all.header(*k, v));
                send.send_response(response.body(StreamBody::new(whole).boxed_unsync()).unwrap());
            }
            Answer::Pieces(from) => {
                let pieces = stream::unfold(from, |mut from| async { Some((from.recv().await?, from)) });
                let body = StreamBody::new(pieces.map(|piece| Ok::<_, BoxError>(Frame::data(piece))));
                send.send_response(Response::new(body.boxed_unsync()));
            }
            Answer::Broken => send.send_error("connection reset by peer"),
            Answer::Silence => locked(&self.0).silent.push(send),
            Answer::After(..) => unreachable!("one pause is enough"),
        }
    }

    /// What was asked about pods and the objects beside them, without logs, lists and watches.
    pub fn asked(&self) -> Vec<String> {
        let is_meant = |request: &str| !["LIST", "WATCH"].iter().any(|word| request.starts_with(word));
        let state = locked(&self.0);
        let all = state.asked.iter().map(|(request, _)| request.clone());
        all.filter(|request| is_meant(request) && !request.ends_with("log")).collect()
    }

    /// When this was asked each time.
    pub fn times(&self, request: &str) -> Vec<Instant> {
        let state = locked(&self.0);
        state.asked.iter().filter(|(asked, _)| asked == request).map(|(_, at)| *at).collect()
    }

    /// Waits until this was asked so often.
    pub async fn until(&self, request: &str, count: usize) {
        let all = async {
            while self.times(request).len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(600), all).await;
        assert!(in_time.is_ok(), "asked for {request} {} times only", self.times(request).len());
    }
}

/// `POST pods`, `GET pods/one`, `GET pods/one/log`, `LIST pods`, `WATCH pods`.
fn called(request: &Request<Body>) -> String {
    let path = request.uri().path();
    let kind = path.split_once("/namespaces/fletchline/").map_or("nodes", |(_, kind)| kind);
    let mut words: Vec<&str> = kind.split('/').collect();
    if let Some(name) = words.get_mut(1) {
        *name = "one";
    }
    let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
    let method = match (request.method(), is_watch, words.len()) {
        (&Method::GET, true, _) => "WATCH",
        (&Method::GET, false, 1) => "LIST",
        (other, _, _) => other.as_str(),
    };
    format!("{method} {}", words.join("/"))
}
