//! How do the images that a cluster runs come to be?
//!
//! Two of them, each from a Dockerfile in `deploy/`: Fletchline's own, and the one with the Python programs, for tasks
//! that name none. Each is an archive that can be loaded into a cluster or pushed, and is packed again only when something
//! that goes into it has changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    bundle::{self, Profile},
    root, setup, shell,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Its Python is the one that the pinned lists were made for.
const SUITE: &str = "bookworm";

pub struct Image {
    pub name: String,
    pub archive: PathBuf,
}

fn name(image: &str) -> String {
    format!("localhost/{image}:{VERSION}")
}

/// Says where the archives lie and how they are pushed.
pub fn images(dev: bool) -> Result<()> {
    for Image { name, archive } in build(dev)? {
        let archive = archive.display();
        let pushed = name.replace("localhost/", "docker://registry.example.org/");
        println!("{name} is in {archive}. To push it:");
        println!("  buildah push $(buildah pull docker-archive:{archive}) {pushed}");
    }
    Ok(())
}

/// `dev`: our own without optimisation, with the pages that were built last.
pub fn build(dev: bool) -> Result<[Image; 2]> {
    setup::to_build_images()?;
    Ok([ours(dev)?, python()?])
}

/// Nodes have images of their own, and each kind of cluster its own way to them.
const LOAD_IMAGE: &str = "FLETCHLINE_LOAD_IMAGE";

/// Builds them and brings them to the nodes, or says what has to be done.
pub fn load(dev: bool) -> Result<[Image; 2]> {
    let images = build(dev)?;
    for Image { name, archive } in &images {
        let archive = archive.to_string_lossy();
        match std::env::var(LOAD_IMAGE) {
            Ok(load) => shell::run(&mut shell::command("sh", &["-c", &format!("{load} \"$0\""), &archive]))?,
            Err(_) => println!(
                "The nodes must have {name} from {archive}: load it, or set {LOAD_IMAGE} to the command that does, such \
                 as \"kind load image-archive\"."
            ),
        }
    }
    Ok(images)
}

fn ours(dev: bool) -> Result<Image> {
    let programs = compile(dev)?;
    let images = bundle::target().join("images");
    let context = images.join("fletchline");
    fs::create_dir_all(&context)?;
    for program in ["fletchline", "fletchline-task"] {
        copy(&programs.join(program), &context)?;
    }
    copy(Path::new(AUTHORITIES), &context)?;
    copy(&root().join("deploy/Dockerfile"), &context)?;
    let (name, archive) = (name("fletchline"), fs::canonicalize(&images)?.join("fletchline.tar"));
    let (packed, hash) = (images.join("fletchline.hash"), bundle::hash(&context)?);
    if !archive.exists() || !fs::read_to_string(&packed).is_ok_and(|packed| packed == hash) {
        let context = context.to_string_lossy();
        pack(&mut shell::command("buildah", &["build", "--quiet", "--tag", &name, &context]), &name, &archive)?;
        fs::write(packed, hash)?;
    }
    Ok(Image { name, archive })
}

/// The folder with the static programs.
fn compile(dev: bool) -> Result<PathBuf> {
    let (profile, folder) = if dev { ("dev", "debug") } else { ("release", "release") };
    match dev {
        false => bundle::bundle(Profile::Small)?,
        true if bundle::is_there() => {}
        true => bundle::bundle(Profile::Dev)?,
    }
    let packages =
        ["build", "--package", "server", "--package", "task", "--target", setup::STATIC, "--features", "server/embed"];
    shell::run(shell::cargo(&packages).args(["--profile", profile]))?;
    Ok(root().join(bundle::target()).join(setup::STATIC).join(folder))
}

/// In the user's cache folder, by what goes into it: it takes minutes, and changes seldom.
fn python() -> Result<Image> {
    let context = bundle::target().join("images/python");
    fs::create_dir_all(&context)?;
    let debian = root().join("deploy/python/debian.txt");
    for file in ["current.txt", "bento-1.1.txt"] {
        copy(&root().join("server/src/python").join(file), &context)?;
    }
    copy(&root().join("deploy/python/Dockerfile"), &context)?;
    copy(&debian, &context)?;
    let base = context.join("debian.tar");
    if base.exists() {
        // What an interrupted build has left.
        fs::remove_file(&base)?;
    }
    let cache = cache()?;
    let (name, archive) = (name("fletchline-python"), cache.join(format!("python-{}.tar", bundle::hash(&context)?)));
    if !archive.exists() {
        let _ = fs::remove_dir_all(&cache);
        fs::create_dir_all(&cache)?;
        debootstrap(&fs::read_to_string(debian)?, &base)?;
        pack(&mut with_python(&name, &context), &name, &archive)?;
        fs::remove_file(base)?;
        shell::run(&mut shell::command("buildah", &["rmi", &name]))?;
    }
    Ok(Image { name, archive })
}

/// The least of Debian with these packages.
fn debootstrap(packages: &str, to: &Path) -> Result<()> {
    let include = format!("--include={}", packages.split_whitespace().collect::<Vec<_>>().join(","));
    let to = to.to_string_lossy();
    let mut command = shell::command("mmdebstrap", &["--quiet", "--variant=minbase", &include]);
    for unread in ["man", "doc", "locale"] {
        command.arg(format!("--dpkgopt=path-exclude=/usr/share/{unread}/*"));
    }
    shell::run(command.args([SUITE, &to]))
}

fn with_python(name: &str, context: &Path) -> Command {
    // Authorities of this machine count while packages are fetched, and are not in the image.
    let authorities = format!("{AUTHORITIES}:{AUTHORITIES}:ro");
    let mut build = shell::command("buildah", &["build", "--quiet", "--isolation", "chroot", "--tag", name]);
    build.args(["--volume", &authorities]);
    let index = |name: &str| std::env::var(name).ok();
    let pip = index("PIP_INDEX_URL");
    // uv knows nothing of pip's settings, and who has a mirror has usually told pip.
    let uv = index("UV_DEFAULT_INDEX").or_else(|| pip.clone());
    for (name, value) in [("PIP_INDEX_URL", pip), ("UV_DEFAULT_INDEX", uv)] {
        build.args(value.map(|value| format!("--build-arg={name}={value}")));
    }
    build.arg(context);
    build
}

fn cache() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    Ok(cache.context("there is neither XDG_CACHE_HOME nor HOME")?.join("fletchline/images"))
}

fn copy(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

/// Whole, or not there.
fn pack(build: &mut Command, name: &str, archive: &Path) -> Result<()> {
    shell::run(build)?;
    let partial = archive.with_extension("partial");
    if partial.exists() {
        fs::remove_file(&partial)?;
    }
    let place = format!("docker-archive:{}:{name}", partial.display());
    shell::run(&mut shell::command("buildah", &["push", "--quiet", name, &place]))?;
    Ok(fs::rename(partial, archive)?)
}
