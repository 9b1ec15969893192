//! Is the folder of the pages there when the server is compiled?
//!
//! A debug build writes down where it is, and answers nothing for ever when it was not there yet; a release build
//! carries what lies in it, and must be built again when that changes.

use std::{env, fs, path::Path};

fn main() -> std::io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    fs::create_dir_all(&dist)?;
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed={}", dist.display());
    }
    Ok(())
}
