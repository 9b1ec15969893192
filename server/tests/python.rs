//! Do JupyterLab, TensorBoard and both generations of BentoML really run by the commands that are made for them?
//!
//! The first run on a machine installs the environments, which takes about a minute.

#[path = "python/kernel.rs"]
mod kernel;
#[path = "python/sandbox.rs"]
mod sandbox;

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
    sync::Mutex,
    time::{Duration, Instant},
};

use kernel::Kernel;
use model::{
    kind::{File, Framework},
    launch::{Mount, Program},
    pipeline::Acl,
    serving::{Generation, template},
};
use sandbox::{Place, cache, execution, free_port, launch, programs};
use serde_json::{Value, json};
use server::python::{BENTO, Key, Options, Programs};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

fn quiet(_: String) {}

fn shell(script: &str) -> Program {
    Program::Command { argv: ["sh", "-euc", script].map(str::to_owned).to_vec() }
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn an_environment_is_made_with_progress_once_and_is_there_at_once_for_the_next_server() {
    programs().command(&launch(Program::Viewer, Vec::new()), 1, Path::new("/"), &quiet).await.unwrap();
    // A cache of its own, with the packages that are already on this machine.
    let own = tempfile::tempdir().unwrap();
    fs::create_dir_all(cache().join("packages")).unwrap();
    symlink(cache().join("packages"), own.path().join("packages")).unwrap();
    let fresh = || Programs::new(Options { cache: own.path().to_owned(), python: None, key: Key::new([7; 32]) });
    let pack = launch(
        Program::Pack { framework: Framework::ScikitLearn },
        template(Framework::ScikitLearn, Generation::Bento11),
    );
    let said = Mutex::new(Vec::new());
    let say = |sentence: String| said.lock().unwrap().push(sentence);
    let (one, other) = (fresh(), fresh());
    let root = Path::new("/");
    let (first, second) = tokio::join!(one.command(&pack, 1, root, &say), other.command(&pack, 1, root, &say));
    assert_eq!(first.unwrap(), second.unwrap());
    let said = said.into_inner().unwrap();
    // Whichever of the two comes first installs, and the other one waits.
    let times = |sentence: &str| said.iter().filter(|one| *one == sentence).count();
    assert_eq!(times("Installing BentoML 1.1: 0 of 79 packages"), 1, "{said:?}");
    assert_eq!(times("Installing BentoML 1.1: 64 of 79 packages"), 1, "{said:?}");
    let started = Instant::now();
    fresh().command(&pack, 1, root, &|sentence| panic!("{sentence}")).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_a_task_installs_lies_in_its_work_folder_upon_what_we_installed() {
    let place = Place::new();
    let script = "python -c 'import sklearn, sys; print(sys.prefix)'
        pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps iniconfig==2.1.0
        python -c 'import iniconfig; print(iniconfig.__file__)'";
    let command = programs().command(&launch(shell(script), Vec::new()), 1, Path::new("/"), &quiet).await.unwrap();
    let said = text(&place.run(&command, &["sh", "-euc", script]));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "/work/.python");
    assert!(lines[1].starts_with("/work/.python/lib/python3."), "{said}");
    // The next execution finds it in the same folder.
    let again = text(&place.run(&command, &["python", "-c", "import iniconfig; print(iniconfig.__file__)"]));
    assert_eq!(again, lines[1]);
}

#[tokio::test]
async fn a_notebooks_kernel_runs_a_cell_and_is_named_while_it_is_busy() {
    let (place, programs, port) = (Place::new(), programs(), free_port());
    let notebook = Program::Notebook { start_path: "/work".into(), open: None, arguments: Vec::new() };
    let command = programs.command(&launch(notebook, Vec::new()), port, Path::new("/"), &quiet).await.unwrap();
    let _running = place.start(&command).await;
    let http = reqwest::Client::new();
    let kernels = format!("http://127.0.0.1:{port}/api/sessions");
    assert_eq!(http.get(&kernels).send().await.unwrap().status(), 403, "nobody comes in without the token");
    let settings = asked(&programs, port, "lab/api/settings/@jupyterlab/docmanager-extension:plugin").await;
    assert_eq!(settings["schema"]["properties"]["autosaveInterval"]["default"], 10, "{settings}");
    let mut kernel = opened(&programs, port).await;
    let code = "import os, sklearn, sys, time; print(sys.prefix, 6 * 7, flush=True)
while not os.path.exists('go-on'): time.sleep(0.05)";
    kernel.send("1", code).await;
    assert_eq!(kernel.until("1", "stream").await["text"], "/work/.python 42\n");

    let connect = || async { Box::new(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap()) };
    let busy = programs.busy_kernels(&execution(), connect().await).await.unwrap();
    assert_eq!(busy, ["explore.ipynb"]);
    place.write("work/go-on", "");
    assert_eq!(kernel.until("1", "execute_reply").await["status"], "ok");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !programs.busy_kernels(&execution(), connect().await).await.unwrap().is_empty() {
        assert!(Instant::now() < deadline, "it stays busy");
    }
}

/// An environment of a person's own, with the packages of ours beside one that only it has.
async fn named(folder: &Path) {
    let command = programs().command(&launch(shell("python -V"), Vec::new()), 1, Path::new("/"), &quiet).await.unwrap();
    let ours = Path::new(&command.path[1]);
    let made = Command::new(ours.join("python")).args(["-m", "venv", "--without-pip"]).arg(folder).status().unwrap();
    assert!(made.success());
    let packages = |of: &Path| {
        let version = fs::read_dir(of.join("lib")).unwrap().next().unwrap().unwrap().path();
        version.join("site-packages")
    };
    let own = packages(folder);
    for package in fs::read_dir(packages(ours.parent().unwrap())).unwrap() {
        let package = package.unwrap();
        symlink(package.path(), own.join(package.file_name())).unwrap();
    }
    fs::write(own.join("of_the_team.py"), "name = 'ours alone'\n").unwrap();
}

#[tokio::test]
async fn a_notebook_opens_at_its_start_path_and_computes_with_the_named_python() {
    let team = tempfile::tempdir_in(std::env::var("HOME").unwrap()).unwrap();
    named(team.path()).await;
    let python = Some(team.path().to_owned());
    let programs = Programs::new(Options { cache: cache(), python, key: Key::new([7; 32]) });
    let (mut place, port) = (Place::new(), free_port());
    place.bind("notes", "/data/notes", true);
    place.write("notes/measured.csv", "1,2\n");
    let notebook = Program::Notebook { start_path: "/data/notes".into(), open: None, arguments: Vec::new() };
    let command = programs.command(&launch(notebook, Vec::new()), port, Path::new("/"), &quiet).await.unwrap();
    let _running = place.start(&command).await;
    let shown = asked(&programs, port, "api/contents").await;
    let names: Vec<&str> = shown["content"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["measured.csv"], "{shown}");
    let mut kernel = opened(&programs, port).await;
    kernel.send("1", "import os, of_the_team; print(os.getcwd(), of_the_team.name, flush=True)").await;
    assert_eq!(kernel.until("1", "stream").await["text"], "/data/notes ours alone\n");
}

/// What JupyterLab answers to whoever has the token.
async fn asked(programs: &Programs, port: u16, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("http://127.0.0.1:{port}/{path}"));
    let answer = request.header("authorization", programs.authorization(&execution())).send().await.unwrap();
    answer.json().await.unwrap()
}

/// A notebook's kernel.
async fn opened(programs: &Programs, port: u16) -> Kernel {
    let session = json!({"path": "explore.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}});
    let authorization = programs.authorization(&execution());
    let request = reqwest::Client::new().post(format!("http://127.0.0.1:{port}/api/sessions"));
    let made = request.header("authorization", &authorization).json(&session).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let id = made["kernel"]["id"].as_str().unwrap();
    let channels = format!("ws://127.0.0.1:{port}/api/kernels/{id}/channels?session_id=test");
    let mut request = channels.into_client_request().unwrap();
    request.headers_mut().insert("authorization", authorization.parse().unwrap());
    Kernel::connect(port, request).await
}

#[tokio::test]
async fn tensorboard_shows_a_run_that_is_linked_while_it_runs() {
    let (place, port) = (Place::new(), free_port());
    let programs = programs();
    let command = programs.command(&launch(Program::Viewer, Vec::new()), port, Path::new("/"), &quiet).await.unwrap();
    let _running = place.start(&command).await;

    let script = "import sys; from tensorboardX import SummaryWriter
w = SummaryWriter(logdir='/fletchline/results/train/1/events')
w.add_scalar('loss', 0.5, 1); w.close()";
    let python = programs.command(&launch(shell("python"), Vec::new()), 1, Path::new("/"), &quiet).await.unwrap();
    text(&place.run(&python, &["python", "-c", script]));
    symlink("../results/train/1/events", place.path("links").join("run 1 · Train · LR=0.1")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let runs: Value =
            reqwest::get(format!("http://127.0.0.1:{port}/data/runs")).await.unwrap().json().await.unwrap();
        if runs == json!(["run 1 · Train · LR=0.1"]) {
            break;
        }
        assert!(Instant::now() < deadline, "{runs}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_model_is_packed_built_and_asked_in_bentoml_1_4() {
    let answer = serve(Generation::Current, |x| json!({"x": x})).await;
    assert_eq!(answer, json!([0]));
}

#[tokio::test]
async fn a_model_is_packed_built_and_asked_in_bentoml_1_1() {
    let answer = serve(Generation::Bento11, |x| x).await;
    assert_eq!(answer, json!([0]));
}

/// The answer to the first digit, by the template's service, which can only read what was built.
async fn serve(generation: Generation, body: impl Fn(Value) -> Value) -> Value {
    let (mut place, programs, port) = (Place::new(), programs(), free_port());
    place.bind("model", "/model", true);
    let files: Vec<File> = template(Framework::ScikitLearn, generation);
    files.iter().for_each(|file| place.write(&format!("work/{}", file.name), &file.text));
    let train = "import joblib, json; from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier
x, y = load_digits(return_X_y=True)
joblib.dump(DecisionTreeClassifier(random_state=0).fit(x, y), '/model/model.joblib'); print(json.dumps([x[0].tolist()]))";
    let python = programs.command(&launch(shell("python"), Vec::new()), 1, Path::new("/"), &quiet).await.unwrap();
    let x: Value = serde_json::from_str(&text(&place.run(&python, &["python", "-c", train]))).unwrap();

    let packing = launch(Program::Pack { framework: Framework::ScikitLearn }, files);
    let pack = programs.command(&packing, 1, Path::new("/"), &quiet).await.unwrap();
    place.bind("bento", BENTO, true);
    text(&place.run(&pack, &[]));

    let mut serving = launch(Program::Serve { packed: 1, port: None }, Vec::new());
    let (mount_path, sub_path) = (BENTO.into(), Some("bento".into()));
    serving.mounts = vec![Mount { id: "results".into(), acl: Acl::ReadOnly, mount_path, sub_path }];
    let command = programs.command(&serving, port, place.folder.path(), &quiet).await.unwrap();
    place.bind("bento", BENTO, false);
    let _running = place.start(&command).await;
    let request = reqwest::Client::new().post(format!("http://127.0.0.1:{port}/predict")).json(&body(x));
    request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
}
