//! How does a Load Data run?
//!
//! As `fletchline load --request FILE` inside its sandbox: [`Request`] goes in by a file, [`Progress`] and facts come
//! out by files beside it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use model::{
    kind::Source,
    launch::{Launch, Program},
    pod::{PROGRESS, UPLOADS_AT},
    run::Progress,
    supervise::{From, Item, TASK_STATE, TASK_STATE_AT},
};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::{
    config::{LocalConfig, ProgramCommand},
    folder::{ExecutionFolder, write_whole},
    locked, sandbox,
};
use crate::say;

pub const REQUEST: &str = "request.json";
pub const FACTS: &str = "facts.json";
/// Names the file of the authorities that a load trusts.
pub const CERTIFICATES: &str = "SSL_CERT_FILE";
pub const DOWNLOADS_AT: &str = "/fletchline/downloads";

/// What `fletchline load --request FILE` does. Paths are as the task sees them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub sources: Vec<Source>,
    pub target: PathBuf,
    /// Shared by the task's executions; the loader locks it.
    pub downloads: PathBuf,
    /// Where uploads lie, by their SHA-256.
    pub uploads: PathBuf,
    /// Fetch again whatever is there.
    pub again: bool,
    /// Use what is there without asking.
    pub keep: bool,
    /// Private hosts and ranges that may be loaded from.
    pub allow: Vec<String>,
}

/// `server`: where the task finds our program. `allow`: private hosts and ranges that may be loaded from. `certificates`: the
/// file of the authorities that it trusts, as the task sees it.
///
/// # Errors
/// It is no Load Data.
pub fn command(
    launch: &Launch,
    server: &str,
    allow: &[String],
    certificates: Option<&str>,
) -> Result<ProgramCommand, String> {
    let Program::Load { sources, target, again, keep, .. } = &launch.program else {
        return Err(format!("{} is no Load Data.", launch.name));
    };
    let request = Request {
        sources: sources.clone(),
        target: target.normal().0.into(),
        downloads: DOWNLOADS_AT.into(),
        uploads: UPLOADS_AT.into(),
        again: *again,
        keep: *keep,
        allow: allow.to_owned(),
    };
    let text = serde_json::to_string(&request).map_err(|error| error.to_string())?;
    let argv = [server, "load", "--request", &format!("{TASK_STATE_AT}/{REQUEST}")];
    Ok(ProgramCommand {
        argv: argv.map(str::to_owned).into(),
        files: [(REQUEST.to_owned(), text)].into(),
        env: certificates.map(|file| (CERTIFICATES.to_owned(), file.to_owned())).into_iter().collect(),
        ..ProgramCommand::default()
    })
}

/// `fletchline load --request FILE`, inside the task. `supply` has what lies in our own program.
///
/// # Errors
/// One sentence for the log.
pub async fn carry_out(request: &Path, supply: Arc<dyn ::load::Supply>) -> Result<(), String> {
    let text = fs::read(request).map_err(|error| format!("The request could not be read: {error}."))?;
    let asked: Request = serde_json::from_slice(&text).map_err(|error| format!("The request is broken: {error}."))?;
    let allow = ::load::Allow::parse(&asked.allow).map_err(|error| error.to_string())?;
    let loader = ::load::Loader::new(allow)
        .with_files(::load::Files::Allowed { except: Vec::new() })
        .with_supply(Arc::new(Uploads { folder: asked.uploads.clone(), next: supply }));
    let reuse = match (asked.again, asked.keep) {
        (true, _) => ::load::Reuse::Again,
        (false, true) => ::load::Reuse::Keep,
        (false, false) => ::load::Reuse::Check,
    };
    let sources = asked.sources.iter().map(source).collect::<Result<_, _>>()?;
    let wanted = ::load::Request { reuse, ..::load::Request::new(sources, asked.downloads, asked.target) };
    let beside = request.to_owned();
    let last = Mutex::new(String::new());
    let told = move |progress: ::load::Progress| {
        let now = shown(&progress);
        if std::mem::replace(&mut *locked(&last), now.phase.clone()) != now.phase {
            say::out(&now.phase);
        }
        // Progress that cannot be told is no failure of the load.
        let _ = write_beside(&beside, PROGRESS, &serde_json::to_vec(&now).unwrap_or_default());
    };
    let summary = loader.load(&wanted, told).await.map_err(|error| error.to_string())?;
    for warning in summary.sources.iter().flat_map(|source| &source.warnings) {
        say::out(format_args!("note: {warning}"));
    }
    say::out(format_args!("{} files, {} bytes", summary.files, summary.bytes));
    let facts = serde_json::to_vec(&summary).map_err(|error| error.to_string())?;
    write_beside(request, FACTS, &facts).map_err(|error| format!("What was loaded could not be noted: {error}."))
}

fn source(source: &Source) -> Result<::load::Source, String> {
    let name = serde_json::to_value(source.unpack).map_err(|error| error.to_string())?;
    let unpack = name.as_str().unwrap_or("auto").parse()?;
    Ok(::load::Source { url: source.url.clone(), sha256: source.sha256.clone(), unpack })
}

fn shown(progress: &::load::Progress) -> Progress {
    let verb = match progress.phase {
        ::load::Phase::Waiting => "Waiting for",
        ::load::Phase::Connecting => "Connecting for",
        ::load::Phase::Downloading => "Downloading",
        ::load::Phase::Checking => "Checking",
        ::load::Phase::Unpacking => "Unpacking",
        ::load::Phase::Finishing => "Finishing",
    };
    Progress {
        bytes: progress.bytes,
        total: progress.total,
        bytes_per_second: progress.rate,
        seconds_left: progress.seconds_left,
        phase: format!("{verb} {}", progress.name),
    }
}

/// The checksum and the name of a file that was dropped on the task, of `upload:SHA256/NAME`.
fn upload(url: &str) -> Option<(&str, Option<String>)> {
    let (sha256, name) = match url.strip_prefix("upload:")?.split_once('/') {
        Some((sha256, name)) => (sha256, Some(percent_decode_str(name).decode_utf8_lossy().into_owned())),
        None => (url.strip_prefix("upload:")?, None),
    };
    Some((sha256, name))
}

/// The checksums of what was dropped on a Load Data; nothing of any other task.
pub fn uploads(launch: &Launch) -> Vec<String> {
    let Program::Load { sources, .. } = &launch.program else { return Vec::new() };
    sources.iter().filter_map(|source| upload(&source.url)).map(|(sha256, _)| sha256.to_owned()).collect()
}

/// # Errors
/// One sentence: it is not there any more.
pub fn uploaded(data: &Path, launch: &Launch, sha256: &str) -> Result<PathBuf, String> {
    let file = data.join("uploads").join(sha256);
    let is_there = is_plain(sha256) && file.is_file();
    let gone = || format!("The file that was dropped on {} is not here any more: drop it again.", launch.name);
    is_there.then_some(file).ok_or_else(gone)
}

fn is_plain(sha256: &str) -> bool {
    !sha256.is_empty() && sha256.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An upload lies in a folder under its checksum.
struct Uploads {
    folder: PathBuf,
    next: Arc<dyn ::load::Supply>,
}

impl ::load::Supply for Uploads {
    fn open(&self, url: &str) -> io::Result<Option<::load::Supplied>> {
        let Some((sha256, name)) = upload(url) else { return self.next.open(url) };
        if !is_plain(sha256) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an upload is named by its SHA-256"));
        }
        let file = fs::File::open(self.folder.join(sha256))?;
        let length = Some(file.metadata()?.len());
        let name = name.unwrap_or_else(|| sha256.to_owned());
        Ok(Some(::load::Supplied { name, length, bytes: Box::new(file) }))
    }
}

/// What its sandbox shows beyond others': our program, the downloads, and the files that it names.
///
/// # Errors
/// One sentence: a file that it may not read, or a folder that cannot be made.
pub fn binds(config: &LocalConfig, launch: &Launch) -> Result<Vec<Item>, String> {
    let Program::Load { sources, downloads, .. } = &launch.program else { return Ok(Vec::new()) };
    let place = config.results.join(downloads);
    fs::create_dir_all(&place).map_err(|error| format!("{} could not be made: {error}.", place.display()))?;
    let from = From { root: config.results.clone(), below: downloads.clone(), links: false };
    let mut binds = vec![
        sandbox::bind_file(&config.server, sandbox::SERVER_AT),
        Item::Bind { from, path: DOWNLOADS_AT.into(), writable: true, devices: false },
    ];
    for source in sources {
        if let Some((sha256, _)) = upload(&source.url) {
            let file = uploaded(&config.data, launch, sha256)?;
            binds.push(sandbox::bind_file(&file, format!("{UPLOADS_AT}/{sha256}")));
        }
        if let Some(path) = file_path(&source.url) {
            let real =
                fs::canonicalize(&path).map_err(|error| format!("{} cannot be read: {error}.", path.display()))?;
            let is_hidden = |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
            if is_hidden(&config.data) || is_hidden(&config.results) {
                return Err(format!("{} belongs to Fletchline itself: no task reads it.", path.display()));
            }
            binds.push(sandbox::bind_file(&real, path.display().to_string()));
        }
    }
    Ok(binds)
}

/// Of a `file:` source; nothing is decoded but what `file:///a%20b` needs.
fn file_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("file:")?;
    url::Url::parse(&format!("file://{}", rest.trim_start_matches("//"))).ok()?.to_file_path().ok()
}

/// How far it is, if it has said so.
pub fn progress(folder: &ExecutionFolder) -> Option<Progress> {
    read(&folder.path.join(TASK_STATE).join(PROGRESS))
}

/// What it tells for later runs.
pub fn facts(folder: &ExecutionFolder) -> Option<serde_json::Value> {
    read(&folder.path.join(TASK_STATE).join(FACTS))
}

/// The task may write it: neither a link nor a flood is followed.
fn read<T: for<'a> Deserialize<'a>>(file: &Path) -> Option<T> {
    let stat = fs::symlink_metadata(file).ok()?;
    (stat.is_file() && stat.len() <= 1 << 20).then_some(())?;
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn write_beside(request: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    write_whole(request.parent().unwrap_or(Path::new(".")), name, bytes)
}
