//! How does a supervisor begin without a program being loaded for it?
//!
//! One process beside a server forks a supervisor for every order. It does what is the same for all once: it is loaded,
//! holds nothing of the server's, and keeps the bases of sandboxes ([`crate::sandbox::own`]) that supervisors have made
//! and offered. It ends with the server; supervisors do not, and need it no more once they are there.
//!
//! A request is one message: the execution's folder, with two descriptors, the order and the line to the server.

use std::{
    ffi::OsStr,
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags, open},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
        SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};

use crate::{supervise, sys};

/// A base shows the machine as it was when it was made: files that were replaced since are the old ones in it.
const FRESH: Duration = Duration::from_secs(1);
/// Bases that are kept at a time.
const BASES: usize = 16;
/// The longest name of a base, and of a folder.
const LONGEST: usize = 64 << 10;

/// Namespaces that hold the bases of sandboxes, and where further ones are offered.
pub struct Bases {
    made: Vec<Base>,
    offers: OwnedFd,
}

struct Base {
    key: String,
    namespace: OwnedFd,
    until: Instant,
}

impl Bases {
    pub fn find(&self, key: &str) -> Option<BorrowedFd<'_>> {
        self.made.iter().find(|base| base.key == key).map(|base| base.namespace.as_fd())
    }

    /// Told to the template. One that it does not hear of is made again.
    pub fn offer(&self, key: &str, namespace: BorrowedFd<'_>) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut with = SendAncillaryBuffer::new(&mut space);
        let descriptors = [namespace];
        with.push(SendAncillaryMessage::ScmRights(&descriptors));
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let _ = sendmsg(&self.offers, &[io::IoSlice::new(key.as_bytes())], &mut with, flags);
    }

    /// A supervisor needs them no more, and lives long: a file system in one of them could not be let go.
    pub fn close(&mut self) {
        self.made.clear();
    }

    fn take(&mut self, key: Vec<u8>, namespace: OwnedFd) {
        let Ok(key) = String::from_utf8(key) else { return };
        if self.find(&key).is_some() {
            return;
        }
        if self.made.len() == BASES {
            self.made.remove(0);
        }
        self.made.push(Base { key, namespace, until: Instant::now() + FRESH });
    }

    /// Lets go of the old ones; until the next one is.
    fn expire(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.made.retain(|base| base.until > now);
        Some(self.made.first()?.until - now)
    }
}

/// `template`, requests on stdin. With `bound` no supervisor starts a program that needs capabilities.
pub fn template() -> ExitCode {
    let Ok((requests, offered, mut bases)) = begin() else { return ExitCode::FAILURE };
    let mut room = Vec::with_capacity(LONGEST);
    loop {
        let ready = sys::wait_readable(&[requests.as_raw_fd(), offered.as_raw_fd()], bases.expire());
        if ready[1]
            && let Ok((key, mut with)) = receive(&offered, &mut room)
            && let Some(namespace) = with.pop()
        {
            bases.take(key, namespace);
        }
        if ready[0] {
            match receive(&requests, &mut room) {
                Ok((folder, with)) if !folder.is_empty() => begin_supervisor(folder, with, &mut bases, &requests),
                // The server is gone.
                Ok(_) | Err(_) => return ExitCode::SUCCESS,
            }
        }
    }
}

fn begin() -> io::Result<(OwnedFd, OwnedFd, Bases)> {
    // SAFETY: changes only this process. Supervisors are buried by the kernel.
    unsafe {
        libc::setsid();
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
    }
    let requests = io::stdin().as_fd().try_clone_to_owned()?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    for standard in 0..3 {
        sys::duplicate_to(null.as_raw_fd(), standard)?;
    }
    sys::boot_id()?;
    sys::close_all_but(&mut [requests.as_raw_fd(), null.as_raw_fd()]);
    let (offered, offers) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    Ok((requests, offered, Bases { made: Vec::new(), offers }))
}

/// One message with its descriptors; an empty one when the other end is gone. `room` is as long as the longest, and not
/// made anew for each: every page that is touched is one to be found.
fn receive(socket: &OwnedFd, room: &mut Vec<u8>) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    room.resize(LONGEST, 0);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut with = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(socket, &mut [io::IoSliceMut::new(room)], &mut with, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = with.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((room[..got.bytes].to_vec(), descriptors.flatten().collect()))
}

/// Comes back in the template alone.
fn begin_supervisor(folder: Vec<u8>, with: Vec<OwnedFd>, bases: &mut Bases, requests: &OwnedFd) {
    let Ok([order, line]) = <[OwnedFd; 2]>::try_from(with) else { return };
    supervise::memory::look();
    // SAFETY: this program has one thread. Where there is no room for a process, the line ends, and the server knows.
    if unsafe { libc::fork() } != 0 {
        return;
    }
    // SAFETY: changes only this process, which ends here. It must not hold the other end of what the server writes to.
    unsafe {
        libc::close(requests.as_raw_fd());
        libc::setsid();
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::_exit(supervise::supervise(Path::new(OsStr::from_bytes(&folder)), order, line, bases));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases() -> (OwnedFd, Bases) {
        let (offered, offers) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        (offered, Bases { made: Vec::new(), offers })
    }

    /// Stands for a namespace.
    fn descriptor() -> OwnedFd {
        open("/dev/null", OFlags::RDONLY, Mode::empty()).unwrap()
    }

    #[test]
    fn what_a_supervisor_offers_is_found_by_its_whole_name_until_it_is_old() {
        let (offered, mut bases) = bases();
        bases.offer("usr /out", descriptor().as_fd());
        let (key, mut with) = receive(&offered, &mut Vec::new()).unwrap();
        bases.take(key, with.pop().unwrap());
        assert!(with.is_empty() && bases.expire().is_some());
        assert!(bases.find("usr /out").is_some() && bases.find("usr").is_none() && bases.find("usr /out2").is_none());
        bases.made[0].until = Instant::now();
        assert!(bases.expire().is_none() && bases.find("usr /out").is_none());
    }

    #[test]
    fn the_oldest_base_makes_room() {
        let (_offered, mut bases) = bases();
        for n in 0..=BASES {
            bases.take(n.to_string().into_bytes(), descriptor());
        }
        assert!(bases.made.len() == BASES && bases.find("0").is_none() && bases.find("1").is_some());
    }

    #[test]
    fn an_end_of_the_other_side_is_an_empty_message() {
        let (offered, bases) = bases();
        drop(bases);
        assert!(receive(&offered, &mut Vec::new()).unwrap().0.is_empty());
    }
}
