//! How is the end of an execution put on disk?

use std::{fs, io, io::Write, path::Path, thread, time::Duration};

use model::{
    run::Millis,
    supervise::{EXIT, End, How},
};

use crate::sys;

/// Comes back only when it is recorded: a full disk delays the news and does not lose it.
pub fn record(folder: &Path, how: How, started: Option<Millis>) {
    let end = End { how, started, ended: sys::now() };
    while let Err(error) = write(folder, &end) {
        if error.kind() == io::ErrorKind::NotFound {
            // The folder itself was removed: there is nobody left to tell.
            return;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn write(folder: &Path, end: &End) -> io::Result<()> {
    let partial = folder.join("exit.json.partial");
    let mut file = fs::File::create(&partial)?;
    file.write_all(&serde_json::to_vec(end)?)?;
    file.sync_all()?;
    fs::rename(partial, folder.join(EXIT))
}
