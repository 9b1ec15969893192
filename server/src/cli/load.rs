//! How does `fletchline load` download and unpack?

use std::{io, path::PathBuf, sync::Arc};

use clap::Args;
use load::{Supplied, Supply};

use super::Outcome;

#[derive(Args)]
pub(super) struct Arguments {
    /// Addresses and, last, the folder: `http(s)://…`, `file:/…` or `example:NAME`.
    #[arg(required_unless_present = "request", num_args = 2.., value_names = ["URL", "DIR"])]
    places: Vec<String>,
    /// A task's own request, inside its sandbox.
    #[arg(long, hide = true, conflicts_with = "places")]
    request: Option<PathBuf>,
    /// The SHA-256 that the only download must have.
    #[arg(long)]
    sha256: Option<String>,
    /// `auto`, `never` or the name of a format.
    #[arg(long, default_value = "auto")]
    unpack: load::Unpack,
    /// Private hosts and ranges that may be loaded from, for example 10.1.0.0/16.
    #[arg(long)]
    allow: Vec<String>,
    /// Where unfinished downloads lie, so that a second try goes on there.
    #[arg(long)]
    downloads: Option<PathBuf>,
    /// No progress.
    #[arg(long)]
    quiet: bool,
}

pub(super) async fn load(arguments: Arguments, json: bool) -> anyhow::Result<Outcome> {
    if let Some(request) = &arguments.request {
        let loaded = crate::runner::local::load::carry_out(request, Arc::new(Examples)).await;
        return loaded.map(|()| Outcome::Done).map_err(anyhow::Error::msg);
    }
    let mut urls = arguments.places;
    let target = PathBuf::from(urls.pop().unwrap_or_default());
    let arguments = load::cli::Arguments {
        urls,
        target,
        sha256: arguments.sha256,
        unpack: arguments.unpack,
        downloads: arguments.downloads,
        allow: arguments.allow,
        // A person who types a path may read it.
        files_except: Some(Vec::new()),
        json,
        quiet: arguments.quiet,
        ..load::cli::Arguments::default()
    };
    load::cli::run(arguments, Some(Arc::new(Examples))).await?;
    Ok(Outcome::Done)
}

/// `example:NAME`.
struct Examples;

impl Supply for Examples {
    fn open(&self, url: &str) -> io::Result<Option<Supplied>> {
        let Some(name) = url.strip_prefix("example:") else { return Ok(None) };
        let data = crate::backend::example_data(name)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no example data named {name}")))?;
        let length = Some(data.len() as u64);
        Ok(Some(Supplied { name: name.to_owned(), length, bytes: Box::new(io::Cursor::new(data)) }))
    }
}
