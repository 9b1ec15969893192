//! How does an older database become one that this version reads?
//!
//! Each step is one transaction together with the note that it was done. There is no way back: a newer database is refused.

use sqlx::{Connection, SqliteConnection};

use super::{StoreError, sqlite::unreadable};

/// In this order, never changed once released; the schema's number is how many there are.
const STEPS: &[&str] = &[include_str!("0001_first.sql")];

/// # Errors
/// [`StoreError::Newer`] when there are more steps than we know; else what the database says.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    run(connection, STEPS).await
}

pub(super) async fn run(connection: &mut SqliteConnection, steps: &'static [&'static str]) -> Result<(), StoreError> {
    let known = i64::try_from(steps.len()).expect("few steps");
    let found = current(connection).await.map_err(unreadable)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (step, done) in steps.iter().zip(1_i64..).filter(|(_, number)| *number > found) {
        apply(connection, step, done).await.map_err(unreadable)?;
    }
    Ok(())
}

async fn current(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("SELECT COALESCE(MAX(step), 0) FROM schema_steps").fetch_one(connection).await
}

async fn apply(connection: &mut SqliteConnection, step: &'static str, number: i64) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(step).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO schema_steps (step) VALUES ($1)").bind(number).execute(&mut *transaction).await?;
    transaction.commit().await
}
