//! What does the extractor do with any bytes at all?

use crate::progress::Meter;
use crate::unpack::format::{Codec, Format, Plan};
use crate::unpack::limits::Bounds;
use crate::{Limits, unpack};
use std::fs;
use std::path::{Path, PathBuf};

/// Takes the first byte as the format and the rest as the file, and unpacks it.
///
/// # Panics
/// Something lies outside the target, a link leads outside, or something is neither a file, a folder nor a link.
pub fn extractor(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else { return };
    let formats = [
        Format::Zip,
        Format::SevenZ,
        Format::Tar(Codec::None),
        Format::Tar(Codec::Gz),
        Format::Tar(Codec::Bz2),
        Format::Tar(Codec::Xz),
        Format::Tar(Codec::Zst),
        Format::Single(Codec::Gz),
        Format::Single(Codec::Zst),
    ];
    let format = formats[usize::from(*first) % formats.len()];
    let base = base();
    let (packed, target) = (base.join("packed"), base.join("target"));
    fs::create_dir_all(&target).expect("a folder for the target");
    fs::write(&packed, content).expect("a place for the file");
    let limits = Limits { unpacked_bytes: 8 << 20, entries: 1000, decoder_memory: 16 << 20, ..Limits::default() };
    let bounds = Bounds::new("input", &limits, Meter::silent());
    // Both ends are fine, and so is any error; only what is on disk counts.
    let _ = unpack::unpack(&packed, "input", Plan::Unpack(format), &target, &bounds);
    let mut names: Vec<_> = fs::read_dir(&base).expect("the base").flatten().map(|e| e.file_name()).collect();
    names.sort();
    assert_eq!(names, ["packed", "target"], "something was written beside the target");
    check(&target, &target);
    fs::remove_dir_all(&base).expect("the base can be removed");
}

/// A folder of this process, in memory where there is such.
fn base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let base = parent.join(format!("fletchline-fuzz-{}-{:?}", std::process::id(), std::thread::current().id()));
    let _ = fs::remove_dir_all(&base);
    fs::create_dir_all(&base).expect("a folder to work in");
    base
}

fn check(folder: &Path, root: &Path) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            check(&entry.path(), root);
        } else if kind.is_symlink() {
            let leads_to = fs::canonicalize(entry.path());
            assert!(leads_to.is_err() || leads_to.is_ok_and(|to| to.starts_with(root)), "a link leads outside");
        } else {
            assert!(kind.is_file(), "something strange was made");
        }
    }
}
