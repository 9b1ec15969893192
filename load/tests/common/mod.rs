//! What do the tests share: archives made by hand, a place to load into, a look at what is there?
#![allow(dead_code)] // Each test file uses its own part of this.

pub mod site;

use load::{Error, Loader, Request, Source, Summary, Unpack};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A folder with a target, a downloads folder, and a neighbour that nobody may touch.
pub struct Place {
    pub dir: TempDir,
}

impl Place {
    pub fn new() -> Place {
        let dir = folder();
        fs::create_dir(dir.path().join("neighbour")).unwrap();
        fs::write(dir.path().join("neighbour/secret"), "untouched").unwrap();
        Place { dir }
    }

    pub fn target(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    pub fn downloads(&self) -> PathBuf {
        self.dir.path().join("downloads")
    }

    pub fn request(&self, sources: Vec<Source>) -> Request {
        let mut request = Request::new(sources, self.downloads(), self.target());
        request.durable = false;
        request.limits.retry_pause_ms = 1;
        request
    }

    /// Loads bytes as if somebody had dropped a file of that name.
    pub fn drop_file(&self, name: &str, bytes: &[u8], unpack: Unpack) -> Result<Summary, Error> {
        let url = format!("dropped:{name}");
        let mut request = self.request(vec![Source { unpack, ..Source::new(&url) }]);
        request.limits.entries = 200_000;
        self.run(&request, &url, bytes)
    }

    pub fn run(&self, request: &Request, url: &str, bytes: &[u8]) -> Result<Summary, Error> {
        let supply = BTreeMap::from([(url.to_owned(), bytes.to_vec())]);
        let loader = Loader::default().with_supply(Arc::new(supply));
        runtime().block_on(loader.load(request, |_| ()))
    }

    /// Relative paths of all that is in the target, sorted; folders end with `/`, links with `@`.
    pub fn listing(&self) -> Vec<String> {
        let mut all = Vec::new();
        list(&self.target(), "", &mut all);
        all.sort();
        all
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.target().join(path)).unwrap()
    }

    /// Nothing but the neighbour stands outside, and the target holds nothing.
    pub fn assert_untouched(&self) {
        self.assert_neighbour();
        assert_eq!(self.listing(), Vec::<String>::new(), "the target is not empty");
    }

    pub fn assert_neighbour(&self) {
        let mut names: Vec<String> =
            fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|n| n != "downloads" && n != "target");
        assert_eq!(names, ["neighbour"]);
        assert_eq!(fs::read_to_string(self.dir.path().join("neighbour/secret")).unwrap(), "untouched");
        assert_eq!(fs::read_dir(self.dir.path().join("neighbour")).unwrap().count(), 1);
    }
}

/// A new folder, in memory where the machine has such: what is measured is us, not a busy disk.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn list(folder: &Path, prefix: &str, all: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            all.push(format!("{name}/"));
            list(&entry.path(), &format!("{name}/"), all);
        } else if kind.is_symlink() {
            all.push(format!("{name}@"));
        } else {
            all.push(name);
        }
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// One entry of a tar, in any shape: nothing is checked.
#[derive(Clone)]
pub struct Entry<'a> {
    pub name: &'a [u8],
    pub kind: u8,
    pub link: &'a [u8],
    pub mode: u32,
    pub data: &'a [u8],
    /// In the header, if not the length of the data.
    pub size: Option<u64>,
}

impl<'a> Entry<'a> {
    pub fn file(name: &'a str, data: &'a [u8]) -> Entry<'a> {
        Entry { name: name.as_bytes(), kind: b'0', link: b"", mode: 0o644, data, size: None }
    }

    pub fn kind(name: &'a str, kind: u8, link: &'a str) -> Entry<'a> {
        Entry { name: name.as_bytes(), kind, link: link.as_bytes(), mode: 0o777, data: b"", size: None }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut block = vec![0u8; 512];
        let put = |block: &mut Vec<u8>, at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(&mut block, 0, &self.name[..self.name.len().min(100)]);
        put(&mut block, 100, format!("{:07o}", self.mode).as_bytes());
        put(&mut block, 108, b"0000000\x000000000\0");
        let size = self.size.unwrap_or(self.data.len() as u64);
        if size < 1 << 33 {
            put(&mut block, 124, format!("{size:011o}").as_bytes());
        } else {
            block[124] = 0x80;
            put(&mut block, 128, &size.to_be_bytes());
        }
        put(&mut block, 136, b"14000000000");
        block[156] = self.kind;
        put(&mut block, 157, &self.link[..self.link.len().min(100)]);
        put(&mut block, 257, b"ustar\x0000");
        set_checksum(&mut block);
        block.extend_from_slice(self.data);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }
}

pub fn set_checksum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// A tar of these entries, with its end mark.
pub fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut all: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
    all.resize(all.len() + 1024, 0);
    all
}

/// PAX records for the next entry.
pub fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let mut length = rest.len() + 1;
        while format!("{length}").len() + rest.len() != length {
            length = format!("{length}").len() + rest.len();
        }
        body.extend_from_slice(format!("{length}{rest}").as_bytes());
    }
    body
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn zst(bytes: &[u8]) -> Vec<u8> {
    let mut out = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    out.include_checksum(true).unwrap();
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A zip of files; the names are taken as they are.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_raw(&files.iter().map(|(name, data)| ZipEntry::file(name, data)).collect::<Vec<_>>())
}

/// One entry of a zip, in any shape.
#[derive(Clone)]
pub struct ZipEntry<'a> {
    pub name: &'a [u8],
    /// In the local header, if it is to differ.
    pub local_name: Option<&'a [u8]>,
    pub data: &'a [u8],
    pub mode: u32,
    pub flags: u16,
    pub method: u16,
    /// Said instead of the true length.
    pub size: Option<u32>,
    pub stored: bool,
}

impl<'a> ZipEntry<'a> {
    pub fn file(name: &'a str, data: &'a [u8]) -> ZipEntry<'a> {
        let mode = if name.ends_with('/') { 0o40_755 } else { 0o100_644 };
        ZipEntry { name: name.as_bytes(), local_name: None, data, mode, flags: 0, method: 8, size: None, stored: false }
    }

    pub fn link(name: &'a str, to: &'a str) -> ZipEntry<'a> {
        ZipEntry { mode: 0o120_777, ..ZipEntry::file(name, to.as_bytes()) }
    }
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    crc.sum()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

/// Writes a zip byte by byte, so that it can be wrong in every way.
pub fn zip_raw(entries: &[ZipEntry<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = out.len() as u32;
        let packed = deflate(entry.data);
        let size = entry.size.unwrap_or(entry.data.len() as u32);
        let mut common = Vec::new();
        for word in [20, entry.flags, entry.method, 0, 0x21] {
            common.extend_from_slice(&u16::to_le_bytes(word));
        }
        for long in [crc32(entry.data), packed.len() as u32, size] {
            common.extend_from_slice(&long.to_le_bytes());
        }
        let local = entry.local_name.unwrap_or(entry.name);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(&(local.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(local);
        out.extend_from_slice(&packed);
        directory.extend_from_slice(b"PK\x01\x02\x1e\x03");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&(entry.name.len() as u16).to_le_bytes());
        directory.extend_from_slice(&[0; 8]);
        directory.extend_from_slice(&(entry.mode << 16).to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(entry.name);
    }
    end_of_zip(&mut out, &directory, entries.len() as u16);
    out
}

pub fn end_of_zip(out: &mut Vec<u8>, directory: &[u8], count: u16) {
    let at = out.len() as u32;
    out.extend_from_slice(directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
}

/// A 7z of files (and folders, whose names end with `/`).
pub fn seven(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    for (name, data) in files {
        match name.strip_suffix('/') {
            Some(folder) => {
                let entry = sevenz_rust2::ArchiveEntry::new_directory(folder);
                writer.push_archive_entry::<&[u8]>(entry, None).unwrap();
            }
            None => {
                let entry = sevenz_rust2::ArchiveEntry::new_file(name);
                writer.push_archive_entry(entry, Some(*data)).unwrap();
            }
        }
    }
    writer.finish().unwrap().into_inner()
}
