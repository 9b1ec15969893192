//! How is a load started from a command line, and what is printed?

use crate::{Allow, Error, Files, Limits, Loader, Phase, Progress, Request, Reuse, Source, Summary, Supply, Unpack};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// What `fletchline load URL… DIR` was given.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    pub urls: Vec<String>,
    pub target: PathBuf,
    /// Of the only URL; with several it is an error.
    pub sha256: Option<String>,
    pub unpack: Unpack,
    /// Default: `.downloads` in the target, removed after a good end.
    pub downloads: Option<PathBuf>,
    /// Private hosts and ranges that may be loaded from.
    pub allow: Vec<String>,
    /// `file:` sources are read, except below these folders; `None` refuses them.
    pub files_except: Option<Vec<PathBuf>>,
    pub reuse: Reuse,
    pub keep_downloads: bool,
    /// Progress and result as JSON, one object a line.
    pub json: bool,
    pub quiet: bool,
    pub limits: Limits,
}

/// Runs a load and prints: progress to stderr, the result to stdout.
///
/// # Errors
/// As [`Loader::load`]; nothing is printed about it, that is the caller's.
pub async fn run(arguments: Arguments, supply: Option<Arc<dyn Supply>>) -> Result<Summary, Error> {
    let mut loader = Loader::new(Allow::parse(&arguments.allow)?);
    if let Some(except) = arguments.files_except.clone() {
        loader = loader.with_files(Files::Allowed { except });
    }
    if let Some(supply) = supply {
        loader = loader.with_supply(supply);
    }
    let request = request(&arguments)?;
    let (json, quiet) = (arguments.json, arguments.quiet);
    let terminal = std::io::stderr().is_terminal();
    let summary = loader
        .load(&request, move |progress| {
            if !quiet {
                say(&progress, json, terminal);
            }
        })
        .await;
    if !quiet && !json && terminal {
        eprint!("\r\x1b[K");
    }
    let summary = summary?;
    print_result(&summary, json);
    Ok(summary)
}

fn request(arguments: &Arguments) -> Result<Request, Error> {
    if arguments.sha256.is_some() && arguments.urls.len() != 1 {
        return Err(Error::BadChecksum { text: "one checksum for several addresses".to_owned() });
    }
    let source = |url: &String| Source { url: url.clone(), sha256: arguments.sha256.clone(), unpack: arguments.unpack };
    let sources = arguments.urls.iter().map(source).collect();
    let downloads = arguments.downloads.clone().unwrap_or_else(|| arguments.target.join(".downloads"));
    Ok(Request {
        limits: arguments.limits.clone(),
        reuse: arguments.reuse,
        keep_downloads: arguments.keep_downloads,
        ..Request::new(sources, downloads, arguments.target.clone())
    })
}

fn say(progress: &Progress, json: bool, terminal: bool) {
    let mut out = std::io::stderr().lock();
    // Progress that nobody can see is no failure of the load.
    let _ = if json {
        let line = serde_json::to_string(progress).expect("numbers and text can be written as JSON");
        writeln!(out, "{line}")
    } else if terminal {
        write!(out, "\r\x1b[K{}", line(progress))
    } else {
        writeln!(out, "{}", line(progress))
    };
    let _ = out.flush();
}

/// One line for a person.
pub fn line(progress: &Progress) -> String {
    let what = match progress.phase {
        Phase::Waiting => "waiting",
        Phase::Connecting => "connecting",
        Phase::Downloading => "downloading",
        Phase::Checking => "checking",
        Phase::Unpacking => "unpacking",
        Phase::Finishing => "finishing",
    };
    let mut text =
        format!("{what} {} ({} of {}): {}", progress.name, progress.source, progress.sources, amount(progress.bytes));
    if let Some(total) = progress.total {
        text.push_str(&format!(" of {}", amount(total)));
    }
    if progress.rate > 0 {
        text.push_str(&format!(", {}/s", amount(progress.rate)));
    }
    if let Some(left) = progress.seconds_left {
        text.push_str(&format!(", {} left", duration(left)));
    }
    if let Some(note) = &progress.note {
        text.push_str(&format!(" · {note}"));
    }
    text
}

fn print_result(summary: &Summary, json: bool) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is the reader's wish.
    let _ = if json {
        let line = serde_json::to_string(summary).expect("numbers and text can be written as JSON");
        writeln!(out, "{line}")
    } else {
        summary.sources.iter().try_for_each(|source| {
            let format = source.format.map_or_else(String::new, |f| format!(" from {f}"));
            let sha256 = source.facts.sha256.as_deref().unwrap_or("unknown");
            writeln!(
                out,
                "{}: {} files, {}{format}, SHA-256 {sha256}",
                source.name,
                source.files,
                amount(source.bytes)
            )?;
            source.warnings.iter().try_for_each(|warning| writeln!(out, "  note: {warning}"))
        })
    };
}

/// `3.2 MB`: three digits, powers of 1,000.
fn amount(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit < units.len() - 1 {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if unit == 0 || value >= 99.95 { 0 } else { 1 };
    format!("{value:.digits$} {}", units[unit])
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
