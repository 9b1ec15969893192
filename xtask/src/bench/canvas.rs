//! How many frames a second has the editor with thousands of tasks?

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{peers, product, report, scratch};
use crate::{root, shell};

const SIZES: &str = "1000,5000";

/// The driver of the peers' collection on our real editor page, then on two peers and the reference in the same run.
pub fn bench() -> Result<()> {
    let product = product()?;
    let folder = peers("canvas")?;
    if !folder.join("dist").exists() {
        shell::run(shell::command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        shell::run(shell::command("node", &["build.mjs"]).current_dir(&folder))?;
    }
    let (mut server, link) = serve(&product)?;
    let measured = drive(&folder, &link);
    server.kill()?;
    server.wait()?;
    measured?;
    let values: Value = serde_json::from_str(&fs::read_to_string(folder.join("results.json"))?)?;
    report("canvas", "The editor's canvas, driven by real mouse and wheel events", &table(&values), &values)
}

fn serve(product: &std::path::Path) -> Result<(Child, String)> {
    let data = scratch("canvas")?;
    let mut server = Command::new(product)
        .args(["serve", "--port", "0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = server.stdout.take().context("its output is piped")?;
    let mut lines = BufReader::new(output).lines();
    let link = loop {
        let line = lines.next().context("the server ended before it printed its link")??;
        if let Some(link) = line.split_whitespace().find(|word| word.contains("/link?code=")) {
            break link.to_owned();
        }
    };
    Ok((server, link))
}

fn drive(folder: &std::path::Path, link: &str) -> Result<()> {
    let adapter = root().join("end2end/bench/canvas-adapter.js").canonicalize()?.display().to_string();
    let run =
        |arguments: &[&str]| shell::run(shell::command("node", &["driver.mjs"]).args(arguments).current_dir(folder));
    let common = ["--sizes", SIZES, "--out", "results.json", "--prio"];
    fs::remove_file(folder.join("results.json")).ok();
    run(&[&["--url", link, "--name", "fletchline", "--adapter", &adapter], &common[..]].concat())?;
    run(&[&["--peers", "ref-canvas2d,xyflow-react", "--append"], &common[..]].concat())
}

fn table(values: &Value) -> String {
    let mut text = String::from(
        "| editor | tasks | gesture | frames/s | p95 of a frame, ms | main thread, ms a frame |\n|---|---|---|---|---|---|\n",
    );
    for result in values["runs"].as_array().into_iter().flatten() {
        let name = result["peer"].as_str().unwrap_or_default();
        for (gesture, measured) in result.as_object().into_iter().flatten() {
            if let Some(fps) = measured["fps"].as_f64() {
                text += &format!(
                    "| {name} | {} | {gesture} | {fps:.1} | {} | {} |\n",
                    result["nodes"], measured["frame_p95"], measured["main_mean"]
                );
            }
        }
    }
    text
}
