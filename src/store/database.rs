//! Opening the database, write transactions and the write probe.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Sqlite, Transaction};

use super::readers::{Reader, Readers};
use super::writability::{Writability, Writes};
use super::{StoreError, WriteTx, secrets};

/// The engine behind the store.
pub(super) type Engine = Sqlite;

/// The forward-only migrations of this binary. They also set `application_id` and `user_version`.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Marks a file as a Headgate database: "HdGt". The first migration sets it.
pub(super) const APPLICATION_ID: i64 = 0x4864_4774;
/// Earlier releases can lose commits when two connections checkpoint at once (SQLite's "Write-Ahead Logging" page).
const OLDEST_SQLITE: &str = "3.51.3";
/// How long a caller waits for a connection before it is told that the database is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long SQLite waits for a lock that another process holds, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this many bytes after a checkpoint.
const JOURNAL_SIZE_LIMIT: &str = "67108864";
/// The page size of a new database, bytes; one that was made with another keeps it. With 4,096 it takes a fifth more
/// time to store runs, with 16,384 a small write is four times as large (measured).
const PAGE_SIZE: u32 = 8_192;
/// The writer's page cache (a negative number is KiB): bulk writes touch scattered index pages.
const WRITER_CACHE: &str = "-32768";
/// The page cache of each reader, in the same unit: what a list of a few hundred flows touches (measured).
const READER_CACHE: &str = "-4096";
/// More readers than cores only compete (measured on two cores).
const READERS: u32 = 2;
/// Rows that a reader's thread may be ahead; at least one page's worth saves a fifth of the time (measured).
const ROW_BUFFER: usize = 256;
/// The integrity check at start gives up after this long: a large database must not keep the server away.
const QUICK_CHECK_LIMIT: Duration = Duration::from_secs(2);
/// Pages in the log at which the writer moves them into the database, 16 MB. A page that was written again and again
/// until then is moved once.
const CHECKPOINT_PAGES: &str = "2000";
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// The open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: Readers,
    writability: Writability,
}

/// What stands in a database before it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The sealed canary, which proves the keys.
    pub canary: Option<String>,
    /// Whether anything at all was sealed: if so, a missing key must not be replaced by a fresh one.
    pub any_sealed: bool,
}

impl Store {
    /// Opens the database file at `path`, makes it (readable by its owner only) if it is missing, checks it and
    /// brings it up to this binary's schema. The directory must exist.
    ///
    /// # Errors
    /// [`StoreError::OldSqlite`], [`StoreError::NotOurs`], [`StoreError::NewerSchema`] and
    /// [`StoreError::Corrupt`] leave the file as it is.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_if(path, |_| Ok::<_, StoreError>(())).await
    }

    /// The same, if `approve` has nothing against what stands in the database. Before that, nothing in it is
    /// changed, and its schema may be an older one.
    ///
    /// # Errors
    /// Those of [`Store::open`] and of `approve`.
    pub async fn open_if<E: From<StoreError>>(
        path: &Path,
        approve: impl FnOnce(&Before) -> Result<(), E> + Send,
    ) -> Result<Self, E> {
        make_private_file(path)?;
        approve(&inspect(path).await?)?;
        Ok(Self::open_inspected(path).await?)
    }

    /// Opens a database for looking at it only: nothing in it is changed, migrated or checked, a server may use it
    /// at the same time, and [`Store::begin`] is refused. The schema may be older or newer than this binary's.
    ///
    /// # Errors
    /// There is no such file, or it is no database.
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let log = path.with_extension("db-wal");
        // Without a log nobody has it open and nothing is missing from the file. SQLite would make one, which
        // would be a change, and impossible where nothing can be written.
        let nobody_writes = !log.metadata().is_ok_and(|log| log.len() > 0);
        let options = options(path).read_only(true).immutable(nobody_writes);
        Ok(Self {
            // Nothing begins a transaction there, so that it is never opened.
            writer: SqlitePoolOptions::new().connect_lazy_with(options.clone()),
            readers: Readers::open(options, READERS, ACQUIRE_TIMEOUT).await?,
            writability: Writability::new(path, Writes::ReadOnly),
        })
    }

    async fn open_inspected(path: &Path) -> Result<Self, StoreError> {
        let writer = writer(
            options(path)
                .page_size(PAGE_SIZE)
                .journal_mode(SqliteJournalMode::Wal)
                .pragma("cache_size", WRITER_CACHE)
                .pragma("wal_autocheckpoint", CHECKPOINT_PAGES),
        )
        .await?;
        migrate(&writer).await?;
        let reading = options(path)
            .pragma("query_only", "ON")
            .pragma("cache_size", READER_CACHE);
        let readers = Readers::open(reading, READERS, ACQUIRE_TIMEOUT).await?;
        Ok(Self {
            writer,
            readers,
            writability: Writability::new(path, Writes::Open),
        })
    }

    /// Begins a write transaction, after waiting for the one in progress. While the database takes no writes
    /// ([`Store::writes`]), it is refused at once.
    ///
    /// A request's handler is dropped when its client goes away: writes that must not stop half-way belong in a
    /// task of their own. A dropped [`WriteTx::commit`] may have committed: read the row by its key again before
    /// telling anyone that it failed.
    pub async fn begin(&self) -> Result<WriteTx, StoreError> {
        self.writability.gate()?;
        let transaction = self.begin_anyway().await?;
        // The one that was waited for may have found the disk full.
        self.writability.gate()?;
        Ok(WriteTx::new(transaction, self.writability.clone()))
    }

    async fn begin_anyway(&self) -> Result<Transaction<'static, Engine>, StoreError> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(|error| self.writability.note(error))
    }

    /// Commits a transaction that changes nothing and yet has to be written: the version of the schema is set to
    /// what it is.
    pub(super) async fn rewrite_a_page(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin_anyway().await?;
        let write = async {
            let version: i64 = sqlx::query_scalar("PRAGMA user_version")
                .fetch_one(&mut *transaction)
                .await?;
            sqlx::query(AssertSqlSafe(format!("PRAGMA user_version = {version}")))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        };
        write.await.map_err(|error| self.writability.note(error))
    }

    /// Whether a write could begin within a second; writes nothing.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let store = self.clone();
        let probe = tokio::spawn(async move { store.begin().await?.roll_back().await });
        match tokio::time::timeout(PROBE_TIMEOUT, probe).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreError::Other("the write probe stopped".to_owned())),
            Err(_) => Err(StoreError::Busy),
        }
    }

    /// Folds what can be folded of the write-ahead log into the database, beside those who write. A disk that fails
    /// at this is told to all of them ([`Store::writes`]).
    pub(super) async fn fold_log(&self) {
        // A reader can do it: `query_only` is about statements. So nobody has to wait for the writer.
        let fold = async {
            let mut reader = self.readers.lend().await?;
            let folded = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *reader);
            folded.await.map_err(|error| self.writability.note(error))
        };
        match fold.await {
            Ok(_) | Err(StoreError::Busy) => {}
            Err(error) => tracing::warn!(%error, "the write-ahead log was not folded into the database"),
        }
    }

    /// Gives back the memory that large writes leave with the writer: pages, and statements of a thousand rows.
    pub async fn shrink(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.acquire().await?;
        writer.clear_cached_statements().await?;
        sqlx::query("PRAGMA shrink_memory").execute(&mut *writer).await?;
        Ok(())
    }

    /// Waits for connections in use, then closes the file; the last one folds the write-ahead log into it.
    ///
    /// After the disk failed nothing is closed, because closing writes: the connections are left to the end of
    /// the process.
    pub async fn close(&self) {
        if matches!(self.writes(), Writes::Failed(_)) {
            std::mem::forget(self.clone());
            return;
        }
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Waits for a connection that only reads.
    pub(super) async fn reader(&self) -> Result<Reader, StoreError> {
        self.readers.lend().await
    }

    pub(super) fn writability(&self) -> &Writability {
        &self.writability
    }

    /// Runs out of room in earnest: the database may not grow any more, and is asked to.
    #[cfg(test)]
    pub(crate) async fn run_full(&self) {
        let mut tx = self.begin().await.expect("a transaction");
        // SQLite raises the limit to the size that the file has already; it goes with the connection.
        let limit = sqlx::query("PRAGMA max_page_count = 1");
        limit.execute(tx.writer()).await.expect("a pragma");
        let filler = sqlx::query("CREATE TABLE filler AS SELECT randomblob(1000000)");
        let refused = change!(tx, |db| filler.execute(db));
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    }

    #[cfg(test)]
    pub(super) fn connections(&self) -> (&SqlitePool, &Readers) {
        (&self.writer, &self.readers)
    }
}

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(ROW_BUFFER)
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT)
        .pragma("trusted_schema", "OFF")
}

/// The connection is kept for good: SQLite has no server that could drop it, and a fresh one starts cold.
async fn writer(options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    Ok(SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(is_at_rest(connection)))
        .connect_with(options)
        .await?)
}

/// SQLite takes a transaction back by itself when the disk is full or fails. sqlx does not learn of that, its own
/// rollback is refused, and it would never begin another one on that connection: such a one is replaced.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A rollback may still be on its way; the answer to this comes after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

fn make_private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly
            }
            std::io::ErrorKind::StorageFull => StoreError::Full,
            kind => StoreError::Io(kind.to_string()),
        }),
    }
}

/// Looks at the file before anything is changed in it.
async fn inspect(path: &Path) -> Result<Before, StoreError> {
    // That a check of a large file takes its time is told below, once.
    let options = options(path).disable_statement_logging();
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut connection)
        .await?;
    refuse_old(&version)?;
    let application_id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut connection)
        .await?;
    // sqlx makes its own table before the first migration sets the id; a start may have ended in between.
    let others: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'")
            .fetch_one(&mut connection)
            .await?;
    let fresh = application_id == 0 && others == 0;
    if application_id != APPLICATION_ID && !fresh {
        return Err(StoreError::NotOurs);
    }
    quick_check(&mut connection).await?;
    let mut before = Before {
        canary: None,
        any_sealed: false,
    };
    if !fresh {
        before.canary = sqlx::query_scalar(secrets::CANARY)
            .fetch_optional(&mut connection)
            .await?;
        let any: i64 = sqlx::query_scalar(secrets::ANY_SEALED)
            .fetch_one(&mut connection)
            .await?;
        before.any_sealed = any != 0;
    }
    connection.close().await?;
    Ok(before)
}

pub(crate) fn refuse_old(version: &str) -> Result<(), StoreError> {
    let numbers =
        |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    if numbers(version) >= numbers(OLDEST_SQLITE) {
        return Ok(());
    }
    Err(StoreError::OldSqlite {
        found: version.to_owned(),
        needed: OLDEST_SQLITE,
    })
}

async fn quick_check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let started = Instant::now();
    connection
        .lock_handle()
        .await?
        .set_progress_handler(10_000, move || started.elapsed() < QUICK_CHECK_LIMIT);
    let result = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await;
    connection.lock_handle().await?.remove_progress_handler();
    match result {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(StoreError::Corrupt(verdict)),
        Err(_) if started.elapsed() >= QUICK_CHECK_LIMIT => {
            tracing::warn!("the check of the database file was cut short because the file is large");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The newest migration of this binary.
pub(super) fn known_schema() -> i64 {
    let versions = MIGRATIONS.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}

async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let known = known_schema();
    match MIGRATIONS.run(writer).await {
        Err(MigrateError::VersionMissing(found)) if found > known => {
            Err(StoreError::NewerSchema { found, known })
        }
        outcome => Ok(outcome?),
    }
}
