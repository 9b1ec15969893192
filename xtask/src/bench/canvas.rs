//! How many frames a second has the editor with thousands of tasks?

use std::{fs, path::Path, process::Command};

use anyhow::Result;
use serde_json::Value;

use super::{Server, peers, report, scratch};
use crate::{
    bundle::{self, Profile},
    root, run, shell,
};

const SIZES: [&str; 2] = ["1000", "5000"];

/// The driver of the peers' collection on our real editor page, then on two peers and the reference in the same run.
pub fn bench() -> Result<()> {
    // All of it happens in the browser: the bundle is a user's, the server may be the one that is built sooner.
    bundle::bundle(Profile::Small)?;
    let product = run::programs()?.canonicalize()?;
    let folder = peers("canvas")?;
    if !folder.join("dist").exists() {
        shell::run(shell::command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        shell::run(shell::command("node", &["build.mjs"]).current_dir(&folder))?;
    }
    fs::remove_file(folder.join("results.json")).ok();
    let data = scratch("canvas")?;
    let _server = Server::start(&product, &data)?;
    SIZES.iter().try_for_each(|size| drive(&product, &data, &folder, size))?;
    let values: Value = serde_json::from_str(&fs::read_to_string(folder.join("results.json"))?)?;
    report("canvas", "The editor's canvas, driven by real mouse and wheel events", &table(&values), &values)
}

/// Every browser needs a link of its own: each is good once.
fn drive(product: &Path, data: &Path, folder: &Path, size: &str) -> Result<()> {
    let link = shell::output(Command::new(product).arg("link").arg("--data").arg(data))?;
    let adapter = root().join("end2end/bench/canvas-adapter.js").canonicalize()?.display().to_string();
    let run = |arguments: &[&str]| {
        let common = ["--sizes", size, "--out", "results.json", "--prio", "--append", "--quiet", "3"];
        shell::run(shell::command("node", &["driver.mjs"]).args(arguments).args(common).current_dir(folder))
    };
    run(&["--url", link.trim(), "--name", "fletchline", "--adapter", &adapter])?;
    run(&["--peers", "ref-canvas2d,xyflow-react"])
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
