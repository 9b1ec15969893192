//! How does JupyterLab run, how does a browser get in, and is it busy?

use std::{collections::BTreeMap, time::Duration};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use model::launch::{Program, Ready};
use serde::Deserialize;
use serde_json::json;

use super::{OWN, ProgramCommand, PythonError, STATE, StateFile, interpreter::Interpreter};
use crate::runner::Connection;

/// A busy JupyterLab answers within milliseconds; one that does not is not asked again by whoever waits.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// JupyterLab from `ours`, with kernels that compute with `tasks`.
pub(super) fn command(
    ours: &Interpreter,
    tasks: &Interpreter,
    start_path: &str,
    arguments: &[String],
    port: u16,
    token: &str,
) -> Result<ProgramCommand, PythonError> {
    if !tasks.packages.join("ipykernel").is_dir() {
        let why = format!(
            "which has no ipykernel for notebooks: {}/bin/python -m pip install ipykernel",
            tasks.prefix.display()
        );
        return Err(PythonError::Setting { folder: tasks.prefix.clone(), why });
    }
    let mut command = tasks.for_task();
    command.argv.extend(ours.module("jupyterlab"));
    command.argv.extend(self::arguments("127.0.0.1", port, start_path));
    command.argv.extend(arguments.iter().cloned());
    command.env = environment();
    command.files.extend(files(&format!("{OWN}/bin/python"), token));
    command.read_only.extend(ours.needs());
    command.ready = Some(Ready::Http { port, path: "/api".into() });
    Ok(command)
}

/// Which address it listens on, and what it shows.
pub(super) fn arguments(ip: &str, port: u16, start_path: &str) -> Vec<String> {
    let server = |name: &str, value: &str| format!("--ServerApp.{name}={value}");
    vec![
        "--no-browser".into(),
        server("ip", ip),
        server("port", &port.to_string()),
        // Else it would move to another port without a word.
        server("port_retries", "0"),
        server("base_url", "/"),
        server("root_dir", start_path),
    ]
}

/// What a person sets stays in HOME, found again with the work folder; what holds the token goes with the execution.
pub(super) fn environment() -> BTreeMap<String, String> {
    let lab = "/work/.home/.jupyter/lab";
    let pairs = [
        ("JUPYTER_CONFIG_DIR", format!("{STATE}/config")),
        ("JUPYTER_RUNTIME_DIR", format!("{STATE}/runtime")),
        ("JUPYTER_PATH", format!("{STATE}/share")),
        ("JUPYTERLAB_SETTINGS_DIR", format!("{lab}/user-settings")),
        ("JUPYTERLAB_WORKSPACES_DIR", format!("{lab}/workspaces")),
        // Downloads of a person's `pip install` are not kept twice.
        ("PIP_NO_CACHE_DIR", "1".to_owned()),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `python`: what the kernels run in.
pub(super) fn files(python: &str, token: &str) -> [StateFile; 4] {
    let config = json!({
        "IdentityProvider": {"token": token},
        // Any Host: the gateway has checked it, and passes on the name that the browser used.
        "ServerApp": {"allow_remote_access": true, "allow_root": true},
        "LabApp": {
            "news_url": null,
            "extension_manager": "readonly",
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        },
        // Looking for language servers runs npm.
        "LanguageServerManager": {"autodetect": false},
        "FileContentsManager": {"delete_to_trash": false},
    });
    let page = json!({"disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": true,
        "@jupyterlab/extensionmanager-extension:plugin": true,
    }});
    // Who advances a step soon after typing finds the last cell in what goes on.
    let settings = json!({"@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 10}});
    let kernel = json!({
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
        "metadata": {"debugger": true},
    });
    [
        StateFile { name: "config/jupyter_server_config.json".into(), text: config.to_string(), mode: 0o600 },
        StateFile::new("config/labconfig/page_config.json", page.to_string()),
        StateFile::new("config/labconfig/default_setting_overrides.json", settings.to_string()),
        // Takes the place of the kernel that JupyterLab brings, which would compute with its own packages only.
        StateFile::new("share/kernels/python3/kernel.json", kernel.to_string()),
    ]
}

/// Where "open" leads in a task's pages. The token is not in it: the gateway adds it to every request as a header, so
/// that it reaches neither an address bar nor a history. Without a notebook to open, JupyterLab shows what was
/// open last.
pub fn open_path(program: &Program) -> String {
    match program {
        // Without `reset` the tabs of the last visit come back too, and start their kernels.
        Program::Notebook { open: Some(path), .. } => format!("/lab/tree/{}?reset", encoded(path)),
        Program::Notebook { open: None, .. } => "/lab".into(),
        Program::Load { .. }
        | Program::Command { .. }
        | Program::Script { .. }
        | Program::Stay
        | Program::Viewer
        | Program::Pack { .. }
        | Program::Serve { .. } => "/".into(),
    }
}

fn encoded(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.trim_start_matches('/').bytes().map(encode).collect()
}

#[derive(Deserialize)]
struct Kernel {
    id: String,
    execution_state: String,
}

#[derive(Deserialize)]
struct Session {
    path: String,
    kernel: Option<Kernel>,
}

/// The notebooks and consoles with a running cell. A long silent cell counts; an open page or a fresh kernel does not.
pub(super) async fn busy_kernels(
    connection: Box<dyn Connection>,
    authorization: &str,
) -> Result<Vec<String>, PythonError> {
    let (kernels, sessions) = tokio::time::timeout(PATIENCE, async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(connection)).await.map_err(unanswered)?;
        let driver = tokio::spawn(connection);
        // `no_track_activity`: looking must not count as somebody's work.
        let kernels: Vec<Kernel> = get(&mut sender, "/api/kernels?no_track_activity=1", authorization).await?;
        let sessions: Vec<Session> = get(&mut sender, "/api/sessions?no_track_activity=1", authorization).await?;
        driver.abort();
        Ok::<_, PythonError>((kernels, sessions))
    })
    .await
    .map_err(unanswered)??;
    let name = |kernel: &Kernel| {
        let of = |session: &&Session| session.kernel.as_ref().is_some_and(|one| one.id == kernel.id);
        sessions.iter().find(of).map_or_else(|| "a kernel".to_owned(), |session| session.path.clone())
    };
    Ok(kernels.iter().filter(|kernel| kernel.execution_state == "busy").map(name).collect())
}

async fn get<T: serde::de::DeserializeOwned>(
    sender: &mut http1::SendRequest<Empty<Bytes>>,
    path: &str,
    authorization: &str,
) -> Result<T, PythonError> {
    let request = Request::get(path)
        .header("Host", "localhost")
        .header("Authorization", authorization)
        .body(Empty::new())
        .map_err(unanswered)?;
    let response = sender.send_request(request).await.map_err(unanswered)?;
    if response.status() != StatusCode::OK {
        return Err(PythonError::Jupyter(format!("{path} is {}", response.status())));
    }
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| PythonError::Jupyter(error.to_string()))?.to_bytes();
    serde_json::from_slice(&body).map_err(unanswered)
}

fn unanswered(error: impl std::fmt::Display) -> PythonError {
    PythonError::Jupyter(error.to_string())
}
