//! Which seven kinds of tasks are there, and which settings has each?

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    path::TaskPath,
    pipeline::Acl,
    quantity::{Cpu, Memory, Seconds},
    substitute::{BadText, substitute},
    value::{EnvValue, Inherit, Unknown},
};

/// Variables of a task by name; `null` clears an inherited one.
pub type Env = BTreeMap<String, Option<EnvValue>>;
/// The values of a grid: one list a name; copies are their product, the last name varying fastest.
pub type Grid = BTreeMap<String, Vec<String>>;

/// What a task is, with the settings that only this kind has.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    LoadData(LoadData),
    Container(Container),
    Notebook(Notebook),
    Job(Job),
    Viewer(Viewer),
    Serving(Serving),
    Volume(Volume),
}

/// A kind without its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    LoadData,
    Container,
    Notebook,
    Job,
    Viewer,
    Serving,
    Volume,
}

impl KindName {
    pub const ALL: [KindName; 7] = [
        KindName::LoadData,
        KindName::Container,
        KindName::Notebook,
        KindName::Job,
        KindName::Viewer,
        KindName::Serving,
        KindName::Volume,
    ];

    /// As in a document: `load_data`.
    pub fn key(self) -> &'static str {
        match self {
            KindName::LoadData => "load_data",
            KindName::Container => "container",
            KindName::Notebook => "notebook",
            KindName::Job => "job",
            KindName::Viewer => "viewer",
            KindName::Serving => "serving",
            KindName::Volume => "volume",
        }
    }

    /// For people: `Load Data`.
    pub fn title(self) -> &'static str {
        match self {
            KindName::LoadData => "Load Data",
            KindName::Container => "Container",
            KindName::Notebook => "Notebook",
            KindName::Job => "Job",
            KindName::Viewer => "Viewer",
            KindName::Serving => "Serving",
            KindName::Volume => "Volume",
        }
    }

    /// A step that a person works in while the run waits.
    pub fn is_live_step(self) -> bool {
        matches!(self, KindName::Container | KindName::Notebook)
    }
}

impl Kind {
    pub fn name(&self) -> KindName {
        match self {
            Kind::LoadData(_) => KindName::LoadData,
            Kind::Container(_) => KindName::Container,
            Kind::Notebook(_) => KindName::Notebook,
            Kind::Job(_) => KindName::Job,
            Kind::Viewer(_) => KindName::Viewer,
            Kind::Serving(_) => KindName::Serving,
            Kind::Volume(_) => KindName::Volume,
        }
    }

    /// A task of this kind as it lands on the canvas.
    pub fn new(name: KindName) -> Kind {
        match name {
            KindName::LoadData => Kind::LoadData(LoadData::default()),
            KindName::Container => Kind::Container(Container::default()),
            KindName::Notebook => Kind::Notebook(Notebook::default()),
            KindName::Job => Kind::Job(Job::default()),
            KindName::Viewer => Kind::Viewer(Viewer::default()),
            KindName::Serving => Kind::Serving(Serving::default()),
            KindName::Volume => Kind::Volume(Volume::default()),
        }
    }
}

/// Processors, memory and GPUs; each absent one is inherited, each `null` is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Resources {
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub cpu: Inherit<Cpu>,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub memory: Inherit<Memory>,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub gpu: Inherit<u32>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Resources {
    pub fn is_empty(&self) -> bool {
        *self == Resources::default()
    }
}

/// A shared volume of the installation, mounted because the task's settings say so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedVolume {
    /// Its name in the installation's settings.
    pub volume: String,
    #[serde(default)]
    pub acl: Acl,
    pub mount_path: TaskPath,
    /// A folder of the volume, relative to its root; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A text file that lies in the task's work folder when it first starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Relative to the work folder; may name folders: `src/train.py`.
    pub name: String,
    pub text: String,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Load Data: downloads and unpacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LoadData {
    pub sources: Vec<Source>,
    /// Where the data lies for tasks that read it; From Paths are this or below it.
    pub target: TaskPath,
    /// A source that tells nothing about its age is not fetched again.
    #[serde(skip_serializing_if = "is_false")]
    pub keep: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: Env,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub volumes: Inherit<Vec<SharedVolume>>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Default for LoadData {
    fn default() -> Self {
        LoadData {
            sources: Vec::new(),
            target: "/data".into(),
            keep: false,
            env: Env::new(),
            volumes: Inherit::Inherited,
            unknown: Unknown::new(),
        }
    }
}

/// One thing to download.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// `http(s)://…`, `example:NAME`, `file:/…` (this machine only) or `upload:SHA256/NAME` (dropped on the task).
    pub url: String,
    /// Lower-case hexadecimal; what arrives must have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default)]
    pub unpack: Unpack,
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl LoadData {
    /// The sources of a run with these values.
    ///
    /// # Errors
    /// An address names a value that there is not.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Result<Vec<Source>, BadText> {
        let fill = |source: &Source| Ok(Source { url: substitute(&source.url, values)?, ..source.clone() });
        self.sources.iter().map(fill).collect()
    }
}

impl Source {
    /// It brings the same bytes each time, and one knows without asking: by its checksum, or it lies in our own program.
    pub fn is_fixed(&self) -> bool {
        self.sha256.is_some() || self.url.starts_with("example:") || self.url.starts_with("upload:")
    }
}

/// Whether and how a download is unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unpack {
    /// By magic bytes and name.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "never")]
    Never,
    #[serde(rename = "zip")]
    Zip,
    #[serde(rename = "tar")]
    Tar,
    #[serde(rename = "tar.gz")]
    TarGz,
    #[serde(rename = "tar.bz2")]
    TarBz2,
    #[serde(rename = "tar.xz")]
    TarXz,
    #[serde(rename = "tar.zst")]
    TarZst,
    #[serde(rename = "7z")]
    SevenZ,
    #[serde(rename = "gz")]
    Gz,
    #[serde(rename = "bz2")]
    Bz2,
    #[serde(rename = "xz")]
    Xz,
    #[serde(rename = "zst")]
    Zst,
}

/// When a live step ends and lets the run go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Advance {
    /// A person presses Advance.
    #[default]
    Hand,
    /// It ended with exit code 0.
    Exit,
    /// This file exists.
    File { path: TaskPath },
    /// So long after it became ready.
    Time { seconds: Seconds },
    /// This port answers.
    Port { port: u16 },
}

/// A port on which a Container's program answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    pub port: u16,
    /// What it is, for the button that opens it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Container: any program, live while the run waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Container {
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub image: Inherit<String>,
    /// Absent: it stays there to be worked in (a shell opens by `fletchline exec`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: Env,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub volumes: Inherit<Vec<SharedVolume>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Paths that are kept though no arrow reads them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<TaskPath>,
    pub advance: Advance,
    /// Goes on until the run ends; absent: only with the rule "a port answers".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stay_open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Notebook: JupyterLab, live while the run waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Notebook {
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub image: Inherit<String>,
    pub start_path: TaskPath,
    /// The notebook that opens first, relative to the start path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// Further arguments of JupyterLab.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: Env,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub volumes: Inherit<Vec<SharedVolume>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<TaskPath>,
    pub advance: Advance,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stay_open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Default for Notebook {
    fn default() -> Self {
        Notebook {
            image: Inherit::Inherited,
            start_path: crate::path::WORK.into(),
            open: None,
            arguments: Vec::new(),
            env: Env::new(),
            resources: Resources::default(),
            volumes: Inherit::Inherited,
            files: Vec::new(),
            keep: Vec::new(),
            advance: Advance::Hand,
            stay_open: None,
            timeout: None,
            unknown: Unknown::new(),
        }
    }
}

/// Job: a command that runs to its end, in copies over a grid of values if it has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Job {
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub image: Inherit<String>,
    /// An argument list; either this or `script`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Run by `sh -eu` from a file; reads the environment, never `{{…}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: Env,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub volumes: Inherit<Vec<SharedVolume>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<TaskPath>,
    /// Further tries after a failure.
    #[serde(skip_serializing_if = "is_default")]
    pub retries: u32,
    /// The wait before the first further try; doubles with each, up to an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_off: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<Grid>,
    /// Downstream tasks start though some copies failed.
    #[serde(skip_serializing_if = "is_false")]
    pub tolerate_failed_copies: bool,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Viewer: TensorBoard over the paths that its arrows name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Viewer {
    /// How many of the newest runs it shows.
    pub newest_runs: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: Env,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub volumes: Inherit<Vec<SharedVolume>>,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub image: Inherit<String>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Default for Viewer {
    fn default() -> Self {
        Viewer {
            newest_runs: 10,
            env: Env::new(),
            volumes: Inherit::Inherited,
            resources: Resources::default(),
            image: Inherit::Inherited,
            unknown: Unknown::new(),
        }
    }
}

/// What a Serving's model is made with; chooses the template of its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Framework {
    Pytorch,
    Tensorflow,
    #[default]
    ScikitLearn,
    Xgboost,
    Onnx,
    Custom,
}

/// What happens when a new version of a Serving is good and an older one is live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replace {
    /// It is ready beside the live one until a person makes it live.
    #[default]
    Manual,
    Automatic,
}

/// Serving: packs a model once and serves it by BentoML.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Serving {
    pub framework: Framework,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub image: Inherit<String>,
    /// `pack.py`, `service.py`, `bentofile.yaml` and further files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: Env,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(skip_serializing_if = "Inherit::is_inherited")]
    pub volumes: Inherit<Vec<SharedVolume>>,
    /// The port for programs on this machine or in the cluster; absent: any free one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "is_default")]
    pub replace: Replace,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Volume: a shared volume of the installation, mounted in the tasks that its arrows name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Volume {
    /// Its name in the installation's settings.
    pub volume: String,
    /// The most that an arrow out of it may allow.
    pub access: Acl,
    /// Where an arrow without a To Path mounts it.
    pub mount_path: TaskPath,
    #[serde(flatten)]
    pub unknown: Unknown,
}

pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
