//! Does the extractor stay inside its folder whatever bytes it gets?

mod common;

use common::*;
use load::unpack::name::{Name, Parsed, Separators, check_link};
use proptest::prelude::*;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Small archives with everything in them, the format's number first; and those that the fuzz target begins with.
fn corpus() -> Vec<Vec<u8>> {
    let files: [(&str, &[u8]); 3] = [("a", b"alpha"), ("d/b", b"beta"), ("e/", b"")];
    let tar = tar(&[
        Entry::file("a", b"alpha"),
        Entry::kind("d/", b'5', ""),
        Entry::kind("d/l", b'2', "../a"),
        Entry::kind("h", b'1', "a"),
        Entry { kind: b'x', ..Entry::file("p", b"10 path=b\n") },
        Entry::file("x", b"beta"),
    ]);
    let zip = zip_raw(&[ZipEntry::file("a", b"alpha"), ZipEntry::link("l", "a"), ZipEntry::file("d/b", b"beta")]);
    let all = [zip, seven(&files), tar.clone(), gz(&tar), bz2(&tar), xz(&tar), zst(&tar), gz(b"x"), zst(b"x")];
    let mut corpus: Vec<_> =
        all.into_iter().enumerate().map(|(number, bytes)| [vec![number as u8], bytes].concat()).collect();
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/extract");
    corpus.extend(std::fs::read_dir(seeds).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()));
    corpus
}

/// A small generator of its own: the same seed gives the same bytes.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(6) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = [0, 0xff, b'/', b'.', 0x7f][self.below(5)],
            2 => bytes.truncate(at.max(1)),
            3 => {
                let to = (at + 1 + self.below(64)).min(bytes.len());
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len());
                bytes.splice(at..at, other[from..(from + 40).min(other.len())].iter().copied());
            }
            _ => {
                let block = at / 512 * 512 + 1;
                if bytes.len() >= block + 512 {
                    // A tar header whose checksum is right again, so that the change is seen.
                    set_checksum(&mut bytes[block..block + 512]);
                }
            }
        }
    }
}

#[test]
fn mutated_archives_never_leave_their_folder() {
    let seconds = std::env::var("FLETCHLINE_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let (corpus, mut random) = (corpus(), Random(0x9e37_79b9_7f4a_7c15));
    for bytes in &corpus {
        load::fuzz::extractor(bytes);
    }
    let (until, mut rounds) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < until {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(6) {
            random.mutate(&mut bytes, &corpus);
        }
        load::fuzz::extractor(&bytes);
        rounds += 1;
    }
    println!("{rounds} mutated archives in {seconds} s");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_name_is_beneath_the_target_or_refused(raw in "[a-c./\\\\\\x00:]{0,24}", both in any::<bool>()) {
        let separators = if both { Separators::SlashAndBackslash } else { Separators::Slash };
        if let Ok(Parsed::Beneath(name)) = Name::parse(raw.as_bytes(), separators, 5) {
            prop_assert!((1..=5).contains(&name.parts().len()));
            for part in name.parts() {
                prop_assert!(!part.is_empty() && part != b"." && part != b".." && !part.contains(&b'/') && !part.contains(&0));
            }
            let again = name.parts().join(&b'/');
            prop_assert_eq!(Name::parse(&again, separators, 5), Ok(Parsed::Beneath(name)));
        }
    }

    #[test]
    fn a_link_that_is_allowed_never_climbs_over_the_root(target in "[ab./]{0,16}", depth in 0usize..4) {
        if check_link(target.as_bytes(), depth).is_ok() {
            let mut level = depth as i64;
            for part in target.split('/').filter(|p| !p.is_empty() && *p != ".") {
                level += if part == ".." { -1 } else { 1 };
                prop_assert!(level >= 0);
            }
        }
    }
}
