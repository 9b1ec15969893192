//! How does the image that a cluster runs come to be?
//!
//! `deploy/Dockerfile` copies what lies in `target/images/fletchline/`; the archive beside that folder can be loaded into a
//! cluster or pushed. It is packed again only when something in the folder has changed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    bundle::{self, Profile},
    root, setup, shell,
};

pub const NAME: &str = concat!("localhost/fletchline:", env!("CARGO_PKG_VERSION"));
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Says where the archive lies and how it is pushed.
pub fn images(dev: bool) -> Result<()> {
    let archive = build(dev)?;
    let pushed = concat!("docker://registry.example.org/fletchline:", env!("CARGO_PKG_VERSION"));
    println!("{NAME} is in {}. To push it:", archive.display());
    println!("  buildah push $(buildah pull docker-archive:{}) {pushed}", archive.display());
    Ok(())
}

/// The archive. `dev`: without optimisation, with the pages that were built last.
pub fn build(dev: bool) -> Result<PathBuf> {
    setup::to_build_images()?;
    let programs = compile(dev)?;
    let images = bundle::target().join("images");
    let context = images.join("fletchline");
    fill(&context, &programs)?;
    let archive = fs::canonicalize(&images)?.join("fletchline.tar");
    let (packed, hash) = (images.join("fletchline.hash"), bundle::hash(&context)?);
    if archive.exists() && fs::read_to_string(&packed).is_ok_and(|packed| packed == hash) {
        return Ok(archive);
    }
    pack(&context, &archive)?;
    fs::write(packed, hash)?;
    Ok(archive)
}

/// The folder with the static programs.
fn compile(dev: bool) -> Result<PathBuf> {
    let (profile, folder) = if dev { ("dev", "debug") } else { ("release", "release") };
    if !dev {
        bundle::bundle(Profile::Small)?;
    }
    let packages =
        ["build", "--package", "server", "--package", "task", "--target", setup::STATIC, "--features", "server/embed"];
    shell::run(shell::cargo(&packages).args(["--profile", profile]))?;
    Ok(root().join(bundle::target()).join(setup::STATIC).join(folder))
}

fn fill(context: &Path, programs: &Path) -> Result<()> {
    fs::create_dir_all(context)?;
    for program in ["fletchline", "fletchline-task"] {
        copy(&programs.join(program), context)?;
    }
    copy(Path::new(AUTHORITIES), context)?;
    copy(&root().join("deploy/Dockerfile"), context)
}

fn copy(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

fn pack(context: &Path, archive: &Path) -> Result<()> {
    let context = context.to_string_lossy();
    shell::run(&mut shell::command("buildah", &["build", "--quiet", "--tag", NAME, &context]))?;
    if archive.exists() {
        fs::remove_file(archive)?;
    }
    let place = format!("docker-archive:{}:{NAME}", archive.display());
    shell::run(&mut shell::command("buildah", &["push", "--quiet", NAME, &place]))
}
