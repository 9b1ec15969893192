//! Does what `deploy/` installs work, as somebody finds it who applies it?

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    chromium::Person,
    cluster::{Cluster, IMAGE, USER, folder},
};

pub const BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/base");

const OVERLAYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/overlays");

/// `FLETCHLINE_KUBECTL`: a command that is kubectl.
fn kubectl(namespace: &str, arguments: &[&str]) -> Command {
    let program = std::env::var("FLETCHLINE_KUBECTL").unwrap_or_else(|_| "kubectl".into());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {program} \"$@\""), "kubectl", "--namespace", namespace]).args(arguments);
    command
}

pub fn say(namespace: &str, arguments: &[&str]) -> String {
    let output = kubectl(namespace, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// What lets nodes be read, with claims on folders of this machine and an image for every task.
fn site(place: &Path, namespace: &str) {
    let (base, site) = (place.join("base"), place.join("site"));
    fs::create_dir_all(&site).unwrap();
    let copied = Command::new("cp").arg("-r").args([BASE, OVERLAYS]).arg(place).status().unwrap();
    assert!(copied.success());
    let settings = fs::read_to_string(base.join("fletchline.toml")).unwrap();
    let images = format!("images = {{ job = \"{IMAGE}\", container = \"{IMAGE}\" }}\n");
    fs::write(site.join("fletchline.toml"), settings + &images).unwrap();
    let claim = |name: &str| {
        json!({
            "target": {"kind": "PersistentVolumeClaim", "name": name},
            "patch": json!([
                {"op": "add", "path": "/spec/storageClassName", "value": ""},
                {"op": "add", "path": "/spec/volumeName", "value": format!("{namespace}-{name}")},
                {"op": "replace", "path": "/spec/resources/requests/storage", "value": "1Gi"},
                {"op": "replace", "path": "/spec/accessModes", "value": ["ReadWriteMany"]},
            ]).to_string(),
        })
    };
    let kustomization = json!({
        "resources": ["../overlays/nodes-reader"],
        "namespace": namespace,
        "configMapGenerator": [
            {"name": "fletchline-settings", "behavior": "replace", "files": ["fletchline.toml"]},
        ],
        "patches": [claim("fletchline-data"), claim("fletchline-results")],
    });
    fs::write(site.join("kustomization.yaml"), kustomization.to_string()).unwrap();
}

/// A way to the server, as `kubectl port-forward` makes it.
struct Forward {
    child: Child,
    port: String,
}

impl Forward {
    /// `port`: of this machine; empty: any that is free.
    fn open(namespace: &str, port: &str) -> Forward {
        let mut child = kubectl(namespace, &["port-forward", "service/fletchline", &format!("{port}:4400")]);
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // The pipe stays open: it says more with every connection.
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().find_map(|word| word.strip_prefix("127.0.0.1:")).expect("a forwarded port");
        Forward { port: port.to_owned(), child }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn what_is_applied_runs_the_example_to_its_end_across_a_restart_of_the_server(cluster: Cluster) {
    let (client, namespace) = cluster.client().await;
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    cluster.volume(&client, "fletchline-data", &folder(place.path(), "data", USER)).await;
    cluster.volume(&client, "fletchline-results", &folder(place.path(), "results", 0)).await;
    let results = folder(place.path(), "results/pipeline", USER);
    what_an_ingress_needs_is_taken(namespace);
    site(place.path(), namespace);
    say(namespace, &["apply", "-k", &place.path().join("site").display().to_string()]);
    let wait = ["rollout", "status", "deployment/fletchline", "--timeout=120s"];
    say(namespace, &wait);

    let said = say(namespace, &["logs", "deployment/fletchline"]);
    let link = said.split_whitespace().find(|word| word.contains("/link?code=")).expect("a link in the log");
    let forward = Forward::open(namespace, "");
    let port = forward.port.clone();
    let mut person = Person::begin("install.mjs", &link.replace("localhost:4400", &format!("localhost:{port}")));
    assert_eq!(person.says().as_deref(), Some("loaded"));
    leads_by_services_alone(namespace);
    say(namespace, &["rollout", "restart", "deployment/fletchline"]);
    say(namespace, &wait);
    drop(forward);
    let _forward = Forward::open(namespace, &port);
    person.ends_well();

    // Beside it lies the file that says whose results these are, and what the board has.
    let mut all = fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path());
    let report = all.find_map(|path| fs::read_to_string(path.join("report/1/report/report.txt")).ok());
    assert!(report.unwrap().contains("files,"));
    may_read_nodes(namespace);
    let other = say(namespace, &["exec", "deployment/fletchline", "--", "fletchline", "link", "--data", "/data"]);
    assert!(other.contains("/link?code="), "{other}");
}

/// Takes the right away by which the pages of tasks are reached from outside. From inside they need none.
fn leads_by_services_alone(namespace: &str) {
    let role = say(namespace, &["get", "role/fletchline", "-o", "json"]);
    let mut role: Value = serde_json::from_str(&role).unwrap();
    for rule in role["rules"].as_array_mut().unwrap() {
        rule["resources"].as_array_mut().unwrap().retain(|one| one != "pods/portforward");
    }
    let rules = json!({ "rules": role["rules"] }).to_string();
    say(namespace, &["patch", "role/fletchline", "--type=merge", "-p", &rules]);
    let account = format!("--as=system:serviceaccount:{namespace}:fletchline");
    let may = kubectl(namespace, &["auth", "can-i", "create", "pods", "--subresource=portforward", &account])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&may.stdout).trim(), "no");
}

/// Takes the right away again: it is the whole cluster's.
fn may_read_nodes(namespace: &str) {
    let account = format!("--as=system:serviceaccount:{namespace}:fletchline");
    let may = say(namespace, &["auth", "can-i", "list", "nodes", &account]);
    let reader = "fletchline-nodes-reader";
    say(namespace, &["delete", &format!("clusterrole/{reader}"), &format!("clusterrolebinding/{reader}")]);
    assert_eq!(may.trim(), "yes");
}

/// A dry run, for there is nothing here that would carry out an Ingress.
fn what_an_ingress_needs_is_taken(namespace: &str) {
    let overlay = format!("{OVERLAYS}/ingress");
    let made = say(namespace, &["apply", "--dry-run=server", "-o", "json", "-k", &overlay]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let of = |kind: &str| made["items"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap();
    let host = of("Ingress")["spec"]["rules"][0]["host"].as_str().unwrap();
    let arguments = &of("Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(arguments.as_array().unwrap().contains(&format!("https://{host}").into()), "{arguments}");
}
