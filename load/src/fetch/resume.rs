//! How does a download go on after it was cut off, without ever joining two different files?
//!
//! A part is continued only if the server gave a strong ETag for it: the request says `If-Range` with that tag, and
//! the answer must be a 206 with the same tag, beginning at our byte, of the same whole length. Anything else starts
//! over. The checksum, if one is given, has the last word.

use super::downloads::{Downloads, Slot, hex};
use super::redirect::{Web, causes};
use super::tail::Tail;
use super::{Facts, Fetched, Freshness, local, name, shown_url};
use crate::progress::{Meter, Phase};
use crate::{Error, Limits, Reuse};
use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use url::Url;

/// Chunks between network and disk.
const QUEUE: usize = 16;
/// Fewer bytes than this in the stall time is a stall.
const STALL_BYTES: u64 = 1024;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One download over HTTP.
pub(crate) struct Download<'a> {
    pub web: &'a Web,
    pub url: &'a Url,
    pub slot: &'a Slot,
    pub downloads: &'a Downloads,
    pub limits: &'a Limits,
    pub meter: &'a Meter,
    /// The SHA-256 that it must have, in lower case.
    pub wanted: Option<&'a str>,
    /// Who reads along.
    pub tail: &'a Arc<Tail>,
}

/// The hash of the first `at` bytes of the part on disk.
#[derive(Clone, Default)]
struct Hashed {
    hasher: Sha256,
    at: u64,
}

/// An answer that the body can be taken from, beginning at byte `start` of the file.
struct Opened {
    response: Response,
    start: u64,
    total: Option<u64>,
    name: String,
    facts: Facts,
}

impl Download<'_> {
    /// Brings the file, or finds it here already.
    pub async fn run(&self, reuse: Reuse) -> Result<Fetched, Error> {
        if let Some(here) = self.already_here(reuse).await? {
            return Ok(here);
        }
        let (mut hashed, mut tries, mut furthest, mut fetched) = (Hashed::default(), 0, 0, 0);
        loop {
            let error = match self.attempt(&mut hashed, &mut fetched).await {
                Ok(done) => return Ok(done),
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            let length = self.slot.length();
            tries = if length > furthest { 1 } else { tries + 1 };
            furthest = furthest.max(length);
            if tries > self.limits.retries {
                return Err(error);
            }
            self.pause(&error, tries).await?;
        }
    }

    /// A whole download of an earlier load, if it may be used again. Else its place is empty or holds a part.
    async fn already_here(&self, reuse: Reuse) -> Result<Option<Fetched>, Error> {
        let Some(kept) = self.slot.complete().filter(|_| reuse != Reuse::Again) else {
            if reuse == Reuse::Again || self.slot.read().is_none_or(|s| s.complete) {
                self.slot.clear()?;
            }
            return Ok(None);
        };
        let good = match (self.wanted, &kept.facts.sha256) {
            (Some(wanted), Some(sha256)) => wanted == sha256,
            (Some(_), None) => false,
            (None, _) if reuse == Reuse::Keep => true,
            (None, _) => {
                self.ask().await.is_ok_and(|now| Freshness::compare(&without_hash(&kept.facts), &now).is_same())
            }
        };
        if !good {
            self.slot.clear()?;
            return Ok(None);
        }
        Ok(Some(Fetched { path: self.slot.data.clone(), ours: true, name: kept.name, facts: kept.facts, fetched: 0 }))
    }

    /// What the server says of the file without sending it.
    pub async fn ask(&self) -> Result<Facts, Error> {
        ask(self.web, self.url).await
    }

    async fn attempt(&self, hashed: &mut Hashed, fetched: &mut u64) -> Result<Fetched, Error> {
        let start = self.resume_at()?;
        self.hash_prefix(hashed, start).await?;
        self.meter.phase(Phase::Connecting, start, None);
        let opened = self.open(start).await?;
        if opened.start == 0 {
            *hashed = Hashed::default();
        }
        self.slot.write(&opened.name, &opened.facts, false)?;
        self.tail.begin(self.slot.data.clone(), opened.name.clone(), opened.start);
        self.meter.phase(Phase::Downloading, opened.start, opened.total);
        let (name, mut facts, total) = (opened.name.clone(), opened.facts.clone(), opened.total);
        let before = hashed.at;
        let outcome = self.transfer(opened, hashed).await;
        *fetched += hashed.at - before;
        outcome?;
        if total.is_some_and(|total| total != hashed.at) {
            return Err(self.network("the connection ended before the file did"));
        }
        facts.length = Some(hashed.at);
        facts.sha256 = Some(hex(&hashed.hasher.clone().finalize()));
        self.verify(&name, &facts)?;
        self.slot.write(&name, &facts, true)?;
        self.tail.whole();
        Ok(Fetched { path: self.slot.data.clone(), ours: true, name, facts, fetched: *fetched })
    }

    fn verify(&self, name: &str, facts: &Facts) -> Result<(), Error> {
        let got = facts.sha256.clone().unwrap_or_default();
        match self.wanted {
            Some(wanted) if wanted != got => {
                self.slot.clear()?;
                Err(Error::Checksum { name: name.to_owned(), want: wanted.to_owned(), got })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// From which byte on the file is to be asked for; 0 if there is nothing that can be continued.
    fn resume_at(&self) -> Result<u64, Error> {
        let have = self.slot.length();
        let part = self.slot.read().filter(|s| !s.complete && s.facts.strong_etag().is_some());
        match part.map(|s| s.facts.length) {
            None => Ok(0),
            // All is here but nobody wrote down that it is: the last byte tells whether it is still the same file.
            Some(Some(length)) if have == length && have > 0 => Ok(have - 1),
            Some(Some(length)) if have > length => Ok(0),
            Some(_) => Ok(have),
        }
    }

    /// Brings the hash to exactly the first `start` bytes.
    async fn hash_prefix(&self, hashed: &mut Hashed, start: u64) -> Result<(), Error> {
        if hashed.at == start {
            return Ok(());
        }
        *hashed = Hashed::default();
        if start == 0 {
            return Ok(());
        }
        self.meter.phase(Phase::Checking, 0, Some(start));
        let (path, meter) = (self.slot.data.clone(), self.meter.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut hasher = Sha256::new();
            let file = File::open(&path).map_err(|e| Error::io("opening", &path, e))?;
            let at = local::hash_into(&mut hasher, &mut file.take(start), &path, &meter)?;
            Ok(Hashed { hasher, at })
        });
        *hashed = done.await.map_err(|_| Error::Cancelled)??;
        Ok(())
    }

    /// Sends the request and checks the answer's head.
    async fn open(&self, start: u64) -> Result<Opened, Error> {
        let part = self.slot.read();
        let headers = request_headers(start, part.as_ref().and_then(|p| p.facts.strong_etag()));
        let response = self.web.send(Method::GET, self.url, &headers).await?;
        match (response.status(), part) {
            (StatusCode::OK, _) => self.whole(response),
            (StatusCode::PARTIAL_CONTENT, Some(part)) if start > 0 => {
                match check_range(response.headers(), start, &part.facts) {
                    Ok(total) => Ok(Opened { response, start, total: Some(total), name: part.name, facts: part.facts }),
                    Err(why) => {
                        self.slot.clear()?;
                        Err(Error::BadRange { url: shown_url(self.url), why: why.to_owned() })
                    }
                }
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, _) if start > 0 => {
                self.slot.clear()?;
                Err(Error::BadRange { url: shown_url(self.url), why: "it says that there is no such part".to_owned() })
            }
            (status, _) => Err(self.status(status, response.headers())),
        }
    }

    fn whole(&self, response: Response) -> Result<Opened, Error> {
        let headers = response.headers();
        let total = content_length(headers);
        if total.is_some_and(|t| t > self.limits.download_bytes) {
            return Err(self.too_large());
        }
        let facts = Facts::of(headers, total);
        let name = name::of_response(headers, self.url, response.url());
        let name = match encoding(headers).as_deref() {
            None | Some("identity") => name,
            // It was sent packed although we asked not to: keep it as it came, under a name that says so.
            Some("gzip" | "x-gzip") if name.ends_with("gz") => name,
            Some("gzip" | "x-gzip") => format!("{name}.gz"),
            Some(other) => {
                let what = format!("the transfer encoding {}", crate::error::shown(other.as_bytes()));
                return Err(Error::Unsupported { archive: shown_url(self.url), what });
            }
        };
        Ok(Opened { response, start: 0, total, name, facts })
    }

    /// Moves the body to disk and into the hash; what came stays in both when it fails.
    async fn transfer(&self, opened: Opened, hashed: &mut Hashed) -> Result<(), Error> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writer = Writer {
            slot: self.slot.clone(),
            start: opened.start,
            hashed: std::mem::take(hashed),
            meter: self.meter.clone(),
            tail: Arc::clone(self.tail),
            _downloads: self.downloads.clone(),
        };
        let writing = tokio::task::spawn_blocking(move || writer.run(receiver));
        let received = self.receive(opened, sender).await;
        let (state, written) = writing.await.map_err(|_| Error::Cancelled)?;
        *hashed = state;
        written.and(received)
    }

    async fn receive(&self, mut opened: Opened, sender: mpsc::Sender<Bytes>) -> Result<(), Error> {
        let stall = Duration::from_secs(self.limits.stall_seconds.max(1));
        let (mut all, mut recent, mut until) = (opened.start, 0u64, Instant::now() + stall);
        loop {
            self.meter.tick()?;
            let left = until.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, opened.response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    all += chunk.len() as u64;
                    recent += chunk.len() as u64;
                    if all > self.limits.download_bytes {
                        return Err(self.too_large());
                    }
                    let waiting = Instant::now();
                    if sender.send(chunk).await.is_err() {
                        return Ok(()); // The writer ended early and says why.
                    }
                    until += waiting.elapsed();
                }
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(self.network(&causes(&error))),
                Err(_) if recent < STALL_BYTES => {
                    return Err(Error::Stalled { url: shown_url(self.url), seconds: self.limits.stall_seconds });
                }
                Err(_) => {}
            }
            if Instant::now() >= until {
                if recent < STALL_BYTES {
                    return Err(Error::Stalled { url: shown_url(self.url), seconds: self.limits.stall_seconds });
                }
                (recent, until) = (0, Instant::now() + stall);
            }
        }
    }

    /// Waits before the next attempt: as long as the server asks for (a minute at most), else longer each time.
    async fn pause(&self, error: &Error, tries: u32) -> Result<(), Error> {
        let base = Duration::from_millis(self.limits.retry_pause_ms);
        let growing = base.saturating_mul(1 << (tries - 1).min(10));
        let asked = match error {
            Error::Status { retry_after: Some(seconds), .. } => Some(Duration::from_secs(*seconds)),
            _ => None,
        };
        let pause = asked.unwrap_or(growing).min(LONGEST_PAUSE);
        self.meter.waiting(format!("tries again in {} s: {error}", pause.as_secs_f64().ceil()));
        tokio::time::sleep(pause).await;
        self.meter.tick()
    }

    fn status(&self, status: StatusCode, headers: &HeaderMap) -> Error {
        status_error(self.url, status, headers)
    }

    fn network(&self, why: &str) -> Error {
        Error::Network { url: shown_url(self.url), why: why.to_owned() }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { url: shown_url(self.url), limit: self.limits.download_bytes }
    }
}

/// What the server says of a file without sending it.
pub(crate) async fn ask(web: &Web, url: &Url) -> Result<Facts, Error> {
    let response = web.send(Method::HEAD, url, &request_headers(0, None)).await?;
    if !response.status().is_success() {
        return Err(status_error(url, response.status(), response.headers()));
    }
    Ok(Facts::of(response.headers(), content_length(response.headers())))
}

fn without_hash(facts: &Facts) -> Facts {
    Facts { sha256: None, ..facts.clone() }
}

fn request_headers(start: u64, etag: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // Packed transfers would make lengths, ranges and checksums mean something else.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let tag = etag.and_then(|tag| HeaderValue::from_str(tag).ok());
    if let (Some(tag), true) = (tag, start > 0) {
        headers.insert(header::IF_RANGE, tag);
        let range = HeaderValue::from_str(&format!("bytes={start}-")).expect("digits are a header value");
        headers.insert(header::RANGE, range);
    }
    headers
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn encoding(headers: &HeaderMap) -> Option<String> {
    headers.get(header::CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).trim().to_ascii_lowercase())
}

/// Checks `Content-Range: bytes START-END/TOTAL` against what was asked; the answer is the whole length.
fn check_range(headers: &HeaderMap, start: u64, known: &Facts) -> Result<u64, &'static str> {
    let text = headers
        .get(header::CONTENT_RANGE)
        .and_then(|v| v.to_str().ok())
        .ok_or("it does not say which part it sends")?;
    let range = parse_range(text).ok_or("it says unclearly which part it sends")?;
    if encoding(headers).is_some_and(|e| e != "identity") {
        return Err("it sends a part of a packed transfer");
    }
    if range.0 != start {
        return Err("it sends another part than the one asked for");
    }
    if range.1.checked_add(1) != Some(range.2) {
        return Err("it does not send all of the rest");
    }
    if known.length.is_some_and(|length| length != range.2) {
        return Err("the file has another length now");
    }
    let now = Facts::of(headers, None);
    match (known.strong_etag(), now.strong_etag()) {
        (Some(a), Some(b)) if a == b => Ok(range.2),
        (_, None) => Ok(range.2), // If-Range was honoured, or this would be a 200.
        (_, Some(_)) => Err("the file changed"),
    }
}

fn parse_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, end.trim().parse().ok()?, total.trim().parse().ok()?))
}

fn status_error(url: &Url, status: StatusCode, headers: &HeaderMap) -> Error {
    let hint = match status.as_u16() {
        401 | 403 => " (not allowed); use an address that needs no login",
        404 | 410 => " (not there); check the address",
        429 | 503 => " (too busy); try again later",
        500..=599 => " (the server has a problem); try again later",
        _ => "; check the address",
    };
    Error::Status { url: shown_url(url), status: status.as_u16(), hint, retry_after: retry_after(headers) }
}

/// `Retry-After` in seconds: a number, or a date.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(std::time::SystemTime::now()).map_or(0, |d| d.as_secs()))
}

/// The blocking end of a transfer.
struct Writer {
    slot: Slot,
    start: u64,
    hashed: Hashed,
    meter: Meter,
    tail: Arc<Tail>,
    /// The lock stays taken while anything is still written.
    _downloads: Downloads,
}

impl Writer {
    /// Writes and hashes until the sender ends. Hash and file agree also after an error.
    fn run(mut self, mut chunks: mpsc::Receiver<Bytes>) -> (Hashed, Result<(), Error>) {
        let done = self.write(&mut chunks).map_err(|e| Error::io("writing", &self.slot.data, e));
        (self.hashed, done)
    }

    fn write(&mut self, chunks: &mut mpsc::Receiver<Bytes>) -> std::io::Result<()> {
        let mut file = File::options().create(true).truncate(false).write(true).open(&self.slot.data)?;
        file.set_len(self.start)?;
        file.seek(SeekFrom::Start(self.start))?;
        while let Some(chunk) = chunks.blocking_recv() {
            file.write_all(&chunk)?;
            self.hashed.hasher.update(&chunk);
            self.hashed.at += chunk.len() as u64;
            self.meter.add(chunk.len() as u64);
            self.tail.advance(self.hashed.at);
        }
        Ok(())
    }
}
