//! How many jobs a second does a run get through, and how soon does a downstream start?

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Server, median, peers, percentile, product, report, scratch};
use crate::shell;

type Dag = BTreeMap<String, Vec<String>>;

const SIZES: [usize; 2] = [200, 2000];
const ROUNDS: usize = 3;
const CHAIN: usize = 100;
const SLOTS: f64 = 8.0;

pub fn bench() -> Result<()> {
    let product = product()?;
    let peers = prepare(&peers("engine")?)?;
    let mut rows = Vec::new();
    for size in SIZES {
        rows.extend(throughput(&product, &peers, size)?);
    }
    let (chain, planner) = (chain(&product)?, planner()?);
    fs::remove_dir_all(scratch("engine")?)?;
    let values = json!({ "throughput": rows, "chain": chain, "planner": planner, "cores": cores() });
    let text = table(&rows) + &chain_text(&chain) + &planner_text(&planner);
    report("engine", "Engine: jobs a second, the latency of a chain, the cost of a plan", &text, &values)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What each peer is called, and how it runs `dag.json` in the folder it is started in.
struct Peer {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    python_path: Option<PathBuf>,
}

fn prepare(folder: &Path) -> Result<Vec<Peer>> {
    let floor = folder.join("floor-rust");
    stand_alone(&floor)?;
    shell::run(
        shell::cargo(&["build", "--release"]).current_dir(&floor).env("CARGO_TARGET_DIR", floor.join("target")),
    )?;
    for package in ["luigi", "snakemake"] {
        venv(folder, package)?;
    }
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Ok(vec![
        Peer {
            name: "durable floor, group commit",
            program: floor.join("target/release/floor"),
            arguments: text(&["FULL", "group"]),
            python_path: None,
        },
        Peer {
            name: "Luigi, 8 workers",
            program: folder.join("venv/luigi/bin/luigi"),
            arguments: text(&[
                "--module",
                "luigi_dag",
                "All",
                "--local-scheduler",
                "--workers",
                "8",
                "--log-level",
                "ERROR",
            ]),
            python_path: Some(folder.join("peers")),
        },
        Peer {
            name: "Snakemake, 8 cores",
            program: folder.join("venv/snakemake/bin/snakemake"),
            arguments: text(&["--cores", "8", "-q", "all", "--nolock"]),
            python_path: None,
        },
    ])
}

/// The copy lies in our own workspace and is none of its members.
fn stand_alone(package: &Path) -> Result<()> {
    let manifest = package.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    if !text.contains("[workspace]") {
        fs::write(manifest, text + "\n[workspace]\n")?;
    }
    Ok(())
}

fn venv(folder: &Path, package: &str) -> Result<()> {
    let venv = folder.join("venv").join(package);
    if venv.join("bin").join(package).exists() {
        return Ok(());
    }
    let path = venv.display().to_string();
    shell::run(&mut shell::command("python3", &["-m", "venv", &path]))?;
    let pip = venv.join("bin/pip").display().to_string();
    shell::run(&mut shell::command(&pip, &["install", "--quiet", "--disable-pip-version-check", package]))
}

/// Layered fan-out and fan-in, the same as the peers' own generator makes.
fn dag(size: usize) -> Dag {
    let width = (((size - 2) as f64).sqrt() * 1.6).round().max(1.0) as usize;
    let mut dag = Dag::from([("t0".to_owned(), Vec::new())]);
    let mut previous = vec!["t0".to_owned()];
    let mut next = 1;
    while next < size - 1 {
        let mut layer = Vec::new();
        for row in 0..width.min(size - 1 - next) {
            let mut upstreams =
                vec![previous[row % previous.len()].clone(), previous[(row * 7 + 3) % previous.len()].clone()];
            upstreams.sort();
            upstreams.dedup();
            dag.insert(format!("t{next}"), upstreams);
            layer.push(format!("t{next}"));
            next += 1;
        }
        previous = layer;
    }
    dag.insert(format!("t{}", size - 1), previous);
    dag
}

/// Interleaved, so that a busy minute of the machine hurts all alike.
fn throughput(product: &Path, peers: &[Peer], size: usize) -> Result<Vec<Value>> {
    let dag = dag(size);
    let mut rates: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..ROUNDS {
        let seconds = ours(product, &dag)?;
        rates.entry("Fletchline").or_default().push(size as f64 / seconds);
        for peer in peers {
            let seconds = theirs(peer, &dag)?;
            rates.entry(peer.name).or_default().push(size as f64 / seconds);
        }
        println!("{size} jobs, round {}: {rates:.0?}", round + 1);
    }
    let medians: BTreeMap<&str, f64> = rates.into_iter().map(|(name, rates)| (name, median(rates))).collect();
    let own = medians["Fletchline"];
    Ok(medians
        .iter()
        .map(|(name, rate)| json!({ "engine": name, "jobs": size, "jobs_per_second": rate.round(), "ours_is_times": own / rate }))
        .collect())
}

fn theirs(peer: &Peer, dag: &Dag) -> Result<f64> {
    let folder = fresh()?;
    fs::create_dir_all(folder.join("out"))?;
    fs::write(folder.join("dag.json"), serde_json::to_string(dag)?)?;
    fs::write(folder.join("Snakefile"), SNAKEFILE)?;
    let mut command = Command::new(&peer.program);
    command.args(&peer.arguments).current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(path) = &peer.python_path {
        command.env("PYTHONPATH", path);
    }
    let started = Instant::now();
    shell::run(&mut command)?;
    let seconds = started.elapsed().as_secs_f64();
    check(&folder.join("out"), dag)?;
    Ok(seconds)
}

const SNAKEFILE: &str = "import json\nD = json.load(open(\"dag.json\"))\nrule all:\n    input: expand(\"out/{t}\", t=list(D))\n\
rule t:\n    output: \"out/{t}\"\n    input: lambda w: [\"out/\" + x for x in D[w.t]]\n    shell: \"touch {output}\"\n";

/// Through the server as a user has it: sandbox, supervisor, journal and log.
fn ours(product: &Path, dag: &Dag) -> Result<f64> {
    let tasks: Vec<Value> = dag.keys().map(|id| job(id, &["/usr/bin/touch", &format!("/out/{id}")])).collect();
    let arrows: Vec<Value> =
        dag.iter().flat_map(|(to, upstreams)| upstreams.iter().map(move |from| arrow(from, to))).collect();
    let (folder, _server) = installation(product)?;
    let (seconds, _) = run(product, &folder, &tasks, &arrows)?;
    check(&folder.join("out"), dag)?;
    Ok(seconds)
}

/// A folder of its own for each round. They are removed together at the end: for minutes, some file systems find a place
/// for a new file only after a look at every one that was removed nearby, which no user's server comes upon.
fn fresh() -> Result<PathBuf> {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static ROUND: AtomicU32 = AtomicU32::new(0);
    scratch(&format!("engine/{}-{}", std::process::id(), ROUND.fetch_add(1, Relaxed)))
}

/// A server that has run a job before.
fn installation(product: &Path) -> Result<(PathBuf, Server)> {
    let folder = fresh()?;
    let (data, out) = (folder.join("data"), folder.join("out"));
    fs::create_dir_all(&data)?;
    fs::create_dir_all(&out)?;
    let volume = format!("[volumes.out]\nfolder = {:?}\naccess = \"RW\"\n", out.display().to_string());
    fs::write(data.join("fletchline.toml"), volume)?;
    let server = Server::start(product, &data)?;
    run(product, &folder, &[job("first", &["true"])], &[])?;
    Ok((folder, server))
}

fn job(id: &str, command: &[&str]) -> Value {
    let cpu = (cores() as f64 / SLOTS * 1000.0).floor() / 1000.0;
    json!({
        "id": id, "name": id, "kind": "job", "command": command, "resources": { "cpu": cpu },
        "volumes": [{ "volume": "out", "acl": "RW", "mount_path": "/out" }],
    })
}

pub(super) fn arrow(from: &str, to: &str) -> Value {
    json!({ "id": format!("{from}-{to}"), "from_task": from, "to_task": to })
}

/// Seconds of `fletchline run --wait`, from its start to its end, and the run as it was then.
pub(super) fn run(product: &Path, folder: &Path, tasks: &[Value], arrows: &[Value]) -> Result<(f64, Value)> {
    let document =
        json!({ "format": "fletchline/v1", "id": "bench", "name": "Bench", "tasks": tasks, "arrows": arrows });
    fs::write(folder.join("pipeline.json"), serde_json::to_string(&document)?)?;
    let mut command = Command::new(product);
    command.args(["run", "pipeline.json", "--wait", "--json", "--data", "data"]).current_dir(folder);
    command.stdout(File::create(folder.join("run.json"))?).stderr(File::create(folder.join("told"))?);
    let started = Instant::now();
    shell::run(&mut command)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok((seconds, serde_json::from_str(&fs::read_to_string(folder.join("run.json"))?)?))
}

/// All ran, and none before its upstreams.
fn check(out: &Path, dag: &Dag) -> Result<()> {
    let time = |id: &str| -> Result<std::time::SystemTime> {
        Ok(fs::metadata(out.join(id)).with_context(|| format!("{id} did not run"))?.modified()?)
    };
    for (id, upstreams) in dag {
        for upstream in upstreams {
            ensure!(time(upstream)? <= time(id)?, "{id} ran before {upstream}");
        }
    }
    Ok(())
}

/// Each job of a chain writes down its own time and ends; the run says when the next one's supervisor began its program.
fn chain(product: &Path) -> Result<Value> {
    let name = |index: usize| format!("c{index:03}");
    let tasks: Vec<Value> = (0..CHAIN)
        .map(|index| job(&name(index), &["/bin/sh", "-c", &format!("exec date +%s%N > /out/{}", name(index))]))
        .collect();
    let arrows: Vec<Value> = (1..CHAIN).map(|index| arrow(&name(index - 1), &name(index))).collect();
    let (folder, _server) = installation(product)?;
    let (_, view) = run(product, &folder, &tasks, &arrows)?;
    let mut steps = Vec::new();
    for index in 1..CHAIN {
        let left = fs::read_to_string(folder.join("out").join(name(index - 1)))?.trim().parse::<f64>()? / 1e6;
        let began = view["tasks"][name(index)]["started"].as_f64().context("a job that ran has a start")?;
        // The start is told in whole milliseconds, rounded down.
        steps.push(began + 0.5 - left);
    }
    steps.sort_by(f64::total_cmp);
    Ok(json!({
        "jobs": CHAIN, "step_p50_ms": percentile(&steps, 0.5), "step_p99_ms": percentile(&steps, 0.99),
        "step_max_ms": percentile(&steps, 1.0),
    }))
}

/// The engine's own program measures that and prints one JSON object.
fn planner() -> Result<Value> {
    let printed = shell::output(&mut shell::cargo(&[
        "run",
        "--release",
        "--quiet",
        "--package",
        "engine",
        "--example",
        "bench",
    ]))?;
    serde_json::from_str(&printed).context("the engine's bench prints JSON")
}

fn table(rows: &[Value]) -> String {
    let mut text = String::from("| engine | jobs | jobs/s | ours is … times |\n|---|---|---|---|\n");
    for row in rows {
        text += &format!(
            "| {} | {} | {} | {:.2} |\n",
            row["engine"].as_str().unwrap_or_default(),
            row["jobs"],
            row["jobs_per_second"],
            row["ours_is_times"].as_f64().unwrap_or_default()
        );
    }
    text += &format!(
        "\nMedians of {ROUNDS} interleaved runs on {} cores, each the whole command from start to end; every job is one real\n\
         process (`touch`). Ours goes to a server that is up, which runs each in its sandbox, under its supervisor, with its\n\
         log and an fsync'd journal.\n",
        cores()
    );
    text
}

fn chain_text(chain: &Value) -> String {
    let step = |key: &str| chain[key].as_f64().unwrap_or_default();
    format!(
        "\nA chain of {CHAIN}: from the last thing that one job does to the start of the next one's program by its supervisor\n\
         (exit, its durable record, decision, journal, sandbox) p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms.\n",
        step("step_p50_ms"),
        step("step_p99_ms"),
        step("step_max_ms")
    )
}

fn planner_text(planner: &Value) -> String {
    let mut text = String::from("\n| tasks of a run | events | planner, µs an event |\n|---|---|---|\n");
    for row in planner["sizes"].as_array().into_iter().flatten() {
        text += &format!("| {} | {} | {} |\n", row["tasks"], row["events"], row["us_per_event"]);
    }
    text + "\nProcessor time of deciding, applying and writing the journal's line, without a disk; the median of five runs.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_is_the_one_that_the_peers_run() {
        let dag = dag(200);
        let dependencies: usize = dag.values().map(Vec::len).sum();
        assert_eq!((dag.len(), dependencies), (200, 379));
    }
}
