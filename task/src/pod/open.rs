//! How does what a task leaves become the group's, whatever modes its programs gave it?
//!
//! Where tasks run as different users they read, and the installation removes, each other's results by the group that
//! all of them are in.

use std::{io, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, fchmod, openat, statat},
    process::getuid,
};

use crate::beneath::{self, READ};

/// Gives the group what the owner may do, in all of a folder. Links are left as they are, and so is what belongs to
/// another user.
///
/// # Errors
/// Of the first thing that cannot be looked at.
pub fn to_group(folder: &Path) -> io::Result<()> {
    let mut folders = vec![openat(beneath::root(folder)?, ".", READ | OFlags::DIRECTORY, Mode::empty())?];
    while let Some(folder) = folders.pop() {
        for entry in beneath::entries(&folder)? {
            folders.extend(open_one(&folder, entry?.file_name())?);
        }
    }
    Ok(())
}

/// A folder, to go on in.
fn open_one(folder: &OwnedFd, name: &std::ffi::CStr) -> io::Result<Option<OwnedFd>> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_own = stat.st_uid == getuid().as_raw();
    if !is_own || !matches!(kind, FileType::Directory | FileType::RegularFile) {
        return Ok(None);
    }
    let wanted = stat.st_mode | (stat.st_mode & 0o700) >> 3;
    if kind == FileType::RegularFile && wanted == stat.st_mode {
        return Ok(None);
    }
    let opened = openat(folder, name, READ, Mode::empty())?;
    if wanted != stat.st_mode {
        fchmod(&opened, Mode::from_raw_mode(wanted & 0o7777))?;
    }
    Ok((kind == FileType::Directory).then_some(opened))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn the_group_gets_what_the_owner_has_at_every_depth_and_links_lead_nowhere() {
        let place = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("own/private")).unwrap();
        for (name, mode) in [("own/private/model.pt", 0o600), ("own/run.sh", 0o700), ("own/open.txt", 0o664)] {
            fs::write(at(name), "x").unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(at("own/private"), Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(outside.path(), Permissions::from_mode(0o600)).unwrap();
        symlink(outside.path(), at("own/link")).unwrap();
        to_group(&at("own")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let modes = ["private", "private/model.pt", "run.sh", "open.txt"].map(|name| mode(&at("own").join(name)));
        assert_eq!(modes, [0o770, 0o660, 0o770, 0o664]);
        assert_eq!(mode(outside.path()), 0o600);
    }
}
