//! How do files of this machine and bytes of the caller become sources?

use super::Facts;
use super::downloads::{Slot, hex};
use super::{Fetched, name};
use crate::progress::{Meter, Phase};
use crate::request::{Files, Supplied, Supply};
use crate::{Error, Limits};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use url::Url;

const CHUNK: usize = 1 << 20;

/// Opens `file:///…` where files are allowed; the answer is the file and its real place.
///
/// The place is asked of the kernel after opening, so that no link leads into a forbidden folder.
pub(crate) fn open_file(url: &Url, files: &Files) -> Result<(File, PathBuf), Error> {
    let forbidden = |path: &str, why: &str| Error::Forbidden { path: path.to_owned(), why: why.to_owned() };
    let path = url.to_file_path().map_err(|()| forbidden(url.path(), "it is not a path of this machine"))?;
    let shown = crate::error::shown(path.as_os_str().as_encoded_bytes());
    let Files::Allowed { except } = files else {
        return Err(forbidden(
            &shown,
            "files of this machine are not loaded here; put it on a server or drop it on the task",
        ));
    };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file =
        File::from(rustix::fs::open(&path, flags, Mode::empty()).map_err(|e| Error::io("opening", &path, e.into()))?);
    let real = real_place(&file, &path)?;
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err(forbidden(&shown, "it is not a regular file"));
    }
    let inside = |folder: &PathBuf| real.starts_with(folder.canonicalize().unwrap_or_else(|_| folder.clone()));
    if except.iter().any(inside) || ["/proc", "/sys", "/dev"].iter().any(|f| real.starts_with(f)) {
        return Err(forbidden(&shown, "it lies in a folder that tasks never see"));
    }
    Ok((file, real))
}

fn real_place(file: &File, path: &Path) -> Result<PathBuf, Error> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(|e| Error::io("finding", path, e))
}

/// Hashes a file of this machine, which is then used where it lies.
pub(crate) fn take_file(url: &Url, files: &Files, limits: &Limits, meter: &Meter) -> Result<Fetched, Error> {
    let (mut file, path) = open_file(url, files)?;
    let length = file.metadata().map_err(|e| Error::io("reading", &path, e))?.len();
    if length > limits.download_bytes {
        return Err(Error::TooLarge { url: super::shown_url(url), limit: limits.download_bytes });
    }
    meter.phase(Phase::Checking, 0, Some(length));
    let sha256 = hash(&mut file, &path, meter)?;
    let name = name::last_part(url).and_then(|n| name::safe(&n)).unwrap_or_else(|| "file".to_owned());
    let facts = Facts { sha256: Some(sha256), length: Some(length), ..Facts::default() };
    Ok(Fetched { path, ours: false, name, facts, fetched: 0 })
}

/// The SHA-256 of the rest of a file.
pub(crate) fn hash(file: &mut File, path: &Path, meter: &Meter) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    hash_into(&mut hasher, file, path, meter)?;
    Ok(hex(&hasher.finalize()))
}

pub(crate) fn hash_into(hasher: &mut Sha256, file: &mut dyn Read, path: &Path, meter: &Meter) -> Result<u64, Error> {
    let (mut buffer, mut all) = (vec![0; CHUNK], 0);
    loop {
        let n = file.read(&mut buffer).map_err(|e| Error::io("reading", path, e))?;
        if n == 0 {
            return Ok(all);
        }
        hasher.update(&buffer[..n]);
        all += n as u64;
        meter.add(n as u64);
        meter.tick()?;
    }
}

/// Writes what the caller hands in where a download would lie. `None`: the scheme is not the caller's.
pub(crate) fn take_supplied(
    url: &str,
    supply: &dyn Supply,
    slot: &Slot,
    limits: &Limits,
    meter: &Meter,
) -> Result<Option<Fetched>, Error> {
    let unknown =
        |e: std::io::Error| Error::NotSupplied { url: crate::error::shown(url.as_bytes()), why: e.to_string() };
    let Some(supplied) = supply.open(url).map_err(unknown)? else {
        return Ok(None);
    };
    let name = name::safe(&supplied.name).unwrap_or_else(|| "file".to_owned());
    slot.clear()?;
    meter.phase(Phase::Downloading, 0, supplied.length);
    let (length, sha256) = write(supplied, slot, url, limits, meter)?;
    let facts = Facts { sha256: Some(sha256), length: Some(length), ..Facts::default() };
    slot.write(&name, &facts, true)?;
    Ok(Some(Fetched { path: slot.data.clone(), ours: true, name, facts, fetched: 0 }))
}

fn write(
    mut supplied: Supplied,
    slot: &Slot,
    url: &str,
    limits: &Limits,
    meter: &Meter,
) -> Result<(u64, String), Error> {
    let mut file = File::create(&slot.data).map_err(|e| Error::io("making", &slot.data, e))?;
    let (mut hasher, mut buffer, mut length) = (Sha256::new(), vec![0; CHUNK], 0u64);
    loop {
        let n = supplied.bytes.read(&mut buffer);
        let n = n.map_err(|e| Error::NotSupplied { url: url.to_owned(), why: e.to_string() })?;
        if n == 0 {
            return Ok((length, hex(&hasher.finalize())));
        }
        length += n as u64;
        if length > limits.download_bytes {
            return Err(Error::TooLarge { url: url.to_owned(), limit: limits.download_bytes });
        }
        hasher.update(&buffer[..n]);
        file.write_all(&buffer[..n]).map_err(|e| Error::io("writing", &slot.data, e))?;
        meter.add(n as u64);
        meter.tick()?;
    }
}

/// The facts of what the caller has, without keeping it. `None`: the scheme is not the caller's.
pub(crate) fn ask_supplied(url: &str, supply: &dyn Supply) -> Result<Option<Facts>, Error> {
    let unknown =
        |e: std::io::Error| Error::NotSupplied { url: crate::error::shown(url.as_bytes()), why: e.to_string() };
    let Some(mut supplied) = supply.open(url).map_err(unknown)? else {
        return Ok(None);
    };
    let mut hasher = Sha256::new();
    let length = hash_into(&mut hasher, &mut supplied.bytes, Path::new(url), &Meter::silent())?;
    Ok(Some(Facts { sha256: Some(hex(&hasher.finalize())), length: Some(length), ..Facts::default() }))
}
