//! What do thousands of copies of one Job cost, beside a client that only makes and watches as many pods?

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    super::{Server, engine::run},
    http::Proxy,
    job, kubectl,
    nodes::{CODE, FAILS, OURS, fails},
};
use crate::shell;

pub const COPIES: usize = 5000;
/// As many as one Job may have.
const OF_ONE: usize = 1000;
/// Requests of the plain client at a time, as many as the server has.
const HANDS: usize = 64;
const LOOK: Duration = Duration::from_millis(500);
/// For whatever goes on after the end of a run.
const PATIENCE: Duration = Duration::from_secs(900);

/// What the settings say in addition.
pub fn settings(namespace: &str) -> String {
    format!(
        "kubernetes.node_selector = {{ {OURS} = \"{namespace}\" }}\nkubernetes.tolerations = [{{ key = \"{OURS}\" }}]\n"
    )
}

pub fn bench(product: &Path, folder: &Path, namespace: &str, proxy: &Proxy, server: &Server) -> Result<Value> {
    let process = Process(server.0.id());
    let (idle, before) = (process.peak()?, process.seconds()?);
    let begin = Instant::now();
    let ours = ours(product, folder)?;
    let of_run = process.seconds()? - before;
    gone(proxy, namespace)?;
    let (whole, of_all) = (begin.elapsed().as_secs_f64(), process.seconds()? - before);
    let peak = process.peak()?;
    let plain = plain(proxy, namespace, &alike(product, folder)?)?;
    let found = json!({
        "copies": COPIES, "ours_seconds": ours, "plain_seconds": plain, "until_released_seconds": whole,
        "idle_mb": idle, "peak_mb": peak, "processor_seconds": of_all, "cores": of_run / ours,
    });
    println!("{found}");
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=plain&gracePeriodSeconds=0");
    proxy.api()?.change("DELETE", &path, "")?;
    Ok(found)
}

/// Seconds of the run. Each copy has the status that its pod's end gives it.
fn ours(product: &Path, folder: &Path) -> Result<f64> {
    let values: Vec<String> = (0..OF_ONE).map(|copy| copy.to_string()).collect();
    let names: Vec<String> = (0..COPIES / OF_ONE).map(|number| format!("many{number}")).collect();
    let many = |name: &String| {
        let mut many = job(name);
        many["copies"] = json!({ "I": values });
        many["tolerate_failed_copies"] = true.into();
        many
    };
    let (seconds, view) = run(product, folder, &names.iter().map(many).collect::<Vec<_>>(), &[])?;
    for name in &names {
        every_status(view["tasks"][name]["executions"].as_array().context("copies")?)?;
    }
    Ok(seconds)
}

fn every_status(all: &[Value]) -> Result<()> {
    let copies: BTreeSet<u64> = all.iter().filter_map(|one| one["copy"].as_u64()).collect();
    ensure!(all.len() == OF_ONE && copies.len() == OF_ONE, "{} executions of {} copies", all.len(), copies.len());
    for one in all {
        let expected = match fails(one["n"].as_u64().context("a number")?) {
            true => ("failed", CODE),
            false => ("done", 0),
        };
        let found = (one["status"].as_str().unwrap_or_default(), one["exit_code"].as_i64().unwrap_or(-1));
        ensure!(found == expected, "this copy should have {expected:?}: {one}");
    }
    Ok(())
}

/// Until nothing of the run is in the cluster any more.
fn gone(proxy: &Proxy, namespace: &str) -> Result<()> {
    let (begin, mut api) = (Instant::now(), proxy.api()?);
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=fletchline.io/run&limit=1");
    while api.get(&path)?["items"].as_array().is_some_and(|left| !left.is_empty()) {
        ensure!(begin.elapsed() < PATIENCE, "pods of a run that is over are still there after {PATIENCE:?}");
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The pod of a copy as the server makes it, but for what makes it the server's.
fn alike(product: &Path, folder: &Path) -> Result<Value> {
    let mut plan = Command::new(product);
    plan.args(["plan", "pipeline.json", "--format", "kubernetes", "--data", "data"]).current_dir(folder);
    let (plan, file) = (shell::output(&mut plan)?, folder.join("pod.yaml"));
    let is_pod = |document: &&str| document.lines().any(|line| line == "kind: Pod");
    fs::write(&file, plan.split("---\n").find(is_pod).context("a plan of a Job has a pod")?)?;
    let read = ["create", "--dry-run=client", "--output=json", "--filename"];
    let mut pod: Value = serde_json::from_str(&shell::output(kubectl(&read).arg(&file))?)?;
    pod["metadata"] = json!({"labels": {"plain": "yes"}});
    Ok(pod)
}

/// Seconds from the first pod to the news of the last one's end.
fn plain(proxy: &Proxy, namespace: &str, pod: &Value) -> Result<f64> {
    let rows = proxy.rows(namespace);
    let (begin, next) = (Instant::now(), AtomicUsize::new(1));
    thread::scope(|scope| -> Result<f64> {
        let hands: Vec<_> = (0..HANDS).map(|_| scope.spawn(|| make(proxy, namespace, pod, &next))).collect();
        let mut ended = BTreeSet::new();
        for row in rows.filter(|row| row.pod.starts_with("plain-")) {
            if matches!(row.status.as_str(), "Completed" | "Error") {
                ended.insert(row.pod);
            }
            if ended.len() == COPIES {
                break;
            }
        }
        for hand in hands {
            hand.join().ok().context("a thread of the plain client panicked")??;
        }
        ensure!(ended.len() == COPIES, "only {} plain pods ended", ended.len());
        Ok(begin.elapsed().as_secs_f64())
    })
}

fn make(proxy: &Proxy, namespace: &str, pod: &Value, next: &AtomicUsize) -> Result<()> {
    let (mut api, mut pod) = (proxy.api()?, pod.clone());
    loop {
        let number = next.fetch_add(1, Relaxed);
        if number > COPIES {
            return Ok(());
        }
        pod["metadata"]["name"] = format!("plain-{number}-x").into();
        api.change("POST", &format!("/api/v1/namespaces/{namespace}/pods"), &pod.to_string())?;
    }
}

/// What the machine says of a process.
struct Process(u32);

impl Process {
    /// The most memory that it has had so far, in MB.
    fn peak(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        Ok(peak.context("the kernel tells a process's memory")?.trim().parse::<f64>()? * 1024.0 / 1e6)
    }

    /// Of processor time, in hundredths as Linux counts them for everybody.
    fn seconds(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        let (_, rest) = text.rsplit_once(')').context("a name in brackets")?;
        let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
        Ok(ticks.sum::<f64>() / 100.0)
    }
}

pub fn text(values: &Value) -> String {
    let of = |key: &str| values[key].as_f64().unwrap_or(f64::NAN);
    format!(
        "Jobs of {OF_ONE} copies each, {COPIES} together, on fake nodes, where each pod runs for a second and each {FAILS}th fails:\n\
         {:.0} s, every status right, and after {:.0} s nothing of it is left in the cluster. A client that only makes as many of\n\
         the same pods there and watches them to their end: {:.0} s. The server takes at most {:.0} MB (asked: under 200; before the run it was {:.0}),\n\
         {:.2} of one core while the run goes on (asked: at most 1), and {:.0} s of processor time in all.\n",
        of("ours_seconds"),
        of("until_released_seconds"),
        of("plain_seconds"),
        of("peak_mb"),
        of("idle_mb"),
        of("cores"),
        of("processor_seconds"),
    )
}
