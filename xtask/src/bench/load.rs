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
    let mut table =
        String::from("| format | ours, s | curl and bsdtar, s | our speed is … times |\n|---|---|---|---|\n");
    for row in values["formats"].as_array().context("`formats` is a list")? {
        let number = |key: &str| row[key].as_f64().with_context(|| format!("`{key}` is a number"));
        let format = row["format"].as_str().context("`format` is a text")?;
        table += &format!(
            "| {format} | {:.2} | {:.2} | {:.2} |\n",
            number("ours_s")?,
            number("theirs_s")?,
            number("ratio")?
        );
    }
    table += &format!(
        "\nMedians of {} interleaved runs on {} MB, both sides processes of their own with an empty folder. No bomb takes \
         more than 128 MiB of memory: `load/tests/bombs.rs` asserts it for each.\n",
        values["runs"], values["megabytes"]
    );
    report("load", "Load Data beside curl piped into bsdtar, on loopback", &table, &values)
}
