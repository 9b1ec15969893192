//! How does TensorBoard run?

use model::launch::{Launch, Ready};

use super::{LINKS, ProgramCommand, interpreter::Interpreter};

/// Over the folder of links. New links and new points show within 3 s, with no restart.
pub(super) fn command(ours: &Interpreter, name: &str, port: u16) -> ProgramCommand {
    let mut argv = ours.module("tensorboard.main");
    argv.extend(["--host", "127.0.0.1", "--port"].map(str::to_owned));
    argv.extend([port.to_string(), "--logdir".into(), LINKS.into(), "--reload_interval".into(), "2".into()]);
    argv.push(format!("--window_title={name}"));
    let ready = Some(Ready::Http { port, path: "/data/environment".into() });
    ProgramCommand { argv, ready, path: vec![ours.bin()], read_only: ours.needs(), ..ProgramCommand::default() }
}

/// Links of a Viewer that stay beside those of runs: one for each shared volume that it mounts, by name and target.
pub fn volume_links(launch: &Launch) -> Vec<(String, String)> {
    let shared = launch.mounts.iter().filter(|mount| mount.id != model::launch::RESULTS);
    shared.map(|mount| (mount.id.clone(), mount.mount_path.to_string())).collect()
}
