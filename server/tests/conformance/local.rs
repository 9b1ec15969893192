//! How is the runner of this machine put under test?

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use model::{Acl, supervise::Process};
use server::runner::{
    Runner,
    local::{
        LocalConfig, LocalRunner,
        config::{Budget, LOG_LIMIT, NoPrograms, Volume},
        folder::{Executions, alive},
    },
};

use crate::harness::{Asked, Harness};

pub struct Local {
    place: tempfile::TempDir,
    runner: Option<Arc<LocalRunner>>,
}

/// The helper program, built as it is now.
fn helper() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let status = Command::new(env!("CARGO")).args(["build", "--quiet", "-p", "task"]).status().unwrap();
        assert!(status.success());
        let own = std::env::current_exe().unwrap();
        own.parent().unwrap().parent().unwrap().join("fletchline-task")
    })
}

/// Everything below one folder.
pub fn config(place: &Path) -> LocalConfig {
    let folder = |name: &str| {
        let folder = place.join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    LocalConfig {
        data: folder("home/data"),
        results: folder("home/data/results"),
        installation: "test".into(),
        volumes: {
            let team = Volume { folder: folder("team"), access: Acl::ReadWrite };
            Arc::new(move |name| (name == "team").then(|| team.clone()))
        },
        helper: helper().to_owned(),
        server: "/usr/bin/true".into(),
        home: Some(folder("home")),
        visible: Vec::new(),
        budget: Budget::default(),
        load_from: Vec::new(),
        certificates: None,
        log_limit: LOG_LIMIT,
        secrets: Arc::new(|name| (name == "pass").then(|| "hush-hush".to_owned())),
        programs: Arc::new(NoPrograms),
    }
}

impl Local {
    pub fn new() -> Local {
        // Not in /tmp or below /work: a task has its own there, and would not see a home in it.
        let place = tempfile::tempdir_in("/var/tmp").unwrap();
        let runner = LocalRunner::new(config(place.path())).unwrap();
        Local { place, runner: Some(Arc::new(runner)) }
    }

    pub async fn asked() -> Asked<Local> {
        Asked::new(Local::new()).await
    }

    pub fn place(&self) -> &Path {
        self.place.path()
    }

    pub fn data(&self) -> PathBuf {
        self.place.path().join("home/data")
    }

    pub fn local(&self) -> Arc<LocalRunner> {
        self.runner.clone().unwrap()
    }

    pub fn executions(&self) -> Executions {
        Executions::open(&self.data()).unwrap()
    }
}

impl Harness for Local {
    fn runner(&self) -> Arc<dyn Runner> {
        self.local()
    }

    fn remake(&mut self) {
        self.runner = None;
        self.runner = Some(Arc::new(LocalRunner::new(config(self.place.path())).unwrap()));
    }

    fn results(&self) -> PathBuf {
        self.data().join("results")
    }

    fn team(&self) -> PathBuf {
        self.place.path().join("team")
    }

    fn data(&self) -> PathBuf {
        self.data()
    }

    fn answers_in_capitals(&self, port: u16) -> Vec<String> {
        let python = format!(
            "import socket; s=socket.socket(); s.setsockopt(1,2,1); s.bind(('127.0.0.1',{port})); s.listen()\nwhile 1:\n c=s.accept()[0]\n d=c.recv(9)\n c.sendall(d.upper()); c.close()"
        );
        ["/usr/bin/python3", "-c", &python].map(str::to_owned).into()
    }
}

macro_rules! on_this_machine {
    ($($module:ident::$name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::$module::$name(Local::asked().await).await;
            }
        )*
    };
}

crate::suite::suite!(on_this_machine);

impl Drop for Local {
    fn drop(&mut self) {
        self.runner = None;
        let executions = self.executions();
        for id in executions.live().unwrap_or_default() {
            let told = executions.folder(&id).told();
            told.supervisor.into_iter().chain(told.init).for_each(kill);
        }
    }
}

/// SIGKILL, if it still is the one that was meant.
pub fn kill(process: Process) {
    if let Some(fd) = alive(process) {
        // Ended at this moment is as well.
        let _ = rustix::process::pidfd_send_signal(fd, rustix::process::Signal::KILL);
    }
}
