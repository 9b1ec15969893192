//! Is an environment of ours there, and who makes it?

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OnceCell};

use super::{PythonError, Say, install::Install, interpreter::Interpreter};

/// Written when everything is there; a folder without it is gone on with.
const COMPLETE: &str = "complete";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// JupyterLab, TensorBoard, BentoML 1.4, scikit-learn, pandas.
    Current,
    /// BentoML 1.1, which cannot share an environment with 1.4.
    Bento11,
}

impl Environment {
    /// Requirements, each with its version; comments and blank lines between them.
    pub fn list(self) -> &'static str {
        match self {
            Environment::Current => include_str!("current.txt"),
            Environment::Bento11 => include_str!("bento-1.1.txt"),
        }
    }

    /// As in "Installing …".
    pub fn title(self) -> &'static str {
        match self {
            Environment::Current => "the Python programs",
            Environment::Bento11 => "BentoML 1.1",
        }
    }
}

/// The environments below one cache folder, shared by all servers of this user.
///
/// # Guarantees
/// - One environment is made by one server at a time, and found complete or not at all.
/// - A folder's name tells list and interpreter: an update makes a new one and touches no running task's.
pub(super) struct Environments {
    cache: PathBuf,
    base: OnceCell<Interpreter>,
    current: Mutex<Option<Interpreter>>,
    bento11: Mutex<Option<Interpreter>>,
}

impl Environments {
    pub fn new(cache: PathBuf) -> Self {
        Environments { cache, base: OnceCell::new(), current: Mutex::default(), bento11: Mutex::default() }
    }

    /// Without making anything.
    pub async fn is_there(&self, environment: Environment) -> bool {
        match self.base().await {
            Ok(base) => self.folder(environment, base).join(COMPLETE).exists(),
            Err(_) => false,
        }
    }

    /// The environment's Python. The second call answers at once; what failed is tried again.
    pub async fn make(&self, environment: Environment, say: Say<'_>) -> Result<Interpreter, PythonError> {
        let place = match environment {
            Environment::Current => &self.current,
            Environment::Bento11 => &self.bento11,
        };
        if place.try_lock().is_err() {
            say(format!("Waits for {}, which are being installed", environment.title()));
        }
        let mut made = place.lock().await;
        if made.is_none() {
            *made = Some(self.made(environment, say).await?);
        }
        made.clone().ok_or_else(|| PythonError::Install("nothing was made".into()))
    }

    async fn made(&self, environment: Environment, say: Say<'_>) -> Result<Interpreter, PythonError> {
        let base = self.base().await?;
        let folder = self.folder(environment, base);
        if !folder.join(COMPLETE).exists() {
            fs::create_dir_all(&self.cache).map_err(PythonError::io(self.cache.display().to_string()))?;
            let _lock = lock(folder.with_extension("lock"), environment, say).await?;
            // Another server may have made it while this one waited.
            if !folder.join(COMPLETE).exists() {
                Install { cache: &self.cache, base, environment, folder: &folder, say }.run().await?;
                fs::write(folder.join(COMPLETE), "").map_err(PythonError::io(folder.display().to_string()))?;
            }
        }
        let program = folder.join("bin/python");
        Interpreter::probe(&program).await.map_err(PythonError::io(program.display().to_string()))
    }

    async fn base(&self) -> Result<&Interpreter, PythonError> {
        self.base.get_or_try_init(Interpreter::on_path).await
    }

    fn folder(&self, environment: Environment, base: &Interpreter) -> PathBuf {
        let told = format!("{}\n{}\n{}", environment.list(), base.base.display(), base.version_text());
        let hash = Sha256::digest(told.as_bytes());
        self.cache.join(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

/// Held until dropped, also against other processes; gone with this process, however it ends.
async fn lock(path: PathBuf, environment: Environment, say: Say<'_>) -> Result<File, PythonError> {
    let file = open(&path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            say(format!("Waits for another Fletchline that is installing {}", environment.title()));
        }
        Err(TryLockError::Error(error)) => return Err(PythonError::io(path.display().to_string())(error)),
    }
    let place = path.display().to_string();
    let waited = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    waited.map_err(std::io::Error::other).and_then(|file| file).map_err(PythonError::io(place))
}

fn open(path: &Path) -> Result<File, PythonError> {
    File::options().create(true).append(true).open(path).map_err(PythonError::io(path.display().to_string()))
}
