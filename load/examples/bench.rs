//! How fast is a load beside curl piped into bsdtar, format by format, on loopback?
//!
//! `bench [--data DIR] [--runs N] [--megabytes N]` prints one JSON object: per format the medians of interleaved runs
//! in seconds and `ratio`, the speed of ours over theirs (1.0 = equal, above = faster). Both sides are processes of
//! their own, get the same bytes from the same server, and start with an empty folder.

use load::{Allow, Loader, Request, Source};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Where each run unpacks, into a folder of its own. They are removed together at the end: for minutes, some file systems
/// find a place for a new file only after a look at every one that was removed nearby.
const OUT: &str = "out";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(Path::new(&arguments[1])),
        Some("load") => load(&arguments[1], Path::new(&arguments[2]), arguments.get(3).is_some()),
        _ => bench(&arguments),
    }
}

fn option(arguments: &[String], name: &str) -> Option<String> {
    arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1).cloned())
}

/// One load, as the subcommand does it.
fn load(url: &str, target: &Path, durable: bool) -> Outcome<()> {
    let mut request = Request::new(vec![Source::new(url)], target.join(".downloads"), target.to_path_buf());
    request.durable = durable;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(Loader::new(Allow::parse(&["127.0.0.1"])?).load(&request, |_| ()))?;
    Ok(())
}

/// Serves the files of a folder; the kernel copies them to the socket.
fn serve(folder: &Path) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, folder) = (stream?, folder.to_path_buf());
        std::thread::spawn(move || answer(stream, &folder));
    }
    Ok(())
}

fn answer(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let asked = lines.next().unwrap_or(Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|l| !l.is_empty())) {}
    let name = asked.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
    let mut file = File::open(folder.join(name))?;
    let length = file.metadata()?.len();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    io::copy(&mut file, &mut stream).map(|_| ())
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bench(arguments: &[String]) -> Outcome<()> {
    let data =
        option(arguments, "--data").map_or_else(|| std::env::temp_dir().join("fletchline-load-bench"), PathBuf::from);
    let runs: usize = option(arguments, "--runs").map_or(Ok(3), |n| n.parse())?;
    let megabytes: usize = option(arguments, "--megabytes").map_or(Ok(128), |n| n.parse())?;
    prepare(&data, megabytes)?;
    let me = std::env::current_exe()?;
    let mut child = Command::new(&me).arg("serve").arg(&data).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut address)?;
    let _server = Server(child);
    let _ = fs::remove_dir_all(data.join(OUT));
    let (mut formats, mut worst) = (Vec::new(), f64::MAX);
    for format in ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip", "7z", "gz", "bz2", "xz", "zst"] {
        let url = format!("http://{}/data.{format}", address.trim());
        let row = compare(&me, &data, &url, format, runs)?;
        worst = worst.min(row["ratio"].as_f64().unwrap_or(0.0));
        eprintln!("{row}");
        formats.push(row);
    }
    fs::remove_dir_all(data.join(OUT))?;
    println!(
        "{}",
        json!({ "what": "load beside curl | bsdtar", "megabytes": megabytes, "runs": runs, "worst_ratio": worst, "formats": formats })
    );
    Ok(())
}

fn compare(me: &Path, data: &Path, url: &str, format: &str, runs: usize) -> Outcome<Value> {
    let theirs = match format {
        "7z" => format!("curl -s {url} -o x.7z && bsdtar -xf x.7z && rm x.7z"),
        "gz" | "bz2" | "xz" | "zst" => format!("curl -s {url} | bsdcat > data"),
        _ => format!("curl -s {url} | bsdtar -xf -"),
    };
    let (mut ours_took, mut theirs_took) = (Vec::new(), Vec::new());
    // The first pair only fills the page cache.
    for run in 0..=runs {
        let folder = |side: &str| data.join(OUT).join(format!("{format}-{run}-{side}"));
        let ours = timed(&folder("ours"), Command::new(me).args(["load", url, "."]))?;
        let them = timed(&folder("theirs"), Command::new("sh").args(["-c", &format!("set -e; {theirs}")]))?;
        if run > 0 {
            ours_took.push(ours);
            theirs_took.push(them);
        }
    }
    let (ours, theirs) = (median(ours_took), median(theirs_took));
    Ok(json!({ "format": format, "ours_s": round(ours), "theirs_s": round(theirs), "ratio": round(theirs / ours) }))
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn timed(folder: &Path, command: &mut Command) -> Outcome<f64> {
    fs::create_dir_all(folder)?;
    command.current_dir(folder);
    // What the one before wrote goes to the disk now, and not while this one is timed.
    Command::new("sync").status()?;
    let start = Instant::now();
    if !command.status()?.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Makes one tar of mixed content (many small texts, a table, random bytes) and packs it in every way, once.
fn prepare(data: &Path, megabytes: usize) -> Outcome<()> {
    let done = data.join(format!("done-{megabytes}"));
    if done.exists() {
        return Ok(());
    }
    let tree = data.join("tree");
    let _ = fs::remove_dir_all(data);
    fs::create_dir_all(&tree)?;
    let mut random = Random(1);
    for number in 0..megabytes * 16 {
        let folder = tree.join(format!("texts/{}", number / 100));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{number}.txt")), random.text(4_000 + number % 8_000))?;
    }
    fs::write(tree.join("table.csv"), random.table(megabytes * 700_000))?;
    fs::write(tree.join("weights.bin"), random.bytes(megabytes * 160_000))?;
    let commands = [
        "bsdtar -cf data.tar -C tree .",
        "gzip -6 -k -c data.tar > data.tar.gz",
        "bzip2 -k -c data.tar > data.tar.bz2",
        "xz -2 -T1 -k -c data.tar > data.tar.xz",
        "zstd -q -9 -T1 -k -c data.tar > data.tar.zst",
        "bsdtar --format zip -cf data.zip -C tree .",
        "bsdtar --format 7zip -cf data.7z -C tree .",
        "cat tree/table.csv tree/weights.bin > data",
        "gzip -6 -k data; bzip2 -k data; xz -2 -T1 -k data; zstd -q -9 -T1 -k data",
    ];
    for command in commands {
        if !Command::new("sh").arg("-c").arg(command).current_dir(data).status()?.success() {
            return Err(format!("{command} failed; install libarchive-tools, bzip2, xz-utils and zstd").into());
        }
    }
    File::create(done)?;
    Ok(())
}

/// Always the same numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn text(&mut self, length: usize) -> Vec<u8> {
        let words = ["the ", "model ", "reads ", "a ", "table ", "of ", "digits ", "and ", "writes ", "result\n"];
        let mut text = Vec::with_capacity(length + 8);
        while text.len() < length {
            text.extend_from_slice(words[self.next() as usize % words.len()].as_bytes());
        }
        text
    }

    fn table(&mut self, length: usize) -> Vec<u8> {
        let mut table = b"id,user,amount,label\n".to_vec();
        while table.len() < length {
            let row = format!(
                "{},user{},{}.{:04},cat\n",
                table.len(),
                self.next() % 90_000,
                self.next() % 1000,
                self.next() % 10_000
            );
            table.extend_from_slice(row.as_bytes());
        }
        table
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}
