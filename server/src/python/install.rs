//! How is an environment installed from its list?
//!
//! uv comes first, out of its own wheel, which pip fetches. It makes the environment in its final place, because a
//! venv cannot be moved, and installs the list in pieces, so that one can tell how far it is. What is interrupted is
//! gone on with: uv skips what is there.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::process::Command;

use super::{Environment, PythonError, Say, interpreter::Interpreter};

/// Packages fetched at a time: enough to use the line, few enough to tell how far it is.
const PIECE: usize = 16;

pub(super) struct Install<'a> {
    pub cache: &'a Path,
    /// The Python that the environment is made of.
    pub base: &'a Interpreter,
    pub environment: Environment,
    pub folder: &'a Path,
    pub say: Say<'a>,
}

impl Install<'_> {
    pub async fn run(&self) -> Result<(), PythonError> {
        let list = requirements(self.environment.list());
        let title = self.environment.title();
        (self.say)(format!("Installing {title}: 0 of {} packages", list.len()));
        let uv = self.uv().await?;
        self.with(&uv, &["venv", "--quiet", "--allow-existing", "--python"], [&self.base.base, self.folder]).await?;
        let python = self.folder.join("bin/python");
        for (at, piece) in list.chunks(PIECE).enumerate() {
            let mut install = vec!["pip", "install", "--quiet", "--no-deps"];
            install.extend(piece);
            install.push("--python");
            self.with(&uv, &install, [&python]).await?;
            let done = (at * PIECE + piece.len()).min(list.len());
            (self.say)(format!("Installing {title}: {done} of {} packages", list.len()));
        }
        (self.say)(format!("Installing {title}: making them start fast"));
        self.compile(&python).await
    }

    /// Tasks cannot write here, so each start would compile again: 6 s instead of 2 for BentoML.
    async fn compile(&self, python: &Path) -> Result<(), PythonError> {
        let lib = self.folder.join("lib");
        let arguments = ["-m", "compileall", "-q", "-q", "-j", "0"].map(OsStr::new);
        let output = output(Command::new(python).args(arguments).arg(lib)).await?;
        // 1: some file is no Python that this version understands, as in templates; nobody imports those.
        match output.status.code() {
            Some(0 | 1) => Ok(()),
            _ => Err(PythonError::Install(last_line(&output.stderr))),
        }
    }

    /// The pinned uv, unpacked once for all environments.
    async fn uv(&self) -> Result<PathBuf, PythonError> {
        let wheel = Environment::Current.list().lines().find(|line| line.starts_with("uv=="));
        let wheel = wheel.expect("the list names uv").trim();
        let folder = self.cache.join(wheel.replace("==", "-"));
        let program = folder.join("bin/uv");
        if program.exists() {
            return Ok(program);
        }
        let partial = folder.with_extension(format!("{}.partial", std::process::id()));
        let target = partial.display().to_string();
        let mut pip = Command::new(&self.base.executable);
        pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-input"]);
        pip.args(["--only-binary", ":all:", "--target", &target, wheel]);
        let output = output(&mut pip).await?;
        if !output.status.success() {
            // Nothing else looks at it, and the next try makes its own.
            drop(fs::remove_dir_all(&partial));
            return Err(self.pip_failed(&output));
        }
        match fs::rename(&partial, &folder) {
            Ok(()) => Ok(program),
            // Another server was faster.
            Err(_) if program.exists() => {
                fs::remove_dir_all(&partial).map(|()| program).map_err(PythonError::io(target))
            }
            Err(error) => Err(PythonError::io(folder.display().to_string())(error)),
        }
    }

    fn pip_failed(&self, output: &Output) -> PythonError {
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("No module named pip") {
            return PythonError::NoPip(self.base.executable.clone());
        }
        failed(&output.stderr)
    }

    async fn with<const N: usize>(&self, uv: &Path, first: &[&str], then: [&Path; N]) -> Result<(), PythonError> {
        let mut command = Command::new(uv);
        command.args(first).args(then).env_remove("VIRTUAL_ENV").env_remove("CONDA_PREFIX");
        if std::env::var_os("UV_CACHE_DIR").is_none() {
            command.env("UV_CACHE_DIR", self.cache.join("packages"));
        }
        // uv knows nothing of pip's settings, and who has a mirror has usually told pip.
        if let (Some(index), None) = (std::env::var_os("PIP_INDEX_URL"), std::env::var_os("UV_DEFAULT_INDEX")) {
            command.env("UV_DEFAULT_INDEX", index);
        }
        let output = output(&mut command).await?;
        if output.status.success() { Ok(()) } else { Err(failed(&output.stderr)) }
    }
}

async fn output(command: &mut Command) -> Result<Output, PythonError> {
    let place = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(PythonError::io(place))
}

fn requirements(list: &str) -> Vec<&str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Offline, or something that no waiting will mend?
fn failed(stderr: &[u8]) -> PythonError {
    const OFFLINE: [&str; 9] = [
        "dns error",
        "error sending request",
        "Could not connect",
        "client error (Connect)",
        "Failed to establish a new connection",
        "Max retries exceeded",
        "Temporary failure in name resolution",
        "timed out",
        // pip with no index to ask: it has every version of uv.
        "(from versions: none)",
    ];
    let text = String::from_utf8_lossy(stderr);
    match OFFLINE.iter().any(|sign| text.contains(sign)) {
        true => PythonError::Offline,
        false => PythonError::Install(last_line(stderr)),
    }
}

fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or("it gave no reason").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_gives_its_requirements_without_comments() {
        assert_eq!(requirements("# a\nb==1\n\n  c==2 \n"), ["b==1", "c==2"]);
        let all = [Environment::Current, Environment::Bento11].map(|one| requirements(one.list()));
        assert!(all.iter().flatten().all(|line| line.contains("==")), "every package has one version");
    }

    #[test]
    fn a_silent_index_is_told_from_a_broken_package() {
        let offline = "error: Failed to fetch: `https://…`\n  Caused by: dns error\n";
        assert!(failed(offline.as_bytes()).is_passing());
        let broken = "  × No solution found\n  ╰─▶ scipy==1 has no wheel\n\n";
        assert_eq!(
            failed(broken.as_bytes()).to_string(),
            "the Python programs could not be installed: ╰─▶ scipy==1 has no wheel"
        );
    }
}
