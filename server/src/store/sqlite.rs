//! How is it kept in a SQLite file?
//!
//! One connection writes (SQLite has one writer anyway, and a queue of ours is fairer than its busy wait), a few read.
//! WAL with `synchronous=FULL`: every commit is one fsync of the log file.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use model::{PipelineId, run::Millis};
use sqlx::{
    QueryBuilder, Row, Sqlite, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;

use super::{
    PipelineHead, PipelineText, Save, SequencedEvent, Session, Store, StoreError, StoredEvent, StoredPipeline,
};

const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 3;
/// Rows of one INSERT. One statement needs no transaction of its own; each length is prepared once.
const ROWS: usize = 64;

pub struct SqliteStore {
    readers: SqlitePool,
    writer: Mutex<Writer>,
    broken: AtomicBool,
}

struct Writer {
    connection: PoolConnection<Sqlite>,
    /// The number of the journal's last event.
    last: u64,
}

impl SqliteStore {
    /// Opens the file, makes it if there is none, and brings it to this version's schema.
    ///
    /// # Errors
    /// A newer schema, a file that is no database of ours, a folder that cannot be written.
    pub async fn open(file: &Path) -> Result<SqliteStore, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let writers = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = writers.connect_with(options.clone()).await.map_err(unreadable)?;
        let mut connection = pool.acquire().await.map_err(unreadable)?;
        super::migrate::migrate(&mut connection).await?;
        let last: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM journal")
            .fetch_one(&mut *connection)
            .await
            .map_err(unreadable)?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options.read_only(true));
        let writer = Mutex::new(Writer { connection, last: last.cast_unsigned() });
        Ok(SqliteStore { readers, writer, broken: AtomicBool::new(false) })
    }

    /// Whoever writes goes through here: nothing is written after the disk has failed.
    async fn writer(&self) -> Result<tokio::sync::MutexGuard<'_, Writer>, StoreError> {
        let writer = self.writer.lock().await;
        if self.broken.load(Ordering::Acquire) {
            return Err(StoreError::Broken("an earlier write failed".into()));
        }
        Ok(writer)
    }

    /// After a failed fsync the kernel may have dropped the pages: a second try would succeed and prove nothing.
    fn failed(&self, error: sqlx::Error) -> StoreError {
        let told = match primary(&error) {
            Some(IOERR | CORRUPT | NOTADB) => StoreError::Broken(error.to_string()),
            Some(_) => unavailable(error),
            // The worker thread or the connection itself is gone: what it did last is unknown.
            None => StoreError::Broken(error.to_string()),
        };
        if matches!(told, StoreError::Broken(_)) {
            self.broken.store(true, Ordering::Release);
        }
        told
    }

    #[cfg(test)]
    pub(super) async fn pragma_for_test(&self, sql: &'static str) -> Option<i64> {
        let mut writer = self.writer.lock().await;
        sqlx::query_scalar(sql).fetch_optional(&mut *writer.connection).await.expect("a pragma")
    }

    #[cfg(test)]
    pub(super) fn break_for_test(&self) {
        self.broken.store(true, Ordering::Release);
    }
}

/// SQLite's primary codes.
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;

fn primary(error: &sqlx::Error) -> Option<i32> {
    // The low byte of the extended code.
    error.as_database_error().and_then(|error| Some(error.code()?.parse::<i32>().ok()? & 0xff))
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(&self, events: &[StoredEvent]) -> Result<u64, StoreError> {
        let mut writer = self.writer().await?;
        if events.is_empty() {
            return Ok(writer.last);
        }
        let first = writer.last + 1;
        write_events(&mut writer.connection, first, events).await.map_err(|error| self.failed(error))?;
        writer.last += events.len() as u64;
        Ok(writer.last)
    }

    async fn events_after(&self, seq: u64, most: u32) -> Result<Vec<SequencedEvent>, StoreError> {
        let rows = sqlx::query("SELECT seq, at, body FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(seq.cast_signed())
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
        rows.iter().map(|row| event(row).map_err(unreadable)).collect()
    }

    async fn pipelines(&self) -> Result<Vec<PipelineHead>, StoreError> {
        let rows = sqlx::query("SELECT id, name, revision, changed FROM pipelines ORDER BY changed DESC, id")
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
        rows.iter().map(head).collect()
    }

    async fn pipeline(&self, id: &PipelineId) -> Result<Option<StoredPipeline>, StoreError> {
        let row = sqlx::query("SELECT id, name, revision, changed, document FROM pipelines WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        row.map(|row| Ok(StoredPipeline { head: head(&row)?, document: row.try_get("document").map_err(unreadable)? }))
            .transpose()
    }

    async fn create_pipeline(&self, new: &PipelineText) -> Result<bool, StoreError> {
        let mut writer = self.writer().await?;
        let done = sqlx::query(
            "INSERT INTO pipelines (id, name, document, revision, changed) VALUES ($1, $2, $3, 1, $4)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(new.id.as_str())
        .bind(&new.name)
        .bind(&new.document)
        .bind(new.changed.cast_signed())
        .execute(&mut *writer.connection)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(done.rows_affected() == 1)
    }

    async fn save_pipeline(&self, revision: u64, new: &PipelineText) -> Result<Save, StoreError> {
        let written = {
            let mut writer = self.writer().await?;
            sqlx::query(
                "UPDATE pipelines SET name = $1, document = $2, changed = $3, revision = revision + 1
                 WHERE id = $4 AND revision = $5",
            )
            .bind(&new.name)
            .bind(&new.document)
            .bind(new.changed.cast_signed())
            .bind(new.id.as_str())
            .bind(revision.cast_signed())
            .execute(&mut *writer.connection)
            .await
            .map_err(|error| self.failed(error))?
        };
        if written.rows_affected() == 1 {
            return Ok(Save::Saved(revision + 1));
        }
        Ok(self.pipeline(&new.id).await?.map_or(Save::Missing, Save::Stale))
    }

    async fn delete_pipeline(&self, id: &PipelineId) -> Result<bool, StoreError> {
        let mut writer = self.writer().await?;
        let done = sqlx::query("DELETE FROM pipelines WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *writer.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(done.rows_affected() == 1)
    }

    async fn add_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        sqlx::query("INSERT INTO sessions (hash, scope, ends) VALUES ($1, $2, $3)")
            .bind(&session.hash)
            .bind(&session.scope)
            .bind(session.ends.cast_signed())
            .execute(&mut *writer.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn has_session(&self, hash: &str, scope: &str, now: Millis) -> Result<bool, StoreError> {
        let found = sqlx::query("SELECT ends FROM sessions WHERE hash = $1 AND scope = $2 AND ends > $3")
            .bind(hash)
            .bind(scope)
            .bind(now.cast_signed())
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        Ok(found.is_some())
    }

    async fn take_session(&self, hash: &str, scope: &str, now: Millis) -> Result<bool, StoreError> {
        let mut writer = self.writer().await?;
        let done = sqlx::query("DELETE FROM sessions WHERE hash = $1 AND scope = $2 AND ends > $3")
            .bind(hash)
            .bind(scope)
            .bind(now.cast_signed())
            .execute(&mut *writer.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(done.rows_affected() == 1)
    }

    async fn remove_ended_sessions(&self, now: Millis) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        sqlx::query("DELETE FROM sessions WHERE ends <= $1")
            .bind(now.cast_signed())
            .execute(&mut *writer.connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn value(&self, key: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT value FROM key_values WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)
    }

    async fn set_value(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        sqlx::query(
            "INSERT INTO key_values (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&mut *writer.connection)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn value_or(&self, key: &str, value: &str) -> Result<String, StoreError> {
        {
            let mut writer = self.writer().await?;
            sqlx::query("INSERT INTO key_values (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
                .bind(key)
                .bind(value)
                .execute(&mut *writer.connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(self.value(key).await?.unwrap_or_else(|| value.to_owned()))
    }
}

async fn write_events(
    connection: &mut PoolConnection<Sqlite>,
    first: u64,
    events: &[StoredEvent],
) -> Result<(), sqlx::Error> {
    use sqlx::Connection;
    if events.len() <= ROWS {
        return insert(connection, first, events).await;
    }
    let mut transaction = connection.begin().await?;
    for (chunk, start) in events.chunks(ROWS).zip((first..).step_by(ROWS)) {
        insert(&mut transaction, start, chunk).await?;
    }
    transaction.commit().await
}

async fn insert(
    connection: &mut sqlx::SqliteConnection,
    first: u64,
    events: &[StoredEvent],
) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO journal (seq, at, body) ");
    query.push_values(events.iter().zip(first..), |mut row, (event, seq)| {
        row.push_bind(seq.cast_signed()).push_bind(event.at.cast_signed()).push_bind(event.body.as_str());
    });
    query.build().execute(connection).await.map(|_| ())
}

fn event(row: &SqliteRow) -> Result<SequencedEvent, sqlx::Error> {
    Ok(SequencedEvent {
        seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
        at: row.try_get::<i64, _>("at")?.cast_unsigned(),
        body: row.try_get("body")?,
    })
}

fn head(row: &SqliteRow) -> Result<PipelineHead, StoreError> {
    let id: String = row.try_get("id").map_err(unreadable)?;
    Ok(PipelineHead {
        id: PipelineId::new(id).map_err(|error| StoreError::Unreadable(error.to_string()))?,
        name: row.try_get("name").map_err(unreadable)?,
        revision: row.try_get::<i64, _>("revision").map_err(unreadable)?.cast_unsigned(),
        changed: row.try_get::<i64, _>("changed").map_err(unreadable)?.cast_unsigned(),
    })
}

pub(super) fn unreadable(error: sqlx::Error) -> StoreError {
    by_a_person(&error).unwrap_or_else(|| StoreError::Unreadable(error.to_string()))
}

fn unavailable(error: sqlx::Error) -> StoreError {
    by_a_person(&error).unwrap_or_else(|| StoreError::Unavailable(error.to_string()))
}

/// What a person can mend.
fn by_a_person(error: &sqlx::Error) -> Option<StoreError> {
    match primary(error) {
        Some(FULL) => Some(StoreError::Full),
        Some(READONLY | CANTOPEN) => Some(StoreError::ReadOnly),
        Some(_) | None => None,
    }
}
