//! Can a person and a script do everything by the command line, and are mistakes told by a sentence and a code?

mod product;

use std::{
    io::Write,
    path::PathBuf,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use product::{Data, Served, example};
use serde_json::{Value, json};

const FAILED: i32 = 1;
const WRONG: i32 = 2;
const NOT_DONE: i32 = 3;
const CANCELLED: i32 = 4;

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The one JSON value on stdout.
fn json_of(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|error| panic!("{error}: {}{}", out(output), err(output)))
}

/// It did not do it, and said why in one line.
fn refused(output: &Output, with: i32, part: &str) {
    assert_eq!(code(output), with, "{}{}", out(output), err(output));
    assert!(err(output).contains(part) && !err(output).contains("panicked"), "{}", err(output));
}

fn file(data: &Data, name: &str, text: &str) -> String {
    let file = data.path().join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

fn job(script: &str) -> String {
    json!({"format": "fletchline/v1", "id": "one", "name": "One",
        "tasks": [{"id": "a", "name": "Train", "kind": "job", "script": script}]})
    .to_string()
}

#[test]
fn a_wrong_command_line_is_told_with_its_own_code() {
    let data = Data::new();
    for wrong in [vec!["walk"], vec!["run"], vec!["exec"], vec!["load", "x"], vec!["link", "more"], vec!["secret"]] {
        refused(&data.run(&wrong), WRONG, "Usage");
    }
    let help = data.run(&["--help"]);
    assert!(code(&help) == 0 && out(&help).contains("Exit codes"), "{}", out(&help));
}

#[test]
fn without_a_server_what_needs_one_says_how_to_start_one() {
    let data = Data::new();
    for asked in [vec!["link"], vec!["services"], vec!["exec", "a", "--", "true"]] {
        refused(&data.run(&asked), NOT_DONE, "fletchline serve");
    }
    refused(&data.run(&["stop"]), NOT_DONE, "No Fletchline server holds");
    assert_eq!(json_of(&data.run(&["stop", "--all", "--json"])), json!({"tasks_that_go_on": 0}));
}

#[test]
fn validate_and_plan_tell_what_is_wrong_and_what_would_be_mounted() {
    let data = Data::new();
    let good = example("files");
    let good = good.to_str().unwrap();
    assert_eq!(code(&data.run(&["validate", good])), 0);
    assert_eq!(json_of(&data.run(&["validate", good, "--json"])), json!([]));
    let planned = json_of(&data.run(&["plan", good]));
    let volumes = planned["count"]["volumes"].as_array().unwrap();
    assert!(volumes.iter().any(|volume| volume["mountPath"] == "/data"), "{planned}");

    let bad = file(&data, "bad.json", &job("x").replace("\"script\":\"x\"", "\"comand\":\"x\""));
    let told = data.run(&["validate", &bad]);
    assert_eq!(code(&told), FAILED);
    assert!(out(&told).contains("did you mean `command`?"), "{}", out(&told));
    let problems = json_of(&data.run(&["validate", &bad, "--json"]));
    assert!(problems.as_array().unwrap().iter().any(|one| one["severity"] == "problem"), "{problems}");
    for (text, part) in [("{", "Line 1"), ("{\"nbformat\":4}", "Jupyter notebook")] {
        let broken = file(&data, "broken.json", text);
        for command in ["validate", "plan", "run"] {
            refused(&data.run(&[command, &broken]), NOT_DONE, part);
        }
    }
    refused(&data.run(&["validate", "/nowhere.json"]), NOT_DONE, "/nowhere.json cannot be read");
}

#[test]
fn plan_prints_what_a_cluster_would_get_and_asks_none() {
    let data = Data::new();
    let document = file(&data, "one.json", &job("true"));
    let mut plan = data.command(&["plan", &document, "--format", "kubernetes"]);
    let printed = plan.env("KUBECONFIG", "/no/such/file").output().unwrap();
    let text = out(&printed);
    assert_eq!(code(&printed), 0, "{}", err(&printed));
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    assert_eq!(kinds, ["ConfigMap", "Pod"], "{text}");
    assert!(text.split("---\n").filter(|one| !one.is_empty()).count() == 2, "{text}");
    assert!(text.contains("claimName: fletchline-results") && text.contains("restartPolicy: Never"), "{text}");
    let mut unknown: Value = serde_json::from_str(&job("true")).unwrap();
    unknown["tasks"][0]["volumes"] = json!([{"volume": "nas", "acl": "RW", "mount_path": "/nas"}]);
    let unknown = file(&data, "unknown.json", &unknown.to_string());
    refused(&data.run(&["plan", &unknown, "--format", "kubernetes"]), NOT_DONE, "nas");
}

#[test]
fn load_unpacks_into_a_folder_and_refuses_what_it_cannot_load() {
    let data = Data::new();
    let to = data.path().join("loaded").display().to_string();
    assert_eq!(code(&data.run(&["load", "example:files.zip", &to, "--quiet"])), 0);
    assert!(std::fs::read_dir(&to).unwrap().count() > 0);
    let loaded = data.run(&["load", "example:files.zip", &format!("{to}-2"), "--json", "--quiet"]);
    assert!(code(&loaded) == 0 && !out(&loaded).is_empty(), "{}", err(&loaded));
    refused(&data.run(&["load", "example:nothing", &to]), NOT_DONE, "no example data named nothing");
    refused(&data.run(&["load", "http://127.0.0.1:1/x", &to]), NOT_DONE, "127.0.0.1");
    refused(&data.run(&["load", "gopher://x/y", &to]), NOT_DONE, "gopher");
    refused(&data.run(&["load", "example:files.zip", &to, "--unpack", "rar"]), WRONG, "rar");
}

#[test]
fn a_secret_is_read_from_stdin_and_given_to_tasks_by_name_alone() {
    let data = Data::new();
    let set = |name: &str, value: &str| {
        let mut child = data.command(&["secret", "set", name]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let kept = set("TOKEN", "canary-7\n");
    assert_eq!((code(&kept), out(&kept).as_str()), (0, ""));
    refused(&set("TOKEN", ""), NOT_DONE, "An empty secret was not kept");
    refused(&set("a b", "x"), NOT_DONE, "a b");
    let mut document: Value = serde_json::from_str(&job("test \"$T\" = canary-7")).unwrap();
    document["tasks"][0]["env"] = json!({"T": {"secret": "TOKEN"}});
    let run = data.run(&["run", &file(&data, "secret.json", &document.to_string()), "--json"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert!(!out(&run).contains("canary") && !err(&run).contains("canary"));
}

#[test]
fn a_run_ends_with_the_code_of_how_it_went() {
    let data = Data::new();
    let good = file(&data, "good.json", &job("true"));
    let view = json_of(&data.run(&["run", &good, "--json"]));
    assert_eq!(view["summary"]["status"], "succeeded");
    let bad = data.run(&["run", &file(&data, "bad.json", &job("exit 7"))]);
    assert_eq!(code(&bad), FAILED);
    assert!(out(&bad).contains("exit code 7"), "{}", out(&bad));
    refused(&data.run(&["run", &good, "--param", "x=1"]), FAILED, "no parameter");
    refused(&data.run(&["run", &good, "--param", "x"]), WRONG, "NAME=VALUE");

    let mut long = data.command(&["run", &file(&data, "long.json", &job("echo begun; sleep 600"))]);
    let long = long.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = data.path().join("executions/one/a/3/log");
    eventually("it has begun", || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("begun")));
    let asked = std::process::Command::new("kill").args(["-INT", &long.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(code(&long.wait_with_output().unwrap()), CANCELLED);
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_program_runs_inside_a_running_task_and_its_code_comes_back() {
    let data = Data::new();
    let _served = Served::start(&data).await;
    let document = file(&data, "long.json", &job("echo here > /work/note; echo begun; sleep 600"));
    let handed = json_of(&data.run(&["run", &document, "--json"]));
    assert!(handed["address"].as_str().unwrap().starts_with("http://localhost:"), "{handed}");
    let log = data.path().join("executions/one/a/1/log");
    eventually("it has begun", || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("begun")));
    for name in ["Train", "a", "one/a/1"] {
        let said = data.run(&["exec", name, "--", "sh", "-c", "cat note; exit 9"]);
        assert_eq!((code(&said), out(&said).as_str()), (9, "here\n"), "{}", err(&said));
    }
    refused(&data.run(&["exec", "Nobody", "--", "true"]), NOT_DONE, "Running: one/a/1 (Train)");
    let nothing = data.run(&["exec", "Train", "--", "/no/such/program"]);
    assert!(code(&nothing) != 0 && !err(&nothing).is_empty(), "{}", err(&nothing));
}

#[tokio::test]
async fn one_server_holds_a_folder_and_says_how_many_tasks_go_on_when_it_stops() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let link = json_of(&data.run(&["link", "--json"]));
    let link = link["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("http://localhost:{}/", served.port)), "{link}");
    let client = reqwest::Client::new();
    assert_eq!(client.get(&link).send().await.unwrap().status(), 200);
    assert_eq!(client.get(&link).send().await.unwrap().status(), 401, "a link lets in once");
    refused(&data.run(&["serve", "--port", "0"]), NOT_DONE, "is using");
    assert_eq!(json_of(&data.run(&["services", "--json"])), json!([]));

    data.run(&["run", &file(&data, "long.json", &job("echo begun; sleep 600"))]);
    let log = data.path().join("executions/one/a/1/log");
    eventually("it has begun", || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("begun")));
    let stopped = data.run(&["stop"]);
    assert_eq!(code(&stopped), 0);
    assert!(out(&stopped).contains("Tasks that go on: 1. `fletchline stop --all` ends them."), "{}", out(&stopped));
    eventually("the folder is free", || code(&data.run(&["link"])) == NOT_DONE);
    let ended = data.run(&["stop", "--all"]);
    assert_eq!((code(&ended), out(&ended).as_str()), (0, "Stopped. Nothing runs any more.\n"), "{}", err(&ended));
}

#[test]
fn a_server_goes_on_when_nobody_listens_to_what_it_says() {
    let data = Data::new();
    let mut server = data.command(&["serve", "--port", "0"]);
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Before it has said anything.
    drop((server.stdout.take(), server.stderr.take()));
    eventually("it answers", || code(&data.run(&["link"])) == 0);
    assert_eq!(server.try_wait().unwrap(), None);
    assert_eq!(code(&data.run(&["stop"])), 0);
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn on_a_fresh_machine_without_a_connection_a_python_task_says_that_it_needs_one() {
    let data = Data::new();
    let (document, cache) = (file(&data, "python.json", &job("python3 -c 1")), data.path().join("cache"));
    let mut run = data.command(&["run", &document]);
    run.env("XDG_CACHE_HOME", cache).env("PIP_RETRIES", "0").env("PIP_CONFIG_FILE", "/dev/null");
    let run = run.env("PIP_INDEX_URL", "http://127.0.0.1:1/simple").output().unwrap();
    assert_eq!(code(&run), FAILED);
    assert!(
        out(&run).contains("the package index does not answer: connect this machine and try again"),
        "{}",
        out(&run)
    );
}

#[test]
fn results_that_belong_to_another_installation_are_refused_and_left_alone() {
    let (first, second) = (Data::new(), Data::new());
    let own = file(&first, "one.json", &job("true"));
    assert_eq!(code(&first.run(&["run", &own])), 0);
    let results = first.path().join("results");
    let owner = || std::fs::read_to_string(results.join("pipeline/.fletchline")).unwrap();
    let before = owner();
    let part = "belong to another installation of Fletchline: set `results` to a folder of its own";
    for asked in [vec!["run", &own], vec!["serve", "--port", "0"]] {
        let asked = [&asked[..], &["--results", results.to_str().unwrap()]].concat();
        refused(&second.run(&asked), NOT_DONE, part);
    }
    assert_eq!(owner(), before);
    assert_eq!(code(&first.run(&["run", &own])), 0, "the one that has them goes on");
    assert_eq!(code(&second.run(&["run", &own])), 0, "so does the other one with its own");
    assert_ne!(std::fs::read_to_string(second.path().join("results/pipeline/.fletchline")).unwrap(), before);
}

/// What a job says with these settings, line by line.
fn said(data: &Data, settings: &[&str], script: &str) -> String {
    let ran = data.run(&[&["run", &file(data, "said.json", &job(script)), "--json"], settings].concat());
    assert_eq!(code(&ran), 0, "{}{}", out(&ran), err(&ran));
    let n = json_of(&ran)["tasks"]["a"]["executions"][0]["n"].as_u64().unwrap();
    let log = std::fs::read_to_string(data.path().join(format!("executions/one/a/{n}/log"))).unwrap();
    log.lines().map(|line| format!("{}\n", line.split_once(' ').unwrap().1)).collect()
}

#[test]
fn the_python_that_the_setting_names_comes_first_and_a_task_cannot_change_it() {
    let data = Data::new();
    // Not in the data folder, which no task sees.
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let venv = place.path().join("venv").display().to_string();
    let made = std::process::Command::new("python3").args(["-m", "venv", "--without-pip", &venv]).status().unwrap();
    assert!(made.success());
    let packages = std::fs::read_dir(format!("{venv}/lib")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(packages.join("site-packages/only_here.py"), "word = 'only here'").unwrap();
    let script = "python3 -c 'import only_here, os; print(only_here.word)'
        python -c 'import only_here'
        if touch \"$VENV/no\" 2>/dev/null; then echo changed; fi";
    let script = script.replace("$VENV", &venv);
    assert_eq!(said(&data, &["--python", &venv], &script), "only here\n");
    // Without a word of Python its folder is on PATH all the same.
    let path = said(&data, &["--python", &venv], "echo $PATH");
    let first: Vec<&str> = path.trim().split(':').collect();
    assert_eq!(first[..2], ["/work/.python/bin", &format!("{venv}/bin")]);
    // Our own is another one.
    let own = said(&data, &[], "python3 -c 'import only_here' 2>/dev/null || echo missing");
    assert_eq!(own, "missing\n");
    let nothing = place.path().display().to_string();
    let ran = data.run(&["run", &file(&data, "no.json", &job("python3 -c 1")), "--python", &nothing]);
    assert_eq!(code(&ran), FAILED);
    assert!(out(&ran).contains("has no bin/python: name a venv or conda folder"), "{}", out(&ran));
}

#[test]
fn a_further_try_goes_on_where_the_last_one_of_its_copy_stopped_and_knows_what_it_is() {
    let data = Data::new();
    // The copy with one value has a folder of its own, too.
    let train = "if test -z \"${FLETCHLINE_PREVIOUS+set}\"; then echo \"$LR at first\" > /model/state; exit 3; fi
        touch \"$FLETCHLINE_PREVIOUS/model/no\" 2>/dev/null && exit 4
        { cat \"$FLETCHLINE_PREVIOUS/model/state\"; echo then; } > /model/state
        echo \"$FLETCHLINE_PIPELINE $FLETCHLINE_TASK $FLETCHLINE_COPY $FLETCHLINE_PARAM_EPOCHS ${FLETCHLINE_RUN:+run} $(($FLETCHLINE_N > 1))\" >> /model/state";
    let look = "cd /in; ls; cat 0/state; grep -c '\"status\"' copies.json; test -z \"${FLETCHLINE_COPY+set}\"";
    let arrow = json!({"id": "x", "from_task": "train", "from_path": "/model", "to_task": "look", "to_path": "/in", "acl": "RO"});
    let document = json!({"format": "fletchline/v1", "id": "tries", "name": "Tries",
        "parameters": [{"name": "epochs", "type": "integer", "default": "3"}], "tasks": [
        {"id": "train", "name": "Train", "kind": "job", "script": train, "retries": 1, "copies": {"LR": ["0.1"]}},
        {"id": "look", "name": "Look", "kind": "job", "script": look}], "arrows": [arrow]});
    let file = file(&data, "tries.json", &document.to_string());
    let ran = data.run(&["run", &file, "--param", "epochs=5", "--json"]);
    let log = std::fs::read_to_string(data.path().join("executions/tries/look/1/log")).unwrap_or_default();
    assert_eq!(code(&ran), 0, "{}{log}", err(&ran));
    let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(lines, ["0", "copies.json", "0.1 at first", "then", "tries train 0 5 run 1", "1"]);
    let tries = &json_of(&ran)["tasks"]["train"]["executions"];
    assert_eq!([&tries[0]["exit_code"], &tries[1]["exit_code"]], [3, 0]);
}

/// A shared volume, by which tasks know of each other.
fn meeting(data: &Data) -> PathBuf {
    let meet = data.path().with_extension("meet");
    std::fs::create_dir_all(&meet).unwrap();
    let settings = format!("[volumes.meet]\nfolder = {:?}\naccess = \"RW\"\n", meet.display().to_string());
    std::fs::write(data.path().join("fletchline.toml"), settings).unwrap();
    meet
}

#[test]
fn no_two_tasks_are_given_the_same_gpu_however_many_start_at_once() {
    let data = Data::new();
    meeting(&data);
    let script = "touch /meet/$CUDA_VISIBLE_DEVICES; until test $(ls /meet | wc -l) -ge 8; do sleep 0.1; done";
    let copies: Vec<String> = (0..8).map(|copy| copy.to_string()).collect();
    let job = json!({"id": "j", "name": "J", "kind": "job", "script": script, "timeout": 60, "copies": {"COPY": copies},
        "resources": {"gpu": 1}, "volumes": [{"volume": "meet", "acl": "RW", "mount_path": "/meet"}]});
    let document = json!({"format": "fletchline/v1", "id": "one", "name": "One", "tasks": [job], "arrows": []});
    let file = file(&data, "gpus.json", &document.to_string());
    let minors: Vec<u32> = (0..8).collect();
    let ran = data.with_gpus(&minors, &["run", &file, "--json"]).output().unwrap();
    assert_eq!(code(&ran), 0, "{}{}", out(&ran), err(&ran));
}

#[test]
fn a_task_sees_the_gpus_that_it_was_given_and_no_other() {
    let data = Data::new();
    let meet = meeting(&data);
    // What it sees, and then it waits until so many tasks have been there.
    let look = |asks: Option<u32>, together: usize, settings: &[&str]| {
        std::fs::remove_dir_all(&meet).unwrap();
        std::fs::create_dir_all(&meet).unwrap();
        let script = format!(
            "echo \"[$CUDA_VISIBLE_DEVICES]\"; cd /dev; for one in nvidia*; do test ! -c $one || echo $one; done
            touch /meet/$FLETCHLINE_TASK; until test $(ls /meet | wc -l) -ge {together}; do sleep 0.1; done"
        );
        let task = |id: &str| json!({"id": id, "name": id, "kind": "job", "script": script, "timeout": 60, "resources": {"gpu": asks.unwrap_or(0)}});
        let arrow = |id: &str| json!({"id": id, "from_task": "v", "from_path": "", "to_task": id, "to_path": "/meet", "acl": "RW"});
        let volume = json!({"id": "v", "name": "Meet", "kind": "volume", "volume": "meet", "access": "RW", "mount_path": "/meet"});
        let document = json!({"format": "fletchline/v1", "id": "one", "name": "One",
            "tasks": [volume, task("a"), task("b")], "arrows": [arrow("a"), arrow("b")]});
        let file = file(&data, "gpu.json", &document.to_string());
        data.with_gpus(&[3, 5], &[&["run", &file, "--json"], settings].concat()).output().unwrap()
    };
    let log = |ran: &Output, task: &str| {
        assert_eq!(code(ran), 0, "{}{}", out(ran), err(ran));
        let one = &json_of(ran)["tasks"][task]["executions"][0];
        let log = data.path().join(format!("executions/one/{task}/{}/log", one["n"]));
        let log = std::fs::read_to_string(log).unwrap();
        let lines = log.lines().map(|line| line.split_once(' ').unwrap().1).collect::<Vec<_>>().join(" ");
        (lines, one["started"].as_u64().unwrap(), one["ended"].as_u64().unwrap())
    };
    let none = look(None, 1, &[]);
    assert_eq!(log(&none, "a").0, "[]");
    let both = look(Some(1), 2, &[]);
    let mut given = ["a", "b"].map(|task| log(&both, task).0);
    given.sort();
    assert_eq!(given, ["[3] nvidia3", "[5] nvidia5"]);
    // One at a time where the setting allows no more, whichever it is.
    let one = look(Some(1), 1, &["--gpu", "1"]);
    let [a, b] = ["a", "b"].map(|task| log(&one, task));
    assert!(a.2 <= b.1 || b.2 <= a.1, "{a:?} {b:?}");
    assert_eq!([a.0, b.0], ["[3] nvidia3", "[3] nvidia3"]);
    assert_eq!(log(&look(Some(2), 1, &[]), "b").0, "[3,5] nvidia3 nvidia5");
    // A setting makes none.
    let three = look(Some(3), 1, &["--gpu", "9"]);
    assert_eq!(code(&three), FAILED);
    assert!(err(&three).contains("3 GPUs") && !err(&three).contains("panicked"), "{}", err(&three));
    std::fs::remove_dir_all(meet).unwrap();
}

#[test]
fn a_live_step_goes_on_by_time_and_by_another_port_than_its_first() {
    let data = Data::new();
    let [first, second] = [0, 0].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let [first, second] = [first, second].map(|one| one.local_addr().unwrap().port());
    let listen = "import socket, sys, time
for port in sys.argv[1:]:
    s = socket.socket(); s.bind(('127.0.0.1', int(port))); s.listen(); globals()['s' + port] = s
    time.sleep(1)
time.sleep(600)";
    let after = |id: &str| json!({"id": format!("after_{id}"), "name": id, "kind": "job", "script": "date +%s%N > /out/at", "keep": ["/out"]});
    let arrow = |id: &str| json!({"id": id, "from_task": id, "from_path": "", "to_task": format!("after_{id}"), "to_path": "", "acl": "RO"});
    let document = json!({"format": "fletchline/v1", "id": "rules", "name": "Rules", "tasks": [
        {"id": "clock", "name": "Clock", "kind": "container", "command": ["sleep", "600"], "advance": {"by": "time", "seconds": 2}},
        {"id": "ports", "name": "Ports", "kind": "container", "command": ["/usr/bin/python3", "-c", listen, first.to_string(), second.to_string()],
            "ports": [{"port": first}, {"port": second}], "advance": {"by": "port", "port": second}},
        after("clock"), after("ports")], "arrows": [arrow("clock"), arrow("ports")]});
    let ran = data.run(&["run", &file(&data, "rules.json", &document.to_string()), "--json"]);
    assert_eq!(code(&ran), 0, "{}{}", out(&ran), err(&ran));
    let view = json_of(&ran);
    let at = |task: &str, field: &str| view["tasks"][task]["executions"][0][field].as_u64().unwrap();
    let sentences = ["clock", "ports"].map(|task| view["tasks"][task]["executions"][0]["sentence"].as_str().unwrap());
    assert_eq!(sentences, ["advanced", "ended well"], "{view:#}");
    let lasted = at("after_clock", "started") - at("clock", "started");
    assert!((2_000..30_000).contains(&lasted), "{lasted} ms");
    assert!(at("after_clock", "started") >= at("clock", "ended"), "the step has ended before");
    let lasted = at("after_ports", "started") - at("ports", "started");
    assert!((1_000..30_000).contains(&lasted), "{lasted} ms, and the second one listens after one second");
    assert!(at("ports", "ended") > at("after_ports", "ended"), "what serves others stays open until the run ends");
}

#[test]
fn settings_that_cannot_be_read_are_told_with_their_place() {
    let data = Data::new();
    let settings: PathBuf = data.path().join("fletchline.toml");
    for (text, part) in [
        ("prot = 1", "did you mean `port`?"),
        ("port = \"x\"", "port (fletchline.toml)"),
        ("port =", "fletchline.toml"),
        ("grace_seconds = -1", "a number of seconds is expected"),
        ("keep_runs = \"all\"", "a number of runs is expected"),
        (
            "warn_free_percent = 101",
            "warn_free_percent (fletchline.toml): \"101\" does not fit: a number from 0 to 100",
        ),
    ] {
        std::fs::write(&settings, text).unwrap();
        refused(&data.run(&["serve"]), NOT_DONE, part);
    }
    std::fs::remove_file(settings).unwrap();
    refused(&data.run(&["serve", "--port", "70000"]), NOT_DONE, "port (--port)");
}
