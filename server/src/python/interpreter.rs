//! Which Python is in a folder or on PATH, and what of it must a task see?

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use model::launch::{Launch, Program};
use serde::Deserialize;
use tokio::process::Command;

use super::{OWN, ProgramCommand, PythonError, STATE, StateFile};

/// The lists are locked for the lowest; the others were tried.
const VERSIONS: [(u32, u32); 3] = [(3, 11), (3, 12), (3, 13)];
const PROBE: &str = "import json, os, site, sys, sysconfig
print(json.dumps({
    'executable': sys.executable,
    'base': os.path.realpath(getattr(sys, '_base_executable', sys.executable)),
    'base_prefix': os.path.realpath(sys.base_prefix),
    'prefix': sys.prefix,
    'version': sys.version_info[:3],
    'packages': sysconfig.get_path('purelib'),
}))";
const START: &str = include_str!("start.sh");

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Interpreter {
    /// What is started; in a venv a link to the base.
    pub executable: PathBuf,
    /// The program behind all links.
    pub base: PathBuf,
    pub base_prefix: PathBuf,
    /// The environment's folder.
    pub prefix: PathBuf,
    pub version: (u32, u32, u32),
    /// Its site-packages.
    pub packages: PathBuf,
}

impl Interpreter {
    /// The first Python on PATH that the lists are made for.
    pub async fn on_path() -> Result<Self, PythonError> {
        let mut found = "this machine has no python3".to_owned();
        for name in ["python3", "python3.13", "python3.12", "python3.11"] {
            match Self::probe(Path::new(name)).await {
                Ok(one) if VERSIONS.contains(&(one.version.0, one.version.1)) => return Ok(one),
                Ok(one) if name == "python3" => found = format!("this machine's python3 is {}", one.version_text()),
                Ok(_) | Err(_) => {}
            }
        }
        Err(PythonError::NoPython { found })
    }

    /// The environment that the setting `python` names.
    pub async fn of_setting(folder: &Path) -> Result<Self, PythonError> {
        let wrong = |why: String| PythonError::Setting { folder: folder.to_owned(), why };
        let program = folder.join("bin/python");
        if !program.exists() {
            return Err(wrong("which has no bin/python: name a venv or conda folder".into()));
        }
        Self::probe(&program).await.map_err(|error| wrong(format!("whose Python does not start: {error}")))
    }

    pub async fn probe(program: &Path) -> std::io::Result<Self> {
        let output =
            Command::new(program).args(["-I", "-c", PROBE]).stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            std::io::Error::other(if said.is_empty() { "it says nothing".into() } else { said })
        })
    }

    pub fn version_text(&self) -> String {
        format!("{}.{}.{}", self.version.0, self.version.1, self.version.2)
    }

    pub fn program(&self) -> String {
        self.executable.display().to_string()
    }

    /// The start of `python -m module`: scripts in bin/ hold a path that a kernel may find too long.
    pub fn module(&self, module: &str) -> Vec<String> {
        vec![self.program(), "-m".into(), module.into()]
    }

    pub fn bin(&self) -> String {
        self.prefix.join("bin").display().to_string()
    }

    /// What a task must see of this machine to run it.
    pub fn needs(&self) -> Vec<PathBuf> {
        let mut needs = vec![self.prefix.clone(), self.base_prefix.clone()];
        needs.dedup();
        needs
    }

    /// Gives a task's own program this Python, with a place for `pip install`.
    pub fn for_task(&self) -> ProgramCommand {
        let home = self.base.parent().unwrap_or(Path::new("/")).display().to_string();
        let text = START
            .replace("@MINOR@", &format!("{}.{}", self.version.0, self.version.1))
            .replace("@BASE@", &self.base.display().to_string())
            .replace("@HOME@", &home)
            .replace("@VERSION@", &self.version_text())
            .replace("@PACKAGES@", &self.packages.display().to_string());
        ProgramCommand {
            argv: vec!["/bin/sh".into(), format!("{STATE}/start.sh")],
            files: vec![StateFile::new("start.sh", text)],
            ..self.on_path_only()
        }
    }

    /// For a task that may use it, but says nothing of it.
    pub fn on_path_only(&self) -> ProgramCommand {
        let path = vec![format!("{OWN}/bin"), self.bin()];
        ProgramCommand { path, read_only: self.needs(), ..ProgramCommand::default() }
    }
}

/// Whether a task speaks of Python: in its command, its script or its files.
pub(super) fn is_needed(launch: &Launch) -> bool {
    let speaks = match &launch.program {
        Program::Command { argv } => argv.iter().any(|word| speaks_of_python(word)),
        Program::Script { text } => speaks_of_python(text),
        Program::Stay => false,
        Program::Load { .. } => return false,
        Program::Notebook { .. } | Program::Viewer | Program::Pack { .. } | Program::Serve { .. } => return true,
    };
    let is_python = |name: &str, text: &str| {
        let first = text.lines().next().unwrap_or_default();
        name.ends_with(".py") || name.ends_with(".ipynb") || (first.starts_with("#!") && first.contains("python"))
    };
    speaks || launch.files.iter().any(|file| is_python(&file.name, &file.text))
}

fn speaks_of_python(text: &str) -> bool {
    const PROGRAMS: [&str; 6] = ["python", "pip", "jupyter", "tensorboard", "bentoml", "ipython"];
    let words = text.split(|c: char| !(c.is_alphanumeric() || "._-/".contains(c)));
    words.filter_map(|word| word.rsplit('/').next()).any(|word| {
        let name =
            word.split('-').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        word.ends_with(".py") || PROGRAMS.contains(&name)
    })
}
