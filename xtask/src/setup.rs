//! What must this machine have, and how does it get it?

use anyhow::{Result, bail};

use crate::shell::{command, exists, output, run};

/// A program that Debian gives, with the package that holds it.
type Need = (&'static str, &'static str);

/// Isolation of tasks when the server is not root; certificates and Python for the Python kinds.
const TO_RUN: [Need; 3] = [("bwrap", "bubblewrap"), ("python3", "python3"), ("pip3", "python3-pip")];
/// What the tests drive the product with.
const TO_TEST: [Need; 6] = [
    ("chromium", "chromium"),
    ("bsdtar", "libarchive-tools"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("ssh", "openssh-client"),
    ("sshd", "openssh-server"),
];
/// Static programs, the images that hold them and the Python programs, and the authorities that are trusted.
const TO_BUILD_IMAGES: [Need; 4] = [
    ("musl-gcc", "musl-tools"),
    ("buildah", "buildah"),
    ("mmdebstrap", "mmdebstrap"),
    ("update-ca-certificates", "ca-certificates"),
];

const WASM: &str = "wasm32-unknown-unknown";
#[cfg(target_arch = "x86_64")]
pub const STATIC: &str = "x86_64-unknown-linux-musl";
#[cfg(target_arch = "aarch64")]
pub const STATIC: &str = "aarch64-unknown-linux-musl";

pub fn to_run() -> Result<()> {
    target(WASM)?;
    target(STATIC)?;
    packages(&TO_RUN)
}

pub fn to_test() -> Result<()> {
    target(WASM)?;
    packages(&TO_RUN)?;
    packages(&TO_TEST)
}

pub fn to_build_images() -> Result<()> {
    target(STATIC)?;
    packages(&TO_BUILD_IMAGES)
}

fn target(name: &str) -> Result<()> {
    let installed = output(&mut command("rustc", &["--print", "target-libdir", "--target", name]))?;
    if std::path::Path::new(&installed).is_dir() {
        return Ok(());
    }
    run(&mut command("rustup", &["target", "add", name]))
}

fn packages(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> =
        needs.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = output(&mut command("id", &["-u"]))? == "0";
    if !is_root || !exists("apt-get") {
        bail!("this machine lacks {}: sudo apt-get install {}", missing.join(", "), missing.join(" "));
    }
    println!("Installing {}", missing.join(", "));
    run(command("apt-get", &["update", "-qq"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&missing);
    run(command("apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null()))
}

fn is_there(program: &str) -> bool {
    exists(program) || std::path::Path::new("/usr/sbin").join(program).is_file()
}
