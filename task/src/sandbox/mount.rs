//! Which calls put one mount in place?

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
};

const EMPTY: &CStr = c"";

fn checked(answer: libc::c_long) -> io::Result<libc::c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer as libc::c_int) }
}

/// A copy of what is seen at `place`, mounts below it included where `whole`, attached nowhere.
pub fn copy(place: BorrowedFd<'_>, whole: bool) -> io::Result<OwnedFd> {
    let deep = if whole { libc::AT_RECURSIVE as libc::c_uint } else { 0 };
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_EMPTY_PATH as libc::c_uint | deep;
    // SAFETY: an empty path with AT_EMPTY_PATH names the descriptor itself.
    let fd = checked(unsafe { libc::syscall(libc::SYS_open_tree, place.as_raw_fd(), EMPTY.as_ptr(), flags) })?;
    // SAFETY: just made, nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Attaches a copy at a place that is there.
pub fn attach(tree: BorrowedFd<'_>, place: impl AsFd) -> io::Result<()> {
    const FROM_EMPTY: libc::c_uint = 0x4;
    const TO_EMPTY: libc::c_uint = 0x40;
    // SAFETY: both ends are descriptors, both paths empty.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            EMPTY.as_ptr(),
            place.as_fd().as_raw_fd(),
            EMPTY.as_ptr(),
            FROM_EMPTY | TO_EMPTY,
        )
    };
    checked(answer).map(drop)
}

#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Sets what may be done through a mount, and through all below it where `whole`; what is mounted on the machine from
/// now on does not show there.
pub fn restrict(tree: BorrowedFd<'_>, attributes: u64, whole: bool) -> io::Result<()> {
    let wanted = Attributes { set: attributes, clear: 0, propagation: libc::MS_PRIVATE, user_namespace: 0 };
    let flags = libc::AT_EMPTY_PATH | if whole { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the structure is the kernel's first version, its size is said.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            EMPTY.as_ptr(),
            flags,
            ptr::from_ref(&wanted),
            size_of::<Attributes>(),
        )
    };
    checked(answer).map(drop)
}

/// A new file system upon a folder, which is the current one then.
pub fn new(kind: &CStr, folder: impl AsFd, flags: libc::c_ulong, data: &CStr) -> io::Result<()> {
    rustix::process::fchdir(folder)?;
    // SAFETY: all are C texts that outlive the call.
    let answer = unsafe { libc::mount(kind.as_ptr(), c".".as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) };
    checked(answer.into()).map(drop)
}

/// From now on nothing that is mounted here shows anywhere else.
pub fn make_private() -> io::Result<()> {
    // SAFETY: a change of propagation takes no source, kind or data.
    let answer =
        unsafe { libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), libc::MS_REC | libc::MS_PRIVATE, ptr::null()) };
    checked(answer.into()).map(drop)
}

/// Makes this folder the root and lets go of the old one.
pub fn become_root(folder: impl AsFd) -> io::Result<()> {
    rustix::process::fchdir(folder)?;
    // SAFETY: C texts only. Both being "." stacks the old root upon the new one, from where it is taken off.
    unsafe {
        checked(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()))?;
        checked(libc::umount2(c".".as_ptr(), libc::MNT_DETACH).into())?;
        checked(libc::chdir(c"/".as_ptr()).into()).map(drop)
    }
}
