//! What is kept, and what is promised about it?
//!
//! One trait; the rest of the server does not know which database it is. All queries are SQL that PostgreSQL takes, too.

mod migrate;
mod sqlite;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use model::{PipelineId, run::Millis};

pub use sqlite::SqliteStore;

/// An event of the journal before it has its number. The body is the engine's JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub at: Millis,
    pub body: String,
}

/// An event of the journal: numbers go 1, 2, 3, … without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequencedEvent {
    pub seq: u64,
    pub at: Millis,
    pub body: String,
}

/// A pipeline without its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineHead {
    pub id: PipelineId,
    pub name: String,
    /// 1 at first, one more with every save.
    pub revision: u64,
    pub changed: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPipeline {
    pub head: PipelineHead,
    pub document: String,
}

/// A pipeline as it is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineText {
    pub id: PipelineId,
    pub name: String,
    pub document: String,
    pub changed: Millis,
}

/// What became of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Save {
    /// This is its revision now.
    Saved(u64),
    /// Nothing was written: another revision is stored.
    Stale(StoredPipeline),
    /// Nothing was written: there is no such pipeline (any more).
    Missing,
}

/// Who may do something until when: the hash of a cookie's or a link's secret, never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub hash: String,
    /// What it opens: the product itself or one task's host name.
    pub scope: String,
    pub ends: Millis,
}

/// What the server keeps beyond its own life.
///
/// # Guarantees
/// - What a call returned as written survives the death of the process and of the machine (the disk has confirmed it).
/// - Every call happens wholly or not at all.
/// - After an error that leaves it open whether the disk has what we wrote, every further write is refused with
///   [`StoreError::Broken`]: only a new start reads what is really there.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Appends to the journal in one transaction, in this order. The answer is the number of the last event in the journal.
    async fn append(&self, events: &[StoredEvent]) -> Result<u64, StoreError>;

    /// At most `most` events with a number above `seq`, in order.
    async fn events_after(&self, seq: u64, most: u32) -> Result<Vec<SequencedEvent>, StoreError>;

    /// All pipelines, the one changed last first.
    async fn pipelines(&self) -> Result<Vec<PipelineHead>, StoreError>;

    async fn pipeline(&self, id: &PipelineId) -> Result<Option<StoredPipeline>, StoreError>;

    /// False: there is a pipeline of this id, and nothing was written. Else its revision is 1.
    async fn create_pipeline(&self, new: &PipelineText) -> Result<bool, StoreError>;

    /// Writes only over `revision`.
    async fn save_pipeline(&self, revision: u64, new: &PipelineText) -> Result<Save, StoreError>;

    /// False: there was none.
    async fn delete_pipeline(&self, id: &PipelineId) -> Result<bool, StoreError>;

    async fn add_session(&self, session: &Session) -> Result<(), StoreError>;

    /// Whether there is such a session that has not ended by `now`.
    async fn has_session(&self, hash: &str, scope: &str, now: Millis) -> Result<bool, StoreError>;

    /// Removes it and says whether it was there and had not ended by `now`: of two callers only one hears true.
    async fn take_session(&self, hash: &str, scope: &str, now: Millis) -> Result<bool, StoreError>;

    async fn remove_ended_sessions(&self, now: Millis) -> Result<(), StoreError>;

    async fn value(&self, key: &str) -> Result<Option<String>, StoreError>;

    async fn set_value(&self, key: &str, value: &str) -> Result<(), StoreError>;

    /// The stored value; if there is none yet, `value`, which is stored.
    async fn value_or(&self, key: &str, value: &str) -> Result<String, StoreError>;
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written. Trying again helps once there is room.
    #[error("The disk that holds the data folder is full: make room on it.")]
    Full,
    #[error(
        "`fletchline.db` in the data folder cannot be written: it belongs to another user, or its disk is read-only. Make it writable, or choose another folder with --data."
    )]
    ReadOnly,
    /// Trying again may help: another program holds the database.
    #[error("The database did not take it: {0}")]
    Unavailable(String),
    /// It is unknown what the disk has. Nothing is written any more by this process.
    #[error(
        "The disk failed while the database was written ({0}). Nothing more is written: check the disk, then start the server again."
    )]
    Broken(String),
    /// A newer Fletchline has written it.
    #[error(
        "This data folder was written by a newer Fletchline (schema {found}, this one knows {known}). Use the newer one, or a copy of the folder from before."
    )]
    Newer { found: i64, known: i64 },
    /// It is not our database, or not what we wrote.
    #[error("The database cannot be read: {0}")]
    Unreadable(String),
}
