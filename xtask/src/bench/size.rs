//! How large is what a browser fetches, and what does an idle server hold?

use std::{fs, thread, time::Duration};

use anyhow::{Context, Result};
use serde_json::json;

use super::{Server, product, report, scratch};
use crate::root;

/// Before a server that has just started counts as idle.
const SETTLING: Duration = Duration::from_secs(3);

pub fn bench() -> Result<()> {
    let product = product()?;
    let bundle = packed()?;
    let idle = idle_megabytes(&product)?;
    let values = json!({ "bundle_brotli_kb": bundle, "idle_server_mb": idle });
    let table = format!(
        "| what | measured | at most |\n|---|---|---|\n| bundle, brotli | {bundle} kB | 700 kB |\n\
         | idle server, resident | {idle:.0} MB | 100 MB |\n"
    );
    report("size", "Sizes", &table, &values)
}

fn packed() -> Result<u64> {
    let mut bytes = 0;
    for folder in fs::read_dir(root().join("dist"))? {
        let folder = folder?.path();
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "br") {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(bytes / 1000)
}

fn idle_megabytes(product: &std::path::Path) -> Result<f64> {
    let server = Server::start(product, &scratch("idle")?)?;
    thread::sleep(SETTLING);
    let status = fs::read_to_string(format!("/proc/{}/status", server.0.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
