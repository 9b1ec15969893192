//! How does the browser's bundle come to be?
//!
//! `dist/index.html` names one folder `assets-<hash>/` with the script, the wasm and the style, so that a browser may
//! keep it for ever; `dist/fonts/` lies beside it. In the small profile each text file has a `.br` twin.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::{root, setup, shell};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Small,
}

const START: &str =
    "import init from './app.js';\ninit({ module_or_path: new URL('app_bg.wasm', import.meta.url) });\n";

pub fn bundle(profile: Profile) -> Result<()> {
    setup::to_run()?;
    let wasm = compile(profile)?;
    let dist = root().join("dist");
    let assets = scratch()?;
    bind(&wasm, &assets, profile)?;
    fs::write(assets.join("start.js"), START)?;
    fs::write(assets.join("style.css"), style()?)?;
    let name = format!("assets-{}", hash(&assets)?);
    let finished = dist.join(&name);
    // What is there already is left alone: a release server is compiled again when anything in `dist/` is written.
    if finished.exists() {
        fs::remove_dir_all(&assets)?;
    } else {
        if profile == Profile::Small {
            compress(&assets)?;
        }
        fs::create_dir_all(&dist)?;
        fs::rename(&assets, &finished)?;
    }
    remove_older(&dist, &name)?;
    fonts(&dist)?;
    write_index(&dist, &name)?;
    println!("dist/{name}: {}", sizes(&finished)?);
    Ok(())
}

pub fn is_there() -> bool {
    root().join("dist/index.html").exists()
}

/// The `.wasm` that cargo made. Never `--workspace`: unifying `csr` with `ssr` breaks both.
fn compile(profile: Profile) -> Result<PathBuf> {
    let (name, folder) = match profile {
        Profile::Dev => ("dev", "debug"),
        Profile::Small => ("wasm", "wasm"),
    };
    const TARGET: &str = "wasm32-unknown-unknown";
    shell::run(&mut shell::cargo(&["build", "--package", "frontend", "--target", TARGET, "--profile", name]))?;
    Ok(target().join(TARGET).join(folder).join("frontend.wasm"))
}

pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Beside `dist/`, so that a rename is enough.
fn scratch() -> Result<PathBuf> {
    let assets = root().join("dist.partial");
    if assets.exists() {
        fs::remove_dir_all(&assets)?;
    }
    fs::create_dir_all(&assets)?;
    Ok(assets)
}

fn bind(wasm: &Path, assets: &Path, profile: Profile) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("app").typescript(false).web(true)?;
    bindgen.debug(profile == Profile::Dev).remove_name_section(profile == Profile::Small);
    bindgen.generate(assets).context("wasm-bindgen could not read what cargo built")
}

/// All of `style/`: tokens, then what all pages are made of, then what each adds to it.
fn style() -> Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("style"))?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "css"));
    files.sort_by_key(|file| (!file.ends_with("tokens.css"), !file.ends_with("kit.css"), file.clone()));
    files.iter().map(|file| fs::read_to_string(file).with_context(|| file.display().to_string())).collect()
}

/// Of what the files in a folder hold.
pub fn hash(folder: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut hasher = Sha256::new();
    for file in files.iter().filter(|file| file.is_file()) {
        hasher.update(fs::read(file)?);
    }
    Ok(hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn remove_older(dist: &Path, keep: &str) -> Result<()> {
    for entry in fs::read_dir(dist)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("assets") && name.to_string_lossy() != keep {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn fonts(dist: &Path) -> Result<()> {
    let from = root().join("frontend/fonts");
    if !from.exists() {
        return Ok(());
    }
    let to = dist.join("fonts");
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        write_new(&to.join(entry.file_name()), &fs::read(entry.path())?)?;
    }
    Ok(())
}

fn write_index(dist: &Path, assets: &str) -> Result<()> {
    let template = fs::read_to_string(root().join("frontend/index.html"))?;
    let page = template
        .replace("{{style}}", &format!("/{assets}/style.css"))
        .replace("{{script}}", &format!("/{assets}/start.js"));
    write_new(&dist.join("index.html"), page.as_bytes())
}

/// Only when it is not what is there.
fn write_new(file: &Path, bytes: &[u8]) -> Result<()> {
    if !fs::read(file).is_ok_and(|there| there == bytes) {
        fs::write(file, bytes)?;
    }
    Ok(())
}

fn compress(assets: &Path) -> Result<()> {
    for entry in fs::read_dir(assets)? {
        let path = entry?.path();
        if path.is_file() {
            let mut out = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 24);
            out.write_all(&fs::read(&path)?)?;
            let mut name = path.into_os_string();
            name.push(".br");
            fs::write(name, out.into_inner())?;
        }
    }
    Ok(())
}

fn sizes(assets: &Path) -> Result<String> {
    let (mut plain, mut packed) = (0, 0);
    for entry in fs::read_dir(assets)? {
        let entry = entry?;
        let length = entry.metadata()?.len();
        let is_packed = entry.path().extension().is_some_and(|extension| extension == "br");
        *(if is_packed { &mut packed } else { &mut plain }) += length;
    }
    let brotli = if packed == 0 { String::new() } else { format!(", {} kB brotli", packed / 1000) };
    Ok(format!("{} kB{brotli}", plain / 1000))
}
