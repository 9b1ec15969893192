//! What is asked of a load, and what does it answer when it has ended well?

use crate::fetch::Facts;
use crate::unpack::format::Format;
use crate::{Error, fetch::address::Allow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

/// One load: every source ends in one target folder.
#[derive(Debug, Clone)]
pub struct Request {
    pub sources: Vec<Source>,
    /// Where unfinished and kept downloads lie; one load at a time uses it, others wait.
    pub downloads: PathBuf,
    /// Where the files end; made if it is not there.
    pub target: PathBuf,
    pub limits: Limits,
    pub reuse: Reuse,
    /// Complete downloads stay in `downloads` after a good end; else only what is known about them stays.
    pub keep_downloads: bool,
    /// What was loaded is on disk, not only in memory, when the load ends.
    pub durable: bool,
}

impl Request {
    /// A request with the defaults: ask the server whether a kept download is still right, durable.
    pub fn new(sources: Vec<Source>, downloads: PathBuf, target: PathBuf) -> Request {
        Request {
            sources,
            downloads,
            target,
            limits: Limits::default(),
            reuse: Reuse::Check,
            keep_downloads: false,
            durable: true,
        }
    }
}

/// One thing to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `http(s)://…`, `file:///…`, or anything that the caller's [`Supply`] knows (`example:NAME`).
    pub url: String,
    /// 64 hexadecimal digits, in either case, with or without `sha256:` before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default)]
    pub unpack: Unpack,
}

impl Source {
    pub fn new(url: impl Into<String>) -> Source {
        Source { url: url.into(), sha256: None, unpack: Unpack::Auto }
    }

    /// The wanted checksum in lower case without prefix.
    pub(crate) fn wanted(&self) -> Result<Option<String>, Error> {
        let Some(text) = self.sha256.as_deref().map(str::trim).filter(|t| !t.is_empty()) else {
            return Ok(None);
        };
        let lower = text.to_ascii_lowercase();
        let digits = lower.strip_prefix("sha256:").unwrap_or(&lower);
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::BadChecksum { text: crate::error::shown(text.as_bytes()) });
        }
        Ok(Some(digits.to_owned()))
    }
}

/// Whether a source is opened after it came. Written `auto`, `never` or the name of a format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Unpack {
    /// By its first bytes and its name; formats that only look like archives are left alone.
    #[default]
    Auto,
    Never,
    As(Format),
}

impl FromStr for Unpack {
    type Err = String;
    fn from_str(text: &str) -> Result<Unpack, String> {
        match text {
            "auto" => Ok(Unpack::Auto),
            "never" => Ok(Unpack::Never),
            other => other.parse().map(Unpack::As),
        }
    }
}

impl TryFrom<String> for Unpack {
    type Error = String;
    fn try_from(text: String) -> Result<Unpack, String> {
        text.parse()
    }
}

impl From<Unpack> for String {
    fn from(unpack: Unpack) -> String {
        match unpack {
            Unpack::Auto => "auto".to_owned(),
            Unpack::Never => "never".to_owned(),
            Unpack::As(format) => format.to_string(),
        }
    }
}

/// What happens with a complete download of an earlier load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// Ask the server; it is used again if the server says that it is unchanged.
    #[default]
    Check,
    /// It is used again without asking.
    Keep,
    /// It is thrown away and fetched again.
    Again,
}

/// How much of everything; sizes in bytes, times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Of one download.
    pub download_bytes: u64,
    /// Of one source, unpacked.
    pub unpacked_bytes: u64,
    /// Files, folders and links of one archive.
    pub entries: u64,
    /// Folders inside each other.
    pub depth: usize,
    /// Unpacked size over packed size, once 64 MiB have come out.
    pub ratio: u64,
    /// Of a decoder's window or dictionary.
    pub decoder_memory: u64,
    /// Less than 1 KiB in this time is a stall.
    pub stall_seconds: u64,
    /// Attempts after the first one that make no progress.
    pub retries: u32,
    /// Base of the growing pause between attempts, in milliseconds.
    pub retry_pause_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            download_bytes: 1 << 40,
            unpacked_bytes: 1 << 40,
            entries: 4_000_000,
            depth: 128,
            ratio: 500,
            decoder_memory: 128 << 20,
            stall_seconds: 30,
            retries: 5,
            retry_pause_ms: 500,
        }
    }
}

/// Whether `file:` sources may be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Files {
    #[default]
    Refused,
    /// Any regular file except those below these folders.
    Allowed { except: Vec<PathBuf> },
}

/// Bytes that the caller has: examples inside the program, files dropped on a task.
pub trait Supply: Send + Sync {
    /// `None` if the scheme is not the caller's. Called on a blocking thread.
    ///
    /// # Errors
    /// The scheme is the caller's, but there is nothing under this address.
    fn open(&self, url: &str) -> io::Result<Option<Supplied>>;
}

/// One thing that the caller hands in.
pub struct Supplied {
    /// The file's name, which also says what kind of archive it is.
    pub name: String,
    pub length: Option<u64>,
    pub bytes: Box<dyn Read + Send>,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Files in the target that this load made, links included.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    pub sources: Vec<Loaded>,
}

/// What became of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    pub url: String,
    /// The file's name as it came.
    pub name: String,
    /// The format that it was unpacked from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    pub files: u64,
    pub bytes: u64,
    /// Bytes that came over the network in this load.
    pub fetched: u64,
    pub facts: Facts,
    /// Sentences for the log: what was odd but not wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What a [`crate::Loader`] may do, apart from the single request.
#[derive(Clone, Default)]
pub(crate) struct Permissions {
    pub allow: Allow,
    pub files: Files,
}

/// A [`Supply`] that has a fixed set of things, by address.
impl Supply for BTreeMap<String, Vec<u8>> {
    fn open(&self, url: &str) -> io::Result<Option<Supplied>> {
        let Some(bytes) = self.get(url) else {
            return Ok(None);
        };
        let name = url.rsplit([':', '/']).next().unwrap_or("file").to_owned();
        let length = Some(bytes.len() as u64);
        Ok(Some(Supplied { name, length, bytes: Box::new(io::Cursor::new(bytes.clone())) }))
    }
}
