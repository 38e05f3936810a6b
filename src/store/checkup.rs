//! What an operator wants to know of a database. Only reads, and works on any version of the schema as far as it
//! can.

use std::time::{Duration, Instant};

use super::database::{APPLICATION_ID, known_schema};
use super::{Store, StoreError};

/// What database it is, and what reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The SQLite in this binary.
    pub sqlite: String,
    /// Whether it says of itself that it is Headgate's.
    pub is_ours: bool,
    /// The newest migration in it.
    pub schema: i64,
    /// The newest migration of this binary.
    pub known_schema: i64,
}

/// What a check of every page and index found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    /// Nothing.
    Sound,
    /// These, in SQLite's words.
    Flawed(Vec<String>),
    /// It took too long. Nothing was found so far.
    CutShort,
}

/// Where the setups of all teams stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SetupFigures {
    /// A worker has something to do for them now.
    pub active: i64,
    /// Paused until a stored time.
    pub waiting: i64,
    /// Stopped with a question for a person.
    pub asking: i64,
}

/// Calls of which it is not known whether they acted.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct UnclearCalls {
    /// How many.
    pub calls: i64,
    /// When the oldest was sent, in UTC epoch milliseconds.
    pub oldest_sent_at: Option<i64>,
}

const SETUPS: &str = "SELECT \
     CAST(COALESCE(SUM(CASE WHEN state IN ('queued', 'running', 'undoing') THEN 1 ELSE 0 END), 0) AS BIGINT) AS active, \
     CAST(COALESCE(SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0) AS BIGINT) AS waiting, \
     CAST(COALESCE(SUM(CASE WHEN state = 'needs_attention' THEN 1 ELSE 0 END), 0) AS BIGINT) AS asking FROM setups";
const UNCLEAR: &str = "SELECT COUNT(*) AS calls, MIN(sent_at) AS oldest_sent_at FROM setup_steps \
     WHERE state IN ('intent', 'unknown', 'undo_intent')";
const LEASES: &str = "SELECT COUNT(*) FROM leases WHERE expires_at > $1";

/// What database it is.
pub async fn identity(store: &Store) -> Result<Identity, StoreError> {
    let sqlite = read!(store, |db| sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(db))?;
    let application_id: i64 = read!(store, |db| sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(db))?;
    let schema = read!(store, |db| sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(db))?;
    Ok(Identity {
        sqlite,
        is_ours: application_id == APPLICATION_ID,
        schema,
        known_schema: known_schema(),
    })
}

/// Checks every page, row and index, for at most `limit`.
pub async fn integrity(store: &Store, limit: Duration) -> Result<Integrity, StoreError> {
    let mut connection = store.reader().await?;
    let started = Instant::now();
    connection
        .lock_handle()
        .await?
        .set_progress_handler(10_000, move || started.elapsed() < limit);
    // The first flaws say enough.
    let check = sqlx::query_scalar::<_, String>("PRAGMA integrity_check(10)");
    let found = check.fetch_all(&mut *connection).await;
    connection.lock_handle().await?.remove_progress_handler();
    match found {
        Ok(words) if words == ["ok"] => Ok(Integrity::Sound),
        Ok(words) => Ok(Integrity::Flawed(words)),
        Err(_) if started.elapsed() >= limit => Ok(Integrity::CutShort),
        Err(error) => Err(error.into()),
    }
}

/// Rows that point to rows which are not there: the tables, and how many in each.
pub async fn dangling(store: &Store) -> Result<Vec<(String, i64)>, StoreError> {
    read!(store, |db| sqlx::query_as(
        "SELECT \"table\", COUNT(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1"
    )
    .fetch_all(db))
}

/// Where the setups of all teams stand.
pub async fn setups(store: &Store) -> Result<SetupFigures, StoreError> {
    read!(store, |db| sqlx::query_as(SETUPS).fetch_one(db))
}

/// Calls of which it is not known whether they acted: on their way, or to be looked for.
pub async fn unclear_calls(store: &Store) -> Result<UnclearCalls, StoreError> {
    read!(store, |db| sqlx::query_as(UNCLEAR).fetch_one(db))
}

/// How many leases are held at `now`.
pub async fn leases(store: &Store, now: i64) -> Result<i64, StoreError> {
    read!(store, |db| sqlx::query_scalar(LEASES).bind(now).fetch_one(db))
}
