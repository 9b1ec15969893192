//! What has this machine, and can it keep tasks apart?

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use model::{Cpu, Memory, site::Capacity, supervise::Way};

use super::config::{Budget, LocalConfig};
use crate::runner::RunnerError;

/// One GPU of NVIDIA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its node is `/dev/nvidia<minor>`.
    pub minor: u32,
    /// As CUDA names it whatever else is visible.
    pub uuid: Option<String>,
}

pub fn gpus() -> Vec<Gpu> {
    let mut found: Vec<Gpu> = fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("nvidia")?.parse().ok())
        .map(|minor| Gpu { minor, uuid: uuid_of(minor) })
        .collect();
    found.sort_by_key(|gpu| gpu.minor);
    found
}

fn uuid_of(minor: u32) -> Option<String> {
    for entry in fs::read_dir("/proc/driver/nvidia/gpus").ok()?.flatten() {
        let text = fs::read_to_string(entry.path().join("information")).unwrap_or_default();
        let field = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().to_owned())
        };
        if field("Device Minor") == Some(minor.to_string()) {
            return field("GPU UUID");
        }
    }
    None
}

/// What tasks may take together. GPUs are handed out: those that are not there cannot be, whatever the setting says.
pub fn capacity(budget: Budget, gpus: usize) -> Capacity {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let gpus = u32::try_from(gpus).unwrap_or(u32::MAX);
    Capacity {
        cpu: budget.cpu.unwrap_or(Cpu(u32::try_from(processors * 1000).unwrap_or(u32::MAX))),
        memory: budget.memory.unwrap_or_else(|| Memory(memory().unwrap_or(1 << 30))),
        gpu: budget.gpu.map_or(gpus, |most| most.min(gpus)),
    }
}

fn memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes: u64 =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// How tasks are kept apart here. Tries it once.
///
/// # Errors
/// One sentence: it cannot be done here.
pub fn way(config: &LocalConfig) -> Result<Way, RunnerError> {
    let own = output(Command::new(&config.helper).args(["check", "own"]));
    let own = match own {
        Ok(()) => return Ok(Way::Own),
        Err(sentence) if !config.helper.exists() => {
            return Err(RunnerError::Refused(format!(
                "The helper program {} is missing ({sentence}): install Fletchline again.",
                config.helper.display()
            )));
        }
        Err(sentence) => sentence,
    };
    let Some(program) = find("bwrap") else {
        return Err(RunnerError::Refused(format!(
            "Tasks cannot be kept apart on this machine: {own} Install bubblewrap (on Debian: apt-get install bubblewrap)."
        )));
    };
    let mut attempt = Command::new(&program);
    attempt.args([
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]);
    match output(&mut attempt) {
        Ok(()) => Ok(Way::Bubblewrap { program, helper: config.helper.clone() }),
        Err(sentence) => Err(RunnerError::Refused(format!(
            "Tasks cannot be kept apart on this machine: {own} bubblewrap cannot either ({sentence}). Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0), or start Fletchline as root."
        ))),
    }
}

fn output(command: &mut Command) -> Result<(), String> {
    let tried: io::Result<_> = command.env_clear().output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn find(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/usr/local/bin", "/bin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}
