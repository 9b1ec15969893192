//! What is measured, and where do the reports go?
//!
//! Machines differ and are shared: a report holds ratios against peers that ran between our own runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{bundle, root, run::product, setup, shell};

mod canvas;
mod cluster;
mod engine;
mod load;
mod size;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Jobs a second and the latency of a chain, beside Luigi, Snakemake and a durable floor.
    Engine,
    /// Frames a second in the editor, at 5,000 tasks.
    Canvas,
    /// Download and unpack, beside curl piped into bsdtar.
    Load,
    /// The browser's bundle, and the memory of an idle server.
    Size,
    /// From one pod's end to the next one's creation, and many at once, thousands of them on fake nodes, on the cluster that
    /// KUBECONFIG names.
    Cluster,
}

pub fn bench(what: &[What]) -> Result<()> {
    let what = if what.is_empty() { &[What::Size, What::Load, What::Engine, What::Canvas] } else { what };
    // Peers are driven by the programs that the tests drive the product with.
    setup::to_test()?;
    for one in what {
        match one {
            What::Engine => engine::bench()?,
            What::Canvas => canvas::bench()?,
            What::Load => load::bench()?,
            What::Size => size::bench()?,
            What::Cluster => cluster::bench()?,
        }
    }
    Ok(())
}

/// A folder for what is built and written while measuring.
fn scratch(name: &str) -> Result<PathBuf> {
    let folder = bundle::target().join("bench").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

/// A copy of a peer collection (`FLETCHLINE_PEERS`, else the one beside the repository) that may be built in.
fn peers(name: &str) -> Result<PathBuf> {
    let collection = std::env::var_os("FLETCHLINE_PEERS").map_or_else(|| root().join("../shared/bench"), PathBuf::from);
    let from = collection.join(name).canonicalize().with_context(|| {
        format!("no peers to measure against: set FLETCHLINE_PEERS to a folder that holds `{name}/`")
    })?;
    let to = scratch("peers")?.join(name);
    fs::create_dir_all(&to)?;
    let source = format!("{}/.", from.display());
    shell::run(&mut shell::command("cp", &["-r", "--no-preserve=mode", &source, &to.display().to_string()]))?;
    Ok(to)
}

/// `fletchline serve` on a data folder; ends when it is dropped.
struct Server(Child);

impl Server {
    /// Returns when it answers.
    fn start(product: &Path, data: &Path) -> Result<Server> {
        let mut serve = Command::new(product);
        serve.args(["serve", "--port", "0", "--data"]).arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Server(serve.spawn()?);
        // The pipe stays open: the server has more to say later.
        let mut said = BufReader::new(server.0.stdout.as_mut().context("its output is piped")?);
        ensure!(said.read_line(&mut String::new())? > 0, "the server ended before it was there");
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes `docs/measured/<name>.json` and `.md`.
fn report(name: &str, title: &str, table: &str, values: &Value) -> Result<()> {
    let folder = root().join("docs/measured");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{name}.json")), format!("{}\n", serde_json::to_string_pretty(values)?))?;
    fs::write(folder.join(format!("{name}.md")), format!("# {title}\n\n{table}"))?;
    println!("{title}\n\n{table}");
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 0.5)
}

/// Of sorted values.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
