//! Which dropped files does nobody name any more?

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Answer, Core, blocking, folders, stored};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// So long one stays that no document names: undo, also after a reload, can bring its source back.
const KEPT: Duration = DAY.saturating_mul(30);

/// Looks at once and then every day, as long as the server lives.
pub async fn keep_sweeping(core: std::sync::Arc<Core>) {
    loop {
        if let Err(error) = sweep(&core, SystemTime::now()).await {
            crate::say::err(format_args!("Dropped files that nobody uses were not removed: {error}"));
        }
        tokio::time::sleep(DAY).await;
    }
}

async fn sweep(core: &Core, now: SystemTime) -> Answer<()> {
    let folder = core.data.uploads();
    let aged = folder.clone();
    let old = blocking(move || older(&aged, now)).await?;
    if old.is_empty() {
        return Ok(());
    }
    let texts = texts(core).await?;
    let unnamed = old.into_iter().filter(|sha256| !texts.iter().any(|text| text.contains(sha256.as_str())));
    let unnamed: Vec<String> = unnamed.collect();
    blocking(move || unnamed.iter().try_for_each(|sha256| fs::remove_file(folder.join(sha256)))).await
}

/// Every saved document, and the snapshot of every run that is still there.
async fn texts(core: &Core) -> Answer<Vec<String>> {
    let mut texts = Vec::new();
    for head in stored(core.store.pipelines().await)? {
        texts.extend(stored(core.store.pipeline(&head.id).await)?.map(|found| found.document));
    }
    texts.extend(core.runs.summaries().into_iter().filter_map(|run| core.runs.snapshot(&run.id)));
    Ok(texts)
}

/// The ones that came long ago: who drops the same file again makes it new.
fn older(folder: &Path, now: SystemTime) -> io::Result<Vec<String>> {
    let mut old = Vec::new();
    for entry in folders::entries(folder)? {
        let age = now.duration_since(entry.metadata()?.modified()?).unwrap_or_default();
        if age > KEPT {
            old.extend(entry.file_name().into_string());
        }
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_came_long_ago_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = folder.path().join("uploads");
        assert!(older(&uploads, SystemTime::now()).unwrap().is_empty());
        fs::create_dir(&uploads).unwrap();
        fs::write(uploads.join("a1"), "").unwrap();
        assert!(older(&uploads, SystemTime::now() + KEPT - DAY).unwrap().is_empty());
        assert_eq!(older(&uploads, SystemTime::now() + KEPT + DAY).unwrap(), ["a1"]);
    }
}
