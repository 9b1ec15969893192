//! Does the store keep what it promises?

use std::path::Path;

use sqlx::Connection;
use tempfile::TempDir;

use super::*;

async fn store() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("fletchline.db")).await.unwrap();
    (folder, store)
}

fn event(number: u64) -> StoredEvent {
    StoredEvent { at: 1000 + number, body: format!("{{\"number\":{number}}}") }
}

fn text(id: &str, document: &str) -> PipelineText {
    PipelineText { id: PipelineId::new(id).unwrap(), name: "Digits".into(), document: document.into(), changed: 7 }
}

#[tokio::test]
async fn the_journal_numbers_from_one_without_a_gap_and_goes_on_after_a_new_start() {
    let (folder, store) = store().await;
    assert_eq!(store.append(&[event(1), event(2)]).await.unwrap(), 2);
    assert_eq!(store.append(&[]).await.unwrap(), 2);
    drop(store);
    let store = SqliteStore::open(&folder.path().join("fletchline.db")).await.unwrap();
    assert_eq!(store.append(&[event(3)]).await.unwrap(), 3);
    let after: Vec<_> = store.events_after(1, 100).await.unwrap();
    assert_eq!(after.iter().map(|one| (one.seq, one.at)).collect::<Vec<_>>(), [(2, 1002), (3, 1003)]);
    assert_eq!(after[0].body, event(2).body);
}

#[tokio::test]
async fn a_large_group_is_one_transaction_and_is_read_in_pages() {
    let (_folder, store) = store().await;
    let events: Vec<_> = (1..=1000).map(event).collect();
    assert_eq!(store.append(&events).await.unwrap(), 1000);
    let page = store.events_after(900, 50).await.unwrap();
    assert_eq!((page.len(), page[0].seq, page[49].seq), (50, 901, 950));
    assert_eq!(page[0].body, event(901).body);
}

#[tokio::test]
async fn a_save_of_an_older_revision_changes_nothing_and_shows_what_is_stored() {
    let (_folder, store) = store().await;
    assert!(store.create_pipeline(&text("p", "one")).await.unwrap());
    assert!(!store.create_pipeline(&text("p", "again")).await.unwrap());
    assert_eq!(store.save_pipeline(1, &text("p", "two")).await.unwrap(), Save::Saved(2));
    let Save::Stale(stored) = store.save_pipeline(1, &text("p", "three")).await.unwrap() else { panic!() };
    assert_eq!((stored.document.as_str(), stored.head.revision), ("two", 2));
    assert_eq!(store.save_pipeline(1, &text("q", "x")).await.unwrap(), Save::Missing);
    assert!(store.delete_pipeline(&stored.head.id).await.unwrap());
    assert!(!store.delete_pipeline(&stored.head.id).await.unwrap());
    assert!(store.pipelines().await.unwrap().is_empty());
}

#[tokio::test]
async fn of_many_saves_on_one_revision_one_wins() {
    let (_folder, store) = store().await;
    store.create_pipeline(&text("p", "one")).await.unwrap();
    let texts: Vec<_> = (0..8).map(|n| text("p", &n.to_string())).collect();
    let saves = futures::future::join_all(texts.iter().map(|text| store.save_pipeline(1, text))).await;
    let saved = saves.into_iter().filter(|save| matches!(save, Ok(Save::Saved(2)))).count();
    assert_eq!(saved, 1);
}

#[tokio::test]
async fn a_session_opens_only_its_scope_until_it_ends_and_is_taken_once() {
    let (_folder, store) = store().await;
    let session = Session { hash: "h".into(), scope: "product".into(), ends: 100 };
    store.add_session(&session).await.unwrap();
    assert!(store.has_session("h", "product", 99).await.unwrap());
    assert!(!store.has_session("h", "product", 100).await.unwrap());
    assert!(!store.has_session("h", "task", 99).await.unwrap());
    assert!(store.take_session("h", "product", 99).await.unwrap());
    assert!(!store.take_session("h", "product", 99).await.unwrap());
}

#[tokio::test]
async fn a_value_is_kept_and_the_first_writer_of_a_default_wins() {
    let (_folder, store) = store().await;
    assert_eq!(store.value("installation").await.unwrap(), None);
    assert_eq!(store.value_or("installation", "a").await.unwrap(), "a");
    assert_eq!(store.value_or("installation", "b").await.unwrap(), "a");
    store.set_value("installation", "c").await.unwrap();
    assert_eq!(store.value("installation").await.unwrap().as_deref(), Some("c"));
}

#[tokio::test]
async fn after_the_disk_has_failed_nothing_is_written_any_more() {
    let (_folder, store) = store().await;
    store.append(&[event(1)]).await.unwrap();
    store.break_for_test();
    assert!(matches!(store.append(&[event(2)]).await, Err(StoreError::Broken(_))));
    assert!(matches!(store.set_value("a", "b").await, Err(StoreError::Broken(_))));
    assert_eq!(store.events_after(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_as_if_it_had_not_been_tried() {
    let (_folder, store) = store().await;
    store.append(&[event(1)]).await.unwrap();
    store.pragma_for_test("PRAGMA max_page_count = 1").await;
    let many: Vec<_> = (2..2000).map(event).collect();
    assert!(matches!(store.append(&many).await, Err(StoreError::Full)));
    store.pragma_for_test("PRAGMA max_page_count = 1000000").await;
    assert_eq!(store.append(&[event(2)]).await.unwrap(), 2);
    assert_eq!(store.events_after(0, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_told_with_what_to_do() {
    let (_folder, store) = store().await;
    store.pragma_for_test("PRAGMA query_only = 1").await;
    let refused = store.append(&[event(1)]).await.unwrap_err();
    assert!(refused.to_string().contains("belongs to another user"), "{refused}");
}

#[tokio::test]
async fn commits_reach_the_disk_before_they_are_told() {
    let (folder, store) = store().await;
    store.append(&[event(1)]).await.unwrap();
    let mode: String = pragma(&folder.path().join("fletchline.db"), "PRAGMA journal_mode").await;
    assert_eq!(mode, "wal");
    const FULL: i64 = 2;
    assert_eq!(store.pragma_for_test("PRAGMA synchronous").await, Some(FULL));
}

async fn pragma(file: &Path, sql: &'static str) -> String {
    let mut connection = connect(file).await;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

async fn connect(file: &Path) -> sqlx::SqliteConnection {
    sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_a_sentence() {
    let (folder, store) = store().await;
    drop(store);
    let file = folder.path().join("fletchline.db");
    let mut connection = connect(&file).await;
    sqlx::query("INSERT INTO schema_steps (step) VALUES (99)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let Err(error) = SqliteStore::open(&file).await else { panic!("a newer schema was opened") };
    assert!(error.to_string().contains("newer Fletchline"), "{error}");
}

#[tokio::test]
async fn a_migration_that_fails_half_way_leaves_nothing_behind() {
    let (folder, store) = store().await;
    drop(store);
    let file = folder.path().join("fletchline.db");
    let mut connection = connect(&file).await;
    let steps = &["", "CREATE TABLE half (a TEXT); CREATE TABLE journal (b TEXT);"];
    assert!(migrate::run(&mut connection, steps).await.is_err());
    let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(tables, 0);
    connection.close().await.unwrap();
    SqliteStore::open(&file).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fletchline.db");
    std::fs::write(&file, "my diary, which is long enough not to be taken for an empty file").unwrap();
    assert!(SqliteStore::open(&file).await.is_err());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("my diary"));
}
