//! Which settings has an installation, and where does each value come from?
//!
//! A value is, from weak to strong: its default, `fletchline.toml` in the data folder, `FLETCHLINE_<NAME>` in the
//! environment, a flag. Named volumes and the table `[kubernetes]` are in the file alone.

mod file;
pub mod kubernetes;
#[cfg(test)]
mod tests;
pub mod volumes;

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, str::FromStr};

use app::api::site::SettingView;
use model::{Cpu, Memory, Seconds, site::RunnerName};

pub use kubernetes::Kubernetes;
pub use volumes::{Place, Volume};

/// What can be set, apart from volumes. The help stands here once: for `--help`, the page and the file's error.
pub const SETTINGS: [Setting; 13] = [
    Setting { name: "runner", default: "local", help: "Where tasks run: `local`, on this machine, or `kubernetes`." },
    Setting { name: "bind", default: "127.0.0.1", help: "The address that the server listens on." },
    Setting { name: "port", default: "4400", help: "The port that the server listens on; 0 takes any free one." },
    Setting {
        name: "public_url",
        default: "",
        help: "The address by which browsers reach the server when it is not localhost, for example https://fletchline.example.org.",
    },
    Setting {
        name: "results",
        default: "",
        help: "The folder that is the results volume. Empty: `results` in the data folder.",
    },
    Setting {
        name: "python",
        default: "",
        help: "A venv or conda folder that comes first on PATH of every task. Empty: Fletchline's own environment.",
    },
    Setting { name: "cpu", default: "", help: "Processors that tasks may take together. Empty: all of this machine." },
    Setting {
        name: "memory",
        default: "",
        help: "Memory that tasks may take together, for example 16 GiB. Empty: all of this machine.",
    },
    Setting {
        name: "gpu",
        default: "",
        help: "The most GPUs of this machine that tasks may take together. Empty: all of them.",
    },
    Setting {
        name: "load_from",
        default: "",
        help: "Private hosts and ranges that Load Data may download from, with commas between them: nas.local, 10.1.0.0/16. In fletchline.toml also a list.",
    },
    Setting { name: "grace_seconds", default: "10", help: "Seconds between asking a task to stop and killing it." },
    Setting {
        name: "keep_runs",
        default: "0",
        help: "Keep the data of this many newest runs of each pipeline; 0 keeps all.",
    },
    Setting {
        name: "warn_free_percent",
        default: "10",
        help: "Run warns first while less than this part of the disk of the results is free, in percent; 0 never warns.",
    },
];

/// Those of several values, with commas between them. In the file they may be a list, too.
const LISTS: [&str; 1] = ["load_from"];

pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub help: &'static str,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Default,
    File,
    Environment,
    Flag,
}

impl Source {
    fn text(&self, name: &str) -> String {
        match self {
            Source::Default => "default".into(),
            Source::File => "fletchline.toml".into(),
            Source::Environment => variable(name),
            Source::Flag => format!("--{}", name.replace('_', "-")),
        }
    }
}

/// Typed, checked, with each value's source.
#[derive(Clone, Debug)]
pub struct Settings {
    pub runner: RunnerName,
    pub bind: IpAddr,
    pub port: u16,
    pub public_url: Option<PublicUrl>,
    pub results: Option<PathBuf>,
    pub python: Option<PathBuf>,
    pub cpu: Option<Cpu>,
    pub memory: Option<Memory>,
    pub gpu: Option<u32>,
    pub load_from: Vec<String>,
    pub grace: Seconds,
    pub keep_runs: u32,
    pub warn_free_percent: u8,
    pub volumes: BTreeMap<String, Volume>,
    pub kubernetes: Kubernetes,
    told: BTreeMap<&'static str, (String, Source)>,
}

/// `https://name[:port]`, nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    pub scheme: String,
    /// Name and, unless it is the scheme's own, port: as in a `Host` header.
    pub host: String,
}

/// What is wrong with the settings, in one sentence with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("fletchline.toml cannot be read: {0}")]
    Unreadable(String),
    #[error("fletchline.toml: {0}")]
    Syntax(String),
    #[error("fletchline.toml has a setting `{name}` that nothing reads{hint}")]
    Unknown { name: String, hint: String },
    #[error("{place}: {sentence}")]
    Value { place: String, sentence: String },
}

impl Settings {
    /// `file` is the text of `fletchline.toml` (empty without one), `flags` the given ones by name.
    ///
    /// # Errors
    /// The first value that is not what it should be, with where it stands.
    pub fn read(
        file: &str,
        environment: impl Fn(&str) -> Option<String>,
        flags: &BTreeMap<String, String>,
    ) -> Result<Settings, SettingsError> {
        let file = file::parse(file)?;
        let mut told = BTreeMap::new();
        for setting in &SETTINGS {
            let value = None
                .or_else(|| flags.get(setting.name).map(|value| (value.clone(), Source::Flag)))
                .or_else(|| environment(&variable(setting.name)).map(|value| (value, Source::Environment)))
                .or_else(|| file.values.get(setting.name).map(|value| (value.clone(), Source::File)))
                .unwrap_or_else(|| (setting.default.to_owned(), Source::Default));
            told.insert(setting.name, value);
        }
        Settings::typed(told, file.volumes, file.kubernetes)
    }

    fn typed(
        told: BTreeMap<&'static str, (String, Source)>,
        volumes: BTreeMap<String, Volume>,
        kubernetes: Kubernetes,
    ) -> Result<Settings, SettingsError> {
        let values = Values(&told);
        let bind: IpAddr = values.needed("bind", "an IP address such as 127.0.0.1 is expected")?;
        let public_url =
            values.optional("public_url", "an address such as https://fletchline.example.org is expected")?;
        if !bind.is_loopback() && public_url.is_none() {
            return Err(SettingsError::Value {
                place: format!("bind ({})", told["bind"].1.text("bind")),
                sentence: format!("other machines reach {bind}: say by which address they may ask, with public_url"),
            });
        }
        Ok(Settings {
            runner: values.runner()?,
            bind,
            port: values.needed("port", "a port from 0 to 65535 is expected")?,
            public_url,
            results: values.folder("results")?,
            python: values.folder("python")?,
            cpu: values.optional("cpu", "a number of processors such as 4 is expected")?,
            memory: values.optional("memory", "an amount of memory such as 16 GiB is expected")?,
            gpu: values.optional("gpu", "a number of GPUs is expected")?,
            load_from: values.list("load_from"),
            grace: Seconds(values.needed("grace_seconds", "a number of seconds is expected")?),
            keep_runs: values.needed("keep_runs", "a number of runs is expected")?,
            warn_free_percent: values.percent("warn_free_percent")?,
            volumes,
            kubernetes,
            told,
        })
    }

    /// Every value with its source and its help, volumes last. Of a cluster only where one is used.
    pub fn views(&self) -> Vec<SettingView> {
        let settings = SETTINGS.iter().map(|setting| {
            let (value, source) = &self.told[setting.name];
            SettingView {
                name: setting.name.into(),
                value: value.clone(),
                source: source.text(setting.name),
                help: setting.help.into(),
            }
        });
        let cluster = match self.runner {
            RunnerName::Kubernetes => self.kubernetes.views(),
            RunnerName::Local => Vec::new(),
        };
        let volumes = self.volumes.iter().map(|(name, volume)| volume.view(name));
        settings.chain(cluster).chain(volumes).collect()
    }
}

struct Values<'a>(&'a BTreeMap<&'static str, (String, Source)>);

impl Values<'_> {
    fn needed<T: FromStr>(&self, name: &str, expected: &str) -> Result<T, SettingsError> {
        self.0[name].0.trim().parse().map_err(|_| self.misfit(name, expected))
    }

    fn runner(&self) -> Result<RunnerName, SettingsError> {
        match self.0["runner"].0.trim() {
            "local" => Ok(RunnerName::Local),
            "kubernetes" => Ok(RunnerName::Kubernetes),
            _ => Err(self.misfit("runner", "`local` or `kubernetes` is expected")),
        }
    }

    fn percent(&self, name: &str) -> Result<u8, SettingsError> {
        const EXPECTED: &str = "a number from 0 to 100 is expected";
        match self.needed(name, EXPECTED)? {
            percent @ 0..=100 => Ok(percent),
            _ => Err(self.misfit(name, EXPECTED)),
        }
    }

    fn misfit(&self, name: &str, expected: &str) -> SettingsError {
        let (text, source) = &self.0[name];
        SettingsError::Value {
            place: format!("{} ({})", name, source.text(name)),
            sentence: format!("\"{text}\" does not fit: {expected}"),
        }
    }

    /// Empty is none.
    fn optional<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, SettingsError> {
        if self.0[name].0.trim().is_empty() { Ok(None) } else { self.needed(name, expected).map(Some) }
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.0[name].0.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    }

    fn folder(&self, name: &str) -> Result<Option<PathBuf>, SettingsError> {
        let folder: Option<PathBuf> = self.optional(name, "a folder is expected")?;
        match folder {
            Some(folder) if !folder.is_absolute() => Err(SettingsError::Value {
                place: format!("{} ({})", name, self.0[name].1.text(name)),
                sentence: format!("\"{}\" is not absolute: begin it with \"/\"", folder.display()),
            }),
            folder => Ok(folder),
        }
    }
}

impl FromStr for PublicUrl {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").ok_or(())?;
        let host = rest.trim_end_matches('/').to_ascii_lowercase();
        let is_host = !host.is_empty() && !host.contains(['/', '?', '#', '@', '\\', ' ']);
        let default = if scheme == "https" { ":443" } else { ":80" };
        let host = host.strip_suffix(default).map_or(host.clone(), str::to_owned);
        match (matches!(scheme, "http" | "https"), is_host) {
            (true, true) => Ok(PublicUrl { scheme: scheme.into(), host }),
            _ => Err(()),
        }
    }
}

fn variable(name: &str) -> String {
    format!("FLETCHLINE_{}", name.to_ascii_uppercase())
}
