//! A database that runs full, whose file system turns read-only, or whose disk fails.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use sqlx::error::{DatabaseError, ErrorKind};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::store::Writes;
use crate::store::writability::Writability;

/// In the way of the file by which it is tried whether the disk takes writes again.
fn obstruct(fixture: &Fixture) -> std::path::PathBuf {
    let obstacle = fixture.directory.path().join("headgate.probe");
    std::fs::create_dir(&obstacle).expect("a directory in the way");
    obstacle
}

async fn team_can_be_added(store: &Store, id: &str) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let team = folk::Team {
        id: id.into(),
        name: format!("Team {id}"),
        created_at: 1,
    };
    folk::insert_team(&mut tx, &team).await?;
    tx.commit().await
}

#[tokio::test]
async fn d7_a_full_database_refuses_writes_at_once_reads_on_and_recovers() {
    let fixture = fixture().await;
    let obstacle = obstruct(&fixture);
    fixture.run_full().await;
    assert_eq!(fixture.writes(), Writes::Full);

    // Whoever asks is told at once, however often, and the writer is not even waited for.
    let started = Instant::now();
    for _ in 0..100 {
        assert!(matches!(fixture.begin().await, Err(StoreError::Full)));
    }
    assert!(matches!(fixture.probe().await, Err(StoreError::Full)));
    assert!(started.elapsed() < Duration::from_millis(500), "{started:?}");
    assert_eq!(folk::list_teams(&fixture).await.expect("reads go on").len(), 2);

    fixture.try_again().await;
    assert_eq!(fixture.writes(), Writes::Full, "the file cannot be written yet");
    std::fs::remove_dir(&obstacle).expect("the way is free");
    fixture.try_again().await;
    assert_eq!(fixture.writes(), Writes::Open);
    team_can_be_added(&fixture, "after").await.expect("writes go on");
    assert!(!obstacle.exists(), "the probe is removed");
}

#[tokio::test]
async fn d7_the_keeper_opens_it_again_within_seconds_and_wakes_who_waits() {
    let fixture = fixture().await;
    let obstacle = obstruct(&fixture);
    fixture.run_full().await;
    let stop = CancellationToken::new();
    let (store, stopping) = (fixture.store.clone(), stop.clone());
    let keeper = tokio::spawn(async move { store.keep_writable(&stopping, || {}).await });
    let waiting = tokio::time::timeout(Duration::from_millis(1_500), fixture.writable_again());
    assert!(waiting.await.is_err(), "it is still full");
    std::fs::remove_dir(&obstacle).expect("the way is free");
    let waiting = tokio::time::timeout(Duration::from_secs(5), fixture.writable_again());
    waiting.await.expect("it was opened again");
    team_can_be_added(&fixture, "after").await.expect("writes go on");
    stop.cancel();
    keeper.await.expect("the keeper ends");
}

#[tokio::test]
async fn d6_a_transaction_that_ran_full_leaves_nothing_even_if_it_is_committed() {
    let fixture = fixture().await;
    let mut tx = fixture.begin().await.expect("a transaction");
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(tx.writer())
        .await
        .expect("a pragma");
    let team = |id: &str, size: usize| folk::Team {
        id: id.into(),
        name: id.repeat(size),
        created_at: 1,
    };
    folk::insert_team(&mut tx, &team("small", 1))
        .await
        .expect("a row that fits");
    let large = folk::insert_team(&mut tx, &team("large", 200_000)).await;
    assert!(matches!(large, Err(StoreError::Full)), "{large:?}");
    let committed = tx.commit().await;
    assert!(
        matches!(committed, Err(StoreError::Full)),
        "half of it must not be committed: {committed:?}"
    );
    assert_eq!(folk::list_teams(&fixture).await.expect("teams").len(), 2);
    fixture.try_again().await;
    team_can_be_added(&fixture, "after").await.expect("writes go on");
}

#[tokio::test]
async fn those_who_wait_for_the_writer_are_refused_when_it_runs_full() {
    let fixture = fixture().await;
    let _obstacle = obstruct(&fixture);
    let mut tx = fixture.begin().await.expect("a transaction");
    let store = fixture.store.clone();
    let waiting = tokio::spawn(async move { store.begin().await.map(|_| ()) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let error = tx.failed(code("13"));
    assert!(matches!(error, StoreError::Full), "{error}");
    drop(tx);
    assert!(matches!(waiting.await.expect("a task"), Err(StoreError::Full)));
}

#[tokio::test]
async fn d9_after_a_failed_disk_nothing_is_written_and_nothing_recovers() {
    let fixture = fixture().await;
    let mut tx = fixture.begin().await.expect("a transaction");
    // SQLITE_IOERR_FSYNC: the disk takes a write a moment later, which proves nothing.
    let error = tx.failed(code("1034"));
    assert!(matches!(error, StoreError::Io(_)), "{error}");
    assert!(matches!(tx.commit().await, Err(StoreError::Stopped(_))));
    assert!(matches!(fixture.begin().await, Err(StoreError::Stopped(_))));
    fixture.try_again().await;
    assert!(matches!(fixture.writes(), Writes::Failed(_)));
    let failed = tokio::time::timeout(Duration::from_secs(1), fixture.failed());
    failed.await.expect("it is told");
    assert_eq!(folk::list_teams(&fixture).await.expect("reads go on").len(), 2);

    let wal = fixture.directory.path().join("headgate.db-wal");
    let before = std::fs::read(&wal).expect("the write-ahead log");
    fixture.close().await;
    assert_eq!(std::fs::read(&wal).expect("the log"), before, "closing wrote");
}

#[tokio::test]
async fn a_write_error_is_told_apart_by_a_write_of_our_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("headgate.db");
    let state = |code_: &'static str| {
        let writability = Writability::new(&database, Writes::Open);
        let error = writability.note(code(code_));
        (writability.now(), error.to_string())
    };
    // SQLITE_IOERR_WRITE, and the disk takes our own write: it is broken, not full.
    assert!(matches!(state("778").0, Writes::Failed(_)));
    // Not about the disk: no file handle left, somebody holds a lock, a defect.
    for other in ["14", "5", "1"] {
        assert_eq!(state(other).0, Writes::Open, "{other}");
    }
    #[cfg(target_os = "linux")]
    {
        let full = || std::os::unix::fs::symlink("/dev/full", directory.path().join("headgate.probe"));
        full().expect("a link");
        assert_eq!(state("4874").0, Writes::Full, "SQLITE_IOERR_SHMSIZE");
        full().expect("a link");
        assert!(
            matches!(state("1034").0, Writes::Failed(_)),
            "a failed sync stays one"
        );
        let read_only = Writability::new(std::path::Path::new("/sys/headgate.db"), Writes::Open);
        assert!(matches!(read_only.note(code("778")), StoreError::ReadOnly));
    }
}

/// An answer of SQLite with this extended result code.
fn code(code: &'static str) -> sqlx::Error {
    sqlx::Error::Database(Box::new(Refusal(code)))
}

#[derive(Debug)]
struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}", self.0)
    }
}

impl Error for Refusal {}

impl DatabaseError for Refusal {
    fn message(&self) -> &str {
        "disk I/O error"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.0.into())
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
