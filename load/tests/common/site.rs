//! A web server for tests that can be as wrong as the real ones.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// What was asked: method, path and range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

pub struct Site {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Site {
    /// Serves every request by `answer`, which also gets the number of the request, from 0.
    pub async fn start<F, Fut>(answer: F) -> Site
    where
        F: Fn(usize, Asked) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send + 'static,
    {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let app = Router::new().fallback(move |request: Request| {
            let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
            let one = Asked {
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                range: header("range"),
                if_range: header("if-range"),
            };
            let number = {
                let mut log = log.lock().unwrap();
                log.push(one.clone());
                log.len() - 1
            };
            answer(number, one)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Site { address, asked, serving }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (key, value) in headers {
        response = response.header(*key, *value);
    }
    response.body(body.into()).unwrap()
}

/// An honest server with ranges and a strong ETag.
pub fn ranged(asked: &Asked, bytes: &[u8], etag: &str) -> Response {
    let from = asked.range.as_ref().filter(|_| asked.if_range.as_deref() == Some(etag));
    match from.and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok()) {
        None => answer(200, &[("etag", etag)], bytes.to_vec()),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            answer(206, &[("etag", etag), ("content-range", &range)], bytes[from..].to_vec())
        }
    }
}
