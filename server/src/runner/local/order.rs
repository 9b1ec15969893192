//! How does a launch become an order for a supervisor?
//!
//! May block: programs make environments when they are first needed.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path, PathBuf},
};

use model::{
    EnvValue,
    launch::{Launch, Program, Ready, Work},
    path::WORK,
    supervise::{HELPER, Order, Prepare, ProgramOrder, Snapshot, TASK_STATE, TASK_STATE_AT},
};

use super::{
    Shared,
    config::{LocalConfig, Place, ProgramCommand, Surroundings},
    folder::{Accepted, ExecutionFolder},
    load,
    machine::Gpu,
    sandbox,
};
use crate::runner::told;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// # Errors
/// One sentence: it cannot be started.
pub(super) fn order(
    shared: &Shared,
    accepted: &Accepted,
    folder: &ExecutionFolder,
    say: &dyn Fn(String),
) -> Result<Order, String> {
    let Shared { config, way, gpus, bases, .. } = shared;
    let launch = &accepted.launch;
    let surroundings = config.programs.surroundings(launch, say)?;
    let mut command = command(config, accepted, folder, say)?;
    if has_own_command(&launch.program) {
        command.argv = [surroundings.before.clone(), command.argv].concat();
        command.files.extend(surroundings.files.clone());
    }
    let given: Vec<Gpu> = gpus.iter().filter(|gpu| accepted.gpus.contains(&gpu.minor)).cloned().collect();
    let disk = |error: std::io::Error| format!("{} could not be written: {error}.", folder.path.display());
    write_state(folder, &command.files).map_err(disk)?;
    let mut binds = sandbox::write_copies(folder, &launch.copies_json).map_err(disk)?;
    binds.extend(load::binds(config, launch)?);
    let extra = sandbox::Extra { visible: &surroundings.visible, gpus: &given, binds };
    Ok(Order {
        sandbox: sandbox::sandbox(config, way, (launch, folder), bases, extra)?,
        program: ProgramOrder {
            env: environment(config, launch, &surroundings, &command, &given)?,
            directory: command.directory.clone().unwrap_or_else(|| WORK.to_owned()),
            argv: command.argv,
        },
        prepare: prepare(config, launch),
        ready: command.ready.unwrap_or_else(|| moved(&launch.ready, accepted.port)),
        advance: launch.advance.clone(),
        grace: launch.grace,
        timeout: launch.timeout,
        ports: accepted.port.map_or_else(|| launch.ports.clone(), |port| vec![port]),
        log_limit: config.log_limit,
    })
}

/// Programs that listen on whichever port they are told.
pub fn takes_a_port(program: &Program) -> bool {
    match program {
        // The port that a Serving's settings name is its task's, and leads to the live version.
        Program::Notebook { .. } | Program::Viewer | Program::Serve { .. } => true,
        Program::Load { .. }
        | Program::Command { .. }
        | Program::Script { .. }
        | Program::Stay
        | Program::Pack { .. } => false,
    }
}

/// A person wrote its command; else it is a program of ours.
fn has_own_command(program: &Program) -> bool {
    match program {
        Program::Command { .. } | Program::Script { .. } | Program::Stay => true,
        Program::Load { .. }
        | Program::Notebook { .. }
        | Program::Viewer
        | Program::Pack { .. }
        | Program::Serve { .. } => false,
    }
}

fn moved(ready: &Ready, port: Option<u16>) -> Ready {
    match (ready.clone(), port) {
        (Ready::Port { .. }, Some(port)) => Ready::Port { port },
        (Ready::Http { path, .. }, Some(port)) => Ready::Http { port, path },
        (as_said, _) => as_said,
    }
}

fn command(
    config: &LocalConfig,
    accepted: &Accepted,
    folder: &ExecutionFolder,
    say: &dyn Fn(String),
) -> Result<ProgramCommand, String> {
    let plain = |argv: Vec<String>| ProgramCommand { argv, ..ProgramCommand::default() };
    match &accepted.launch.program {
        Program::Command { argv } => Ok(plain(argv.clone())),
        Program::Script { text } => {
            fs::write(folder.path.join("script"), text)
                .map_err(|error| format!("The script could not be written: {error}."))?;
            Ok(plain(["sh", "-eu", sandbox::SCRIPT_AT].map(str::to_owned).into()))
        }
        Program::Stay => Ok(plain([HELPER, "stay"].map(str::to_owned).into())),
        Program::Load { .. } => {
            load::command(&accepted.launch, sandbox::SERVER_AT, &config.load_from, config.certificates.as_deref())
        }
        Program::Notebook { .. } | Program::Viewer | Program::Pack { .. } | Program::Serve { .. } => {
            if accepted.launch.program == Program::Viewer {
                fs::create_dir_all(folder.path.join("links"))
                    .map_err(|error| format!("The folder of links could not be made: {error}."))?;
            }
            let place = Place { port: accepted.port.unwrap_or(0), state: TASK_STATE_AT, links: sandbox::LINKS_AT };
            let made = config.programs.command(&accepted.launch, &place, say)?;
            fs::create_dir_all(folder.path.join(TASK_STATE))
                .map_err(|error| format!("The program's folder could not be made: {error}."))?;
            Ok(made)
        }
    }
}

fn write_state(folder: &ExecutionFolder, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    let root = folder.path.join(TASK_STATE);
    for (name, text) in files {
        // Chosen by our own programs; still, nothing leaves the folder.
        let inside: PathBuf =
            Path::new(name).components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let file = root.join(inside);
        fs::create_dir_all(file.parent().unwrap_or(&root))?;
        let mut open = fs::OpenOptions::new();
        open.create(true).truncate(true).write(true).mode(0o600).open(file)?.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn prepare(config: &LocalConfig, launch: &Launch) -> Prepare {
    let own = format!("pipeline/{}/{}/{}", launch.execution.pipeline, launch.execution.task, launch.execution.n);
    let work = model::path::TaskPath::from(WORK);
    Prepare {
        results: config.results.clone(),
        own: launch.keeps().then_some(own),
        outputs: launch.outputs.iter().map(|output| output.folder.clone()).collect(),
        work: match &launch.work {
            Work::Kept { folder } => Some(folder.clone()),
            Work::Scratch => None,
        },
        files: launch.files.clone(),
        snapshots: launch
            .snapshots
            .iter()
            .filter(|output| output.path.is_within(&work))
            .map(|output| Snapshot {
                from: output.path.normal().0[WORK.len()..].trim_start_matches('/').to_owned(),
                to: output.folder.clone(),
            })
            .collect(),
    }
}

/// Ours, then what every task gets, then the task's own, then what its program needs.
fn environment(
    config: &LocalConfig,
    launch: &Launch,
    surroundings: &Surroundings,
    command: &ProgramCommand,
    gpus: &[Gpu],
) -> Result<BTreeMap<String, String>, String> {
    let mut env = ours(launch, surroundings, gpus);
    env.extend(surroundings.env.clone());
    for (name, value) in &launch.env {
        let value = match value {
            EnvValue::Value(value) => value.clone(),
            EnvValue::Secret(secret) => (config.secrets)(secret).ok_or_else(|| {
                format!(
                    "There is no secret \"{secret}\" on this machine: set it with `fletchline secret set {secret}`."
                )
            })?,
        };
        env.insert(name.clone(), value);
    }
    env.extend(command.env.clone());
    Ok(env)
}

fn ours(launch: &Launch, surroundings: &Surroundings, gpus: &[Gpu]) -> BTreeMap<String, String> {
    let first: String = surroundings.path.iter().map(|folder| format!("{}:", folder.display())).collect();
    let mut env = told(launch);
    env.insert("PATH".to_owned(), format!("{first}{PATH}"));
    env.insert("CUDA_VISIBLE_DEVICES".to_owned(), devices(gpus));
    env
}

fn devices(gpus: &[Gpu]) -> String {
    let names: Vec<String> = gpus.iter().map(|gpu| gpu.uuid.clone().unwrap_or_else(|| gpu.minor.to_string())).collect();
    names.join(",")
}
