//! Who may ask, and from which page?
//!
//! One middleware before everything, WebSocket and files included:
//! 1. the `Host` is one of ours by name (any port, so that `ssh -L` works); a task's own host name goes to the gateway;
//! 2. what changes state, and the WebSocket, comes from our own page (`Origin`, `Sec-Fetch-Site`);
//! 3. the cookie is one that a one-time link gave.

mod host;
mod link;
mod page;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::SystemTime};

use app::paths;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use model::run::Millis;

use crate::{gateway::Gateway, store::Store};

pub use host::Hosts;
pub use link::{Links, open_link};
pub use page::sentence;

/// 30 days.
const SESSION: Millis = 30 * 24 * 3600 * 1000;
/// What a session of ours opens, in the store.
const SCOPE: &str = "product";

/// What the middleware needs to know.
pub struct Doors {
    pub store: Arc<dyn Store>,
    pub hosts: Hosts,
    pub links: Links,
    pub gateway: Arc<Gateway>,
    /// Of this installation alone: cookies know no ports, and two servers may be open in one browser.
    pub cookie: String,
}

impl Doors {
    pub fn new(store: Arc<dyn Store>, hosts: Hosts, gateway: Arc<Gateway>, installation: &str) -> Doors {
        let short: String = installation.chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        Doors { store, hosts, links: Links::default(), gateway, cookie: format!("fletchline_{short}") }
    }

    /// A page of a task could toss a second cookie of our name at us: any valid one lets in, none locks out.
    async fn is_let_in(&self, headers: HeaderMap) -> bool {
        for secret in cookies(&headers, &self.cookie) {
            match self.store.has_session(&link::hash(secret), SCOPE, now()).await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => tracing::error!("A session could not be looked up: {error}"),
            }
        }
        false
    }
}

/// See the module.
pub async fn guard(State(doors): State<Arc<Doors>>, request: Request, next: Next) -> Response {
    let label = crate::gateway::host(&request).and_then(crate::gateway::label_of).map(str::to_owned);
    if let Some(label) = label {
        return doors.gateway.answer(&label, request).await;
    }
    let mut response = match refusal(&doors, &request) {
        Some(refusal) => refusal,
        None if is_open(request.uri().path()) || doors.is_let_in(request.headers().clone()).await => {
            next.run(request).await
        }
        None => page::signed_out(request.uri().path()),
    };
    page::headers(response.headers_mut());
    response
}

fn is_open(path: &str) -> bool {
    path == paths::HEALTH || path == paths::LINK
}

/// A wrong name or a foreign page is refused before anybody looks who asks.
fn refusal(doors: &Doors, request: &Request) -> Option<Response> {
    let Some(host) = crate::gateway::host(request).filter(|host| doors.hosts.is_ours(host)) else {
        return Some(page::sentence(StatusCode::MISDIRECTED_REQUEST, page::FOREIGN_HOST));
    };
    if must_come_from_our_page(request) && !comes_from_our_page(request, host, &doors.hosts) {
        return Some(page::sentence(StatusCode::FORBIDDEN, page::FOREIGN_PAGE));
    }
    None
}

fn must_come_from_our_page(request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    !reads || request.headers().contains_key(header::UPGRADE)
}

/// A browser says of every such request which page made it; what does not say so is refused.
fn comes_from_our_page(request: &Request, host: &str, hosts: &Hosts) -> bool {
    let text = |name| request.headers().get(name).map(HeaderValue::to_str);
    let site_is_ours = matches!(text("sec-fetch-site"), None | Some(Ok("same-origin")));
    let origin_is_ours = matches!(text("origin"), Some(Ok(origin)) if hosts.is_origin(origin, host));
    site_is_ours && origin_is_ours
}

fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(one, _)| *one == name).map(|(_, value)| value)
}

pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(Millis::MAX))
}

/// Answers `/healthz`: there is nothing more to tell to somebody unknown.
pub async fn health() -> impl IntoResponse {
    "ok\n"
}
