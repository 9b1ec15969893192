//! Who may see a task's pages?

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode, header};
use sha2::Sha256;

use super::page;

/// Where a one-time code becomes a cookie. No program that we open has such a path.
pub const OPEN: &str = "/.fletchline/open";
pub const COOKIE: &str = "fletchline_task";
const CODE_LIVES: Duration = Duration::from_secs(60);
const COOKIE_LIVES: Duration = Duration::from_secs(30 * 24 * 3600);

/// One-time codes, in memory; and cookies, which need none: a cookie is the label's name and an end, signed.
pub struct Access {
    key: [u8; 32],
    codes: Mutex<BTreeMap<String, (String, Instant)>>,
}

impl Access {
    /// `key` is the installation's own and survives a restart, so that an open notebook does, too.
    pub fn new(key: [u8; 32]) -> Self {
        Access { key, codes: Mutex::default() }
    }

    /// A code that opens this label once within a minute.
    pub fn code(&self, label: &str) -> String {
        let code = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, (_, made)| made.elapsed() < CODE_LIVES);
        codes.insert(code.clone(), (label.to_owned(), Instant::now()));
        code
    }

    fn take(&self, code: &str, label: &str) -> bool {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(code).is_some_and(|(meant, made)| meant == label && made.elapsed() < CODE_LIVES)
    }

    /// Turns a code into the cookie of this host name and goes on to where the link leads.
    pub fn open(&self, label: &str, request: &Request<Body>) -> Response {
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let code = query.get("code").map_or("", String::as_str);
        let is_known = self.take(code, label) || self.is_let_in(label, request.headers());
        if !is_known {
            return page::refused();
        }
        let to = query.get("to").map_or("/", String::as_str);
        let cookie = format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}",
            self.cookie(label, now() + COOKIE_LIVES.as_secs()),
            COOKIE_LIVES.as_secs()
        );
        let headers =
            [(header::SET_COOKIE, cookie), (header::LOCATION, local(to)), (header::CACHE_CONTROL, "no-store".into())];
        (StatusCode::SEE_OTHER, headers).into_response()
    }

    pub fn is_let_in(&self, label: &str, headers: &HeaderMap) -> bool {
        super::headers::cookies(headers).any(|(name, value)| name == COOKIE && self.is_valid(label, value))
    }

    fn is_valid(&self, label: &str, cookie: &str) -> bool {
        let Some((end, signature)) = cookie.split_once('.') else { return false };
        let Ok(ends) = end.parse::<u64>() else { return false };
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
        ends > now() && self.mac(label, ends).verify_slice(&signature).is_ok()
    }

    fn cookie(&self, label: &str, ends: u64) -> String {
        let signature = self.mac(label, ends).finalize().into_bytes();
        format!("{ends}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn mac(&self, label: &str, ends: u64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        mac.update(format!("{label}\0{ends}").as_bytes());
        mac
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// A path of this host, never another host.
fn local(to: &str) -> String {
    let is_path = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']);
    if is_path { to.to_owned() } else { "/".to_owned() }
}

/// For a query.
pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
