//! What kind of file is this, and is it to be opened?

use crate::Unpack;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How one file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    None,
    Gz,
    Bz2,
    Xz,
    Zst,
}

/// What can be unpacked. Written `zip`, `7z`, `tar`, `tar.gz`, … , `gz`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Format {
    Zip,
    SevenZ,
    /// A tar, compressed or not.
    Tar(Codec),
    /// One compressed file.
    Single(Codec),
}

const NAMES: [(&str, Format); 11] = [
    ("zip", Format::Zip),
    ("7z", Format::SevenZ),
    ("tar", Format::Tar(Codec::None)),
    ("tar.gz", Format::Tar(Codec::Gz)),
    ("tar.bz2", Format::Tar(Codec::Bz2)),
    ("tar.xz", Format::Tar(Codec::Xz)),
    ("tar.zst", Format::Tar(Codec::Zst)),
    ("gz", Format::Single(Codec::Gz)),
    ("bz2", Format::Single(Codec::Bz2)),
    ("xz", Format::Single(Codec::Xz)),
    ("zst", Format::Single(Codec::Zst)),
];

/// Further endings that mean the same.
const ALIASES: [(&str, Format); 6] = [
    ("tgz", Format::Tar(Codec::Gz)),
    ("tbz2", Format::Tar(Codec::Bz2)),
    ("tbz", Format::Tar(Codec::Bz2)),
    ("txz", Format::Tar(Codec::Xz)),
    ("tzst", Format::Tar(Codec::Zst)),
    ("zstd", Format::Single(Codec::Zst)),
];

/// Compressed files that their readers want as they are.
const LEFT_ALONE: [&str; 6] = ["nii.gz", "vcf.gz", "bed.gz", "fastq.gz", "fq.gz", "bam"];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, format)| format == self).map_or("tar", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Format, String> {
        let known = NAMES.iter().find(|(name, _)| *name == text).map(|(_, format)| *format);
        known.ok_or_else(|| {
            let all: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("{text} is not a way to unpack; use auto, never or one of {}", all.join(", "))
        })
    }
}

impl TryFrom<String> for Format {
    type Error = String;
    fn try_from(text: String) -> Result<Format, String> {
        text.parse()
    }
}

impl From<Format> for String {
    fn from(format: Format) -> String {
        format.to_string()
    }
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Magic {
    Zip,
    SevenZ,
    Tar,
    Packed(Codec),
    Html,
    Other,
}

/// How many first bytes [`magic`] wants to see.
pub const HEAD: usize = 512;

/// Looks at the first bytes of a file.
pub fn magic(head: &[u8]) -> Magic {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Magic::Zip,
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Magic::SevenZ,
        [0x1f, 0x8b, 8, ..] => Magic::Packed(Codec::Gz),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Magic::Packed(Codec::Bz2),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => Magic::Packed(Codec::Bz2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Magic::Packed(Codec::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Magic::Packed(Codec::Zst),
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Magic::Packed(Codec::Zst),
        _ if is_tar(head) => Magic::Tar,
        _ if is_html(head) => Magic::Html,
        _ => Magic::Other,
    }
}

/// A block of 512 bytes whose checksum is right: also true for tars older than `ustar`.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<512>() else {
        return false;
    };
    if block.iter().all(|b| *b == 0) {
        return false;
    }
    let sum: u32 =
        block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    header.cksum().is_ok_and(|said| said == sum)
}

fn is_html(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(256)]).trim_start().to_ascii_lowercase();
    text.starts_with("<!doctype html") || text.starts_with("<html") || text.starts_with("<head")
}

impl Magic {
    /// For "… is named like X but is Y".
    pub fn found(self) -> &'static str {
        match self {
            Magic::Zip => "a zip",
            Magic::SevenZ => "a 7z",
            Magic::Tar => "a tar that is not compressed",
            Magic::Packed(Codec::Gz) => "gzip",
            Magic::Packed(Codec::Bz2) => "bzip2",
            Magic::Packed(Codec::Xz) => "xz",
            Magic::Packed(Codec::Zst) => "Zstandard",
            Magic::Html => "a web page",
            Magic::Packed(Codec::None) | Magic::Other => "something else",
        }
    }
}

/// What the name promises: the format of its ending.
pub fn by_name(name: &str) -> Option<Format> {
    let lower = name.to_ascii_lowercase();
    let ends = |ending: &str| lower.len() > ending.len() + 1 && lower.ends_with(&format!(".{ending}"));
    if LEFT_ALONE.iter().any(|ending| ends(ending)) {
        return None;
    }
    let all = NAMES.iter().chain(&ALIASES);
    all.filter(|(ending, _)| ends(ending)).max_by_key(|(ending, _)| ending.len()).map(|(_, format)| *format)
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    LeaveAlone,
    Unpack(Format),
    /// Decompress, and unpack what comes out if that is a tar.
    Look(Codec),
    /// The name promises what the bytes do not hold.
    Mismatch {
        named: Format,
    },
}

/// Decides by the first bytes *and* the name. Many formats are zips inside (docx, jar, whl, npz, pt …): a zip is
/// opened only if its name says zip or says nothing.
pub fn plan(name: &str, head: &[u8], unpack: Unpack) -> Plan {
    match unpack {
        Unpack::Never => Plan::LeaveAlone,
        Unpack::As(format) => Plan::Unpack(format),
        Unpack::Auto => automatic(name, magic(head)),
    }
}

fn automatic(name: &str, magic: Magic) -> Plan {
    let Some(named) = by_name(name) else {
        return if name.contains('.') { Plan::LeaveAlone } else { nameless(magic) };
    };
    match (named, magic) {
        (Format::Zip, Magic::Zip) | (Format::SevenZ, Magic::SevenZ) => Plan::Unpack(named),
        (_, Magic::Tar) => Plan::Unpack(Format::Tar(Codec::None)),
        (Format::Tar(_), Magic::Packed(codec)) => Plan::Unpack(Format::Tar(codec)),
        (Format::Single(_), Magic::Packed(codec)) => Plan::Look(codec),
        (Format::Tar(_) | Format::Zip | Format::SevenZ | Format::Single(_), _) => Plan::Mismatch { named },
    }
}

/// An address such as `…/download?id=3` gives no name to go by.
fn nameless(magic: Magic) -> Plan {
    match magic {
        Magic::Zip => Plan::Unpack(Format::Zip),
        Magic::SevenZ => Plan::Unpack(Format::SevenZ),
        Magic::Tar => Plan::Unpack(Format::Tar(Codec::None)),
        Magic::Packed(codec) => Plan::Look(codec),
        Magic::Html | Magic::Other => Plan::LeaveAlone,
    }
}

/// The name of what a single compressed file holds: without the last ending, if that is one of compression.
pub fn inner_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    for ending in [".gz", ".bz2", ".xz", ".zst", ".zstd"] {
        if lower.ends_with(ending) && name.len() > ending.len() {
            return name[..name.len() - ending.len()].to_owned();
        }
    }
    name.to_owned()
}
