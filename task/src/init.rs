//! What is the first process of a task's own process namespace?
//!
//! It starts the program, passes signals on to it, buries what is left behind, and tells how the program ended. When it
//! ends, by whatever cause, the kernel kills all processes of the task; it ends when its supervisor does.
//!
//! Messages on the control socket: from here `I` (I am there), `P` (sent by the program itself right before exec),
//! `E<sentence>` (it cannot be started), `X<status>` (it ended so); to here `S<signal>`.

use std::{
    ffi::CString,
    io::{self, Read},
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    process::ExitCode,
    ptr,
};

use model::supervise::ProgramOrder;
use rustix::fs::{Mode, OFlags, open};

use crate::{privileges, sys};

/// Where bubblewrap passes the control socket on.
pub const CONTROL: RawFd = 3;

/// `init`: the order comes in by stdin, the log is stdout.
pub fn inside_bubblewrap() -> ExitCode {
    let mut text = String::new();
    let order = io::stdin().read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    let Some(order) = order else { return ExitCode::from(2) };
    run(&order, CONTROL, 1, None)
}

/// `stay`: a program for a task that is only there to be worked in.
pub fn stay() -> ExitCode {
    if let Ok(signals) = sys::signals(&[libc::SIGTERM, libc::SIGINT]) {
        while sys::read_signals(signals.as_fd()).is_empty() {
            sys::wait_readable(&[signals.as_raw_fd()], None);
        }
    }
    ExitCode::SUCCESS
}

/// Runs the program to its end. Already inside the sandbox; never returns.
pub fn run(order: &ProgramOrder, control: RawFd, output: RawFd, open_files: Option<libc::rlimit>) -> ! {
    sys::umask(0o022);
    let status = match start(order, control, output, open_files) {
        Ok((program, signals)) => wait(program, control, &signals),
        Err(sentence) => {
            tell(control, b'E', sentence.as_bytes());
            1
        }
    };
    // SAFETY: ends this process without running what the parent's copy of memory would run at its end.
    unsafe { libc::_exit(status) }
}

fn tell(control: RawFd, kind: u8, text: &[u8]) {
    let mut message = vec![kind];
    message.extend_from_slice(&text[..text.len().min(4096)]);
    // Nobody listens only when the supervisor is gone, and then we are about to be.
    let _ = sys::send(control, &message);
}

fn start(
    order: &ProgramOrder,
    control: RawFd,
    output: RawFd,
    open_files: Option<libc::rlimit>,
) -> Result<(i32, OwnedFd), String> {
    let failed = |error: io::Error| format!("The first process of the task could not be set up ({error}).");
    // The task has our user: without this it could read our memory and descriptors.
    sys::prctl(libc::PR_SET_DUMPABLE, 0).map_err(failed)?;
    // Refused when the supervisor is gone: then nothing may start.
    sys::send(control, b"I").map_err(failed)?;
    let signals = sys::signals(&[libc::SIGCHLD]).map_err(failed)?;
    privileges::drop_all().map_err(failed)?;
    let pid = spawn(order, control, output, open_files).map_err(failed)?;
    let mut keep = [control, signals.as_raw_fd()];
    sys::close_all_but(&mut keep);
    for standard in 0..3 {
        if standard != control {
            // SAFETY: the program has its own copies; ours would keep the log's pipe open.
            unsafe { libc::close(standard) };
        }
    }
    Ok((pid, signals))
}

/// Starts the program in a session of its own; it says `P`, or `E` and why not, on the control socket. To be called
/// while there is one thread.
///
/// # Errors
/// The system has no room for a process.
pub fn spawn(order: &ProgramOrder, control: RawFd, output: RawFd, open_files: Option<libc::rlimit>) -> io::Result<i32> {
    let program = || {
        let sentence = become_program(order, control, output, open_files);
        tell(control, b'E', sentence.as_bytes());
        127
    };
    // SAFETY: one thread; what the program changes before it begins is its own, but for memory that it takes.
    unsafe { sys::fork_sharing(program) }
}

fn wait(program: i32, control: RawFd, signals: &OwnedFd) -> libc::c_int {
    loop {
        let ready = sys::wait_readable(&[control, signals.as_raw_fd()], None);
        if ready[0] {
            match sys::receive(control) {
                Ok((message, _)) if message.is_empty() => return 1,
                Ok((message, _)) => pass_on(program, &message),
                Err(_) => return 1,
            }
        }
        sys::read_signals(signals.as_fd());
        while let Some((pid, status)) = sys::reap(-1) {
            if pid == program {
                tell(control, b'X', &status.to_le_bytes());
                return 0;
            }
        }
    }
}

fn pass_on(program: i32, message: &[u8]) {
    if let [b'S', signal] = message {
        signal_all(program, libc::c_int::from(*signal));
    }
}

/// To the program and what it has started in its session's first group.
pub fn signal_all(program: i32, signal: libc::c_int) {
    // SAFETY: only sends signals. Before its setsid the program has no group of its own yet.
    unsafe {
        if libc::kill(-program, signal) < 0 {
            libc::kill(program, signal);
        }
    }
}

/// Returns only if it cannot, with a sentence.
fn become_program(order: &ProgramOrder, control: RawFd, output: RawFd, open_files: Option<libc::rlimit>) -> String {
    match prepare_program(order, control, output, open_files) {
        Ok(()) => {}
        Err(error) => return format!("The program could not be prepared ({error})."),
    }
    tell(control, b'P', &[]);
    execute(&order.argv, &order.env)
}

fn prepare_program(
    order: &ProgramOrder,
    control: RawFd,
    output: RawFd,
    open_files: Option<libc::rlimit>,
) -> io::Result<()> {
    // SAFETY: changes only this process.
    unsafe { libc::setsid() };
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    sys::duplicate_to(output, 1)?;
    sys::duplicate_to(output, 2)?;
    sys::duplicate_to(null.as_raw_fd(), 0)?;
    // SAFETY: changes a flag of a descriptor.
    sys::checked(unsafe { libc::fcntl(control, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    let mut keep = [control];
    sys::close_all_but(&mut keep);
    std::mem::forget(null);
    if let Some(limit) = open_files {
        sys::set_open_files(limit);
    }
    let directory = sys::c_text(&order.directory)?;
    // SAFETY: a C text.
    sys::checked(unsafe { libc::chdir(directory.as_ptr()) })
        .map_err(|error| io::Error::new(error.kind(), format!("{} cannot be entered: {error}", order.directory)))?;
    default_signals();
    privileges::drop_all()
}

/// As every program expects them: none blocked, none ignored.
pub fn default_signals() {
    // SAFETY: resets dispositions and the mask; handlers are none of ours.
    unsafe {
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Replaces this process; searches the PATH of the new environment. Returns only if it cannot, with a sentence.
pub fn execute(argv: &[String], env: &std::collections::BTreeMap<String, String>) -> String {
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else {
        return "There is no command to run: name a program.".to_owned();
    };
    let path = env.get("PATH").map_or("/usr/bin:/bin", String::as_str);
    let places: Vec<String> = if name.contains('/') {
        vec![name.clone()]
    } else {
        path.split(':').filter(|folder| !folder.is_empty()).map(|folder| format!("{folder}/{name}")).collect()
    };
    let texts: io::Result<(Vec<CString>, Vec<CString>)> = (|| {
        let arguments = argv.iter().map(|text| sys::c_text(text)).collect::<io::Result<_>>()?;
        let variables =
            env.iter().map(|(key, value)| sys::c_text(&format!("{key}={value}"))).collect::<io::Result<_>>()?;
        Ok((arguments, variables))
    })();
    let Ok((arguments, variables)) = texts else { return "An argument or variable holds a NUL character.".to_owned() };
    let mut worst = None;
    for place in places {
        let error = execute_one(&place, &arguments, &variables);
        if error.kind() != io::ErrorKind::NotFound && error.kind() != io::ErrorKind::NotADirectory {
            worst = Some((place, error));
        }
    }
    match worst {
        Some((place, error)) => format!("{place} could not be run ({error})."),
        None if name.contains('/') => format!("There is no program {name} in the task."),
        None => format!("There is no program \"{name}\" on the task's PATH ({path})."),
    }
}

fn execute_one(place: &str, arguments: &[CString], variables: &[CString]) -> io::Error {
    let Ok(program) = sys::c_text(place) else { return io::ErrorKind::InvalidInput.into() };
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(arguments), pointers(variables));
    // SAFETY: lists of C texts that end with a null pointer.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    let error = io::Error::last_os_error();
    if error.raw_os_error() != Some(libc::ENOEXEC) {
        return error;
    }
    // A script without a first line that names its interpreter is the shell's, as everywhere.
    let mut shell = vec![c"/bin/sh".as_ptr(), program.as_ptr()];
    shell.extend(&argv[1..]);
    // SAFETY: as above.
    unsafe { libc::execve(c"/bin/sh".as_ptr(), shell.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}
