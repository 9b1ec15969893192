//! How does a test drive the program itself, as a person on a fresh machine has it?

// Each test program uses a part of this.
#![allow(dead_code)]

pub mod digits;
pub mod kills;
pub mod serving;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, Response, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::client::IntoClientRequest};

pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Without any sign of progress.
const PATIENCE: Duration = Duration::from_secs(240);

/// The program, with the helper that it starts built beside it.
fn program() -> &'static Path {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let status = Command::new(env!("CARGO")).args(["build", "--quiet", "--package", "task"]).status().unwrap();
        assert!(status.success());
    });
    Path::new(env!("CARGO_BIN_EXE_fletchline"))
}

pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name).join("pipeline.json")
}

/// To run all of a pipeline as it was at a revision.
pub fn wish(pipeline: impl Into<Value>, revision: u64) -> Value {
    json!({"pipeline": pipeline.into(), "revision": revision, "part": "all", "parameters": {}, "download_again": [],
        "reading": null})
}

/// A data folder; nothing runs in it any more when it is dropped.
pub struct Data(tempfile::TempDir);

impl Data {
    /// Not below /tmp, which every task has for itself.
    pub fn new() -> Data {
        let near = program().parent().unwrap().join("products");
        fs::create_dir_all(&near).unwrap();
        Data(tempfile::tempdir_in(near).unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        // First: behind a `--` it would belong to somebody else.
        command.arg("--data").arg(self.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// A server whose data folder is a small disk of its own, which nobody but it and its tasks sees.
    pub fn serve_on_a_disk_of(&self, size: &str) -> Command {
        self.after(&format!("mount -t tmpfs -o size={size} tmpfs \"$1\""), &["serve", "--port", "0"])
    }

    /// On a machine that has these GPUs, as far as their devices go.
    pub fn with_gpus(&self, minors: &[u32], arguments: &[&str]) -> Command {
        let folder = self.path().join("devices");
        let folder = folder.display();
        let mut mounts = format!(
            "mkdir -p {folder} && mount -t tmpfs tmpfs {folder} && mkdir {folder}/up {folder}/work &&
            mount -t overlay -o lowerdir=/dev,upperdir={folder}/up,workdir={folder}/work overlay /dev"
        );
        for minor in minors {
            mounts += &format!(" && touch /dev/nvidia{minor} && mount --bind /dev/null /dev/nvidia{minor}");
        }
        self.after(&mounts, arguments)
    }

    /// After mounts that nobody but it and its tasks sees. `$1` is the data folder.
    fn after(&self, mounts: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        // Who is not root needs to be it for the mount.
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        command.args(if is_root { &["--mount"][..] } else { &["--user", "--map-root-user", "--mount"] });
        let script = format!("{mounts} && program=$0 && data=$1 && shift && exec \"$program\" --data \"$data\" \"$@\"");
        command.args(["sh", "-c", &script]).arg(program()).arg(self.path()).args(arguments).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let stopped = self.run(&["stop", "--all"]);
        if !stopped.status.success() && !std::thread::panicking() {
            panic!("{}", String::from_utf8_lossy(&stopped.stderr));
        }
    }
}

/// A server with a browser that was let in.
pub struct Served {
    child: Child,
    pub port: u16,
    cookie: String,
    client: Client,
}

impl Served {
    pub async fn start(data: &Data) -> Served {
        Served::start_with(data, &[]).await
    }

    pub async fn start_with(data: &Data, environment: &[(&str, &str)]) -> Served {
        let mut command = data.command(&["serve", "--port", "0"]);
        command.envs(environment.iter().copied());
        Served::start_by(command).await
    }

    /// As the command says that becomes a server.
    pub async fn start_by(mut command: Command) -> Served {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let link = lines.map(|line| line.unwrap().trim().to_owned()).find(|line| line.starts_with("http")).unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let port = reqwest::Url::parse(&link).unwrap().port().unwrap();
        let answer = client.get(&link).send().await.unwrap();
        let cookie = cookie(answer.headers());
        Served { child, port, cookie, client }
    }

    /// A file as this server's tasks and it see it.
    pub fn sees(&self, file: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        root.join(file.strip_prefix("/").unwrap())
    }

    /// As the page sends.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let own = format!("localhost:{}", self.port);
        let request = self.client.request(method, format!("http://127.0.0.1:{}{path}", self.port));
        request.header("origin", format!("http://{own}")).header("host", own).header("cookie", &self.cookie)
    }

    /// Asks a server function, as the page does.
    pub async fn ask(&self, function: &str, body: Value) -> Value {
        let (status, text) = self.answer(function, body).await;
        assert_eq!(status, 200, "{function}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Status and text of the answer, whatever it is.
    pub async fn answer(&self, function: &str, body: Value) -> (u16, String) {
        let request = self.request(Method::POST, &format!("/api/{function}")).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The one connection by which a page stays up to date.
    pub async fn live(&self) -> Socket {
        let mut request = format!("ws://127.0.0.1:{}/live", self.port).into_client_request().unwrap();
        let own = format!("localhost:{}", self.port);
        for (name, value) in [("origin", format!("http://{own}")), ("host", own), ("cookie", self.cookie.clone())] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        tokio_tungstenite::connect_async(request).await.unwrap().0
    }

    /// Makes a pipeline of a document.
    pub async fn create(&self, document: &Value) {
        self.ask("pipelines/create", json!({"new": {"from": "document", "text": document.to_string()}})).await;
    }

    /// Begins what was wished for: the run's id.
    pub async fn begin(&self, wish: Value) -> String {
        self.ask("runs/start", json!({"new": wish})).await.as_str().unwrap().to_owned()
    }

    /// Drops a file on a Load Data: the answer is the source's address.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> String {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let request = self.request(Method::PUT, &format!("/files/upload?name={name}"));
        request.body(bytes).send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
    }

    /// The run's view as soon as `is_there`; it must not fail.
    pub async fn until(&self, run: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let has_failed = |view: &Value| ["failed", "cancelled"].iter().any(|bad| view["summary"]["status"] == *bad);
        let view = self.until_any(run, |view| is_there(view) || has_failed(view)).await;
        assert!(is_there(&view), "{view:#}");
        view
    }

    /// The run's view as soon as `is_there`, whatever becomes of it.
    pub async fn until_any(&self, run: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let (mut deadline, mut last) = (Instant::now() + PATIENCE, Value::Null);
        loop {
            let view = self.ask("runs/open", json!({"run": run})).await["view"].clone();
            if is_there(&view) {
                return view;
            }
            // What goes on may take its time: a slow machine with an empty cache installs for minutes.
            if view != last {
                (deadline, last) = (Instant::now() + PATIENCE, view.clone());
            }
            assert!(Instant::now() < deadline, "{view:#}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Opens a task's first port by the one-time link that the page gets.
    pub async fn open(&self, view: &Value, task: &str) -> Pages {
        let open = &view["tasks"][task]["open"][0];
        let execution = json!({"pipeline": view["summary"]["pipeline"], "task": task, "n": open["n"]});
        let host = format!("localhost:{}", self.port);
        let link = self.ask("runs/link", json!({"execution": execution, "port": open["port"], "host": host})).await;
        let link = reqwest::Url::parse(link["address"].as_str().unwrap()).unwrap();
        let host = format!("{}:{}", link.host_str().unwrap(), self.port);
        let mut pages = Pages { client: self.client.clone(), port: self.port, host, cookie: String::new() };
        let answer = pages.get(&format!("{}?{}", link.path(), link.query().unwrap())).await;
        pages.cookie = cookie(answer.headers());
        pages
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // What it runs goes on; the data folder ends it.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A browser at a task's own host name.
pub struct Pages {
    client: Client,
    port: u16,
    pub host: String,
    pub cookie: String,
}

impl Pages {
    pub async fn get(&self, path: &str) -> Response {
        self.request(self.client.get(format!("http://127.0.0.1:{}{path}", self.port))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(self.client.post(format!("http://127.0.0.1:{}{path}", self.port)).json(body)).await
    }

    async fn request(&self, request: RequestBuilder) -> Response {
        let origin = format!("http://{}", self.host);
        request.header("host", &self.host).header("origin", origin).header("cookie", &self.cookie).send().await.unwrap()
    }
}

fn cookie(headers: &HeaderMap) -> String {
    headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}
