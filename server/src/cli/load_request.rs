//! How does a Load Data run inside its sandbox?
//!
//! The runner wrote a file that says everything; progress and what is to be known later go into files beside it.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use load::{Allow, Files, Loader, Phase, Reuse, Supplied, Supply};

use super::Outcome;
use crate::{
    backend::SourceFacts,
    runner::local::load::{Request, say_facts, say_progress},
};

pub(super) async fn load(file: &Path) -> anyhow::Result<Outcome> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let request: Request = serde_json::from_slice(&text).context("this is no request to load")?;
    let loader = Loader::new(Allow::parse(&request.allow)?)
        .with_files(Files::Allowed { except: Vec::new() })
        .with_supply(Arc::new(Ours { uploads: request.uploads.clone() }));
    let beside = file.to_owned();
    let asked = asked(&request)?;
    let loading = loader.load(&asked, move |progress| {
        println!("{}", load::cli::line(&progress));
        // A file that cannot be written costs the page its bar, not the task its data.
        let _ = say_progress(&beside, &shown(progress));
    });
    let summary = loading.await?;
    for source in &summary.sources {
        println!("{}: {} files, {} bytes", source.name, source.files, source.bytes);
        source.warnings.iter().for_each(|warning| println!("  note: {warning}"));
    }
    let facts: SourceFacts = summary.sources.into_iter().map(|source| (source.url, source.facts)).collect();
    say_facts(file, &serde_json::to_value(facts)?)?;
    Ok(Outcome::Done)
}

fn asked(request: &Request) -> anyhow::Result<load::Request> {
    let sources = request.sources.iter().map(source).collect::<anyhow::Result<Vec<_>>>()?;
    let reuse = match (request.again, request.keep) {
        (true, _) => Reuse::Again,
        (false, true) => Reuse::Keep,
        (false, false) => Reuse::Check,
    };
    let made = load::Request::new(sources, request.downloads.clone(), request.target.clone());
    Ok(load::Request { reuse, keep_downloads: true, ..made })
}

/// Both say it with the same words.
fn source(source: &model::kind::Source) -> anyhow::Result<load::Source> {
    let word = serde_json::to_value(source.unpack)?;
    let unpack = word.as_str().unwrap_or_default().parse().map_err(anyhow::Error::msg)?;
    Ok(load::Source { url: source.url.clone(), sha256: source.sha256.clone(), unpack })
}

fn shown(progress: load::Progress) -> model::run::Progress {
    let doing = match progress.phase {
        Phase::Waiting => "Waiting for",
        Phase::Connecting => "Connecting for",
        Phase::Downloading => "Downloading",
        Phase::Checking => "Checking",
        Phase::Unpacking => "Unpacking",
        Phase::Finishing => "Finishing",
    };
    model::run::Progress {
        bytes: progress.bytes,
        total: progress.total,
        bytes_per_second: progress.rate,
        seconds_left: progress.seconds_left,
        phase: format!("{doing} {}", progress.name),
    }
}

/// `example:NAME`, and `upload:SHA256` where the runner shows it.
struct Ours {
    uploads: PathBuf,
}

impl Supply for Ours {
    fn open(&self, url: &str) -> io::Result<Option<Supplied>> {
        let Some(sha256) = url.strip_prefix("upload:") else { return super::load::Examples.open(url) };
        if sha256.is_empty() || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no checksum of a dropped file"));
        }
        let file = File::open(self.uploads.join(sha256))?;
        let length = Some(file.metadata()?.len());
        Ok(Some(Supplied { name: sha256.to_owned(), length, bytes: Box::new(file) }))
    }
}
