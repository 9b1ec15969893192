//! How much space do the results of a pipeline and of a run take, and how much is left?
//!
//! Counting walks the folders, so lists show the last count and a new one is made beside them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use app::api::site::SpaceWarning;
use model::PipelineId;

use super::{Answer, Core, folders};

/// Bytes by what they belong to.
#[derive(Clone)]
pub(super) struct Spaces<Id> {
    known: Arc<Mutex<BTreeMap<Id, u64>>>,
    counting: Arc<AtomicBool>,
}

impl<Id> Default for Spaces<Id> {
    fn default() -> Self {
        Spaces { known: Arc::default(), counting: Arc::default() }
    }
}

impl<Id: Ord + Clone + Send + 'static> Spaces<Id> {
    pub fn known(&self, id: &Id) -> Option<u64> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    /// Counts in the background, one count at a time.
    pub fn count(&self, folders: Vec<(Id, Vec<PathBuf>)>) {
        if self.counting.swap(true, Ordering::AcqRel) {
            return;
        }
        let spaces = self.clone();
        tokio::task::spawn_blocking(move || {
            for (id, folders) in folders {
                let bytes = folders.iter().map(|folder| folders::size(folder)).sum();
                spaces.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id, bytes);
            }
            spaces.counting.store(false, Ordering::Release);
        });
    }
}

/// Pipelines that are named.
const LARGEST: usize = 5;

/// What to say to whoever wants to run something while there is little room for results.
pub(super) async fn warning(core: &Core) -> Answer<Option<SpaceWarning>> {
    let results = core.results();
    let percent = core.settings.read().unwrap_or_else(PoisonError::into_inner).warn_free_percent;
    let Some(disk) = super::blocking(move || room(&results)).await?.filter(|disk| is_little(*disk, percent)) else {
        return Ok(None);
    };
    let heads = super::stored(core.store.pipelines().await)?;
    let (results, executions) = (core.results(), core.data.executions());
    let counted = super::blocking(move || {
        let size = |id: &PipelineId| {
            folders::size(&folders::pipeline(&results, id)) + folders::size(&executions.join(id.as_str()))
        };
        Ok(heads.into_iter().map(|head| (size(&head.id), head)).collect::<Vec<_>>())
    });
    let mut largest = counted.await?;
    largest.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let largest = largest.into_iter().take(LARGEST).map(|(bytes, head)| (head.id, head.name, bytes)).collect();
    Ok(Some(SpaceWarning { sentence: sentence(disk), largest }))
}

/// Free and all bytes of a disk, as `df` tells them: without what is kept back for root.
type Disk = (u64, u64);

/// `None`: the folder is not on this side, as with the results of a cluster.
fn room(folder: &Path) -> std::io::Result<Option<Disk>> {
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let used = disk.f_blocks - disk.f_bfree;
            Ok(Some((disk.f_bavail * disk.f_frsize, (used + disk.f_bavail) * disk.f_frsize)))
        }
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_little((free, all): Disk, percent: u8) -> bool {
    u128::from(free) * 100 < u128::from(all) * u128::from(percent)
}

fn sentence((free, all): Disk) -> String {
    format!(
        "Only {} of {} are free where results lie: delete old runs, or let them make room with the setting `keep_runs`.",
        model::Memory(free),
        model::Memory(all)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_which_less_than_the_set_part_is_free_is_told() {
        const GIB: u64 = 1 << 30;
        assert!(!is_little((10 * GIB, 100 * GIB), 10) && is_little((10 * GIB - 1, 100 * GIB), 10));
        assert!(is_little((19 * GIB, 100 * GIB), 20), "as much as is set");
        assert!(!is_little((0, 100 * GIB), 0), "never, where nothing is to be said");
        assert!(
            sentence((2 * GIB, 100 * GIB)).starts_with("Only 2 GiB of 100 GiB are free"),
            "{}",
            sentence((2 * GIB, 100 * GIB))
        );
        let (free, all) = room(Path::new("/")).unwrap().unwrap();
        assert!(free <= all && all > 0);
    }

    #[test]
    fn results_that_lie_on_a_cluster_alone_are_no_error() {
        assert_eq!(room(Path::new("/nowhere/results")).unwrap(), None);
    }
}
