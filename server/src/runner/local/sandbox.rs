//! What does a task see of the machine?
//!
//! System folders and the user's home read-only; a /tmp, /work and /dev of its own; its mounts at their paths. Never the
//! data folder or the results volume, wherever they lie below something that is shown.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use model::{
    Acl,
    launch::{CopiesJson, Launch, Mount, RESULTS, Work},
    supervise::{From, HELPER, Item, SCRATCH, Sandbox, TASK_STATE, TASK_STATE_AT, Way},
};

use super::{config::LocalConfig, folder::ExecutionFolder, locked, machine::Gpu};

pub const LINKS_AT: &str = "/fletchline/links";
pub const SERVER_AT: &str = "/fletchline/fletchline";
pub const SCRIPT_AT: &str = "/fletchline/script";
const SYSTEM: [&str; 11] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu"];
/// Where nothing of the machine is ever shown as it is.
const OURS: [&str; 6] = ["/", "/proc", "/dev", "/tmp", "/work", "/fletchline"];

/// What of the machine a task sees beyond what every task does.
pub struct Extra<'a> {
    pub visible: &'a [PathBuf],
    pub gpus: &'a [Gpu],
    /// Further binds, placed last.
    pub binds: Vec<Item>,
}

/// How long a look at the machine's folders counts: launches come in bursts, and each look is a hundred calls.
const FRESH: Duration = Duration::from_secs(1);

/// What the last task saw of the machine.
#[derive(Default)]
pub struct Bases(Mutex<Option<Looked>>);

struct Looked {
    at: Instant,
    visible: Vec<PathBuf>,
    places: Vec<PathBuf>,
    items: Vec<Item>,
}

impl Bases {
    /// The folders of the machine that tasks see, with what is hidden in them. The next launch alike gets the same.
    fn get(&self, config: &LocalConfig, way: &Way, visible: &[PathBuf], places: Vec<PathBuf>) -> Vec<Item> {
        let mut last = locked(&self.0);
        let is_alike = |last: &&Looked| last.at.elapsed() < FRESH && last.visible == visible && last.places == places;
        if let Some(last) = last.as_ref().filter(is_alike) {
            return last.items.clone();
        }
        let items = base(config, way, visible, &places);
        *last = Some(Looked { at: Instant::now(), visible: visible.to_owned(), places, items: items.clone() });
        items
    }
}

fn base(config: &LocalConfig, way: &Way, visible: &[PathBuf], places: &[PathBuf]) -> Vec<Item> {
    let mut items = Vec::new();
    for path in shown(config, visible) {
        show(&path, places, &mut items);
    }
    masks(&[&config.data, &config.results], &mut items);
    items.push(Item::Devices);
    if *way == Way::Own {
        items.push(bind(&config.helper, HELPER, false));
    }
    items
}

/// # Errors
/// One sentence: a volume is not known.
pub fn sandbox(
    config: &LocalConfig,
    way: &Way,
    (launch, folder): (&Launch, &ExecutionFolder),
    bases: &Bases,
    extra: Extra<'_>,
) -> Result<Sandbox, String> {
    let mut items = vec![Item::Terminals, Item::Processes];
    items.extend(gpu_devices(extra.gpus));
    items.extend(own(config, launch, folder));
    items.extend(mounts(config, launch)?);
    items.extend(extra.binds);
    Ok(Sandbox { way: way.clone(), base: bases.get(config, way, extra.visible, places(launch)), items })
}

/// Where the task's own mounts go.
fn places(launch: &Launch) -> Vec<PathBuf> {
    let mounts = launch.mounts.iter().map(|mount| &mount.mount_path);
    let outputs = launch.outputs.iter().map(|output| &output.path);
    let copies = launch.copies_json.iter().map(|copies| &copies.path);
    mounts.chain(outputs).chain(copies).map(|path| PathBuf::from(path.normal().0)).collect()
}

/// Folders of the machine that are shown, none inside another.
fn shown(config: &LocalConfig, visible: &[PathBuf]) -> Vec<PathBuf> {
    let asked = SYSTEM.iter().map(PathBuf::from).chain(["/sys".into()]).chain(config.home.clone());
    let mut all: Vec<PathBuf> = asked.chain(config.visible.iter().chain(visible).cloned()).collect();
    all.extend(name_service());
    all.retain(|path| path.is_absolute() && !is_ours(path) && fs::symlink_metadata(path).is_ok());
    all.sort();
    all.dedup();
    let outer = all.clone();
    all.retain(|path| {
        let is_inside = |other: &PathBuf| path != other && path.starts_with(other) && !other.is_symlink();
        !outer.iter().any(is_inside)
    });
    all
}

fn is_ours(path: &Path) -> bool {
    path == Path::new("/") || OURS[1..].iter().any(|ours| path.starts_with(ours))
}

/// The file behind /etc/resolv.conf, which often lies in /run.
fn name_service() -> Option<PathBuf> {
    fs::canonicalize("/etc/resolv.conf").ok().filter(|path| path.starts_with("/run"))
}

/// Shows it as it is, or, where the task mounts something below that the machine has not, folder by folder.
fn show(path: &Path, places: &[PathBuf], items: &mut Vec<Item>) {
    let text = path.display().to_string();
    if let Ok(target) = fs::read_link(path) {
        items.push(Item::Link { path: text, target: target.display().to_string() });
        return;
    }
    let is_missing = |place: &PathBuf| place != path && place.starts_with(path) && !place.is_dir();
    if !path.is_dir() || !places.iter().any(is_missing) {
        items.push(bind(path, text, false));
        return;
    }
    items.push(Item::Folder { path: text });
    let mut inner: Vec<PathBuf> =
        fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    inner.sort();
    inner.iter().for_each(|entry| show(entry, places, items));
}

fn bind(source: &Path, path: impl Into<String>, writable: bool) -> Item {
    let from = From { root: source.to_owned(), below: String::new(), links: false };
    Item::Bind { from, path: path.into(), writable, devices: false }
}

/// Covers what lies below something that is shown.
fn masks(hidden: &[&PathBuf], items: &mut Vec<Item>) {
    let mut covers = Vec::new();
    for hidden in hidden.iter().filter_map(|path| fs::canonicalize(path).ok()) {
        for item in items.iter() {
            if let Item::Bind { from, path, .. } = item
                && let Ok(place) = fs::canonicalize(from.root.join(&from.below))
                && let Ok(below) = hidden.strip_prefix(&place)
            {
                covers.push(Path::new(path).join(below).display().to_string());
            }
        }
    }
    covers.sort();
    covers.dedup();
    let is_covered = |path: &String| covers.iter().any(|other| other != path && Path::new(path).starts_with(other));
    let kept: Vec<String> = covers.iter().filter(|path| !is_covered(path)).cloned().collect();
    items.extend(kept.into_iter().map(|path| Item::Empty { path, read_only: true }));
}

fn gpu_devices(gpus: &[Gpu]) -> Vec<Item> {
    if gpus.is_empty() {
        return Vec::new();
    }
    let common = ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps"].map(str::to_owned);
    let names = gpus.iter().map(|gpu| format!("nvidia{}", gpu.minor)).chain(common);
    names
        .map(|name| format!("/dev/{name}"))
        .filter(|path| Path::new(path).exists())
        .map(|path| Item::Bind {
            from: From { root: PathBuf::from(&path), below: String::new(), links: false },
            path,
            writable: true,
            devices: true,
        })
        .collect()
}

/// Its work folder, /tmp and what is ours at /fletchline.
fn own(config: &LocalConfig, launch: &Launch, folder: &ExecutionFolder) -> Vec<Item> {
    let work = match &launch.work {
        Work::Kept { folder } => Item::Bind {
            from: From { root: config.results.clone(), below: folder.clone(), links: false },
            path: "/work".into(),
            writable: true,
            devices: false,
        },
        Work::Scratch => bind(&folder.path.join(SCRATCH[0]), "/work", true),
    };
    let mut items = vec![work, bind(&folder.path.join(SCRATCH[1]), "/tmp", true)];
    let ours = [(TASK_STATE, TASK_STATE_AT, true), ("links", LINKS_AT, false), ("script", SCRIPT_AT, false)];
    for (name, path, writable) in ours {
        let source = folder.path.join(name);
        if source.exists() {
            items.push(bind(&source, path, writable));
        }
    }
    items
}

/// Outer ones first, so that an inner one lies upon them.
fn mounts(config: &LocalConfig, launch: &Launch) -> Result<Vec<Item>, String> {
    let mut placed: Vec<(String, Item)> = Vec::new();
    for mount in &launch.mounts {
        let (item, covers) = one_mount(config, mount)?;
        let path = mount.mount_path.normal().0;
        placed.extend(covers);
        placed.push((path, item));
    }
    for output in &launch.outputs {
        let path = output.path.normal().0;
        let from = From { root: config.results.clone(), below: output.folder.clone(), links: false };
        placed.push((path.clone(), Item::Bind { from, path, writable: true, devices: false }));
    }
    for copies in &launch.copies_json {
        let path = copies.path.normal().0;
        placed.push((path.clone(), Item::Empty { path, read_only: true }));
    }
    placed.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(placed.into_iter().map(|(_, item)| item).collect())
}

type Covers = Vec<(String, Item)>;

fn one_mount(config: &LocalConfig, mount: &Mount) -> Result<(Item, Covers), String> {
    let path = mount.mount_path.normal().0;
    let below = mount.sub_path.clone().unwrap_or_default();
    if mount.id == RESULTS {
        let from = From { root: config.results.clone(), below, links: false };
        // Results are read; the results of another task are never written.
        return Ok((Item::Bind { from, path, writable: false, devices: false }, Vec::new()));
    }
    let volume = (config.volumes)(&mount.id).ok_or_else(|| {
        format!("There is no shared volume \"{}\" in the settings: add it to fletchline.toml.", mount.id)
    })?;
    let writable = mount.acl == Acl::ReadWrite && volume.access == Acl::ReadWrite;
    let from = From { root: volume.folder.clone(), below: below.clone(), links: true };
    let item = Item::Bind { from, path: path.clone(), writable, devices: false };
    let mut covers = Vec::new();
    let pipeline = volume.folder.join("pipeline");
    if below.trim_matches('/').is_empty() && pipeline.is_dir() {
        let inner = format!("{path}/pipeline");
        covers.push((inner.clone(), bind(&pipeline, inner, false)));
    }
    let mut hidden = vec![item.clone()];
    masks(&[&config.data], &mut hidden);
    covers.extend(hidden.into_iter().skip(1).filter_map(|cover| match &cover {
        Item::Empty { path, .. } => Some((path.clone(), cover)),
        _ => None,
    }));
    Ok((item, covers))
}

/// The file `copies.json` of a To Path, for [`Extra::binds`].
///
/// # Errors
/// The disk.
pub fn write_copies(folder: &ExecutionFolder, all: &[CopiesJson]) -> io::Result<Vec<Item>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let place = folder.path.join("copies");
    fs::create_dir_all(&place)?;
    let mut binds = Vec::new();
    for (index, copies) in all.iter().enumerate() {
        let file = place.join(format!("{index}.json"));
        fs::write(&file, serde_json::to_vec_pretty(&copies.copies)?)?;
        binds.push(bind(&file, format!("{}/copies.json", copies.path.normal().0), false));
    }
    Ok(binds)
}

/// A file of the machine at its own or another path, read-only.
pub fn bind_file(source: &Path, path: impl Into<String>) -> Item {
    bind(source, path, false)
}
