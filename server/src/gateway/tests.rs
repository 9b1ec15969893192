//! Does a task's page reach its own task, and nothing of ours reach the task?

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, WebSocketUpgrade, ws::Message},
    response::{AppendHeaders, IntoResponse, Response},
    routing::{any, get},
};
use futures::{SinkExt, StreamExt};
use http::StatusCode;
use model::{ExecutionId, PipelineId, TaskId};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite;

use super::*;

struct OneTask(Target);

#[async_trait]
impl Targets for OneTask {
    fn live(&self) -> Vec<Target> {
        vec![self.0.clone()]
    }
    async fn dial(&self, target: &Target) -> Result<Box<dyn Connection>, RunnerError> {
        let stream = TcpStream::connect(("127.0.0.1", target.port)).await;
        stream
            .map(|stream| Box::new(stream) as Box<dyn Connection>)
            .map_err(|error| RunnerError::Unavailable(error.to_string()))
    }
}

/// A task's program that tells what it was sent.
async fn upstream() -> u16 {
    let echo = |request: Request| async move {
        let seen = format!("{} {:?}", request.uri(), request.headers());
        let headers = [("set-cookie", "own=1"), ("set-cookie", "x=1; Domain=localhost"), ("clear-site-data", "\"*\"")];
        (AppendHeaders(headers), seen)
    };
    let socket = |upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(|mut socket| async move {
            while let Some(Ok(Message::Text(text))) = socket.recv().await {
                let _ = socket.send(Message::Text(format!("heard {text}").into())).await;
            }
        })
    };
    let app = Router::new().route("/socket", get(socket)).fallback(any(echo));
    serve(app).await
}

async fn serve(app: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    port
}

struct Site {
    gateway: Arc<Gateway>,
    target: Target,
    port: u16,
    label: String,
}

async fn site() -> Site {
    let execution =
        ExecutionId { pipeline: PipelineId::new("p").unwrap(), task: TaskId::new("explore").unwrap(), n: 3 };
    let target = Target {
        execution,
        port: upstream().await,
        task_name: "Explore — it".into(),
        is_task_address: false,
        authorization: Some("token secret".into()),
        confine: false,
    };
    let gateway = Arc::new(Gateway::new(Arc::new(OneTask(target.clone())), Access::new([7; 32])));
    let answering = gateway.clone();
    let app = Router::new().fallback(move |request: Request| {
        let gateway = answering.clone();
        async move {
            match host(&request).and_then(label_of).map(str::to_owned) {
                Some(label) => gateway.answer(&label, request).await,
                None => StatusCode::MISDIRECTED_REQUEST.into_response(),
            }
        }
    });
    Site { gateway, port: serve(app).await, label: label(&target), target }
}

impl Site {
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut request = client
            .get(format!("http://127.0.0.1:{}{path}", self.port))
            .header("host", format!("{}.localhost:{}", self.label, self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn cookie(&self) -> String {
        let link = self.gateway.link(&self.target, &format!("localhost:{}", self.port), "/lab?a=1");
        let path = link.split_once(".localhost").unwrap().1.split_once('/').unwrap().1;
        let answer = self.get(&format!("/{path}"), &[]).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], "/lab?a=1");
        answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_page_of_a_task_opens_only_with_the_one_time_code_and_the_code_only_once() {
    let site = site().await;
    assert_eq!(site.get("/lab", &[]).await.status(), 401);
    let link = site.gateway.link(&site.target, "localhost:1", "/");
    let path = link.split_once(":1").unwrap().1.to_owned();
    assert_eq!(site.get(&path, &[]).await.status(), 303);
    assert_eq!(site.get(&path, &[]).await.status(), 401);
}

#[tokio::test]
async fn no_task_receives_our_cookies_or_the_browsers_authorization() {
    let site = site().await;
    let cookies = format!("fletchline=ours; theirs=1; {}", site.cookie().await);
    let answer = site
        .get("/lab?x=1", &[("cookie", &cookies), ("authorization", "Bearer ours"), ("x-forwarded-for", "1.2.3.4")])
        .await;
    assert_eq!(answer.status(), 200);
    let set: Vec<_> =
        answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    assert_eq!(set, ["own=1"]);
    assert!(!answer.headers().contains_key("clear-site-data"));
    let seen = answer.text().await.unwrap();
    assert!(seen.starts_with("/lab?x=1 ") && seen.contains("theirs=1") && seen.contains("token secret"), "{seen}");
    assert!(!seen.contains("ours") && !seen.contains("fletchline_task") && !seen.contains("1.2.3.4"), "{seen}");
}

#[tokio::test]
async fn a_cookie_of_one_host_name_opens_no_other() {
    let site = site().await;
    let cookie = site.cookie().await;
    let forged = cookie.replacen('.', "9.", 1);
    assert_eq!(site.get("/", &[("cookie", &forged)]).await.status(), 401);
    let client = reqwest::Client::new();
    let other = client
        .get(format!("http://127.0.0.1:{}/", site.port))
        .header("host", "other-1.localhost")
        .header("cookie", cookie);
    assert_eq!(other.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn another_pages_request_is_refused_though_the_browser_sends_the_cookie() {
    let site = site().await;
    let cookie = site.cookie().await;
    let answer = site.get("/", &[("cookie", &cookie), ("origin", "http://evil.example")]).await;
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_web_socket_passes_both_ways() {
    let site = site().await;
    let host = format!("{}.localhost:{}", site.label, site.port);
    let request = http::Request::builder()
        .uri(format!("ws://{host}/socket"))
        .header("host", &host)
        .header("origin", format!("http://{host}"))
        .header("cookie", site.cookie().await)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", tungstenite::handshake::client::generate_key())
        .body(())
        .unwrap();
    let stream = TcpStream::connect(("127.0.0.1", site.port)).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(tungstenite::Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), tungstenite::Message::text("heard hello"));
}

#[tokio::test]
async fn a_task_that_is_gone_has_a_page_that_says_so() {
    let site = site().await;
    let cookie = site.cookie().await;
    let gone = Gateway::new(Arc::new(OneTask(Target { port: 1, ..site.target.clone() })), Access::new([7; 32]));
    let request = Request::builder().uri("/").header("cookie", &cookie).body(Body::empty()).unwrap();
    let answer: Response = gone.answer(&site.label, request).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_host_name_is_readable_short_and_a_tasks_own() {
    assert_eq!(label_of("explore-1.localhost:4000"), Some("explore-1"));
    assert_eq!(label_of("localhost:4000"), None);
    assert_eq!(label_of("a.b.localhost"), None);
    let target = |name: &str, n| Target {
        execution: ExecutionId { pipeline: PipelineId::new("p").unwrap(), task: TaskId::new("t").unwrap(), n },
        port: 1,
        task_name: name.into(),
        is_task_address: false,
        authorization: None,
        confine: false,
    };
    assert!(label(&target("Digits API!", 1)).starts_with("digits-api-"));
    assert!(label(&target("日本", 1)).starts_with("task-"));
    assert!(label(&target(&"x".repeat(300), 1)).len() <= 63);
    assert_ne!(label(&target("a", 1)), label(&target("a", 2)));
    let serving = |n| Target { is_task_address: true, ..target("a", n) };
    assert_eq!(label(&serving(1)), label(&serving(2)));
}
