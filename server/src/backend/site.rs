//! What may validation know of this installation, and how does it change?

use std::{fs, io::Write, path::Path};

use app::error::ApiError;
use model::{
    Acl, Cpu, Memory, Site,
    site::{Capacity, Faults, Limits, RunnerName},
};

use super::{Answer, Core, bad, blocking};
use crate::settings::{Settings, volumes};

pub(super) fn site(core: &Core) -> Site {
    let site = of(&core.settings(), core.runner.budget(), core.secrets.names());
    Site { faults: core.runner.faults(), ..site }
}

/// Of a cluster whose nodes nobody has asked: nothing is too much.
const UNKNOWN: Capacity = Capacity { cpu: Cpu::MOST, memory: Memory::MOST, gpu: u32::MAX };

/// The plain value that pages and the engine validate with.
pub fn of(settings: &Settings, budget: Option<Capacity>, secrets: std::collections::BTreeSet<String>) -> Site {
    Site {
        runner: settings.runner,
        capacity: budget.unwrap_or(UNKNOWN),
        volumes: settings.volumes.iter().map(|(name, volume)| (name.clone(), volume.site())).collect(),
        secrets,
        default_images: match settings.runner {
            RunnerName::Local => std::collections::BTreeMap::new(),
            RunnerName::Kubernetes => settings.kubernetes.default_images(),
        },
        faults: Faults::default(),
        limits: Limits { grace: settings.grace, run_as: settings.kubernetes.run_as_range, ..Limits::default() },
    }
}

pub(super) async fn make_volume(core: &Core, name: &str, folder: &str, access: Acl) -> Answer<Site> {
    volumes::check_name(name).map_err(|sentence| bad(format!("{sentence}.")))?;
    if core.settings().volumes.contains_key(name) {
        return Err(ApiError::Conflict { sentence: format!("There is a volume {name} already.") });
    }
    check_folder(core, Path::new(folder))?;
    let file = core.data.settings_file();
    let more = volumes::Volume::written(name, folder, access);
    let (settings, (name, folder)) = (core.settings(), (name.to_owned(), folder.to_owned()));
    let volume = volumes::Volume { place: volumes::Place::Folder(folder.into()), access };
    blocking(move || append(&file, &more)).await?;
    let mut settings = settings;
    settings.volumes.insert(name, volume);
    *core.settings.write().unwrap_or_else(std::sync::PoisonError::into_inner) = settings;
    Ok(changed(core))
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
    fs::rename(new, file)
}

pub(super) async fn set_secret(core: &Core, name: &str, value: String) -> Answer<Site> {
    core.secrets.set(name, value).map_err(|error| bad(error.to_string()))?;
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
