//! How does a file that was dropped on a Load Data come into its pod?

use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use model::pod::UPLOADS_AT;

use crate::sys;

const LOOK: Duration = Duration::from_millis(200);

/// `pod take SHA256 LENGTH`: the file's bytes on stdin. One that is there already is left as it is.
pub fn take(sha256: &str, length: &str) -> ExitCode {
    let taken = match length.parse() {
        Ok(length) => keep(Path::new(UPLOADS_AT), sha256, length, &mut io::stdin().lock()),
        Err(_) => Err(io::Error::other(format!("{length} is no length"))),
    };
    match taken {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fletchline-task: {sha256} was not taken: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whole, or not there: a second sender, after a restart of the server, writes a file of its own.
fn keep(folder: &Path, sha256: &str, length: u64, from: &mut impl io::Read) -> io::Result<()> {
    if sha256.is_empty() || !sha256.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(io::Error::other("that is no checksum"));
    }
    let (file, partial) = (folder.join(sha256), folder.join(format!("{sha256}.{}.partial", std::process::id())));
    if file.exists() {
        return Ok(());
    }
    let written = File::create(&partial).and_then(|mut to| io::copy(from, &mut to));
    match written {
        Ok(count) if count == length => fs::rename(partial, file),
        other => {
            fs::remove_file(partial)?;
            Err(io::Error::other(format!("{} of {length} bytes have come", other?)))
        }
    }
}

/// # Errors
/// It was asked to end before all were there.
pub fn wait(wanted: &[String], signals: &OwnedFd) -> Result<(), String> {
    let mut is_told = false;
    while !wanted.iter().all(|sha256| Path::new(UPLOADS_AT).join(sha256).exists()) {
        if !is_told {
            println!("Waiting for the files that were dropped on it");
            is_told = true;
        }
        let is_asked = sys::wait_readable(&[signals.as_raw_fd()], Some(LOOK))[0];
        if is_asked && sys::read_signals(signals.as_fd()).iter().any(|signal| *signal != libc::SIGCHLD) {
            return Err("It was stopped before the files that were dropped on it had come.".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_when_all_of_it_has_come() {
        let folder = tempfile::tempdir().unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect::<Vec<_>>();
        assert!(keep(folder.path(), "ab12", 9, &mut "short".as_bytes()).is_err());
        assert!(keep(folder.path(), "../ab", 5, &mut "short".as_bytes()).is_err());
        assert!(names().is_empty());
        keep(folder.path(), "ab12", 5, &mut "whole".as_bytes()).unwrap();
        keep(folder.path(), "ab12", 5, &mut "other".as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("ab12")).unwrap(), "whole");
        assert_eq!(names(), ["ab12"]);
    }
}
