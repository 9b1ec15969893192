//! Which command runs a launch in its image?

use model::{
    launch::{Launch, Program},
    pod::SCRIPT_AT,
    supervise::HELPER,
};

use super::{
    config::KubeConfig,
    manifest::{OURS, TRUSTED},
};
use crate::{
    python,
    runner::local::{config::ProgramCommand, load},
};

/// `token` lets a browser into a Notebook.
///
/// # Errors
/// One sentence: it cannot be run on a cluster.
pub fn command(launch: &Launch, config: &KubeConfig, token: &str) -> Result<ProgramCommand, String> {
    let plain = |argv: Vec<String>| ProgramCommand { argv, ..ProgramCommand::default() };
    match &launch.program {
        Program::Command { argv } => Ok(plain(argv.clone())),
        Program::Script { .. } => Ok(plain(["sh", "-eu", SCRIPT_AT].map(str::to_owned).into())),
        Program::Stay => Ok(plain([HELPER, "stay"].map(str::to_owned).into())),
        Program::Load { .. } => {
            let certificates = config.certificates.as_ref().map(|_| TRUSTED);
            load::command(launch, &format!("{OURS}/fletchline"), &config.load_from, certificates)
        }
        Program::Notebook { .. } | Program::Viewer | Program::Pack { .. } | Program::Serve { .. } => {
            Ok(python::in_image(launch, token))
        }
    }
}
