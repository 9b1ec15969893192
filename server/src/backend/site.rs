//! What may validation know of this installation, and how does it change?

use std::{collections::BTreeSet, fs, io::Write, path::Path};

use app::error::ApiError;
use model::{
    Acl, Cpu, Memory, Site,
    site::{Capacity, Faults, Limits, RunnerName},
};

use super::{Answer, Core, bad, blocking, unavailable};
use crate::{
    runner::Runner,
    secrets::{self, Secrets},
    settings::{
        Settings,
        volumes::{self, Place, Volume},
    },
};

pub(super) fn site(core: &Core) -> Site {
    let site = of(&core.settings(), core.runner.budget(), known_secrets(&*core.runner, &core.secrets));
    let mut faults = core.runner.faults();
    faults.volumes.extend(site.faults.volumes);
    Site { faults, ..site }
}

/// What tasks can ask for, whoever keeps it.
pub fn known_secrets(runner: &dyn Runner, kept_here: &Secrets) -> BTreeSet<String> {
    runner.secrets().unwrap_or_else(|| kept_here.names())
}

/// Of a cluster whose nodes nobody has asked: nothing is too much.
const UNKNOWN: Capacity = Capacity { cpu: Cpu::MOST, memory: Memory::MOST, gpu: u32::MAX };

/// The plain value that pages and the engine validate with.
pub fn of(settings: &Settings, budget: Option<Capacity>, secrets: BTreeSet<String>) -> Site {
    Site {
        runner: settings.runner,
        capacity: budget.unwrap_or(UNKNOWN),
        volumes: settings.volumes.iter().map(|(name, volume)| (name.clone(), volume.site())).collect(),
        secrets,
        default_images: match settings.runner {
            RunnerName::Local => std::collections::BTreeMap::new(),
            RunnerName::Kubernetes => settings.kubernetes.default_images(),
        },
        faults: Faults { volumes: volumes::faults(&settings.volumes, settings.runner), ..Faults::default() },
        limits: Limits { grace: settings.grace, run_as: settings.kubernetes.run_as_range, ..Limits::default() },
    }
}

pub(super) async fn make_volume(core: &Core, name: &str, place: &str, access: Acl) -> Answer<Site> {
    volumes::check_name(name).map_err(|sentence| bad(format!("{sentence}.")))?;
    if core.settings().volumes.contains_key(name) {
        return Err(ApiError::Conflict { sentence: format!("There is a volume {name} already.") });
    }
    let mut settings = core.settings();
    let volume = Volume { place: placed(core, &settings, place)?, access };
    let (file, more) = (core.data.settings_file(), volume.written(name));
    // On a cluster the file comes from a ConfigMap, which nobody here can write.
    blocking(move || Ok(append(&file, &more))).await?.map_err(|error| ApiError::Unavailable {
        sentence: format!(
            "fletchline.toml cannot be changed from here ({error}): write [volumes.{name}] into it where it comes from, \
             and start the server again."
        ),
    })?;
    settings.volumes.insert(name.to_owned(), volume);
    *core.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner) = settings;
    core.runner.volume_made(name, place, access);
    Ok(changed(core))
}

/// What tasks of this runner can mount.
fn placed(core: &Core, settings: &Settings, place: &str) -> Answer<Place> {
    match settings.runner {
        RunnerName::Local => {
            check_folder(core, Path::new(place))?;
            Ok(Place::Folder(place.into()))
        }
        RunnerName::Kubernetes => Place::claim(place.to_owned()).map_err(|sentence| bad(format!("{sentence}."))),
    }
}

/// A volume must not lead a task to what belongs to the server.
fn check_folder(core: &Core, folder: &Path) -> Answer<()> {
    if !folder.is_absolute() {
        return Err(bad("The folder of a volume is absolute: begin it with \"/\"."));
    }
    let real =
        fs::canonicalize(folder).map_err(|error| bad(format!("{} cannot be used: {error}.", folder.display())))?;
    if !real.is_dir() {
        return Err(bad(format!("{} is no folder.", folder.display())));
    }
    if real.starts_with(core.data.root()) || core.data.root().starts_with(&real) {
        return Err(bad(format!("{} holds Fletchline's own data: choose another folder.", folder.display())));
    }
    Ok(())
}

/// What a person wrote into the file stays as it is; the whole must still be readable.
fn append(file: &Path, more: &str) -> std::io::Result<()> {
    let before = match fs::read_to_string(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        text => text.unwrap_or_default(),
    };
    let after = format!("{before}{more}");
    Settings::read(&after, |_| None, &std::collections::BTreeMap::new()).map_err(std::io::Error::other)?;
    let new = file.with_extension("toml.new");
    let mut written = fs::File::create(&new)?;
    written.write_all(after.as_bytes())?;
    written.sync_all()?;
    fs::rename(&new, file).inspect_err(|_| drop(fs::remove_file(&new)))
}

pub(super) async fn set_secret(core: &Core, name: &str, value: String) -> Answer<Site> {
    match core.runner.secrets() {
        Some(_) => {
            secrets::check(name, &value).map_err(|error| bad(error.to_string()))?;
            core.runner.set_secret(name, &value).await.map_err(|error| unavailable(&error))?;
        }
        None => core.secrets.set(name, value).map_err(|error| bad(error.to_string()))?,
    }
    Ok(changed(core))
}

/// The engine launches by what is so now.
fn changed(core: &Core) -> Site {
    let site = site(core);
    core.runs.set_site(site.clone());
    site
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_what_is_known_of_a_cluster() {
        let settings = Settings::read("runner = \"kubernetes\"", |_| None, &std::collections::BTreeMap::new()).unwrap();
        let site = of(&settings, None, std::collections::BTreeSet::new());
        let read: Site = serde_json::from_value(serde_json::json!(site)).unwrap();
        assert_eq!(read, site);
    }
}
