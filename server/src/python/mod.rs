//! Which Python programs run a task, and what do they need to be there?
//!
//! JupyterLab, TensorBoard and BentoML come from two environments of ours (BentoML 1.1 needs one of its own), made
//! when they are first needed. A runner asks [`Programs::command`] and carries out what it answers; the gateway asks
//! [`Programs::authorization`] and [`open_path`].
//!
//! # How a task sees it
//! | path | what |
//! |---|---|
//! | [`STATE`] | a private writable folder (0700) that is gone at the end; holds [`ProgramCommand::files`] |
//! | [`LINKS`] | a Viewer's folder of links, relative ones: `../results/<task>/<n>/…` |
//! | [`RESULTS`] | a Viewer's `pipeline/<pipeline id>`, read-only |
//! | [`BENTO`] | what a Serving packs (writable) or serves (read-only) |
//!
//! All these programs end cleanly on SIGTERM, within 4 s. BentoML's workers outlive a killed master: a runner ends
//! the whole process namespace.

mod bento;
mod environment;
mod image;
mod install;
mod interpreter;
mod jupyter;
mod local;
mod tensorboard;
mod token;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use model::{
    ExecutionId,
    launch::{Launch, Program, Ready},
    serving::Generation,
};
use tokio::sync::OnceCell;

pub use environment::Environment;
pub use image::in_image;
pub use jupyter::open_path;
pub use local::OnThisMachine;
pub use tensorboard::volume_links;
pub use token::Key;

use crate::runner::Connection;
use environment::Environments;
use interpreter::Interpreter;

pub const STATE: &str = "/fletchline/state";
pub const LINKS: &str = "/fletchline/links";
pub const RESULTS: &str = "/fletchline/results";
pub const BENTO: &str = "/fletchline/bento";
/// The task's own Python, in its work folder.
const OWN: &str = "/work/.python";

/// Told what is being done, in sentences for a waiting person.
pub type Say<'a> = &'a dyn Fn(String);

/// What a runner starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramCommand {
    /// The whole command. For a task with a program of its own ([`Program::Command`], [`Program::Script`],
    /// [`Program::Stay`], [`Program::Load`]): what stands before it, mostly nothing.
    pub argv: Vec<String>,
    /// Wins over the task's own variables.
    pub env: BTreeMap<String, String>,
    /// Folders that come first on PATH, as the task sees them.
    pub path: Vec<String>,
    /// Written into [`STATE`] before the start.
    pub files: Vec<StateFile>,
    /// Folders of this machine that the task must see, read-only, at the same place.
    pub read_only: Vec<PathBuf>,
    /// When it is ready, where the program itself says so.
    pub ready: Option<Ready>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFile {
    /// Relative to [`STATE`]; may name folders.
    pub name: String,
    pub text: String,
    /// Permission bits.
    pub mode: u32,
}

impl StateFile {
    fn new(name: &str, text: String) -> Self {
        StateFile { name: name.to_owned(), text, mode: 0o644 }
    }
}

/// Where our environments lie, and which one a person has named.
#[derive(Clone, Debug)]
pub struct Options {
    /// Environments are made below it and shared by all data folders; see [`default_cache`].
    pub cache: PathBuf,
    /// The setting `python`: a venv or conda folder.
    pub python: Option<PathBuf>,
    /// Notebooks' tokens are made from it.
    pub key: Key,
}

/// `fletchline/python` in the user's cache folder. None: there is neither XDG_CACHE_HOME nor HOME.
pub fn default_cache(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("fletchline/python"))
}

#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    #[error("{found}; the Python programs need Python 3.11, 3.12 or 3.13: sudo apt-get install python3 python3-pip")]
    NoPython { found: String },
    #[error("{} has no pip, which fetches the Python programs: sudo apt-get install python3-pip", .0.display())]
    NoPip(PathBuf),
    /// Trying again later may help.
    #[error(
        "the Python programs could not be fetched, the package index does not answer: connect this machine and try again"
    )]
    Offline,
    #[error("the Python programs could not be installed: {0}")]
    Install(String),
    #[error("{place}: {error}")]
    Io { place: String, error: std::io::Error },
    #[error("the setting `python` names {}, {why}", .folder.display())]
    Setting { folder: PathBuf, why: String },
    #[error("nothing was packed that could be served: {0}")]
    NotPacked(String),
    #[error("JupyterLab does not answer: {0}")]
    Jupyter(String),
}

impl PythonError {
    /// Whether the same may go well a little later, with nothing changed here.
    pub fn is_passing(&self) -> bool {
        matches!(self, PythonError::Offline)
    }

    fn io(place: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let place = place.into();
        move |error| PythonError::Io { place, error }
    }
}

pub struct Programs {
    environments: Environments,
    python: Option<PathBuf>,
    named: OnceCell<Interpreter>,
    key: Key,
}

impl Programs {
    pub fn new(options: Options) -> Self {
        Programs {
            environments: Environments::new(options.cache),
            python: options.python,
            named: OnceCell::new(),
            key: options.key,
        }
    }

    /// What starts `launch`, listening on `port` of 127.0.0.1. Makes the environment that it needs, which takes
    /// up to a minute the first time and nothing later. `results` is the results volume on this machine.
    ///
    /// # Errors
    /// One sentence for the person who waits; [`PythonError::is_passing`] tells whether trying again may help.
    pub async fn command(
        &self,
        launch: &Launch,
        port: u16,
        results: &Path,
        say: Say<'_>,
    ) -> Result<ProgramCommand, PythonError> {
        match &launch.program {
            Program::Load { .. } => Ok(ProgramCommand::default()),
            Program::Command { .. } | Program::Script { .. } | Program::Stay => self.task_command(launch, say).await,
            Program::Notebook { start_path, arguments, .. } => {
                let (ours, tasks) = (self.ours(Environment::Current, say).await?, self.tasks_python(say).await?);
                let token = self.key.token(&launch.execution);
                jupyter::command(&ours, &tasks, start_path.as_str(), arguments, port, &token)
            }
            Program::Viewer => {
                Ok(tensorboard::command(&self.ours(Environment::Current, say).await?, &launch.name, port))
            }
            Program::Pack { .. } => {
                let generation = model::serving::generation(&launch.files);
                Ok(bento::pack(&self.bento(generation, say).await?, generation))
            }
            Program::Serve { .. } => {
                let packed = bento::packed(launch, results)?;
                Ok(bento::serve(&self.bento(packed.generation, say).await?, &packed, port))
            }
        }
    }

    /// What lets into a Notebook.
    pub fn token(&self, notebook: &ExecutionId) -> String {
        self.key.token(notebook)
    }

    /// The header `Authorization` that the gateway gives to every request for a Notebook, instead of the browser's.
    pub fn authorization(&self, notebook: &ExecutionId) -> String {
        format!("token {}", self.token(notebook))
    }

    /// What runs cells right now, by the notebooks' paths; empty: ending it loses no work in progress.
    ///
    /// # Errors
    /// [`PythonError::Jupyter`] when JupyterLab does not answer as expected.
    pub async fn busy_kernels(
        &self,
        notebook: &ExecutionId,
        connection: Box<dyn Connection>,
    ) -> Result<Vec<String>, PythonError> {
        jupyter::busy_kernels(connection, &self.authorization(notebook)).await
    }

    /// Python for tasks with a program of their own: made where the task speaks of Python, else given as far as it
    /// is there, so that a pipeline without Python runs on a machine without Python.
    async fn task_command(&self, launch: &Launch, say: Say<'_>) -> Result<ProgramCommand, PythonError> {
        let is_needed = interpreter::is_needed(launch);
        let is_there = self.python.is_some() || self.environments.is_there(Environment::Current).await;
        if !is_needed && !is_there {
            return Ok(ProgramCommand::default());
        }
        let python = self.tasks_python(say).await?;
        // Making the task's own takes 20 ms, which a small Job without Python would feel.
        Ok(if is_needed || launch.program == Program::Stay { python.for_task() } else { python.on_path_only() })
    }

    async fn ours(&self, environment: Environment, say: Say<'_>) -> Result<Interpreter, PythonError> {
        self.environments.make(environment, say).await
    }

    /// The environment that tasks compute in.
    async fn tasks_python(&self, say: Say<'_>) -> Result<Interpreter, PythonError> {
        match &self.python {
            None => self.ours(Environment::Current, say).await,
            Some(folder) => self.named.get_or_try_init(|| Interpreter::of_setting(folder)).await.cloned(),
        }
    }

    /// The named environment packs and serves if it has this generation: then it has the model's library, too.
    async fn bento(&self, generation: Generation, say: Say<'_>) -> Result<Interpreter, PythonError> {
        if self.python.is_some() {
            let named = self.tasks_python(say).await?;
            if bento::has(&named, generation) {
                return Ok(named);
            }
        }
        match generation {
            Generation::Current => self.ours(Environment::Current, say).await,
            Generation::Bento11 => self.ours(Environment::Bento11, say).await,
        }
    }
}

#[cfg(test)]
mod tests;
