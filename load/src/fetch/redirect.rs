//! Where does an address lead in the end, and is every hop on the way allowed?

use super::address::{self, Allow, Names, SystemNames};
use super::shown_url;
use crate::Error;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// As browsers and curl have it, less a few: nobody honest needs more.
const HOPS: u32 = 10;
const CONNECT: Duration = Duration::from_secs(20);

/// An HTTP client that connects only to addresses that were checked, and follows redirects itself.
#[derive(Clone)]
pub(crate) struct Web {
    client: Client,
    pins: Arc<Pins>,
    allow: Allow,
    names: Arc<dyn Names>,
    patience: Duration,
}

/// The addresses that were checked, by host. The client's resolver is this table and nothing else.
#[derive(Default)]
struct Pins(Mutex<BTreeMap<String, Vec<SocketAddr>>>);

impl Pins {
    fn set(&self, host: String, addresses: Vec<SocketAddr>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host, addresses);
    }
}

struct PinnedResolver(Arc<Pins>);

impl Resolve for PinnedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        let found = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).get(&host).cloned();
        Box::pin(async move {
            match found {
                Some(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                None => Err("the address was not checked".into()),
            }
        })
    }
}

impl Web {
    /// `patience`: how long an answer's headers may take.
    pub fn new(allow: Allow, names: Option<Arc<dyn Names>>, patience: Duration) -> Result<Web, Error> {
        let pins = Arc::new(Pins::default());
        // No proxy of the environment: it would resolve the name again, behind our check.
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .user_agent(concat!("fletchline/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(PinnedResolver(Arc::clone(&pins)))
            .build()
            .map_err(|e| Error::Network { url: "the network".to_owned(), why: causes(&e) })?;
        let names = names.unwrap_or_else(|| Arc::new(SystemNames));
        Ok(Web { client, pins, allow, names, patience })
    }

    /// Sends a request without a body and follows what it redirects to.
    ///
    /// # Errors
    /// A hop is not allowed, there are more than ten, or nobody answers.
    pub async fn send(&self, method: Method, url: &Url, headers: &HeaderMap) -> Result<Response, Error> {
        let mut at = url.clone();
        for _ in 0..=HOPS {
            let response = self.hop(method.clone(), &at, headers).await?;
            match next_hop(&at, &response)? {
                None => return Ok(response),
                Some(next) => at = next,
            }
        }
        Err(Error::TooManyRedirects { url: shown_url(url), limit: HOPS })
    }

    async fn hop(&self, method: Method, url: &Url, headers: &HeaderMap) -> Result<Response, Error> {
        super::check_http(url)?;
        let addresses = address::resolve(url, &self.allow, &self.names).await?;
        self.pins.set(address::host_of(url), addresses);
        let request = self.client.request(method, url.clone()).headers(headers.clone()).send();
        match tokio::time::timeout(self.patience, request).await {
            Err(_) => Err(Error::Stalled { url: shown_url(url), seconds: self.patience.as_secs() }),
            Ok(Err(error)) => Err(failed(shown_url(url), causes(&error))),
            Ok(Ok(response)) => Ok(response),
        }
    }
}

/// The address that an answer points to, if it is a redirect.
fn next_hop(at: &Url, response: &Response) -> Result<Option<Url>, Error> {
    let status = response.status();
    let redirects = matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !redirects {
        return Ok(None);
    }
    let bad = |why: &str| Error::BadRedirect { url: shown_url(at), why: why.to_owned() };
    let location = response.headers().get(LOCATION).ok_or_else(|| bad("the answer names no address"))?;
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| bad("the address is not text"))?;
    if location.contains('\\') {
        return Err(bad("the address has a backslash"));
    }
    let next = at.join(location).map_err(|e| bad(&e.to_string()))?;
    super::check_http(&next)?;
    if at.scheme() == "https" && next.scheme() == "http" {
        return Err(Error::Downgrade { from: shown_url(at), to: shown_url(&next) });
    }
    Ok(Some(next))
}

/// A certificate does not become another by asking again.
fn failed(url: String, why: String) -> Error {
    match why.strip_prefix("invalid peer certificate: ") {
        Some(why) => Error::Untrusted { url, why: why.to_owned() },
        None => Error::Network { url, why },
    }
}

/// An error with what caused it: reqwest's own text stops at "error sending request".
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
