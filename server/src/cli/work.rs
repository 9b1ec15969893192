//! What does this program do in the pod beside the work folders of a cluster?

use std::{
    io::{self, BufRead, Read, Seek, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context;
use clap::Args;

use super::Outcome;
use crate::backend::work::{self, Order};

/// Not for people: the server begins it in a pod of its own.
#[derive(Args)]
pub struct Arguments {
    /// The results volume.
    #[arg(required_unless_present = "wait")]
    results: Option<PathBuf>,
    /// Only be there, for so many seconds.
    #[arg(long)]
    wait: Option<u64>,
}

pub(super) async fn work(arguments: Arguments) -> anyhow::Result<Outcome> {
    let Some(results) = arguments.results else {
        tokio::time::sleep(Duration::from_secs(arguments.wait.unwrap_or_default())).await;
        return Ok(Outcome::Done);
    };
    let scratch = std::env::temp_dir();
    let here = scratch.clone();
    let (order, input) = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line)?;
        let order: Order = serde_json::from_slice(&line).context("This is no order about work folders.")?;
        let mut file = work::unnamed(&here)?;
        let expected = order.bytes();
        let came = io::copy(&mut input.take(expected), &mut file)?;
        anyhow::ensure!(came == expected, "Only {came} of {expected} bytes came.");
        file.rewind()?;
        Ok((order, file))
    })
    .await??;
    let mut answer =
        work::carry_out(results, scratch, order, input).await.map_err(|error| anyhow::anyhow!(error.to_string()))?;
    tokio::task::spawn_blocking(move || {
        let mut out = io::stdout().lock();
        io::copy(&mut answer, &mut out).and_then(|_| out.flush())
    })
    .await??;
    Ok(Outcome::Done)
}
