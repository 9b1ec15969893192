//! How does a browser get its cookie?
//!
//! The server prints `http://localhost:<port>/link?code=…`. The code works once and not for long; the cookie is
//! another secret, of which the store has only a hash.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Query, State},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{StatusCode, header};
use model::run::Millis;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Doors, SCOPE, SESSION, now, page};
use crate::store::Session;

/// Long enough to walk over to the browser.
const CODE_LIVES: Millis = 15 * 60 * 1000;

/// The codes that were printed and not used yet, by their hash, with when they end.
#[derive(Default)]
pub struct Links(Mutex<BTreeMap<String, Millis>>);

impl Links {
    /// A code that lets one browser in.
    pub fn code(&self) -> String {
        let code = secret();
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, ends| *ends > now());
        codes.insert(hash(&code), now() + CODE_LIVES);
        code
    }

    fn take(&self, code: &str, now: Millis) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(&hash(code)).is_some_and(|ends| ends > now)
    }
}

/// 256 random bits.
fn secret() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// No salt and no slow hash: what is hashed is random already.
pub(super) fn hash(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

#[derive(Deserialize)]
pub struct Code {
    code: String,
}

/// Answers `/link?code=…`.
pub async fn open_link(
    State(doors): State<Arc<Doors>>,
    Query(Code { code }): Query<Code>,
    request: axum::extract::Request,
) -> Response {
    let is_private = crate::gateway::host(&request).is_some_and(|host| doors.hosts.is_private(host));
    if !doors.links.take(&code, now()) {
        return page::sentence(StatusCode::UNAUTHORIZED, page::USED_LINK);
    }
    match sign_in(&doors, is_private).await {
        Ok(cookie) => {
            let headers = [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".into())];
            (headers, Html(page::GO_ON)).into_response()
        }
        Err(error) => {
            tracing::error!("A session could not be kept: {error}");
            page::sentence(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
    }
}

/// `is_private`: the cookie never goes a way that others read.
async fn sign_in(doors: &Doors, is_private: bool) -> Result<String, crate::store::StoreError> {
    let secret = secret();
    let now = now();
    doors.store.remove_ended_sessions(now).await?;
    let session = Session { hash: hash(&secret), scope: SCOPE.into(), ends: now + SESSION };
    doors.store.add_session(&session).await?;
    let secure = if is_private { "; Secure" } else { "" };
    Ok(format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}", doors.cookie, SESSION / 1000))
}
