//! How does the local runner, which blocks, ask for the Python programs?

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use model::launch::{Launch, Program};
use tokio::runtime::Handle;

use super::{ProgramCommand, Programs, interpreter};
use crate::runner::local::config;

/// The programs of this machine's user.
pub struct OnThisMachine {
    programs: Arc<Programs>,
    /// The results volume.
    results: PathBuf,
    runtime: Handle,
}

impl OnThisMachine {
    /// Its calls must come from threads that may block, as `spawn_blocking` has them.
    pub fn new(programs: Arc<Programs>, results: &Path, runtime: Handle) -> Self {
        OnThisMachine { programs, results: results.to_owned(), runtime }
    }

    fn ask(&self, launch: &Launch, port: u16, say: &dyn Fn(String)) -> Result<ProgramCommand, String> {
        let asked = self.programs.command(launch, port, &self.results, say);
        self.runtime.block_on(asked).map_err(|error| format!("{}: {error}.", launch.name))
    }
}

impl config::Programs for OnThisMachine {
    fn command(
        &self,
        launch: &Launch,
        place: &config::Place,
        say: &dyn Fn(String),
    ) -> Result<config::ProgramCommand, String> {
        let made = self.ask(launch, place.port, say)?;
        Ok(config::ProgramCommand {
            argv: made.argv,
            env: made.env,
            files: made.files.into_iter().map(|file| (file.name, file.text)).collect(),
            ready: made.ready,
            directory: None,
        })
    }

    /// For a program of ours this only makes the environment: the port is not known yet.
    fn surroundings(&self, launch: &Launch, say: &dyn Fn(String)) -> Result<config::Surroundings, String> {
        let made = self.ask(launch, 0, say)?;
        let surroundings = config::Surroundings {
            path: made.path.into_iter().map(PathBuf::from).collect(),
            visible: made.read_only,
            ..config::Surroundings::default()
        };
        match &launch.program {
            Program::Load { .. }
            | Program::Notebook { .. }
            | Program::Viewer
            | Program::Pack { .. }
            | Program::Serve { .. } => Ok(surroundings),
            Program::Command { .. } | Program::Script { .. } | Program::Stay => Ok(config::Surroundings {
                before: made.argv,
                env: made.env,
                files: made.files.into_iter().map(|file| (file.name, file.text)).collect(),
                ..surroundings
            }),
        }
    }

    fn is_quick(&self, launch: &Launch) -> bool {
        !interpreter::is_needed(launch)
    }
}
