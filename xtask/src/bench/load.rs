//! How fast is Load Data beside curl piped into bsdtar?

use anyhow::{Context, Result};
use serde_json::Value;

use super::report;
use crate::shell;

/// The loader's own program measures both sides and prints one JSON object; see its file for what it does.
pub fn bench() -> Result<()> {
    let printed =
        shell::output(&mut shell::cargo(&["run", "--release", "--quiet", "--package", "load", "--example", "bench"]))?;
    let values: Value = serde_json::from_str(&printed).context("the loader's bench prints JSON")?;
    let mut table = String::from("| format | ours, MB/s | curl and bsdtar, MB/s | ratio |\n|---|---|---|---|\n");
    for row in values["formats"].as_array().context("`formats` is a list")? {
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let format = row["format"].as_str().unwrap_or_default();
        table += &format!(
            "| {format} | {:.0} | {:.0} | {:.2} |\n",
            number("ours_mb_s"),
            number("peer_mb_s"),
            number("ratio")
        );
    }
    report("load", "Load Data beside curl piped into bsdtar, on loopback", &table, &values)
}
