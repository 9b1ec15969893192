//! How does BentoML pack a model, and how does it serve what was packed?

use std::{collections::BTreeMap, fs, path::Path};

use model::{
    launch::{Launch, Ready},
    serving::Generation,
};
use serde::Deserialize;

use super::{BENTO, ProgramCommand, PythonError, STATE, StateFile, interpreter::Interpreter};

const PACK: &str = include_str!("pack.sh");
/// Below [`BENTO`]: what was built, written last.
const RECORD: &str = "bento.json";

/// What a Serving's packing has left for those that serve it.
#[derive(Debug, Deserialize)]
pub(super) struct Packed {
    pub generation: Generation,
    /// `name:version`
    pub tag: String,
}

/// Runs `pack.py` and `bentoml build` in the work folder.
pub(super) fn pack(python: &Interpreter, generation: Generation) -> ProgramCommand {
    let text = pack_script(&python.program(), generation);
    ProgramCommand {
        argv: vec!["/bin/sh".into(), format!("{STATE}/pack.sh")],
        files: vec![StateFile::new("pack.sh", text)],
        ..base(python, generation)
    }
}

pub(super) fn pack_script(python: &str, generation: Generation) -> String {
    PACK.replace("@PYTHON@", python).replace("@GENERATION@", generation.key())
}

/// Serves on 127.0.0.1 with one worker, only reading [`BENTO`].
pub(super) fn serve(python: &Interpreter, packed: &Packed, port: u16) -> ProgramCommand {
    let mut argv = python.module("bentoml");
    argv.extend(["serve".into(), packed.tag.clone(), "--host".into(), "127.0.0.1".into()]);
    argv.extend(["--port".into(), port.to_string()]);
    if packed.generation == Generation::Bento11 {
        // Else one for each processor. 1.4 takes the number from the service itself, by default one.
        argv.extend(["--api-workers".into(), "1".into()]);
    }
    let ready = Some(Ready::Http { port, path: "/readyz".into() });
    ProgramCommand { argv, ready, ..base(python, packed.generation) }
}

pub(super) fn environment(generation: Generation) -> BTreeMap<String, String> {
    // One store for each generation: what 1.4 builds makes 1.1 fail in the same store.
    let home = format!("{BENTO}/{}", generation.key());
    let env = [("BENTOML_HOME", home.as_str()), ("BENTOML_DO_NOT_TRACK", "True"), ("PYTHONDONTWRITEBYTECODE", "1")];
    env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn base(python: &Interpreter, generation: Generation) -> ProgramCommand {
    ProgramCommand {
        env: environment(generation),
        path: vec![python.bin()],
        read_only: python.needs(),
        ..ProgramCommand::default()
    }
}

/// Reads what the packing wrote. A task wrote it: nothing in it is trusted.
pub(super) fn packed(launch: &Launch, results: &Path) -> Result<Packed, PythonError> {
    let mount = launch.mounts.iter().find(|mount| mount.mount_path.as_str() == BENTO);
    let folder = mount.and_then(|mount| mount.sub_path.as_deref());
    let folder = folder.ok_or_else(|| PythonError::NotPacked(format!("nothing is mounted at {BENTO}")))?;
    let file = results.join(folder).join(RECORD);
    let is_file = file.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < 4096);
    if !is_file {
        return Err(PythonError::NotPacked(format!("{} is missing", file.display())));
    }
    let text = fs::read_to_string(&file).map_err(PythonError::io(file.display().to_string()))?;
    let packed: Packed = serde_json::from_str(&text).map_err(|error| PythonError::NotPacked(error.to_string()))?;
    if is_tag(&packed.tag) { Ok(packed) } else { Err(PythonError::NotPacked("its tag is not one".into())) }
}

fn is_tag(tag: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    tag.len() < 200 && tag.split_once(':').is_some_and(|(name, version)| is_part(name) && is_part(version))
}

/// Whether an environment that a person named has this generation.
pub(super) fn has(python: &Interpreter, generation: Generation) -> bool {
    let wanted = match generation {
        Generation::Current => "bentoml-1.4.",
        Generation::Bento11 => "bentoml-1.1.",
    };
    let entries = fs::read_dir(&python.packages).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(wanted))
}
