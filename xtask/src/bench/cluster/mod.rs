//! What does a run on a cluster cost beyond the cluster itself?
//!
//! The server runs outside, as a user has it; `kubectl` watches the same pods and says when each was there, ran and ended.

mod http;
mod many;
mod nodes;
mod tab;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    Server,
    engine::{arrow, run},
    percentile, report, scratch,
};
use crate::{images, run::product, shell};
use http::Proxy;
use nodes::Nodes;
use tab::Tab;

const CHAIN: usize = 30;
const COPIES: usize = 200;
/// Has `true`, and is on the nodes already.
const IMAGE: &str = "localhost/busybox:1";

pub fn bench() -> Result<()> {
    ensure!(std::env::var_os("KUBECONFIG").is_some(), "there is no cluster to measure on: set KUBECONFIG");
    let [ours, _] = images::load(true)?;
    let (product, namespace) = (product()?, Namespace::make()?);
    let folder = scratch("cluster")?;
    fs::remove_dir_all(&folder)?;
    let data = folder.join("data");
    fs::create_dir_all(&data)?;
    let _installation = Installation { product: product.clone(), data: data.clone() };
    let settings = format!(
        "runner = \"kubernetes\"\nkubernetes.namespace = \"{}\"\nkubernetes.image = \"{}\"\nkubernetes.images.job = \"{IMAGE}\"\n",
        namespace.0, ours.name
    );
    fs::write(data.join("fletchline.toml"), &settings)?;
    shell::run(Command::new(&product).args(["cluster", "prepare", "--data"]).arg(&data))?;
    let server = Server::start(&product, &data)?;
    let (watched, tab) = (Watched::begin(&namespace.0)?, Tab::open(&product, &data)?);
    let chain = chain(&product, &folder, &watched, &tab)?;
    println!("{chain}");
    drop((watched, tab));
    let fan_out = fan_out(&product, &folder, &namespace.0)?;
    println!("{fan_out}");
    drop(server);

    fs::write(data.join("fletchline.toml"), settings + &many::settings(&namespace.0))?;
    let proxy = Proxy::begin()?;
    let _nodes = Nodes::make(&proxy, &namespace.0)?;
    let server = Server::start(&product, &data)?;
    let many = many::bench(&product, &folder, &namespace.0, &proxy, &server)?;
    drop(server);
    let values = json!({ "chain": chain, "fan_out": fan_out, "many": many });
    report("cluster", "A run on a cluster, beside what the cluster itself takes", &text(&values), &values)
}

/// `FLETCHLINE_KUBECTL`: a command that is kubectl.
fn kubectl(arguments: &[&str]) -> Command {
    let program = std::env::var("FLETCHLINE_KUBECTL").unwrap_or_else(|_| "kubectl".into());
    shell::command("sh", &[&["-c", &format!("exec {program} \"$@\""), "kubectl"], arguments].concat())
}

/// With a claim of the default storage class; gone when it is dropped.
struct Namespace(String);

impl Namespace {
    fn make() -> Result<Namespace> {
        let name = format!("fletchline-bench-{}", std::process::id());
        shell::run(&mut kubectl(&["create", "namespace", &name]))?;
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "fletchline-results"},
            "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}});
        apply(&name, &claim)?;
        Ok(Namespace(name))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Whoever measures sees what is left.
        let _ = shell::run(&mut kubectl(&["delete", "namespace", &self.0, "--wait=false"]));
    }
}

/// Has left nothing in the cluster when it is dropped, whatever went wrong.
struct Installation {
    product: PathBuf,
    data: PathBuf,
}

impl Drop for Installation {
    fn drop(&mut self) {
        let mut release = Command::new(&self.product);
        // Whoever measures sees what is left.
        let _ = shell::run(release.args(["cluster", "release-everything", "--yes", "--data"]).arg(&self.data));
    }
}

fn apply(namespace: &str, object: &Value) -> Result<()> {
    let file = scratch("cluster-objects")?.join("object.json");
    fs::write(&file, object.to_string())?;
    shell::run(&mut kubectl(&["create", "--namespace", namespace, "--filename", &file.display().to_string()]))
}

/// When the cluster told of a task's pod, in milliseconds since 1970, and its container's state: of its creation first.
type News = BTreeMap<String, Vec<(f64, String)>>;

struct Watched {
    kubectl: Child,
    news: Arc<Mutex<News>>,
}

impl Watched {
    fn begin(namespace: &str) -> Result<Watched> {
        // A kubelet calls a pod pending whose program has ended already; its container is told as it is.
        let line =
            r#"jsonpath={.metadata.annotations.fletchline\.io/task}{" "}{.status.containerStatuses[*].state}{"\n"}"#;
        let mut kubectl = kubectl(&["get", "pods", "--namespace", namespace, "--watch", "--output", line]);
        let mut kubectl = kubectl.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(kubectl.stdout.take().context("its output is piped")?).lines();
        let news: Arc<Mutex<News>> = Arc::default();
        let noted = news.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let now = now();
                let Some((task, state)) = line.split_once(' ') else { continue };
                let mut news = noted.lock().unwrap_or_else(PoisonError::into_inner);
                news.entry(task.to_owned()).or_default().push((now, state.to_owned()));
            }
        });
        Ok(Watched { kubectl, news })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn job(id: &str) -> Value {
    json!({"id": id, "name": id, "kind": "job", "command": ["true"]})
}

/// From the end of one job's program, as its helper tells, and from the cluster's last news of it to its downstream's pod,
/// as kubectl sees them; and from there to that one's program. From the cluster's news of a status to the page's.
fn chain(product: &Path, folder: &Path, watched: &Watched, tab: &Tab) -> Result<Value> {
    let name = |index: usize| format!("c{index:03}");
    let tasks: Vec<Value> = (0..CHAIN).map(|index| job(&name(index))).collect();
    let arrows: Vec<Value> = (1..CHAIN).map(|index| arrow(&name(index - 1), &name(index))).collect();
    let (seconds, view) = run(product, folder, &tasks, &arrows)?;
    let news = watched.news.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let of = |index: usize| news.get(&name(index)).with_context(|| format!("kubectl has not seen {}", name(index)));
    let told = |index: usize, what: &str| {
        view["tasks"][name(index)]["executions"][0][what].as_f64().context("a job that ran has a start and an end")
    };
    let (shown, mut shows) = (tab.news(), Vec::new());
    for index in 0..CHAIN {
        for (state, status) in [(r#"{"running""#, "running"), (r#"{"terminated""#, "done")] {
            // A kubelet may tell both ends of a short program at once.
            let Some((known, _)) = of(index)?.iter().find(|(_, told)| told.starts_with(state)) else { continue };
            let Some(told) = shown.get(&(name(index), status.to_owned())) else { continue };
            shows.push(told - known);
        }
    }
    ensure!(shows.len() >= CHAIN, "a page heard of {} statuses only", shows.len());
    let (mut ours, mut ends, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for index in 1..CHAIN {
        let made = of(index)?[0].0;
        let known = of(index - 1)?.iter().map(|(at, _)| *at).filter(|at| *at <= made).fold(f64::NAN, f64::max);
        ours.push(made - known);
        ends.push(made - told(index - 1, "ended")?);
        starts.push(told(index, "started")? - made);
    }
    for all in [&mut ours, &mut ends, &mut starts, &mut shows] {
        all.sort_by(f64::total_cmp);
    }
    Ok(json!({
        "jobs": CHAIN, "seconds": seconds,
        "known_to_create_p50_ms": percentile(&ours, 0.5), "known_to_create_p99_ms": percentile(&ours, 0.99),
        "end_to_create_p50_ms": percentile(&ends, 0.5), "end_to_create_p99_ms": percentile(&ends, 0.99),
        "create_to_program_p50_ms": percentile(&starts, 0.5),
        "known_to_page_p50_ms": percentile(&shows, 0.5), "known_to_page_p99_ms": percentile(&shows, 0.99),
    }))
}

/// One Job with many copies, and as many pods of the same program that a client only makes and waits for.
fn fan_out(product: &Path, folder: &Path, namespace: &str) -> Result<Value> {
    let values: Vec<String> = (0..COPIES).map(|copy| copy.to_string()).collect();
    let mut many = job("many");
    many["copies"] = json!({ "I": values });
    let (ours, view) = run(product, folder, &[many], &[])?;
    let good = view["tasks"]["many"]["executions"].as_array().context("copies")?;
    ensure!(good.iter().filter(|one| one["status"] == "done").count() == COPIES, "not every copy ended well");

    let pod = |copy: usize| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("plain-{copy}"), "labels": {"plain": "yes"}},
            "spec": {"restartPolicy": "Never", "automountServiceAccountToken": false,
                "containers": [{"name": "task", "image": IMAGE, "command": ["true"]}]}})
    };
    let all = json!({"apiVersion": "v1", "kind": "List", "items": (0..COPIES).map(pod).collect::<Vec<_>>()});
    let begin = Instant::now();
    apply(namespace, &all)?;
    let wait = ["wait", "--namespace", namespace, "pod", "--selector", "plain", "--timeout=600s"];
    let ended = [&wait[..], &["--for=jsonpath={.status.phase}=Succeeded"]].concat();
    shell::run(kubectl(&ended).stdout(Stdio::null()))?;
    Ok(json!({ "copies": COPIES, "ours_seconds": ours, "plain_seconds": begin.elapsed().as_secs_f64() }))
}

fn text(values: &Value) -> String {
    let of = |part: &str, key: &str| values[part][key].as_f64().unwrap_or(f64::NAN);
    format!(
        "A chain of {CHAIN} jobs, each a pod that runs `true`: from the cluster's news that one has ended to the next one's pod\n\
         p50 {:.0} ms, p99 {:.0} ms (asked: 200 and 1,000). From the end of the program itself it is p50 {:.0} ms, p99 {:.0} ms: a\n\
         kubelet looks once a second. From there to the next one's program the cluster takes {:.0} ms (p50).\n\
         From the cluster's news of a status to the page's: p50 {:.0} ms, p99 {:.0} ms (asked: 1,000).\n\n\
         One Job of {COPIES} copies on one node: {:.0} s, with folders, logs and every end recorded. As many bare pods that\n\
         kubectl makes and waits for: {:.0} s.\n\n{}",
        of("chain", "known_to_create_p50_ms"),
        of("chain", "known_to_create_p99_ms"),
        of("chain", "end_to_create_p50_ms"),
        of("chain", "end_to_create_p99_ms"),
        of("chain", "create_to_program_p50_ms"),
        of("chain", "known_to_page_p50_ms"),
        of("chain", "known_to_page_p99_ms"),
        of("fan_out", "ours_seconds"),
        of("fan_out", "plain_seconds"),
        many::text(&values["many"])
    )
}
