//! Does every format come out as it went in, and is what only looks like an archive left alone?

mod common;

use common::*;
use load::{Error, Format, Unpack};

const FILES: [(&str, &[u8]); 3] = [("a.txt", b"alpha"), ("deep/er/b.txt", b"beta"), ("empty", b"")];

fn tar_files() -> Vec<u8> {
    tar(&FILES.map(|(name, data)| Entry::file(name, data)))
}

fn assert_loads(name: &str, bytes: &[u8], format: &str) {
    let place = Place::new();
    let summary = place.drop_file(name, bytes, Unpack::Auto).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(place.listing(), ["a.txt", "deep/", "deep/er/", "deep/er/b.txt", "empty"], "{name}");
    assert_eq!((place.text("a.txt"), place.text("deep/er/b.txt")), ("alpha".into(), "beta".into()));
    assert_eq!(summary.sources[0].format.unwrap().to_string(), format);
    assert_eq!((summary.files, summary.bytes), (3, 9), "{name}");
    assert!(!place.downloads().exists(), "{name}: a download was left behind");
    place.assert_neighbour();
}

#[test]
fn every_archive_format_is_unpacked() {
    let tar = tar_files();
    assert_loads("x.zip", &zip(&FILES), "zip");
    assert_loads("x.7z", &seven(&FILES), "7z");
    assert_loads("x.tar", &tar, "tar");
    assert_loads("x.tar.gz", &gz(&tar), "tar.gz");
    assert_loads("x.TGZ", &gz(&tar), "tar.gz");
    assert_loads("x.tar.bz2", &bz2(&tar), "tar.bz2");
    assert_loads("x.tar.xz", &xz(&tar), "tar.xz");
    assert_loads("x.tar.zst", &zst(&tar), "tar.zst");
}

#[test]
fn a_name_without_an_ending_is_told_by_its_bytes() {
    assert_loads("download", &gz(&tar_files()), "tar.gz");
    assert_loads("download", &zip(&FILES), "zip");
}

#[test]
fn a_single_compressed_file_comes_out_under_its_inner_name() {
    for (name, bytes) in
        [("t.csv.gz", gz(b"1,2")), ("t.csv.bz2", bz2(b"1,2")), ("t.csv.xz", xz(b"1,2")), ("t.csv.zst", zst(b"1,2"))]
    {
        let place = Place::new();
        place.drop_file(name, &bytes, Unpack::Auto).unwrap();
        assert_eq!((place.listing(), place.text("t.csv")), (vec!["t.csv".to_owned()], "1,2".to_owned()), "{name}");
    }
}

#[test]
fn zips_that_are_something_else_are_left_alone() {
    let bytes = zip(&FILES);
    for name in
        ["x.npz", "x.whl", "x.xlsx", "x.docx", "x.jar", "x.egg", "x.pt", "x.pth", "x.ckpt", "x.keras", "x.parquet"]
    {
        let place = Place::new();
        let summary = place.drop_file(name, &bytes, Unpack::Auto).unwrap();
        assert_eq!(place.listing(), [name]);
        assert_eq!(summary.sources[0].format, None);
    }
    let place = Place::new();
    place.drop_file("x.npz", &bytes, Unpack::As(Format::Zip)).unwrap();
    assert_eq!(place.listing().len(), 5);
}

#[test]
fn never_leaves_an_archive_as_it_is() {
    let place = Place::new();
    place.drop_file("x.tar.gz", &gz(&tar_files()), Unpack::Never).unwrap();
    assert_eq!(place.listing(), ["x.tar.gz"]);
}

#[test]
fn a_plain_tar_under_a_packed_name_is_unpacked() {
    assert_loads("x.tar.gz", &tar_files(), "tar");
    assert_loads("x.tar.gz", &xz(&tar_files()), "tar.xz");
}

#[test]
fn a_web_page_under_an_archive_name_is_named_as_what_it_is() {
    let place = Place::new();
    let error = place.drop_file("x.tar.gz", b"<!DOCTYPE html><html>404", Unpack::Auto).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.tar.gz is named like a tar.gz but is a web page; check the address, or set unpack to never"
    );
    place.assert_untouched();
}

#[test]
fn gzip_in_gzip_is_not_a_tar() {
    let place = Place::new();
    let error = place.drop_file("x.tar.gz", &gz(&gz(b"hello")), Unpack::Auto).unwrap_err();
    assert!(matches!(error, Error::NotAnArchive { found: "gzip", .. }), "{error}");
    place.assert_untouched();
}

#[test]
fn an_empty_tar_is_an_empty_folder() {
    let place = Place::new();
    let summary = place.drop_file("x.tar.gz", &gz(&tar(&[])), Unpack::Auto).unwrap();
    assert_eq!((summary.files, place.listing().len()), (0, 0));
}

#[test]
fn all_members_of_a_gzip_are_read_and_garbage_after_them_is_a_warning() {
    let place = Place::new();
    let mut bytes = [gz(b"one "), gz(b"two")].concat();
    bytes.extend_from_slice(b"garbage");
    let summary = place.drop_file("x.txt.gz", &bytes, Unpack::Auto).unwrap();
    assert_eq!(place.text("x.txt"), "one two");
    assert_eq!(summary.sources[0].warnings, ["7 bytes after the end of the compressed data were ignored"]);
    let place = Place::new();
    place.drop_file("x.txt.bz2", &[bz2(b"one "), bz2(b"two")].concat(), Unpack::Auto).unwrap();
    assert_eq!(place.text("x.txt"), "one two");
    let place = Place::new();
    place.drop_file("x.txt.zst", &[zst(b"one "), zst(b"two")].concat(), Unpack::Auto).unwrap();
    assert_eq!(place.text("x.txt"), "one two");
}

#[test]
fn executable_bits_stay_and_all_other_mode_bits_go() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let entry = |name, mode| Entry { mode, ..Entry::file(name, b"") };
    let bytes = tar(&[entry("run", 0o6755), entry("none", 0), entry("sticky", 0o1666)]);
    place.drop_file("x.tar", &bytes, Unpack::Auto).unwrap();
    let mode = |name: &str| std::fs::metadata(place.target().join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("run"), mode("none"), mode("sticky")), (0o755, 0o644, 0o644));
}

#[test]
fn names_of_formats_are_read_as_they_are_written() {
    for name in
        ["auto", "never", "zip", "7z", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "gz", "bz2", "xz", "zst"]
    {
        assert_eq!(String::from(name.parse::<Unpack>().unwrap()), name);
    }
    assert!(
        "rar".parse::<Unpack>().unwrap_err().starts_with("rar is not a way to unpack; use auto, never or one of zip")
    );
}

#[test]
fn a_7z_of_another_tool_is_unpacked() {
    // Packed by libarchive: its directory is LZMA without sub-stream information.
    let place = Place::new();
    let folder = place.dir.path().join("neighbour");
    let packed = tempfile::tempdir().unwrap();
    let path = packed.path().join("x.7z");
    let made = std::process::Command::new("bsdtar")
        .args(["--format", "7zip", "-cf"])
        .arg(&path)
        .arg("-C")
        .arg(&folder)
        .arg("secret")
        .status();
    assert!(made.expect("bsdtar of libarchive-tools is needed").success());
    place.drop_file("x.7z", &std::fs::read(&path).unwrap(), Unpack::Auto).unwrap();
    assert_eq!(place.text("secret"), "untouched");
}
