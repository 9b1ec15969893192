//! Does the import take any bytes without a panic, and never for long?

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// No input may hold the server up for longer.
const LONGEST: Duration = Duration::from_secs(5);

/// The examples, and small documents with what they lack.
fn corpus() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (examples, seeds) = (root.join("examples"), root.join("fuzz/seeds/import"));
    let read = |entry: fs::DirEntry| fs::read(entry.path().join("pipeline.json")).ok();
    let mut corpus: Vec<Vec<u8>> = fs::read_dir(examples).unwrap().flatten().filter_map(read).collect();
    assert!(!corpus.is_empty());
    corpus.extend(fs::read_dir(seeds).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()));
    corpus
}

/// What breaks readers of JSON, paths, templates and quantities.
const PIECES: [&str; 24] = [
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "18446744073709551616",
    "\"\"",
    "[]",
    "{}",
    "\"..\"",
    "\"/\"",
    "\"/proc\"",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "{{",
    "}}",
    "{{n}}",
    "\"RW\"",
    "\"serving\"",
    "\"volume\"",
    "\"1 EiB\"",
    "[[[[[[[[",
    ",",
];

fn mutate(random: &mut StdRng, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.random_range(0..=bytes.len());
    match random.random_range(0..6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes.truncate(at),
        2 => drop(bytes.splice(at..at, PIECES[random.random_range(0..PIECES.len())].bytes())),
        3 => {
            let to = (at + random.random_range(1..200)).min(bytes.len());
            let piece = bytes[at..to].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => {
            let other = &corpus[random.random_range(0..corpus.len())];
            let from = random.random_range(0..other.len());
            bytes.splice(at..at, other[from..(from + 80).min(other.len())].iter().copied());
        }
        _ => replace_value(random, bytes, at),
    }
}

/// Puts a hostile value where one stands, so that most results are still JSON.
fn replace_value(random: &mut StdRng, bytes: &mut Vec<u8>, from: usize) {
    let Some(start) = bytes[from..].iter().position(|byte| *byte == b':').map(|place| from + place + 1) else { return };
    let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'\n');
    let end = bytes[start..].iter().position(is_end).map_or(bytes.len(), |place| start + place);
    bytes.splice(start..end, PIECES[random.random_range(0..PIECES.len())].bytes());
}

fn import(bytes: &[u8]) {
    let started = Instant::now();
    model::fuzz::import(bytes);
    assert!(started.elapsed() < LONGEST, "{:?} for {}", started.elapsed(), String::from_utf8_lossy(bytes));
}

#[test]
fn mutated_documents_are_refused_or_come_back_as_they_were() {
    let seconds = std::env::var("FLETCHLINE_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(3);
    let (corpus, mut random) = (corpus(), StdRng::seed_from_u64(0x9e37_79b9));
    corpus.iter().for_each(|bytes| import(bytes));
    let (until, mut rounds) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < until {
        let mut bytes = corpus[random.random_range(0..corpus.len())].clone();
        for _ in 0..random.random_range(1..6) {
            mutate(&mut random, &mut bytes, &corpus);
        }
        import(&bytes);
        rounds += 1;
    }
    println!("{rounds} mutated documents in {seconds} s");
}
