//! How does a browser reach the pages of a task?
//!
//! Each opened port has a host name of its own on the product's own port: `http://<task>-<short id>.localhost:<port>`.
//! Cookies know no ports, so a task's page must never share our host name; and a browser resolves `*.localhost` by
//! itself, so one `ssh -L` reaches everything.
//!
//! # Guarantees
//! - Who asks was let in by a one-time code that our own page handed out, which became a cookie of that host name alone.
//! - No task ever receives our cookies, nor the gateway's, nor an `Authorization` of the browser's.
//! - Which task answers is looked up among the live ones at each request: a port that another task took over is not reached.

mod access;
mod headers;
mod name;
mod page;
mod proxy;
#[cfg(test)]
mod tests;
mod way;

use std::sync::Arc;

use async_trait::async_trait;
use axum::{body::Body, extract::Request, response::Response};
use http::{StatusCode, header};
use model::ExecutionId;

pub use access::Access;
pub use name::{label, label_of};
pub use way::Way;

use crate::runner::{Connection, RunnerError};

/// A port of a live execution that may be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub execution: ExecutionId,
    pub port: u16,
    /// The task's name, for the host name and for pages of ours.
    pub task_name: String,
    /// A Serving's address belongs to its task and stays the same whichever version is live.
    pub is_task_address: bool,
    /// Added to every request, for example the token of a notebook server.
    pub authorization: Option<String>,
    /// Its pages may not load anything from elsewhere (BentoML's would).
    pub confine: bool,
}

/// What the gateway must be able to ask of the server.
#[async_trait]
pub trait Targets: Send + Sync + 'static {
    /// Every port that may be opened now.
    fn live(&self) -> Vec<Target>;
    async fn dial(&self, target: &Target) -> Result<Box<dyn Connection>, RunnerError>;
}

pub struct Gateway {
    targets: Arc<dyn Targets>,
    access: Access,
}

impl Gateway {
    pub fn new(targets: Arc<dyn Targets>, access: Access) -> Self {
        Gateway { targets, access }
    }

    /// The address that opens a port once. `host` is the name and port by which the browser reached our own page.
    /// `path` is where it lands.
    pub fn link(&self, target: &Target, host: &str, path: &str) -> String {
        let label = label(target);
        let port = host.rsplit_once(':').map_or(String::new(), |(_, port)| format!(":{port}"));
        let code = self.access.code(&label);
        format!("http://{label}.localhost{port}{}?code={code}&to={}", access::OPEN, access::encode(path))
    }

    /// Answers a request whose host name is a task's (see [`label_of`]).
    pub async fn answer(&self, label: &str, request: Request) -> Response {
        if request.uri().path() == access::OPEN {
            return self.access.open(label, &request);
        }
        if !self.access.is_let_in(label, request.headers()) {
            return page::refused();
        }
        if !headers::is_own_origin(request.headers()) {
            return page::plain(StatusCode::FORBIDDEN, "This request comes from another page.");
        }
        match self.targets.live().into_iter().find(|target| self::label(target) == label) {
            Some(target) => self.pass_on(target, request).await,
            None => page::ended(),
        }
    }

    async fn pass_on(&self, target: Target, request: Request) -> Response {
        let connection = match self.targets.dial(&target).await {
            Ok(connection) => connection,
            Err(error) => return page::unreachable(&target, &error.to_string()),
        };
        match proxy::pass_on(connection, &target, request).await {
            Ok(response) => response,
            Err(error) => page::unreachable(&target, &error.to_string()),
        }
    }
}

/// The `Host` of a request, from HTTP/1.1's header or HTTP/2's authority.
pub fn host(request: &Request<Body>) -> Option<&str> {
    match request.headers().get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => request.uri().authority().map(http::uri::Authority::as_str),
    }
}
