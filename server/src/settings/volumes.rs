//! Which shared volumes has the installation?

use std::{collections::BTreeMap, path::PathBuf};

use app::api::site::SettingView;
use model::{
    Acl,
    site::{RunnerName, SiteVolume},
};
use serde::Deserialize;

use super::SettingsError;

/// A shared volume under a name that pipelines use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub place: Place,
    pub access: Acl,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    Folder(PathBuf),
    /// A PersistentVolumeClaim of the cluster.
    Claim(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    folder: Option<PathBuf>,
    claim: Option<String>,
    #[serde(default)]
    access: Acl,
}

pub(super) fn parse(value: toml::Value) -> Result<BTreeMap<String, Volume>, SettingsError> {
    let written: BTreeMap<String, toml::Value> = value.try_into().map_err(|_| SettingsError::Value {
        place: "volumes (fletchline.toml)".into(),
        sentence: "write each volume as a table of its own, for example [volumes.team]".into(),
    })?;
    written.into_iter().map(|(name, value)| Ok((name.clone(), one(&name, value)?))).collect()
}

fn one(name: &str, value: toml::Value) -> Result<Volume, SettingsError> {
    let wrong =
        |sentence: String| SettingsError::Value { place: format!("volumes.{name} (fletchline.toml)"), sentence };
    check_name(name).map_err(&wrong)?;
    let written: Written = value.try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    let place = match (written.folder, written.claim) {
        (Some(folder), None) if folder.is_absolute() => Place::Folder(folder),
        (Some(folder), None) => return Err(wrong(format!("folder: \"{}\" is not absolute", folder.display()))),
        (None, Some(claim)) => Place::claim(claim).map_err(&wrong)?,
        (Some(_), Some(_)) | (None, None) => return Err(wrong("either `folder` or `claim` is expected".into())),
    };
    Ok(Volume { place, access: written.access })
}

/// A name that is safe in a document, a path and a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    match model::TaskId::new(name) {
        Ok(_) if name != model::launch::RESULTS => Ok(()),
        Ok(_) => Err(format!("\"{name}\" is the name of the results volume: choose another one")),
        Err(_) => Err(format!("\"{name}\" is not a name for a volume: use letters, digits, \"-\" and \"_\"")),
    }
}

impl Place {
    /// # Errors
    /// One sentence without its full stop: the cluster has no claim of such a name.
    pub fn claim(name: String) -> Result<Place, String> {
        let part = |part: &str| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
        let letter = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '.');
        match name.len() <= 253 && name.chars().all(letter) && name.split('.').all(part) {
            true => Ok(Place::Claim(name)),
            false => Err(format!(
                "\"{name}\" is not the name of a claim: use small letters, digits, \"-\" and \".\" between them"
            )),
        }
    }

    /// Why no task can mount it. None: it can.
    fn fault(&self, runner: RunnerName) -> Option<&'static str> {
        match (self, runner) {
            (Place::Folder(_), RunnerName::Local) | (Place::Claim(_), RunnerName::Kubernetes) => None,
            (Place::Folder(_), RunnerName::Kubernetes) => Some(
                "It is a folder of the server's machine, which the nodes do not know: name a `claim` in fletchline.toml",
            ),
            (Place::Claim(_), RunnerName::Local) => {
                Some("It is a claim of a cluster, and tasks run on this machine: name a `folder` in fletchline.toml")
            }
        }
    }
}

/// What would make those tasks fail that mount the volume of this name.
pub fn faults(volumes: &BTreeMap<String, Volume>, runner: RunnerName) -> BTreeMap<String, String> {
    let fault = |volume: &Volume| volume.place.fault(runner).map(str::to_owned);
    volumes.iter().filter_map(|(name, volume)| Some((name.clone(), fault(volume)?))).collect()
}

impl Volume {
    pub fn site(&self) -> SiteVolume {
        let holds_results = match &self.place {
            Place::Folder(folder) => folder.join("pipeline").is_dir(),
            Place::Claim(_) => false,
        };
        SiteVolume { access: self.access, holds_results }
    }

    pub(super) fn view(&self, name: &str) -> SettingView {
        let access = match self.access {
            Acl::ReadOnly => "read only",
            Acl::ReadWrite => "read and write",
        };
        let place = match &self.place {
            Place::Folder(folder) => format!("folder {}", folder.display()),
            Place::Claim(claim) => format!("claim {claim}"),
        };
        SettingView {
            name: format!("volumes.{name}"),
            value: format!("{place}, {access}"),
            source: "fletchline.toml".into(),
            help: "A shared volume that tasks can mount by this name.".into(),
        }
    }

    /// As a table of `fletchline.toml`.
    pub fn written(&self, name: &str) -> String {
        let access = match self.access {
            Acl::ReadOnly => "RO",
            Acl::ReadWrite => "RW",
        };
        let mut table = toml::Table::new();
        match &self.place {
            Place::Folder(folder) => table.insert("folder".into(), folder.to_string_lossy().into_owned().into()),
            Place::Claim(claim) => table.insert("claim".into(), claim.clone().into()),
        };
        table.insert("access".into(), access.into());
        format!("\n[volumes.{name}]\n{table}")
    }
}
