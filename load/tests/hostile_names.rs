//! Can the names, links and kinds of an archive's entries do harm outside the target?

mod common;

use common::*;
use load::{Error, Unpack};

/// Refused, nothing left, the neighbour untouched.
fn assert_refused(what: &str, name: &str, bytes: &[u8]) {
    let place = Place::new();
    match place.drop_file(name, bytes, Unpack::Auto) {
        Err(Error::Unsafe { .. } | Error::Corrupt { .. } | Error::Unsupported { .. }) => {}
        Err(other) => panic!("{what} in {name}: another error: {other}"),
        Ok(_) => panic!("{what} in {name}: was taken, {:?}", place.listing()),
    }
    place.assert_untouched();
}

/// Taken, with this in the target and nothing outside.
fn assert_taken(name: &str, bytes: &[u8], listing: &[&str]) -> Place {
    let place = Place::new();
    place.drop_file(name, bytes, Unpack::Auto).unwrap();
    assert_eq!(place.listing(), listing);
    place.assert_neighbour();
    place
}

#[test]
fn names_that_climb_out_are_refused_in_every_format() {
    for evil in ["../../evil", "a/../../evil", "..", "a/..", "./../evil"] {
        assert_refused(evil, "x.zip", &zip(&[("ok", b"1"), (evil, b"2")]));
        assert_refused(evil, "x.tar", &tar(&[Entry::file("ok", b"1"), Entry::file(evil, b"2")]));
        assert_refused(evil, "x.7z", &seven(&[("ok", b"1"), (evil, b"2")]));
    }
}

#[test]
fn names_of_windows_that_climb_out_are_refused() {
    for evil in ["..\\..\\evil", "C:\\evil", "C:evil", "a\\..\\..\\evil"] {
        assert_refused(evil, "x.zip", &zip(&[(evil, b"2")]));
        assert_refused(evil, "x.7z", &seven(&[(evil, b"2")]));
    }
    assert_taken("x.tar", &tar(&[Entry::file("..\\evil", b"1")]), &["..\\evil"]);
    assert_taken("x.zip", &zip(&[("a\\b", b"1")]), &["a/", "a/b"]);
}

#[test]
fn absolute_names_land_beneath_the_target() {
    assert_taken("x.zip", &zip(&[("/etc/evil", b"1")]), &["etc/", "etc/evil"]);
    assert_taken("x.tar", &tar(&[Entry::file("//etc//./evil", b"1")]), &["etc/", "etc/evil"]);
    let place = Place::new();
    let summary = place.drop_file("x.tar", &tar(&[Entry::file("/a", b"1")]), Unpack::Auto).unwrap();
    assert_eq!(summary.sources[0].warnings, ["the / at the beginning of names was left out"]);
}

#[test]
fn control_characters_are_taken_but_a_nul_is_not() {
    assert_taken("x.zip", &zip(&[("a\nb", b"1"), ("\u{1b}[31m", b"2")]), &["\u{1b}[31m", "a\nb"]);
    assert_refused("NUL", "x.zip", &zip(&[("a\0b", b"1")]));
    let long = pax(&[("path", "a\0b")]);
    assert_refused("NUL", "x.tar", &tar(&[Entry { kind: b'x', ..Entry::file("p", &long) }, Entry::file("x", b"1")]));
}

#[test]
fn an_error_shows_names_with_their_control_characters_escaped() {
    let place = Place::new();
    let error = place.drop_file("x.zip", &zip(&[("../\u{1b}[31m\n", b"1")]), Unpack::Auto).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.zip is not unpacked, because its entry ../\\u{1b}[31m\\n leads out of the folder with .."
    );
}

#[test]
fn names_that_are_not_utf8_are_taken_as_they_are() {
    let raw = Entry { name: b"caf\xe9/\xc0\xae\xc0\xae/x", ..Entry::file("", b"1") };
    let place = Place::new();
    place.drop_file("x.tar", &tar(&[raw]), Unpack::Auto).unwrap();
    place.assert_neighbour();
    let cp437 = ZipEntry { name: b"caf\x82", ..ZipEntry::file("", b"1") };
    assert_taken("x.zip", &zip_raw(&[cp437]), &["café"]);
}

#[test]
fn names_that_differ_by_case_or_normalisation_are_two_files() {
    assert_taken("x.zip", &zip(&[("A", b"1"), ("a", b"2")]), &["A", "a"]);
    assert_taken("x.zip", &zip(&[("\u{e9}", b"1"), ("e\u{301}", b"2")]), &["e\u{301}", "\u{e9}"]);
}

#[test]
fn a_later_file_replaces_an_earlier_one_but_nothing_else() {
    let place = assert_taken("x.tar", &tar(&[Entry::file("a", b"first"), Entry::file("a", b"last")]), &["a"]);
    assert_eq!(place.text("a"), "last");
    let link = Entry::kind("a", b'2', "b");
    assert_refused("file over link", "x.tar", &tar(&[link.clone(), Entry::file("a", b"1")]));
    assert_refused("link over file", "x.tar", &tar(&[Entry::file("a", b"1"), link.clone()]));
    assert_refused("folder over link", "x.tar", &tar(&[link.clone(), Entry::kind("a/", b'5', "")]));
    assert_refused("file over folder", "x.tar", &tar(&[Entry::kind("a/", b'5', ""), Entry::file("a", b"1")]));
    assert_refused("folder over file", "x.tar", &tar(&[Entry::file("a", b"1"), Entry::kind("a/", b'5', "")]));
    assert_taken("x.tar", &tar(&[link.clone(), link]), &["a@"]);
}

#[test]
fn links_that_lead_outside_are_refused() {
    for to in ["/etc", "..", "../x", "a/../../x", "a/..", "", "./../x"] {
        assert_refused(to, "x.tar", &tar(&[Entry::kind("l", b'2', to)]));
        assert_refused(to, "x.zip", &zip_raw(&[ZipEntry::link("l", to)]));
    }
    assert_refused("deep", "x.tar", &tar(&[Entry::kind("a/l", b'2', "../../x")]));
}

#[test]
fn links_that_stay_inside_are_made() {
    let entries = [Entry::file("d/f", b"1"), Entry::kind("l", b'2', "d/f"), Entry::kind("d/up", b'2', "../l")];
    let place = assert_taken("x.tar", &tar(&entries), &["d/", "d/f", "d/up@", "l@"]);
    assert_eq!(place.text("d/up"), "1");
    assert_taken("x.zip", &zip_raw(&[ZipEntry::file("f", b"1"), ZipEntry::link("l", "f")]), &["f", "l@"]);
}

#[test]
fn nothing_is_written_through_a_link() {
    let through = [Entry::kind("d/", b'5', ""), Entry::kind("l", b'2', "d"), Entry::file("l/evil", b"1")];
    assert_refused("file through a link", "x.tar", &tar(&through));
    let through = [Entry::kind("d/", b'5', ""), Entry::kind("l", b'2', "d"), Entry::kind("l/evil/", b'5', "")];
    assert_refused("folder through a link", "x.tar", &tar(&through));
    let zip = [ZipEntry::file("d/", b""), ZipEntry::link("l", "d"), ZipEntry::file("l/evil", b"1")];
    assert_refused("file through a link", "x.zip", &zip_raw(&zip));
}

#[test]
fn links_that_only_together_lead_outside_are_refused() {
    let chain = [
        Entry::kind("a/b/", b'5', ""),
        Entry::kind("a/b/up", b'2', "../.."),
        Entry::kind("a/b/out", b'2', "up/../neighbour/secret"),
    ];
    assert_refused("chain", "x.tar", &tar(&chain));
    let zip = [ZipEntry::file("a/b/", b""), ZipEntry::link("a/b/up", "../.."), ZipEntry::link("a/b/out", "up/../..")];
    assert_refused("chain", "x.zip", &zip_raw(&zip));
}

#[test]
fn second_names_are_only_for_files_of_the_archive() {
    for to in ["/etc/passwd", "../neighbour/secret", "missing", "."] {
        assert_refused(to, "x.tar", &tar(&[Entry::kind("h", b'1', to)]));
    }
    assert_refused("to a link", "x.tar", &tar(&[Entry::kind("l", b'2', "x"), Entry::kind("h", b'1', "l")]));
    assert_refused("to a folder", "x.tar", &tar(&[Entry::kind("d/", b'5', ""), Entry::kind("h", b'1', "d")]));
    let through = [Entry::file("d/f", b"1"), Entry::kind("l", b'2', "d"), Entry::kind("h", b'1', "l/f")];
    assert_refused("through a link", "x.tar", &tar(&through));
    let place = assert_taken("x.tar", &tar(&[Entry::file("f", b"1"), Entry::kind("h", b'1', "f")]), &["f", "h"]);
    assert_eq!(place.text("h"), "1");
}

#[test]
fn devices_pipes_and_unknown_kinds_are_refused() {
    for kind in *b"346MD?" {
        assert_refused(&format!("kind {}", char::from(kind)), "x.tar", &tar(&[Entry::kind("x", kind, "")]));
    }
    for mode in [0o020_666, 0o060_666, 0o010_666, 0o140_666] {
        let entry = ZipEntry { mode, ..ZipEntry::file("x", b"") };
        assert_refused(&format!("mode {mode:o}"), "x.zip", &zip_raw(&[entry]));
    }
}

#[test]
fn dots_and_empty_names_mean_the_target_itself_for_folders_only() {
    let entries = [Entry::kind("./", b'5', ""), Entry::kind("", b'5', ""), Entry::file("./a", b"1")];
    assert_taken("x.tar", &tar(&entries), &["a"]);
    assert_refused("file without a name", "x.tar", &tar(&[Entry::file("./", b""), Entry::file(".", b"1")]));
    assert_refused("file without a name", "x.tar", &tar(&[Entry::file("", b"1")]));
}

#[test]
fn names_may_be_long_and_deep_only_within_reason() {
    let deep = "d/".repeat(10_000);
    let long = pax(&[("path", &deep)]);
    assert_refused("deep", "x.tar", &tar(&[Entry { kind: b'x', ..Entry::file("p", &long) }, Entry::file("x", b"1")]));
    let part = "n".repeat(256);
    assert_refused("long part", "x.zip", &zip(&[(&part, b"1")]));
    let chain = vec![b'n'; 1 << 20];
    assert_refused(
        "long name",
        "x.tar",
        &tar(&[Entry { kind: b'L', ..Entry::file("p", &chain) }, Entry::file("x", b"1")]),
    );
    let ok = "n".repeat(255);
    let long = pax(&[("path", &ok)]);
    assert_taken("x.tar", &tar(&[Entry { kind: b'x', ..Entry::file("p", &long) }, Entry::file("x", b"1")]), &[&ok]);
}

#[test]
fn extension_headers_override_names_and_are_checked_like_them() {
    let over = |records: &[(&str, &str)]| pax(records);
    let path = over(&[("path", "../evil")]);
    assert_refused("path", "x.tar", &tar(&[Entry { kind: b'x', ..Entry::file("p", &path) }, Entry::file("x", b"1")]));
    let link = over(&[("linkpath", "/etc/passwd")]);
    assert_refused(
        "linkpath",
        "x.tar",
        &tar(&[Entry { kind: b'x', ..Entry::file("p", &link) }, Entry::kind("x", b'2', "ok")]),
    );
    let name = Entry { kind: b'L', ..Entry::file("././@LongLink", b"../evil\0") };
    assert_refused("long name", "x.tar", &tar(&[name, Entry::file("x", b"1")]));
    let bad = Entry { kind: b'x', ..Entry::file("p", b"999 path=x\n") };
    assert_refused("a record longer than the header", "x.tar", &tar(&[bad, Entry::file("x", b"1")]));
}

#[test]
fn the_pax_size_decides_so_no_entry_can_hide_in_another() {
    // As in other tools that read PAX: a hidden header inside the data is data.
    let hidden = Entry::file("hidden", b"boo").bytes();
    let size = pax(&[("size", &hidden.len().to_string())]);
    let entries = [
        Entry { kind: b'x', ..Entry::file("p", &size) },
        Entry { size: Some(0), ..Entry::file("outer", &hidden) },
        Entry::file("after", b"1"),
    ];
    assert_taken("x.tar", &tar(&entries), &["after", "outer"]);
    let size = pax(&[("size", "0")]);
    let entries = [Entry { kind: b'x', ..Entry::file("p", &size) }, Entry::file("outer", b"not a header")];
    assert_refused("size 0", "x.tar", &tar(&entries));
}

#[test]
fn a_local_header_of_another_name_is_refused() {
    let entry = ZipEntry { local_name: Some(b"evil"), ..ZipEntry::file("good", b"1") };
    assert_refused("two names", "x.zip", &zip_raw(&[entry]));
}

#[test]
fn encryption_and_old_methods_are_refused() {
    for (flags, method) in [(1, 8), (0, 9), (0, 14), (0, 1), (0, 99)] {
        let entry = ZipEntry { flags, method, ..ZipEntry::file("x", b"1") };
        assert_refused(&format!("flags {flags}, method {method}"), "x.zip", &zip_raw(&[entry]));
    }
}

#[test]
fn a_zip_with_something_before_it_is_unpacked_when_asked_for() {
    let place = Place::new();
    let bytes = [b"#!/bin/sh\nexit\n".to_vec(), zip(&[("a", b"1")])].concat();
    place.drop_file("x.sh", &bytes, Unpack::As(load::Format::Zip)).unwrap();
    assert_eq!(place.listing(), ["a"]);
}
