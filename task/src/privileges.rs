//! What may a task's program do that an ordinary program may not? Nothing.

use std::{
    io, ptr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use crate::sys;

/// The highest capability that any kernel has had is 40; the kernel refuses what it does not know.
const LAST: libc::c_ulong = 63;

/// This process, or one that it is a fork of, has called [`bound`].
static IS_BOUND: AtomicBool = AtomicBool::new(false);

/// No program that this process or a fork of it becomes gets a capability any more; they themselves can still do what
/// they could. It is a call for each capability, so whoever forks many does it once for all.
pub fn bound() {
    drop_from_bounds();
    IS_BOUND.store(true, Relaxed);
}

fn drop_from_bounds() {
    // Without CAP_SETPCAP there is nothing to drop: an ordinary user's program gets none by exec either.
    let _ = (0..=LAST).try_for_each(|capability| sys::prctl(libc::PR_CAPBSET_DROP, capability));
}

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up every capability for good, for root and across exec, and every way of getting one by set-user-id.
///
/// # Errors
/// The kernel refused: then nothing may be started.
pub fn drop_all() -> io::Result<()> {
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    if !IS_BOUND.load(Relaxed) {
        drop_from_bounds();
    }
    let header = Header { version: 0x2008_0522, pid: 0 };
    let none = [Sets { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: both structures are as the kernel's version 3 says and outlive the call.
    let answer = unsafe { libc::syscall(libc::SYS_capset, ptr::from_ref(&header), none.as_ptr()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
