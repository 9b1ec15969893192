//! How does a further program come to run inside a task that runs already?
//!
//! `exec FOLDER [ARGUMENT…]`: joins the namespaces of the task of that execution, has its variables, and gives up what
//! the task has not. Stdin, stdout and stderr are the program's; where stdin is a terminal, it becomes the program's own.
//! Ends with the program's exit code, 128 and the signal's number, or 125 when the task is not running.

use std::{collections::BTreeMap, fs, io, os::fd::AsRawFd, path::Path, process::ExitCode, thread, time::Duration};

use model::supervise::{Mark, Process, STATE};

use crate::{init, privileges, sys};

const NOT_RUNNING: u8 = 125;

pub fn exec(words: &[&str]) -> ExitCode {
    let Some((folder, argv)) = words.split_first() else { return ExitCode::from(2) };
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let entered = find(Path::new(folder)).and_then(|(first, program)| {
        let env = environment(program)?;
        join(first)?;
        Ok(env)
    });
    match entered {
        // SAFETY: this program has one thread.
        Ok(env) => match unsafe { sys::fork_into(0) } {
            Ok(0) => become_program(&argv, &env),
            Ok(pid) => wait(pid),
            Err(error) => not_running(&error),
        },
        Err(error) => not_running(&error),
    }
}

fn not_running(error: &io::Error) -> ExitCode {
    eprintln!("The task is not running ({error}).");
    ExitCode::from(NOT_RUNNING)
}

/// Its first process, and the program that it was started for.
fn find(folder: &Path) -> io::Result<(Process, i32)> {
    let text = fs::read_to_string(folder.join(STATE))?;
    let (mut first, mut program) = (None, None);
    for mark in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match mark {
            Mark::Init { init } => first = Some(init),
            Mark::Started { program: pid, .. } => program = Some(pid),
            Mark::Claimed { .. } | Mark::Ready { .. } | Mark::RuleMet { .. } | Mark::Ending { .. } | Mark::Ended(_) => {
            }
        }
    }
    first.zip(program).ok_or_else(|| io::Error::other("it has not started"))
}

/// The task's variables, once its program has them: it is told of a moment before.
fn environment(program: i32) -> io::Result<BTreeMap<String, String>> {
    for _ in 0..200 {
        let bytes = fs::read(format!("/proc/{program}/environ"))?;
        let text = String::from_utf8_lossy(&bytes);
        let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
        let mut env: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if env.contains_key("HOME") {
            env.entry("TERM".to_owned()).or_insert_with(|| "xterm-256color".to_owned());
            return Ok(env);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(io::Error::other("its program has not begun"))
}

fn join(first: Process) -> io::Result<()> {
    let pid = rustix::process::Pid::from_raw(first.pid).ok_or_else(|| io::Error::other("no process"))?;
    let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
    if sys::process(first.pid)? != first {
        return Err(io::Error::other("it has ended"));
    }
    let user = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/user"));
    let other = if user("self")? == user(&first.pid.to_string())? { 0 } else { libc::CLONE_NEWUSER };
    let all = other | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    // SAFETY: joins namespaces by a descriptor that lives.
    sys::checked(unsafe { libc::setns(fd.as_raw_fd(), all) }).map(drop)
}

fn become_program(argv: &[String], env: &BTreeMap<String, String>) -> ! {
    let prepared = prepare();
    let shells = [vec!["bash".to_owned()], vec!["sh".to_owned()]];
    let tries: &[Vec<String>] = if argv.is_empty() { &shells } else { &[argv.to_vec()] };
    let sentence = match prepared {
        Ok(()) => tries.iter().fold(String::new(), |_, argv| init::execute(argv, env)),
        Err(error) => format!("It could not be prepared ({error})."),
    };
    eprintln!("{sentence}");
    // SAFETY: ends the child of a fork.
    unsafe { libc::_exit(127) }
}

fn prepare() -> io::Result<()> {
    // Whoever asked is gone when our parent is.
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    // SAFETY: changes only this process and its terminal; a C text.
    unsafe {
        libc::setsid();
        if libc::isatty(0) == 1 {
            sys::checked(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
        }
        sys::checked(libc::chdir(c"/work".as_ptr()))?;
    }
    sys::close_all_but(&mut []);
    init::default_signals();
    privileges::drop_all()
}

fn wait(pid: i32) -> ExitCode {
    let mut status = 0;
    // SAFETY: `status` is an int.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return ExitCode::from(NOT_RUNNING);
        }
    }
    let code = if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
    ExitCode::from(u8::try_from(code).unwrap_or(NOT_RUNNING))
}
