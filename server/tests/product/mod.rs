//! How does a test drive the program itself, as a person on a fresh machine has it?

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{Client, Response, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};

/// The first start may install the Python programs.
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
        command.args(arguments).arg("--data").arg(self.path()).stdin(Stdio::null());
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
        let mut child = data.command(&["serve", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let link = lines.map(|line| line.unwrap().trim().to_owned()).find(|line| line.starts_with("http")).unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let port = reqwest::Url::parse(&link).unwrap().port().unwrap();
        let answer = client.get(&link).send().await.unwrap();
        let cookie = cookie(answer.headers());
        Served { child, port, cookie, client }
    }

    /// Asks a server function, as the page does.
    pub async fn ask(&self, function: &str, body: Value) -> Value {
        let origin = format!("http://localhost:{}", self.port);
        let request = self.client.post(format!("http://127.0.0.1:{}/api/{function}", self.port));
        let request = request.header("host", format!("localhost:{}", self.port)).header("origin", origin);
        let answer = request.header("cookie", &self.cookie).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{function}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The run's view as soon as `is_there`.
    pub async fn until(&self, run: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let view = self.ask("runs/open", json!({"run": run})).await["view"].clone();
            if is_there(&view) {
                return view;
            }
            let has_failed = ["failed", "cancelled"].iter().any(|bad| view["summary"]["status"] == *bad);
            assert!(!has_failed && Instant::now() < deadline, "{view:#}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Opens a task's first port by the one-time link that the page gets.
    pub async fn open(&self, view: &Value, task: &str) -> Pages {
        let open = &view["tasks"][task]["open"][0];
        let execution = json!({"pipeline": view["summary"]["pipeline"], "task": task, "n": open["n"]});
        let host = format!("localhost:{}", self.port);
        let link = self.ask("runs/link", json!({"execution": execution, "port": open["port"], "host": host})).await;
        let link = reqwest::Url::parse(link.as_str().unwrap()).unwrap();
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

    async fn request(&self, request: reqwest::RequestBuilder) -> Response {
        let origin = format!("http://{}", self.host);
        request.header("host", &self.host).header("origin", origin).header("cookie", &self.cookie).send().await.unwrap()
    }
}

fn cookie(headers: &HeaderMap) -> String {
    headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}
