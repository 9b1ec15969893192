//! How do the Python programs run in an image that has them, where nothing of this machine is?
//!
//! On all addresses: in a pod only the cluster reaches them.

use model::{
    launch::{Launch, Program},
    serving::Generation,
};

use super::{BENTO, LINKS, STATE, bento, jupyter};
use crate::runner::local::config::ProgramCommand;

const PYTHON: &str = "python3";
/// Where our own image has what does not fit beside the rest. Another image has one Python for all.
const BENTO_1_1: &str = "/opt/bento-1.1/bin/python3";

/// What starts a Notebook, Viewer, Pack or Serve in its image; nothing for the others.
pub fn in_image(launch: &Launch, token: &str) -> ProgramCommand {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match &launch.program {
        Program::Notebook { start_path, arguments, .. } => {
            let mut argv = words(&[PYTHON, "-m", "jupyterlab"]);
            argv.extend(jupyter::arguments("0.0.0.0", first_port(launch), start_path.as_str()));
            argv.extend(arguments.iter().cloned());
            let files = jupyter::files(PYTHON, token).into_iter().map(|file| (file.name, file.text)).collect();
            ProgramCommand { argv, env: jupyter::environment(), files, ..ProgramCommand::default() }
        }
        Program::Viewer => {
            let port = first_port(launch).to_string();
            let mut argv = words(&[PYTHON, "-m", "tensorboard.main", "--host", "0.0.0.0", "--port", &port]);
            argv.extend(words(&["--logdir", LINKS, "--reload_interval", "2"]));
            argv.push(format!("--window_title={}", launch.name));
            ProgramCommand { argv, ..ProgramCommand::default() }
        }
        Program::Pack { .. } => {
            let generation = model::serving::generation(&launch.files);
            let python = match generation {
                Generation::Current => PYTHON,
                Generation::Bento11 => BENTO_1_1,
            };
            script("pack.sh", bento::pack_script(python, generation), bento::environment(generation))
        }
        Program::Serve { .. } => {
            let text = SERVE.replace("@BENTO_1_1@", BENTO_1_1).replace("@PORT@", &first_port(launch).to_string());
            let env = [("BENTOML_DO_NOT_TRACK", "True"), ("PYTHONDONTWRITEBYTECODE", "1")];
            script("serve.sh", text.replace("@BENTO@", BENTO), env.map(|(k, v)| (k.to_owned(), v.to_owned())).into())
        }
        Program::Load { .. } | Program::Command { .. } | Program::Script { .. } | Program::Stay => {
            ProgramCommand::default()
        }
    }
}

const SERVE: &str = include_str!("serve.sh");

fn first_port(launch: &Launch) -> u16 {
    launch.ports.first().copied().unwrap_or(80)
}

fn script(name: &str, text: String, env: std::collections::BTreeMap<String, String>) -> ProgramCommand {
    ProgramCommand {
        argv: vec!["/bin/sh".to_owned(), format!("{STATE}/{name}")],
        env,
        files: [(name.to_owned(), text)].into(),
        ..ProgramCommand::default()
    }
}
