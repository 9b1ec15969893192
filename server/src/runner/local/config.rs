//! What must a local runner be told about the installation, and what does it ask others for?

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use model::{
    Acl, Cpu, Memory,
    launch::{Launch, Ready},
};

/// The secrets of the installation by name, asked at each launch. Values go into memory alone.
pub type Secrets = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Shared volumes by name, asked at each launch: the settings may change.
pub type Volumes = Arc<dyn Fn(&str) -> Option<Volume> + Send + Sync>;

/// Everything is absolute.
#[derive(Clone)]
pub struct LocalConfig {
    /// The data folder: no task ever sees it.
    pub data: PathBuf,
    /// The results volume.
    pub results: PathBuf,
    /// What is written into `pipeline/.fletchline`.
    pub installation: String,
    pub volumes: Volumes,
    /// The program `fletchline-task`.
    pub helper: PathBuf,
    /// The program `fletchline`, which loads.
    pub server: PathBuf,
    /// The user's home, shown to tasks read-only.
    pub home: Option<PathBuf>,
    /// Further folders of the machine that tasks see read-only.
    pub visible: Vec<PathBuf>,
    pub budget: Budget,
    /// Hosts and ranges of private addresses that may be loaded from.
    pub load_from: Vec<String>,
    /// The file of the authorities that a load trusts; none: the machine's own.
    pub certificates: Option<String>,
    /// Bytes of one execution's log.
    pub log_limit: u64,
    pub secrets: Secrets,
    pub programs: Arc<dyn Programs>,
}

#[derive(Clone, Debug)]
pub struct Volume {
    pub folder: PathBuf,
    /// The most that a task may do with it.
    pub access: Acl,
}

/// What tasks may take together; absent: what the machine has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    pub cpu: Option<Cpu>,
    pub memory: Option<Memory>,
    pub gpu: Option<u32>,
}

/// One GiB.
pub const LOG_LIMIT: u64 = 1 << 30;

/// The programs of this machine that stand in place of images.
///
/// All calls may block for minutes: an environment is made when it is first needed.
pub trait Programs: Send + Sync + 'static {
    /// The program of a Notebook, Viewer, Pack or Serve. `say` tells a person what it waits for meanwhile.
    ///
    /// # Errors
    /// One sentence: it cannot be run here.
    fn command(&self, launch: &Launch, place: &Place, say: &dyn Fn(String)) -> Result<ProgramCommand, String>;

    /// What every task gets, whatever its program: folders that are first on its PATH, variables, and folders of the
    /// machine that it sees read-only.
    ///
    /// # Errors
    /// One sentence.
    fn surroundings(&self, launch: &Launch, say: &dyn Fn(String)) -> Result<Surroundings, String>;

    /// Whether the two others answer at once, so that the launch need not wait for them apart.
    fn is_quick(&self, launch: &Launch) -> bool;
}

#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Stands before the command of a Job or Container.
    pub before: Vec<String>,
    pub path: Vec<PathBuf>,
    pub env: BTreeMap<String, String>,
    /// As [`ProgramCommand::files`].
    pub files: BTreeMap<String, String>,
    pub visible: Vec<PathBuf>,
}

/// Where a program finds what is ours, inside the task.
#[derive(Clone, Debug)]
pub struct Place {
    /// The loopback port that it has to listen on.
    pub port: u16,
    /// A folder of its own that it may write, gone after release: `/fletchline/state`.
    pub state: &'static str,
    /// A Viewer's folder of links: `/fletchline/links`.
    pub links: &'static str,
}

#[derive(Clone, Debug, Default)]
pub struct ProgramCommand {
    pub argv: Vec<String>,
    /// Stronger than the task's own variables.
    pub env: BTreeMap<String, String>,
    /// Files (mode 0600) that it finds below [`Place::state`], by relative path.
    pub files: BTreeMap<String, String>,
    /// When it counts as there, if that is another question than the launch asks.
    pub ready: Option<Ready>,
    /// Where it starts; `None`: in the work folder.
    pub directory: Option<String>,
}

/// For installations without Python programs: a task has nothing but the machine's own.
pub struct NoPrograms;

impl Programs for NoPrograms {
    fn command(&self, launch: &Launch, _: &Place, _: &dyn Fn(String)) -> Result<ProgramCommand, String> {
        Err(format!("{} needs Python programs, which this installation was started without.", launch.name))
    }

    fn surroundings(&self, _: &Launch, _: &dyn Fn(String)) -> Result<Surroundings, String> {
        Ok(Surroundings::default())
    }

    fn is_quick(&self, _: &Launch) -> bool {
        true
    }
}
