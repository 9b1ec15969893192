//! What must this machine have, and how does it get it?

use anyhow::{Result, bail};

use crate::shell::{cargo, command, exists, output, run};

/// A program that Debian gives, with the package that holds it.
type Need = (&'static str, &'static str);

/// What links and compiles; isolation of tasks when the server is not root; Python for the Python kinds.
const TO_RUN: [Need; 4] =
    [("cc", "build-essential"), ("bwrap", "bubblewrap"), ("python3", "python3"), ("pip3", "python3-pip")];
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

/// A program that cargo builds from the registry, named like its package.
pub fn tool(name: &str) -> Result<()> {
    if exists(name) { Ok(()) } else { run(&mut cargo(&["install", "--locked", name])) }
}

/// The compiler that coverage wants. One that is there is good enough: to renew it is not asked for.
pub fn nightly() -> Result<()> {
    if !exists("rustup") {
        bail!("the fuzz targets want a nightly Rust, and rustup is not there to add it: https://rustup.rs");
    }
    let toolchains = output(&mut command("rustup", &["toolchain", "list"]))?;
    if toolchains.lines().any(|line| line.starts_with("nightly-")) {
        return Ok(());
    }
    run(&mut command("rustup", &["toolchain", "install", "nightly", "--profile", "minimal"]))
}

fn target(name: &str) -> Result<()> {
    let installed = output(&mut command("rustc", &["--print", "target-libdir", "--target", name]))?;
    if std::path::Path::new(&installed).is_dir() {
        return Ok(());
    }
    if !exists("rustup") {
        bail!("this machine's Rust cannot build for {name}, and rustup is not there to add it: https://rustup.rs");
    }
    run(&mut command("rustup", &["target", "add", name]))
}

fn packages(needs: &[Need]) -> Result<()> {
    let missing = missing(needs, is_there);
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = output(&mut command("id", &["-u"]))? == "0";
    if !is_root || !exists("apt-get") {
        bail!("{}", lacks(&missing));
    }
    println!("Installing {}", missing.join(", "));
    run(command("apt-get", &["update", "-qq"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&missing);
    run(command("apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null()))
}

fn missing(needs: &[Need], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    needs.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect()
}

fn lacks(packages: &[&str]) -> String {
    format!("this machine lacks {}: sudo apt-get install {}", packages.join(", "), packages.join(" "))
}

fn is_there(program: &str) -> bool {
    exists(program) || std::path::Path::new("/usr/sbin").join(program).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_lacks_is_named_in_one_line_and_node_is_never_among_it() {
        let bare = missing(&TO_RUN, |_| false);
        let line = "this machine lacks build-essential, bubblewrap, python3, python3-pip: sudo apt-get install \
                    build-essential bubblewrap python3 python3-pip";
        assert_eq!(lacks(&bare), line);
        assert_eq!(missing(&TO_RUN, |program| program != "bwrap"), ["bubblewrap"]);
        assert!(missing(&TO_RUN, |program| program != "node" && program != "npm").is_empty());
    }
}
