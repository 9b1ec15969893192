//! What lies in the work folders of a pipeline, and what stands in those files?
//!
//! Tasks wrote it: links are neither listed nor followed.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use app::api::work::{WorkFile, WorkFolder};
use model::{PipelineId, TaskId, document, kind};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde::{Deserialize, Serialize};

use super::{Answer, Core, bad, blocking, folders, import, internal, missing, pipelines, unavailable};
use crate::runner::RunnerError;

/// What is to be done with the work folders of a pipeline. Where they lie on a cluster, a pod beside them gets it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Answers with all [`WorkFolder`]s, without titles.
    List { pipeline: PipelineId },
    /// Answers with the [`kind::File`]s; `most` bytes each.
    Texts { pipeline: PipelineId, task: TaskId, names: Vec<String>, most: u64 },
    /// Of one pipeline to another.
    Copy { from: PipelineId, to: PipelineId },
    /// Answers with a zip of the document and the folders.
    Pack { pipeline: PipelineId, document: String },
    /// Takes the folders out of such a zip, which comes with the order.
    Unpack { pipeline: PipelineId, bytes: u64 },
}

impl Order {
    /// How much comes with it.
    pub fn bytes(&self) -> u64 {
        match self {
            Order::Unpack { bytes, .. } => *bytes,
            Order::List { .. } | Order::Texts { .. } | Order::Copy { .. } | Order::Pack { .. } => 0,
        }
    }
}

/// `input`: what comes with the order. The answer is a file without a name in `scratch`, which has room for a zip.
///
/// # Errors
/// One sentence.
pub async fn carry_out(results: PathBuf, scratch: PathBuf, order: Order, input: File) -> Answer<File> {
    let here = scratch.clone();
    let answer = move |bytes: Vec<u8>| {
        let mut file = unnamed(&here)?;
        file.write_all(&bytes).and_then(|()| file.rewind()).map(|()| file)
    };
    match order {
        Order::List { pipeline } => blocking(move || answer(serde_json::to_vec(&found(&results, &pipeline)?)?)).await,
        Order::Texts { pipeline, task, names, most } => {
            let texts = blocking(move || Ok(read(&results, &pipeline, &task, names, most))).await??;
            blocking(move || answer(serde_json::to_vec(&texts)?)).await
        }
        Order::Copy { from, to } => {
            blocking(move || pipelines::copy_work(&results, &from, &to).and_then(|()| answer(Vec::new()))).await
        }
        Order::Pack { pipeline, document } => {
            blocking(move || import::pack(&document, &folders::work(&results, &pipeline)?, unnamed(&scratch)?)).await
        }
        Order::Unpack { pipeline, .. } => {
            import::take_work(input, &scratch, &folders::pipeline(&results, &pipeline)).await?;
            blocking(move || answer(Vec::new())).await
        }
    }
}

/// A file in a folder that is gone when it is closed.
pub fn unnamed(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".fletchline-{}", uuid::Uuid::new_v4().simple()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Where they lie: here, or beside a cluster's claim.
pub(super) async fn done(core: &Core, order: Order, input: Option<File>) -> Answer<File> {
    let folder = core.data.root().to_owned();
    if core.runner.has_work_here() {
        let here = folder.clone();
        let nothing = blocking(move || unnamed(&here)).await?;
        return carry_out(core.results(), folder, order, input.unwrap_or(nothing)).await;
    }
    let output = blocking(move || unnamed(&folder)).await?;
    let (order, input) = (serde_json::to_vec(&order).map_err(internal)?, input.map(tokio::fs::File::from_std));
    let mut output = tokio::fs::File::from_std(output);
    core.runner.work(&order, input, &mut output).await.map_err(|error| match error {
        RunnerError::Refused(sentence) => bad(sentence),
        other => unavailable(&other),
    })?;
    let mut answer = output.into_std().await;
    blocking(move || answer.rewind().map(|()| answer)).await
}

async fn told<T: serde::de::DeserializeOwned>(core: &Core, order: Order) -> Answer<T> {
    serde_json::from_reader(io::BufReader::new(done(core, order, None).await?)).map_err(internal)
}

/// Files of one folder that are listed.
const MOST: usize = 500;

pub(super) async fn list(core: &Core, id: &PipelineId) -> Answer<Vec<WorkFolder>> {
    let stored = pipelines::find(core, id).await?;
    let tasks = document::read(&stored.document).map(|read| read.pipeline.tasks).unwrap_or_default();
    let mut all: Vec<WorkFolder> = told(core, Order::List { pipeline: id.clone() }).await?;
    for folder in &mut all {
        folder.title = tasks.get(&folder.task).map_or_else(|| folder.task.to_string(), |task| task.title().to_owned());
    }
    Ok(all)
}

/// The ones with files in them.
fn found(results: &Path, id: &PipelineId) -> io::Result<Vec<WorkFolder>> {
    let found = folders::work(results, id)?;
    // Only folders that are named like tasks are ours.
    let ours = found.into_iter().filter_map(|(task, folder)| Some(look(TaskId::new(task).ok()?, &folder)));
    let mut all = ours.collect::<io::Result<Vec<_>>>()?;
    all.retain(|folder| !folder.files.is_empty());
    Ok(all)
}

fn look(task: TaskId, root: &Path) -> io::Result<WorkFolder> {
    let mut found = WorkFolder { title: String::new(), task, files: Vec::new(), more: false };
    let mut todo = vec![String::new()];
    while let Some(below) = todo.pop() {
        let mut entries = folders::entries(&root.join(&below))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            // A name that is no text cannot be one in the document.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if below.is_empty() && folders::NOT_TAKEN_ALONG.contains(&name.as_str()) {
                continue;
            }
            let (entry, name) = (entry.metadata()?, format!("{below}{name}"));
            if entry.is_dir() {
                todo.push(name + "/");
            } else if entry.is_file() {
                found.files.push(WorkFile { name, bytes: entry.len() });
            }
            if found.files.len() > MOST {
                found.files.truncate(MOST);
                found.more = true;
                return Ok(found);
            }
        }
    }
    found.files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

pub(super) async fn texts(core: &Core, id: &PipelineId, task: &TaskId, names: Vec<String>) -> Answer<Vec<kind::File>> {
    pipelines::find(core, id).await?;
    let most = super::site::site(core).limits.files;
    told(core, Order::Texts { pipeline: id.clone(), task: task.clone(), names, most }).await
}

fn read(results: &Path, id: &PipelineId, task: &TaskId, names: Vec<String>, most: u64) -> Answer<Vec<kind::File>> {
    let root = folders::pipeline(results, id).join(task.as_str()).join("work");
    names.into_iter().map(|name| text(&root, name, most)).collect()
}

/// One that is larger than all files of a task may be is not read.
fn text(root: &Path, name: String, most: u64) -> Answer<kind::File> {
    let file = open(root, &name).map_err(|_| missing(&format!("file as {name} in this work folder")))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| bad(format!("{name} cannot be read: {error}")))?;
    if bytes.len() as u64 > most {
        return Err(bad(format!("{name} is larger than {} KiB, which is too much for a document.", most / 1024)));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| bad(format!("{name} is no text, so it cannot be in a document.")))?;
    Ok(kind::File { name, text, unknown: Default::default() })
}

fn open(root: &Path, name: &str) -> io::Result<File> {
    let root = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // A pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat2(root, name, flags, Mode::empty(), beneath)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn work() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::create_dir_all(root.join(".home/.cache")).unwrap();
        fs::write(root.join(".home/.cache/x"), "x").unwrap();
        fs::write(root.join("src/deep/train.py"), "print(1)\n").unwrap();
        fs::write(root.join("a.bin"), [0xff, 0xfe]).unwrap();
        symlink("/etc/passwd", root.join("passwd")).unwrap();
        symlink("/etc", root.join("etc")).unwrap();
        folder
    }

    #[test]
    fn files_are_listed_by_name_without_links_and_without_what_a_task_makes_again() {
        let work = work();
        let found = look(TaskId::new("explore").unwrap(), work.path()).unwrap();
        let names: Vec<&str> = found.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, found.more, found.bytes()), (vec!["a.bin", "src/deep/train.py"], false, 11));
    }

    #[test]
    fn of_very_many_files_the_first_are_listed_and_it_says_that_there_are_more() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..=MOST {
            fs::write(folder.path().join(format!("{index}")), "").unwrap();
        }
        let found = look(TaskId::new("explore").unwrap(), folder.path()).unwrap();
        assert_eq!((found.files.len(), found.more), (MOST, true));
    }

    #[test]
    fn only_a_text_inside_the_folder_is_read() {
        let work = work();
        let read = |name: &str, most| text(work.path(), name.into(), most).map_err(|error| error.to_string());
        assert_eq!(read("src/deep/train.py", 9).unwrap().text, "print(1)\n");
        assert!(read("src/deep/train.py", 8).unwrap_err().contains("too much"));
        assert_eq!(read("a.bin", 9).unwrap_err(), "a.bin is no text, so it cannot be in a document.");
        for outside in ["passwd", "etc/passwd", "../x", "/etc/passwd", "src", "none", ""] {
            assert!(read(outside, 1 << 20).unwrap_err().contains("There is no such file"), "{outside}");
        }
    }
}
