//! Which calls of the kernel are made here that no library wraps, and how are their errors read?

use std::{
    ffi::CString,
    fs, io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::{run::Millis, supervise::Process};

/// Turns the C way of telling an error into ours.
pub fn checked(answer: libc::c_int) -> io::Result<libc::c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn checked_long(answer: libc::c_long) -> io::Result<libc::c_long> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// # Errors
/// A text with a NUL inside, which no path, argument or variable can hold.
pub fn c_text(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "it holds a NUL character"))
}

pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Read once: a fork knows what its parent has read.
pub fn boot_id() -> io::Result<String> {
    static BOOT: OnceLock<String> = OnceLock::new();
    if let Some(boot) = BOOT.get() {
        return Ok(boot.clone());
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    Ok(BOOT.get_or_init(|| boot).clone())
}

/// # Errors
/// There is no such process (any more).
pub fn process(pid: i32) -> io::Result<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold blanks: fields are counted after it. The start is field 22.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let start = fields.split_whitespace().nth(19).and_then(|field| field.parse().ok());
    start.map(|start| Process { pid, start }).ok_or_else(|| io::Error::other("/proc does not say when it started"))
}

/// Like fork, with namespaces of its own for the child. Returns 0 in the child.
///
/// # Safety
/// As with fork: the calling process has one thread.
pub unsafe fn fork_into(namespaces: libc::c_int) -> io::Result<i32> {
    let flags = libc::c_long::from(namespaces | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with a null stack this is fork; the caller has one thread.
    let pid = checked_long(unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) })?;
    Ok(i32::try_from(pid).unwrap_or(i32::MAX))
}

/// Like vfork: the child runs `child` upon a stack of its own in our memory, and we wait until it becomes another program
/// or ends. Nothing of our memory is copied for a process that throws it away at once.
///
/// # Safety
/// The calling process has one thread, and `child` leaves what it finds in memory as it should be.
pub unsafe fn fork_sharing(mut child: impl FnMut() -> libc::c_int) -> io::Result<i32> {
    extern "C" fn begin<C: FnMut() -> libc::c_int>(child: *mut libc::c_void) -> libc::c_int {
        // SAFETY: it is the closure below, whose owner waits.
        unsafe { (*child.cast::<C>())() }
    }
    fn entry_of<C: FnMut() -> libc::c_int>(_: &C) -> extern "C" fn(*mut libc::c_void) -> libc::c_int {
        begin::<C>
    }
    const STACK: usize = 256 << 10;
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the top of a stack that lives until the child has let go of it; the caller has one thread.
    checked(unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity());
        libc::clone(entry_of(&child), top.cast(), flags, (&raw mut child).cast())
    })
}

/// One end gets the sender's process id, as seen from here, with every message.
pub fn control_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut pair: [RawFd; 2] = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: `pair` has room for two.
    checked(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) })?;
    // SAFETY: both were just made and belong to nobody else.
    let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])) };
    let on: libc::c_int = 1;
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the option's value is an int that outlives the call.
    checked(unsafe {
        libc::setsockopt(ours.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PASSCRED, ptr::from_ref(&on).cast(), size)
    })?;
    Ok((ours, theirs))
}

pub fn send(socket: RawFd, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length are those of `bytes`.
    let sent = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Without waiting for room; all of it or an error.
pub fn send_now(socket: RawFd, bytes: &[u8]) -> io::Result<()> {
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: pointer and length are those of `bytes`.
    let sent = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), flags) };
    match usize::try_from(sent) {
        Ok(sent) if sent == bytes.len() => Ok(()),
        Ok(_) => Err(io::ErrorKind::WouldBlock.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// The next byte, if one is there.
pub fn take_byte(socket: RawFd) -> Option<u8> {
    let mut byte = 0_u8;
    // SAFETY: room for one byte.
    let got = unsafe { libc::recv(socket, (&raw mut byte).cast(), 1, libc::MSG_DONTWAIT) };
    (got == 1).then_some(byte)
}

/// One message and who sent it; an empty one when the other end is gone.
pub fn receive(socket: RawFd) -> io::Result<(Vec<u8>, i32)> {
    let mut bytes = Vec::<u8>::with_capacity(8192);
    // Aligned for the control header.
    let mut control = [0_u64; 16];
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.capacity() };
    // SAFETY: all zero is a valid empty header.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    // musl counts it in another type.
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the header points at buffers that outlive the call.
    let got = unsafe { libc::recvmsg(socket, &raw mut header, libc::MSG_CMSG_CLOEXEC) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has written as many.
    unsafe { bytes.set_len(got.unsigned_abs()) };
    // SAFETY: the kernel filled `control` and its length.
    let pid = unsafe {
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        if !first.is_null() && (*first).cmsg_type == libc::SCM_CREDENTIALS {
            libc::CMSG_DATA(first).cast::<libc::ucred>().read_unaligned().pid
        } else {
            0
        }
    };
    Ok((bytes, pid))
}

/// Blocks these signals for good and makes them readable.
pub fn signals(wanted: &[libc::c_int]) -> io::Result<OwnedFd> {
    // SAFETY: a zeroed set is made empty before use; all pointers are to locals.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in wanted {
            libc::sigaddset(&raw mut set, *signal);
        }
        checked(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()))?;
        let fd = checked(libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// The signals that have come, each once.
pub fn read_signals(fd: BorrowedFd<'_>) -> Vec<libc::c_int> {
    let mut found = Vec::new();
    let size = size_of::<libc::signalfd_siginfo>();
    loop {
        // SAFETY: the buffer is as large as is said.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        let got = unsafe { libc::read(fd.as_raw_fd(), (&raw mut info).cast(), size) };
        if got != size as isize {
            return found;
        }
        found.push(info.ssi_signo as libc::c_int);
    }
}

/// What has happened to the child, if it has ended.
pub fn reap(pid: i32) -> Option<(i32, libc::c_int)> {
    let mut status = 0;
    // SAFETY: `status` is an int.
    let got = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
    (got > 0).then_some((got, status))
}

/// Closes everything above the three standard ones except `keep`.
pub fn close_all_but(keep: &mut [RawFd]) {
    keep.sort_unstable();
    let mut from = 3_u32;
    for fd in keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd >= 3) {
        if fd > from {
            // SAFETY: closing what nobody here uses any more.
            unsafe { libc::syscall(libc::SYS_close_range, from, fd - 1, 0) };
        }
        from = fd + 1;
    }
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_close_range, from, u32::MAX, 0) };
}

/// Makes descriptor `to` what `from` is, inherited by programs.
pub fn duplicate_to(from: RawFd, to: RawFd) -> io::Result<()> {
    if from == to {
        // SAFETY: changes a flag only.
        checked(unsafe { libc::fcntl(to, libc::F_SETFD, 0) })?;
        return Ok(());
    }
    // SAFETY: replaces `to`, which is one of the standard descriptors or free.
    checked(unsafe { libc::dup2(from, to) }).map(drop)
}

/// Of this process, and of the program that it starts.
pub fn umask(mask: libc::mode_t) {
    // SAFETY: changes only this process.
    unsafe { libc::umask(mask) };
}

pub fn prctl(option: libc::c_int, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: none of the options used here takes a pointer.
    checked(unsafe { libc::prctl(option, value, 0_u64, 0_u64, 0_u64) }).map(drop)
}

/// Waits until one of the descriptors can be read. Answers which; none when the time is over or a signal came.
pub fn wait_readable(fds: &[RawFd], timeout: Option<Duration>) -> Vec<bool> {
    let mut set: Vec<libc::pollfd> =
        fds.iter().map(|fd| libc::pollfd { fd: *fd, events: libc::POLLIN, revents: 0 }).collect();
    // Rounded up, so that a deadline is over when the wait is.
    let millis = timeout.map_or(-1, |time| libc::c_int::try_from(time.as_millis() + 1).unwrap_or(libc::c_int::MAX));
    // SAFETY: pointer and length are those of `set`.
    let got = unsafe { libc::poll(set.as_mut_ptr(), set.len() as libc::nfds_t, millis) };
    set.iter().map(|one| got > 0 && one.revents != 0).collect()
}

pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// How many files may be open: soft and hard.
pub fn raise_open_files() -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: pointers to a local; a failure leaves the limits as they are.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised);
    }
    limit
}

pub fn set_open_files(limit: libc::rlimit) {
    // SAFETY: a pointer to a local.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
}
