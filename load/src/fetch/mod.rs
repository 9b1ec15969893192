//! How do the bytes of a source come to this machine, once and unbroken?

pub mod address;
pub(crate) mod downloads;
pub(crate) mod local;
pub(crate) mod name;
pub(crate) mod redirect;
pub(crate) mod resume;
pub(crate) mod tail;

use crate::Error;
use crate::error::shown;
use reqwest::header::{self, HeaderMap};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use url::Url;

/// What is known of a source: kept by the caller with an execution, so that a later run can ask whether it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Of the bytes as they came, 64 lower-case digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// As the server wrote it, quotes and a `W/` included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Of the packed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
}

impl Facts {
    pub(crate) fn of(headers: &HeaderMap, length: Option<u64>) -> Facts {
        let text = |key| headers.get(key).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Facts { sha256: None, etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED), length }
    }

    /// The ETag, if it promises that not one byte differs.
    pub(crate) fn strong_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|tag| tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"'))
    }
}

/// Whether a source is what it was, the surest first. `Display` is how a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    SameChecksum,
    SameEtag,
    SameDateAndLength,
    /// The source tells nothing to go by.
    Unknown,
    Changed,
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Freshness::SameChecksum => "same SHA-256",
            Freshness::SameEtag => "same ETag and length",
            Freshness::SameDateAndLength => "unchanged by date and length",
            Freshness::Changed => "changed",
            Freshness::Unknown => "unknown",
        })
    }
}

impl Freshness {
    /// True where an earlier result can stand for a new one.
    pub fn is_same(self) -> bool {
        match self {
            Freshness::SameChecksum | Freshness::SameEtag | Freshness::SameDateAndLength => true,
            Freshness::Changed | Freshness::Unknown => false,
        }
    }

    /// Compares what was known with what the source says now.
    pub fn compare(known: &Facts, now: &Facts) -> Freshness {
        if let (Some(a), Some(b)) = (&known.sha256, &now.sha256) {
            return if a == b { Freshness::SameChecksum } else { Freshness::Changed };
        }
        let same_length = match (known.length, now.length) {
            (Some(a), Some(b)) if a != b => return Freshness::Changed,
            (Some(_), Some(_)) => true,
            (None, _) | (_, None) => false,
        };
        if let (Some(a), Some(b)) = (known.strong_etag(), now.strong_etag()) {
            return if a == b && same_length { Freshness::SameEtag } else { Freshness::Changed };
        }
        match (&known.last_modified, &now.last_modified) {
            (Some(a), Some(b)) if a != b => Freshness::Changed,
            (Some(_), Some(_)) if same_length => Freshness::SameDateAndLength,
            (_, _) => Freshness::Unknown,
        }
    }
}

/// One source that has come, whole and checked.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    /// Where the bytes lie.
    pub path: PathBuf,
    /// It lies in our downloads folder and is removed after the load, so its bytes may be given away.
    pub ours: bool,
    /// The file's safe name.
    pub name: String,
    pub facts: Facts,
    /// Bytes that came over the network this time.
    pub fetched: u64,
}

/// Reads the address of a source.
///
/// # Errors
/// It is not a URL, or one that two readers could understand differently, or it holds a password.
pub fn parse_url(text: &str) -> Result<Url, Error> {
    let bad = |why: &str| Error::BadUrl { url: shown(text.as_bytes()), why: why.to_owned() };
    let text = text.trim();
    if text.contains('\\') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad("it has a backslash, a space or a control character"));
    }
    let url = Url::parse(text).map_err(|e| bad(&e.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        let why = "it has a user name in it; such addresses are saved and shown to everyone".to_owned();
        return Err(Error::BadUrl { url: shown_url(&url), why });
    }
    Ok(url)
}

/// Only http and https, also after a redirect.
pub(crate) fn check_http(url: &Url) -> Result<(), Error> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Scheme { url: shown_url(url), scheme: url.scheme().to_owned() });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::BadUrl { url: shown_url(url), why: "it has a user name in it".to_owned() });
    }
    Ok(())
}

/// An address for people: without what may be a secret (user, password, query).
pub(crate) fn shown_url(url: &Url) -> String {
    let mut plain = url.clone();
    // Both fail only for addresses that have no host, which have no user either.
    let _ = plain.set_username("");
    let _ = plain.set_password(None);
    plain.set_query(None);
    plain.set_fragment(None);
    shown(plain.as_str().as_bytes())
}
