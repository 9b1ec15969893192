//! Does a bomb end early, in little memory, with nothing left behind?

mod common;

use common::*;
use load::{Files, Loader, Request, Source, Unpack};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

const MEBI: u64 = 1 << 20;
const CHILD: &str = "FLETCHLINE_TEST_BOMB";

/// Not a test of its own: loads one file in a process of its own and prints its peak of memory.
#[test]
fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let place = Place::new();
    let request = Request { durable: false, ..place.request(vec![Source::new(format!("file://{path}"))]) };
    let loader = Loader::default().with_files(Files::Allowed { except: vec![] });
    let outcome = runtime().block_on(loader.load(&request, |_| ()));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    let partial = place.target().join(".partial").exists();
    println!(
        "\nPEAK {peak} {} {partial} {}",
        cpu_ticks(),
        outcome.map_or_else(|e| e.to_string(), |s| format!("OK {}", s.files))
    );
}

/// Processor time of this process in hundredths of a second: a busy machine does not change it.
fn cpu_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Loads a file in a child; answers its peak in bytes and what it said.
fn load_apart(path: &Path) -> (u64, String) {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    let line = text.lines().find_map(|l| l.strip_prefix("PEAK ")).unwrap_or_else(|| panic!("{path:?}: {text}"));
    let mut words = line.splitn(4, ' ');
    let peak: u64 = words.next().unwrap().parse().unwrap();
    let ticks: u64 = words.next().unwrap().parse().unwrap();
    assert!(ticks < 1000, "{}: took {ticks}/100 s of processor time", path.display());
    assert_eq!(words.next(), Some("false"), "something was left");
    (peak * 1024, words.next().unwrap().to_owned())
}

fn assert_bomb(name: &str, bytes: &[u8], says: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let (peak, said) = load_apart(&path);
    println!("{name}: peak {} MiB, {said}", peak / MEBI);
    assert!(peak <= 128 * MEBI, "{name}: peak of {} MiB", peak / MEBI);
    assert!(said.contains(says), "{name} says: {said}");
}

const RATIO: &str = "more than 500 bytes for each packed byte";
const MEMORY: &str = "a dictionary that needs more than 128 MiB of memory";

#[test]
fn ten_gibibytes_of_zeros_are_refused_in_every_compression() {
    let zeros = vec![0u8; 1 << 20];
    // Members, streams and frames may follow each other: ten thousand of them are one file.
    let mut best = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    best.write_all(&zeros).unwrap();
    let gz = best.finish().unwrap();
    assert_bomb("z.gz", &gz.repeat(10_240), RATIO);
    assert_bomb("z.tar.gz", &gz.repeat(10_240), RATIO);
    assert_bomb("z.bz2", &bz2(&zeros).repeat(10_240), RATIO);
    assert_bomb("z.xz", &xz(&zeros).repeat(10_240), RATIO);
    assert_bomb("z.zst", &zst(&zeros).repeat(10_240), RATIO);
}

/// A Zstandard frame of zeros with a window of `1 << log` bytes: `blocks` blocks of 128 KiB, 4 bytes each.
fn zst_of_window(log: u8, blocks: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3];
    for number in 1..=blocks {
        let header: u32 = (128 << 10) << 3 | 1 << 1 | u32::from(number == blocks);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

#[test]
fn windows_and_dictionaries_that_need_gigabytes_are_refused() {
    assert_bomb("w.zst", &zst_of_window(31, 10), MEMORY);
    assert_bomb("w.zst", &zst_of_window(27, 80_000), RATIO);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4].repeat(100_000);
    assert_bomb("s.zst", &skippable, "OK 1");
    let mut bytes = xz(&vec![7; 1 << 20]);
    let header = usize::from(bytes[12]) * 4 + 4;
    let filter = (12..12 + header).find(|at| bytes[*at] == 0x21 && bytes[at + 1] == 1).unwrap();
    bytes[filter + 2] = 40;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..12 + header - 4]);
    bytes[12 + header - 4..12 + header].copy_from_slice(&crc.sum().to_le_bytes());
    assert_bomb("d.xz", &bytes, MEMORY);
}

/// Sets the checksums of a 7z right again after its directory was changed.
fn seal(bytes: &mut [u8]) {
    let sum = |part: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(part);
        crc.sum().to_le_bytes()
    };
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let (offset, size) = (number(12), number(20));
    let directory = sum(&bytes[32 + offset..32 + offset + size]);
    bytes[28..32].copy_from_slice(&directory);
    let start = sum(&bytes[12..32]);
    bytes[8..12].copy_from_slice(&start);
}

#[test]
fn a_7z_with_a_dictionary_of_gigabytes_is_refused() {
    let mut bytes = seven(&[("a", &[1; 5000])]);
    let start = 32 + u64::from_le_bytes(bytes[12..20].try_into().unwrap()) as usize;
    // LZMA names its dictionary in four bytes behind its settings, LZMA2 in one.
    let find = |id: &[u8]| bytes[start..].windows(id.len()).position(|w| w == id).map(|at| start + at + id.len());
    match (find(&[0x23, 3, 1, 1, 5, 0x5d]), find(&[0x21, 0x21, 1])) {
        (Some(at), _) => bytes[at..at + 4].fill(0xff),
        (None, Some(at)) => bytes[at] = 40,
        (None, None) => panic!("no coder in {:02x?}", &bytes[start..]),
    }
    seal(&mut bytes);
    assert_bomb("d.7z", &bytes, MEMORY);
}

/// A 7z number.
fn seven_number(value: u64) -> Vec<u8> {
    [vec![0xff], value.to_le_bytes().to_vec()].concat()
}

/// One that has a directory and nothing else.
fn seven_of(directory: &[u8]) -> Vec<u8> {
    let mut bytes = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    bytes.resize(32, 0);
    bytes[20..28].copy_from_slice(&(directory.len() as u64).to_le_bytes());
    bytes.extend(directory);
    seal(&mut bytes);
    bytes
}

#[test]
fn a_7z_with_millions_of_empty_files_is_refused() {
    for count in [1_000_000usize, 4_000_000] {
        let mut names = vec![0u8];
        names.extend((0..count).flat_map(|_| [b'a', 0, 0, 0]));
        let bits = vec![0xff; count.div_ceil(8)];
        let mut directory = vec![1, 5];
        directory.extend(seven_number(count as u64));
        directory.push(0x0e);
        directory.extend(seven_number(bits.len() as u64));
        directory.extend(&bits);
        directory.push(0x11);
        directory.extend(seven_number(names.len() as u64));
        directory.extend(&names);
        directory.extend([0, 0]);
        assert_bomb("many.7z", &seven_of(&directory), "raise the limit");
    }
}

#[test]
fn a_7z_whose_packed_directory_is_empty_is_refused() {
    for directory in [&[0x17, 0][..], &[0x17, 0, 0, 0]] {
        let place = Place::new();
        place.drop_file("x.7z", &seven_of(directory), Unpack::Auto).expect_err("there is nothing in it");
        place.assert_untouched();
    }
}

#[test]
fn entries_of_a_zip_that_overlap_are_refused() {
    let zeros = vec![0u8; 1 << 20];
    let one = zip(&[("x", &zeros)]);
    let end = one.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    let directory = &one[end..one.len() - 22];
    let mut bytes = one[..end].to_vec();
    end_of_zip(&mut bytes, &directory.repeat(10_000), 10_000);
    assert_bomb("fifield.zip", &bytes, "overlap");
}

#[test]
fn a_zip_in_a_zip_stays_closed() {
    let inner = zip(&[("x", &vec![0; 1 << 20])]);
    let place = Place::new();
    place.drop_file("x.zip", &zip(&[("inner.zip", &inner)]), load::Unpack::Auto).unwrap();
    assert_eq!(place.listing(), ["inner.zip"]);
}

#[test]
fn millions_of_empty_entries_are_refused() {
    let headers = Entry::file("empty", b"").bytes().repeat(2048);
    assert_bomb("inodes.tar.gz", &gz(&headers).repeat(5000), "entries in less than 12 packed bytes each");
    let names = Entry::kind("d/", b'5', "").bytes().repeat(2048);
    assert_bomb("inodes.tar.zst", &zst(&names).repeat(5000), "entries in less than 12 packed bytes each");
}

#[test]
fn the_limit_of_entries_holds() {
    let place = Place::new();
    let many: Vec<String> = (0..50).map(|n| format!("f{n}")).collect();
    let bytes = tar(&many.iter().map(|n| Entry::file(n, b"")).collect::<Vec<_>>());
    let mut request = place.request(vec![Source::new("dropped:x.tar")]);
    request.limits.entries = 49;
    let error = place.run(&request, "dropped:x.tar", &bytes).unwrap_err();
    assert!(error.to_string().contains("more than 49 entries"), "{error}");
    place.assert_untouched();
}

#[test]
fn huge_claims_of_a_tar_are_refused_before_anything_is_written() {
    let sparse = |real: u64| {
        let mut block = Entry::kind("sparse", b'S', "").bytes();
        block[257..265].copy_from_slice(b"ustar  \0");
        block[386..398].copy_from_slice(b"00000000000\0");
        block[398..410].copy_from_slice(b"00000000000\0");
        block[483] = 0x80;
        block[484..495].fill(0);
        block[487..495].copy_from_slice(&real.to_be_bytes());
        set_checksum(&mut block);
        [block, vec![0; 1024]].concat()
    };
    assert_bomb("sparse.tar", &sparse(8 << 60), "when unpacked");
    assert_bomb("sparse.tar", &sparse(500 << 30), "more than 500 bytes");
    assert_bomb("small.tar", &sparse(1 << 20), "OK 1");
    let name = Entry { size: Some(10 << 30), kind: b'L', ..Entry::file("n", b"x") };
    assert_bomb("name.tar", &tar(&[name]), "larger than 1 MiB");
    let big = Entry { size: Some(8 << 60), ..Entry::file("n", b"x") };
    assert_bomb("big.tar", &tar(&[big]), "when unpacked");
}

#[test]
fn a_hundred_thousand_small_files_need_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.tar.gz");
    let file = fs::File::create(&path).unwrap();
    let mut out = flate2::write::GzEncoder::new(std::io::BufWriter::new(file), flate2::Compression::fast());
    for number in 0..100_000u32 {
        let name = format!("d{}/{number}.txt", number / 1000);
        out.write_all(&Entry::file(&name, &number.wrapping_mul(2_654_435_761).to_le_bytes()).bytes()).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap();
    let (peak, said) = load_apart(&path);
    println!("100,000 files: peak {} MiB, {said}", peak / MEBI);
    assert!(peak <= 64 * MEBI, "peak of {} MiB", peak / MEBI);
    assert_eq!(said, "OK 100000");
}
