//! What can go wrong while loading, and how is it told to a person?

use std::io;
use std::path::{Path, PathBuf};

/// Everything that ends a load. `Display` is one sentence with the place and, where there is one, the fix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url} is not an address that can be loaded: {why}")]
    BadUrl { url: String, why: String },
    #[error("{url} begins with {scheme}:, which is not loaded here; use http, https, file or example")]
    Scheme { url: String, scheme: String },
    #[error("{host} leads to {address}, which is {kind}; an administrator can allow it in the settings")]
    Refused { host: String, address: String, kind: &'static str },
    #[error("{host} has no address: {why}; check the spelling and the network")]
    NoAddress { host: String, why: String },
    #[error("{entry} is neither a host name nor an address range such as 10.1.0.0/16")]
    BadAllow { entry: String },
    #[error("{url} redirects more than {limit} times; use the address it should end at")]
    TooManyRedirects { url: String, limit: u32 },
    #[error("{from} redirects to {to}, which is not encrypted; use the http address itself if you trust it")]
    Downgrade { from: String, to: String },
    #[error("{url} redirects to nowhere: {why}")]
    BadRedirect { url: String, why: String },
    #[error("{url} answers {status}{hint}")]
    Status { url: String, status: u16, hint: &'static str, retry_after: Option<u64> },
    #[error("{url} could not be read: {why}")]
    Network { url: String, why: String },
    #[error(
        "{url} has a certificate that is not trusted here ({why}); SSL_CERT_FILE may name a file with your company's own"
    )]
    Untrusted { url: String, why: String },
    #[error("{url} sent less than 1 KiB in {seconds} s; try again later, what has come is kept")]
    Stalled { url: String, seconds: u64 },
    #[error("{url} does not answer a request for the rest of the file truthfully: {why}")]
    BadRange { url: String, why: String },
    #[error("{url} is larger than the limit of {limit} bytes; raise the limit in the settings")]
    TooLarge { url: String, limit: u64 },
    #[error("{name} has the SHA-256 {got}, not {want}: it changed or was damaged; check the source or the checksum")]
    Checksum { name: String, want: String, got: String },
    #[error("{text} is not a SHA-256, which has 64 hexadecimal digits")]
    BadChecksum { text: String },
    #[error("{path} may not be loaded: {why}")]
    Forbidden { path: String, why: String },
    #[error("{url} is not known here: {why}")]
    NotSupplied { url: String, why: String },
    #[error("another load is writing into {folder}; wait until it has ended")]
    Busy { folder: String },
    #[error(
        "no space is left for {path} on the volume that holds {folder}; free some space and run again, the download is kept"
    )]
    DiskFull { path: String, folder: String },
    #[error("{what} {path} failed: {source}")]
    Io { what: &'static str, path: String, source: io::Error },
    #[error("{archive} is damaged: {why}")]
    Corrupt { archive: String, why: String },
    #[error("{archive} is not unpacked, because its entry {entry} {why}")]
    Unsafe { archive: String, entry: String, why: &'static str },
    #[error(
        "{archive} is not unpacked further, because it has {what}; raise the limit in the settings if you trust it"
    )]
    Limit { archive: String, what: String },
    #[error("{archive} uses {what}, which is not supported; pack it again without")]
    Unsupported { archive: String, what: String },
    #[error("{archive} is named like {named} but is {found}; check the address, or set unpack to never")]
    NotAnArchive { archive: String, named: String, found: &'static str },
    #[error("{name} is there twice; load the sources into folders of their own")]
    Twice { name: String },
    #[error("{name} is already in {folder}; load into an empty folder")]
    Exists { name: String, folder: String },
    #[error("the load was cancelled")]
    Cancelled,
}

impl Error {
    /// True where the same request may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Error::Network { .. } | Error::Stalled { .. } | Error::BadRange { .. } => true,
            Error::Status { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// A failed file operation; a full disk gets its own sentence.
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Error {
        let shown_path = shown(path.as_os_str().as_encoded_bytes());
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
            return Error::DiskFull { path: shown_path, folder: folder.display().to_string() };
        }
        Error::Io { what, path: shown_path, source }
    }

    /// Our own error, where a reader had to carry it as an `io::Error`; else the archive is damaged.
    pub(crate) fn from_reader(archive: &str, error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(other) => Error::Corrupt { archive: archive.to_owned(), why: reason(&other) },
        }
    }
}

/// What a decoder says, in words that a person can use.
fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "it ends too early; download it again".to_owned();
    }
    error.to_string()
}

impl From<Error> for io::Error {
    /// Carries our error through the readers of the decoders; [`Error::from_reader`] takes it out again.
    fn from(error: Error) -> io::Error {
        io::Error::other(error)
    }
}

/// A name from outside, made fit for a sentence: control characters escaped, at most 200 characters.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut out: String = text.chars().take(200).flat_map(escape).collect();
    if text.chars().nth(200).is_some() {
        out.push('…');
    }
    out
}

fn escape(c: char) -> Vec<char> {
    if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
        c.escape_default().collect()
    } else {
        vec![c]
    }
}
