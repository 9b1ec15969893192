//! How does a file become a pipeline, and a pipeline a file?
//!
//! JSON is the document alone; a zip holds `pipeline.json` and `work/<task>/…`.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use app::api::pipelines::Created;
use model::{PipelineId, TaskId, document};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    Answer, Core, bad, blocking, folders, internal, pipelines,
    work::{self, Order},
};

const DOCUMENT: &str = "pipeline.json";
const WORK: &str = "work";

/// A JSON text that becomes a pipeline.
pub(super) async fn document(core: &Core, text: &str) -> Answer<Created> {
    let read = document::read(text).map_err(|error| bad(error.to_string()))?;
    pipelines::insert(core, read.pipeline).await
}

impl Core {
    /// A file that arrived: a zip or a JSON document.
    ///
    /// # Errors
    /// What is wrong with it and where; then nothing has changed.
    pub async fn import(&self, file: &Path) -> Answer<Created> {
        let packed = file.to_owned();
        let is_zip = blocking(move || is_zip(&packed)).await?;
        if is_zip {
            return self.import_zip(file).await;
        }
        let text = read_document(file).await?;
        document(self, &text).await
    }

    async fn import_zip(&self, file: &Path) -> Answer<Created> {
        let folder = file.with_extension("import");
        let created = self.import_in(&folder, file).await;
        blocking(move || folders::remove(&folder)).await?;
        created
    }

    async fn import_in(&self, folder: &Path, file: &Path) -> Answer<Created> {
        let unpacked = folder.join("unpacked");
        // The loader's sentences name the file as it lies there.
        let (packed, from) = (folder.join("This file"), file.to_owned());
        let (moved, made) = (packed.clone(), folder.to_owned());
        blocking(move || fs::create_dir(made).and_then(|()| fs::rename(from, moved))).await?;
        unpack(&packed, &unpacked).await?;
        let file = unpacked.join(DOCUMENT);
        if !fs::symlink_metadata(&file).is_ok_and(|file| file.is_file()) {
            return Err(bad(format!("There is no {DOCUMENT} in this zip, so it is no exported pipeline.")));
        }
        let text = read_document(&file).await?;
        let read = document::read(&text).map_err(|error| bad(format!("{DOCUMENT}: {error}")))?;
        let created = pipelines::insert(self, read.pipeline).await?;
        let copied = self.take_work(&packed, &unpacked, &created.id).await;
        if copied.is_err() {
            // Half of it would look like all of it.
            pipelines::delete(self, &created.id).await?;
        }
        copied.map(|()| created)
    }

    async fn take_work(&self, packed: &Path, unpacked: &Path, id: &PipelineId) -> Answer<()> {
        let work = unpacked.join(WORK);
        if !work.is_dir() {
            return Ok(());
        }
        if self.runner.has_work_here() {
            let to = folders::pipeline(&self.results(), id);
            return blocking(move || copy_work(&work, &to)).await;
        }
        let packed = packed.to_owned();
        let packed = blocking(move || File::open(packed)).await?;
        let bytes = packed.metadata().map_err(internal)?.len();
        work::done(self, Order::Unpack { pipeline: id.clone(), bytes }, Some(packed)).await.map(drop)
    }

    /// The document as a file.
    ///
    /// # Errors
    /// There is no such pipeline.
    pub async fn export_json(&self, id: &PipelineId) -> Answer<String> {
        Ok(pipelines::find(self, id).await?.document)
    }

    /// The document and the work folders in one zip, written to a file without a name.
    ///
    /// # Errors
    /// There is no such pipeline; the disk is full.
    pub async fn export_zip(&self, id: &PipelineId) -> Answer<File> {
        let document = self.export_json(id).await?;
        work::done(self, Order::Pack { pipeline: id.clone(), document }, None).await
    }

    /// The bytes of the document's name as part of a file name.
    ///
    /// # Errors
    /// There is no such pipeline.
    pub async fn file_name(&self, id: &PipelineId) -> Answer<String> {
        let name = pipelines::find(self, id).await?.head.name;
        let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        Ok(safe.chars().take(80).collect())
    }
}

fn is_zip(file: &Path) -> io::Result<bool> {
    let mut magic = [0; 4];
    let read = io::Read::read(&mut File::open(file)?, &mut magic)?;
    Ok(read == 4 && &magic == b"PK\x03\x04")
}

/// A text that is no longer than a document can be.
async fn read_document(file: &Path) -> Answer<String> {
    let file = file.to_owned();
    let most = document::MAX_BYTES as u64 + 1;
    let text = blocking(move || {
        let mut text = Vec::new();
        File::open(file)?.take(most).read_to_end(&mut text).map(|_| text)
    });
    String::from_utf8(text.await?).map_err(|_| bad("This file is neither a zip nor a text."))
}

/// By the loader's extractor, which bounds bombs and never leaves the folder.
async fn unpack(file: &Path, into: &Path) -> Answer<()> {
    let url = url::Url::from_file_path(file).map_err(|()| internal("the data folder has no address"))?;
    let source = load::Source { unpack: load::Unpack::As(load::Format::Zip), ..load::Source::new(url) };
    let loader = load::Loader::new(load::Allow::default()).with_files(load::Files::Allowed { except: Vec::new() });
    let request = load::Request::new(vec![source], into.with_file_name("downloads"), into.to_owned());
    loader.load(&request, |_| {}).await.map(drop).map_err(|error| bad(error.to_string()))
}

/// The work folders of an exported zip, into the pipeline's folder.
pub(super) async fn take_work(mut zip: File, scratch: &Path, pipeline: &Path) -> Answer<()> {
    let folder = scratch.join(format!("import-{}", uuid::Uuid::new_v4().simple()));
    let (packed, unpacked, to) = (folder.join("This file"), folder.join("unpacked"), pipeline.to_owned());
    let (made, file) = (folder.clone(), packed.clone());
    blocking(move || fs::create_dir(made).and_then(|()| io::copy(&mut zip, &mut File::create(file)?))).await?;
    unpack(&packed, &unpacked).await?;
    blocking(move || copy_work(&unpacked.join(WORK), &to).and_then(|()| folders::remove(&folder))).await
}

/// Only folders that are named like tasks are taken.
fn copy_work(work: &Path, pipeline: &Path) -> io::Result<()> {
    for entry in folders::entries(work)? {
        let name = entry.file_name();
        let Some(task) = name.to_str().and_then(|name| TaskId::new(name).ok()) else { continue };
        if entry.file_type()?.is_dir() {
            folders::copy(&entry.path(), &pipeline.join(task.as_str()).join(WORK))?;
        }
    }
    Ok(())
}

pub(super) fn pack(document: &str, work: &[(String, PathBuf)], file: File) -> io::Result<File> {
    let mut zip = ZipWriter::new(io::BufWriter::new(file));
    zip.start_file(DOCUMENT, options(0o644))?;
    zip.write_all(document.as_bytes())?;
    for (task, folder) in work {
        pack_folder(&mut zip, folder, &format!("{WORK}/{task}"), 0)?;
    }
    let mut file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    io::Seek::rewind(&mut file)?;
    Ok(file)
}

type Zip = ZipWriter<io::BufWriter<File>>;

/// `depth`: how far below the work folder. A link that leads out of it stays behind: whoever unpacks it, we as well,
/// would not follow it.
fn pack_folder(zip: &mut Zip, folder: &Path, name: &str, depth: usize) -> io::Result<()> {
    zip.add_directory(name, options(0o755))?;
    let mut entries = folders::entries(folder)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file_name = entry.file_name();
        // A name that is no text cannot be written into a zip; nobody's editor makes one.
        let Some(own) = file_name.to_str() else { continue };
        if depth == 0 && folders::NOT_TAKEN_ALONG.contains(&own) {
            continue;
        }
        let (kind, name) = (entry.file_type()?, format!("{name}/{own}"));
        if kind.is_dir() {
            pack_folder(zip, &entry.path(), &name, depth + 1)?;
        } else if kind.is_file() {
            pack_file(zip, &entry, &name)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            if load::unpack::name::check_link(target.as_os_str().as_bytes(), depth).is_ok() {
                zip.add_symlink(name, target.to_string_lossy(), options(0o777))?;
            }
        }
    }
    Ok(())
}

fn pack_file(zip: &mut Zip, entry: &fs::DirEntry, name: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut file = File::open(entry.path())?;
    let found = file.metadata()?;
    zip.start_file(name, options(found.permissions().mode() & 0o777).large_file(found.len() > u64::from(u32::MAX)))?;
    io::copy(&mut file, zip).map(drop)
}

fn options(mode: u32) -> SimpleFileOptions {
    SimpleFileOptions::default().unix_permissions(mode)
}
