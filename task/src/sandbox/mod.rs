//! How does a task come to see a machine of its own?
//!
//! One plan, [`model::supervise::Sandbox`], two ways to carry it out: [`own`] where we are root, else [`bubblewrap`].

pub mod bubblewrap;
mod devices;
mod mount;
pub mod own;

use std::{path::Path, process::ExitCode};

use crate::sys;

/// `check`: can a sandbox of our own be made here? Prints one sentence if not.
pub fn check(way: &[&str]) -> ExitCode {
    if way != ["own"] {
        eprintln!("usage: fletchline-task check own");
        return ExitCode::from(2);
    }
    // SAFETY: this program has one thread here.
    match unsafe { sys::fork_into(own::NAMESPACES) } {
        Ok(0) => match own::try_both_ways(Path::new("/tmp")) {
            Ok(()) => std::process::exit(0),
            Err(sentence) => {
                eprintln!("{sentence}");
                std::process::exit(1)
            }
        },
        Ok(pid) => exit_code_of(pid),
        Err(error) => {
            eprintln!("This system does not let us make namespaces ({error}).");
            ExitCode::FAILURE
        }
    }
}

fn exit_code_of(pid: i32) -> ExitCode {
    let mut status = 0;
    // SAFETY: `status` is an int.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if status == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
