//! How is a program's command started as a runner would, with nothing but bubblewrap?

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use model::{
    ExecutionId, KindName, Seconds,
    kind::File,
    launch::{Launch, Need, Program, Ready, Work},
};
use server::python::{Key, LINKS, Options, ProgramCommand, Programs, RESULTS, STATE, default_cache};

pub fn cache() -> PathBuf {
    default_cache(|name| std::env::var_os(name)).expect("tests have a HOME")
}

/// With the environments of this machine's user, made by whichever test is first.
pub fn programs() -> Programs {
    Programs::new(Options { cache: cache(), python: None, key: Key::new([7; 32]) })
}

pub fn execution() -> ExecutionId {
    ExecutionId { pipeline: "p".parse().unwrap(), task: "t".parse().unwrap(), n: 1 }
}

pub fn launch(program: Program, files: Vec<File>) -> Launch {
    Launch {
        execution: execution(),
        run: "r".parse().unwrap(),
        copy: None,
        kind: KindName::Job,
        name: "A task".into(),
        program,
        image: None,
        run_as: None,
        env: Default::default(),
        addresses: Default::default(),
        resources: Need::default(),
        mounts: Vec::new(),
        outputs: Vec::new(),
        work: Work::Scratch,
        files,
        snapshots: Vec::new(),
        copies_json: Vec::new(),
        ports: Vec::new(),
        ready: Ready::Running,
        advance: None,
        grace: Seconds(5),
        timeout: None,
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The folders of one task: `work`, `state` and whatever a test binds besides.
pub struct Place {
    pub folder: tempfile::TempDir,
    binds: Vec<(PathBuf, String, bool)>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place { folder, binds: Vec::new() };
        for (name, path) in [("work", "/work"), ("state", STATE), ("links", LINKS), ("results", RESULTS)] {
            fs::create_dir(place.path(name)).unwrap();
            place.bind(name, path, true);
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn bind(&mut self, name: &str, path: &str, writable: bool) {
        fs::create_dir_all(self.path(name)).unwrap();
        self.binds.push((self.path(name), path.to_owned(), writable));
    }

    pub fn write(&self, name: &str, text: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn command(&self, program: &ProgramCommand, own: &[&str]) -> Command {
        for file in &program.files {
            self.write(&format!("state/{}", file.name), &file.text);
            let path = self.path("state").join(&file.name);
            fs::set_permissions(path, fs::Permissions::from_mode(file.mode)).unwrap();
        }
        let mut bwrap = Command::new("bwrap");
        bwrap.args(["--unshare-pid", "--die-with-parent", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]);
        for top in ["bin", "etc", "lib", "lib64", "opt", "root", "home", "usr", "run"] {
            let path = Path::new("/").join(top);
            match fs::read_link(&path) {
                Ok(target) => bwrap.arg("--symlink").arg(target).arg(&path),
                Err(_) => bwrap.arg("--ro-bind-try").arg(&path).arg(&path),
            };
        }
        for path in &program.read_only {
            bwrap.arg("--ro-bind").arg(path).arg(path);
        }
        for (from, path, writable) in &self.binds {
            bwrap.arg(if *writable { "--bind" } else { "--ro-bind" }).arg(from).arg(path);
        }
        bwrap.args([
            "--chdir",
            "/work",
            "--clearenv",
            "--setenv",
            "HOME",
            "/work/.home",
            "--setenv",
            "LANG",
            "C.UTF-8",
        ]);
        for kept in ["SSL_CERT_FILE", "PIP_CERT", "PIP_INDEX_URL", "HTTPS_PROXY", "https_proxy"] {
            if let Ok(value) = std::env::var(kept) {
                bwrap.args(["--setenv", kept, &value]);
            }
        }
        let path = [program.path.as_slice(), &["/usr/bin".into(), "/bin".into()]].concat().join(":");
        bwrap.args(["--setenv", "PATH", &path]);
        for (name, value) in &program.env {
            bwrap.args(["--setenv", name, value]);
        }
        bwrap.arg("--").args(&program.argv).args(own).stdin(Stdio::null());
        bwrap
    }

    /// Runs it to its end.
    pub fn run(&self, program: &ProgramCommand, own: &[&str]) -> Output {
        self.command(program, own).output().unwrap()
    }

    /// Runs it and returns when it says that it is ready.
    pub async fn start(&self, program: &ProgramCommand) -> Running {
        let log = fs::File::create(self.path("log")).unwrap();
        let child = self.command(program, &[]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut running = Running { child, log: self.path("log") };
        let Some(Ready::Http { port, path }) = &program.ready else { panic!("it never says that it is ready") };
        running.wait_for(&format!("http://127.0.0.1:{port}{path}")).await;
        running
    }
}

/// Ends with the test.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    async fn wait_for(&mut self, url: &str) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            if client.get(url).send().await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let is_late = Instant::now() > deadline;
            assert!(ended.is_none() && !is_late, "{url}, {ended:?}: {}", fs::read_to_string(&self.log).unwrap());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
