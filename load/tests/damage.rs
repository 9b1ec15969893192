//! Is damage seen in every format, wherever it is, and is nothing of it left behind?

mod common;

use common::*;
use load::{Error, Unpack};

/// Text that does not compress to nothing.
fn text() -> Vec<u8> {
    let mut state = 1u32;
    (0..40_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 24) as u8 % 16
        })
        .collect()
}

fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let text = text();
    let files: [(&str, &[u8]); 3] = [("a.txt", &text), ("d/b.txt", &text[..1000]), ("c.txt", b"end")];
    let tar = tar(&files.map(|(name, data)| Entry::file(name, data)));
    vec![
        ("x.zip", zip(&files)),
        ("x.7z", seven(&files)),
        ("x.tar.gz", gz(&tar)),
        ("x.tar.bz2", bz2(&tar)),
        ("x.tar.xz", xz(&tar)),
        ("x.tar.zst", zst(&tar)),
        ("x.txt.gz", gz(&text)),
        ("x.txt.bz2", bz2(&text)),
        ("x.txt.xz", xz(&text)),
        ("x.txt.zst", zst(&text)),
    ]
}

#[test]
fn a_file_cut_anywhere_is_refused_and_leaves_nothing() {
    for (name, bytes) in archives() {
        for part in 1..16 {
            let place = Place::new();
            let error = place.drop_file(name, &bytes[..bytes.len() * part / 16], Unpack::Auto);
            assert!(error.is_err(), "{name} cut at {part}/16 was taken");
            place.assert_untouched();
        }
        let place = Place::new();
        place.drop_file(name, &bytes[..bytes.len() - 1], Unpack::Auto).expect_err(name);
        place.assert_untouched();
    }
}

#[test]
fn a_plain_tar_cut_inside_an_entry_is_refused_and_one_without_its_end_mark_is_a_warning() {
    let bytes = tar(&[Entry::file("a", &[7; 2000]), Entry::file("b", b"1")]);
    for cut in [100, 511, 700, 512 + 2000, bytes.len() - 1024 - 100] {
        let place = Place::new();
        assert!(place.drop_file("x.tar", &bytes[..cut], Unpack::Auto).is_err(), "cut at {cut}");
        place.assert_untouched();
    }
    let place = Place::new();
    let summary = place.drop_file("x.tar", &bytes[..bytes.len() - 1024], Unpack::Auto).unwrap();
    assert_eq!(summary.sources[0].warnings, ["the tar has no end mark; if it was cut off, files are missing"]);
}

#[test]
fn a_flipped_bit_never_changes_content_unseen() {
    let text = text();
    for (name, bytes) in archives() {
        let places = [3, bytes.len() / 4, bytes.len() / 2, bytes.len() * 3 / 4, bytes.len() - 5];
        for at in places {
            let mut broken = bytes.clone();
            broken[at] ^= 0x10;
            let place = Place::new();
            match place.drop_file(name, &broken, Unpack::Auto) {
                Err(_) => place.assert_untouched(),
                // A bit that means nothing (a time, a comment) may flip; content may not.
                Ok(_) => {
                    let content = ["a.txt", "x.txt"].iter().find_map(|f| std::fs::read(place.target().join(f)).ok());
                    assert_eq!(content.as_deref(), Some(text.as_slice()), "{name}: bit at {at} of {}", bytes.len());
                }
            }
        }
    }
}

#[test]
fn a_wrong_checksum_or_length_in_a_gzip_trailer_is_damage() {
    for at in [8, 4] {
        let mut bytes = gz(b"hello");
        let end = bytes.len();
        bytes[end - at] ^= 1;
        let place = Place::new();
        let error = place.drop_file("x.txt.gz", &bytes, Unpack::Auto).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        place.assert_untouched();
    }
}

#[test]
fn a_checksum_behind_the_end_mark_of_a_tar_is_still_checked() {
    let mut bytes = gz(&tar(&[Entry::file("a", b"1")]));
    let end = bytes.len();
    bytes[end - 6] ^= 1;
    let place = Place::new();
    place.drop_file("x.tar.gz", &bytes, Unpack::Auto).unwrap_err();
    place.assert_untouched();
}

#[test]
fn a_zip_entry_that_says_another_size_is_damage() {
    let zeros = vec![0; 1 << 20];
    for size in [0, 5, 1 << 19, 1 << 21] {
        let entry = ZipEntry { size: Some(size), ..ZipEntry::file("x", &zeros) };
        let place = Place::new();
        let error = place.drop_file("x.zip", &zip_raw(&[entry]), Unpack::Auto).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{size}: {error}");
        place.assert_untouched();
    }
}
