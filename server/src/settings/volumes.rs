//! Which shared volumes has the installation?

use std::{collections::BTreeMap, path::PathBuf};

use app::api::site::SettingView;
use model::{Acl, site::SiteVolume};
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
        (None, Some(claim)) => Place::Claim(claim),
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
    pub fn written(name: &str, folder: &str, access: Acl) -> String {
        let access = match access {
            Acl::ReadOnly => "RO",
            Acl::ReadWrite => "RW",
        };
        let mut table = toml::Table::new();
        table.insert("folder".into(), folder.into());
        table.insert("access".into(), access.into());
        format!("\n[volumes.{name}]\n{table}")
    }
}
