use sqlx::{Row, SqliteConnection, SqlitePool};

use super::*;
use crate::store::database::refuse_old;

async fn pragma(connection: &mut SqliteConnection, name: &str) -> String {
    let sql = sqlx::AssertSqlSafe(format!("PRAGMA {name}"));
    let row = sqlx::query(sql).fetch_one(connection).await.expect("a pragma");
    row.try_get::<String, _>(0)
        .or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
        .expect("a value")
}

#[tokio::test]
async fn every_connection_has_the_settings() {
    let fixture = fixture().await;
    let (writer, readers) = fixture.connections();
    has_settings(&mut writer.acquire().await.expect("the writer"), "0").await;
    // All of them at once, so that each is opened.
    let mut lent = Vec::new();
    for _ in 0..readers.most() {
        lent.push(readers.lend().await.expect("a reader"));
    }
    for reader in &mut lent {
        has_settings(reader, "1").await;
    }
}

async fn has_settings(connection: &mut SqliteConnection, query_only: &str) {
    for (name, expected) in [
        ("page_size", "8192"),
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("busy_timeout", "5000"),
        ("journal_size_limit", "67108864"),
        ("trusted_schema", "0"),
        ("query_only", query_only),
        ("application_id", "1214531444"),
        ("user_version", "7"),
    ] {
        assert_eq!(pragma(connection, name).await, expected, "{name}");
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let fixture = fixture().await;
    let (_, readers) = fixture.connections();
    let mut reader = readers.lend().await.expect("a reader");
    let outcome = sqlx::query("DELETE FROM memberships").execute(&mut *reader).await;
    assert!(matches!(
        outcome.map_err(StoreError::from),
        Err(StoreError::ReadOnly)
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture().await;
    let mut seen = 0;
    for file in std::fs::read_dir(fixture.directory.path()).expect("a directory") {
        let mode = file
            .expect("a file")
            .metadata()
            .expect("its metadata")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert!(seen >= 2, "the database and its write-ahead log");
}

#[tokio::test]
async fn a_second_opening_finds_what_was_committed_and_nothing_else() {
    let fixture = fixture().await;
    let mut dropped = fixture.begin().await.expect("a transaction");
    folk::insert_user(&mut dropped, &user("dropped"))
        .await
        .expect("a user");
    drop(dropped);
    fixture.close().await;
    let again = Store::open(&fixture.directory.path().join("headgate.db"))
        .await
        .expect("a store");
    assert!(folk::user_by_id(&again, "ana").await.expect("a read").is_some());
    assert!(
        folk::user_by_id(&again, "dropped")
            .await
            .expect("a read")
            .is_none()
    );
}

#[tokio::test]
async fn d17_nothing_is_changed_before_what_stands_there_is_approved() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("headgate.db");
    let refuse = |_: &crate::store::database::Before| Err(StoreError::NotOurs);
    assert!(matches!(
        Store::open_if(&path, refuse).await,
        Err(StoreError::NotOurs)
    ));
    assert_eq!(std::fs::read(&path).expect("the file"), b"", "no migration ran");

    let fixture = fixture().await;
    let mut tx = fixture.begin().await.expect("a transaction");
    crate::store::secrets::put_canary(&mut tx, "sealed")
        .await
        .expect("a canary");
    tx.commit().await.expect("a commit");
    fixture.close().await;
    let path = fixture.directory.path().join("headgate.db");
    let before = std::fs::read(&path).expect("the file");
    let mut seen = None;
    let opened = Store::open_if(&path, |found| {
        seen = Some(found.clone());
        Err(StoreError::NotOurs)
    });
    assert!(opened.await.is_err());
    let seen = seen.expect("it was asked");
    assert_eq!((seen.canary.as_deref(), seen.any_sealed), (Some("sealed"), true));
    assert_eq!(std::fs::read(&path).expect("the file"), before);
}

#[tokio::test]
async fn a_database_opened_for_reading_is_not_changed_and_takes_no_writes() {
    let fixture = fixture().await;
    let path = fixture.directory.path().join("headgate.db");
    // Beside a server, and on what a server left that was killed: both have a log.
    let beside = Store::open_read_only(&path).await.expect("a store");
    assert_eq!(folk::list_teams(&beside).await.expect("a read").len(), 2);
    assert!(matches!(beside.begin().await, Err(StoreError::ReadOnly)));
    beside.try_again().await;
    assert!(!beside.can_write());
    beside.close().await;
    fixture.close().await;
    let files = || {
        std::fs::read_dir(fixture.directory.path())
            .expect("a directory")
            .count()
    };
    let (before, count) = (std::fs::read(&path).expect("the file"), files());
    let alone = Store::open_read_only(&path).await.expect("a store");
    assert_eq!(folk::list_teams(&alone).await.expect("a read").len(), 2);
    alone.close().await;
    assert_eq!(
        (std::fs::read(&path).expect("the file"), files()),
        (before, count)
    );
    let missing = fixture.directory.path().join("missing.db");
    assert!(Store::open_read_only(&missing).await.is_err());
    assert!(!missing.exists());
}

#[tokio::test]
async fn files_that_are_not_ours_are_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let other = SqlitePool::connect_with(options).await.expect("a database");
    sqlx::query("CREATE TABLE theirs (id TEXT)")
        .execute(&other)
        .await
        .expect("a table");
    other.close().await;
    let before = std::fs::read(&path).expect("the file");
    assert!(matches!(Store::open(&path).await, Err(StoreError::NotOurs)));
    assert_eq!(std::fs::read(&path).expect("the file"), before);

    let text = directory.path().join("text.db");
    std::fs::write(
        &text,
        "no database at all, but long enough to be looked at".repeat(40),
    )
    .expect("a file");
    assert!(matches!(Store::open(&text).await, Err(StoreError::Corrupt(_))));

    let missing = directory.path().join("missing").join("headgate.db");
    assert!(matches!(Store::open(&missing).await, Err(StoreError::Io(_))));
}

#[tokio::test]
async fn damage_is_found_at_start() {
    let fixture = fixture().await;
    fixture.close().await;
    let path = fixture.directory.path().join("headgate.db");
    let mut bytes = std::fs::read(&path).expect("the file");
    // A whole page in the middle: 8,192 bytes each, the first one holds the header.
    let middle = bytes.len() / 8_192 / 2 * 8_192;
    bytes[middle..middle + 8_192].fill(0x5a);
    std::fs::write(&path, bytes).expect("the file");
    assert!(matches!(Store::open(&path).await, Err(StoreError::Corrupt(_))));
}

#[test]
fn an_old_sqlite_is_refused() {
    for fine in ["3.51.3", "3.53.0", "3.100.0", "4.0.0"] {
        assert!(refuse_old(fine).is_ok(), "{fine}");
    }
    for old in ["3.51.2", "3.40.1", "3.9.99", "2.99.99"] {
        assert!(
            matches!(refuse_old(old), Err(StoreError::OldSqlite { .. })),
            "{old}"
        );
    }
}

#[tokio::test]
async fn the_probe_tells_a_free_writer_from_a_held_one() {
    let fixture = fixture().await;
    fixture.probe().await.expect("a free writer");
    let held = fixture.begin().await.expect("a transaction");
    assert!(matches!(fixture.probe().await, Err(StoreError::Busy)));
    drop(held);
    fixture.probe().await.expect("a free writer again");
}

#[tokio::test]
async fn waiting_for_the_writer_ends() {
    let fixture = fixture().await;
    let _held = fixture.begin().await.expect("a transaction");
    let started = std::time::Instant::now();
    assert!(matches!(fixture.begin().await, Err(StoreError::Busy)));
    assert!(started.elapsed().as_secs() <= 5);
}

#[tokio::test]
async fn waiting_for_a_reader_ends() {
    let fixture = fixture().await;
    let (_, readers) = fixture.connections();
    let mut held = Vec::new();
    for _ in 0..readers.most() {
        held.push(readers.lend().await.expect("a reader"));
    }
    let started = std::time::Instant::now();
    assert!(matches!(folk::list_teams(&fixture).await, Err(StoreError::Busy)));
    assert!(started.elapsed().as_secs() <= 5);
    drop(held);
    folk::list_teams(&fixture).await.expect("a reader again");
}

#[tokio::test]
async fn a_reader_whose_query_was_dropped_is_of_use_to_the_next() {
    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let fixture = fixture().await;
    let (_, readers) = fixture.connections();
    for _ in 0..readers.most() * 2 {
        let mut reader = readers.lend().await.expect("a reader");
        let endless = sqlx::query(ENDLESS).fetch_all(&mut *reader);
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(20), endless)
                .await
                .is_err()
        );
    }
    folk::list_teams(&fixture).await.expect("the teams");
}

#[tokio::test]
async fn nobody_reads_from_a_database_that_was_closed() {
    let fixture = fixture().await;
    fixture.close().await;
    fixture.close().await;
    assert!(folk::list_teams(&fixture).await.is_err());
}

#[tokio::test]
async fn errors_name_the_rule_and_no_value() {
    let fixture = fixture().await;
    let mut tx = fixture.begin().await.expect("a transaction");
    let twin = folk::User {
        id: "twin".into(),
        ..user("ana")
    };
    let error = folk::insert_user(&mut tx, &twin)
        .await
        .expect_err("a taken login");
    assert!(matches!(error, StoreError::Duplicate { what: "the login" }));
    assert!(!error.to_string().contains("ana@"));
    let error = folk::upsert_membership(&mut tx, "nowhere", "ana", Role::Admin, 1).await;
    assert!(matches!(&error, Err(StoreError::Other(text)) if text.contains("FOREIGN KEY")));
    drop(tx);
    let mut tx = fixture.begin().await.expect("a transaction");
    sqlx::query("UPDATE environments SET production = 'canary-word' WHERE id = 'env'")
        .execute(tx.writer())
        .await
        .expect("an update");
    sqlx::query("INSERT INTO sync_state (environment_id, topic, watermark_at, attempted_at) VALUES ('env', 'canary-word', 0, 0)")
        .execute(tx.writer())
        .await
        .expect("a row");
    tx.commit().await.expect("a commit");
    let error = crate::store::sync_state::all_for(&fixture, "team")
        .await
        .expect_err("an unknown word");
    assert!(
        error.to_string().contains("topic") && !error.to_string().contains("canary"),
        "{error}"
    );
}

#[test]
fn hidden_texts_stay_hidden() {
    let shown = format!("{:?}", user("ana"));
    assert!(shown.contains("[hidden]") && !shown.contains("argon2"), "{shown}");
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_leaves_nothing() {
    let db = fixture().await;
    let mut tx = db.begin().await.expect("a transaction");
    let full = "PRAGMA max_page_count = 1";
    // SQLite raises the limit to the size that the file has already.
    sqlx::query(full).execute(tx.writer()).await.expect("a pragma");
    let large = folk::Team {
        id: "large".into(),
        name: "x".repeat(1_000_000),
        created_at: 1,
    };
    assert!(matches!(
        folk::insert_team(&mut tx, &large).await,
        Err(StoreError::Full)
    ));
    drop(tx);
    assert_eq!(folk::list_teams(&db).await.expect("teams").len(), 2);
}

#[tokio::test]
async fn a_lock_of_another_process_is_waited_for_and_then_told_as_busy() {
    let db = fixture().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(db.directory.path().join("headgate.db"));
    let outside = SqlitePool::connect_with(options).await.expect("a second program");
    let held = outside.begin_with("BEGIN IMMEDIATE").await.expect("its lock");
    let store = db.store.clone();
    let waiting = tokio::spawn(async move { store.begin().await?.commit().await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    held.rollback().await.expect("the lock given up");
    waiting.await.expect("a task").expect("waited for the lock");

    let _held = outside.begin_with("BEGIN IMMEDIATE").await.expect("its lock");
    assert!(matches!(db.begin().await, Err(StoreError::Busy)));
    assert_eq!(folk::list_teams(&db).await.expect("reads go on").len(), 2);
}
