//! The mirror of the platform's runs, and their sums per day.
//!
//! The sums, and each flow's last run, are kept by the transaction that stores the runs (`run_mirror`): no page ever
//! counts runs.

use super::{Document, Store, StoreError};
use crate::domain::RunOutcome;

pub use super::run_mirror::{
    Changed, Unfinished, gone_candidates, mark_gone, oldest_shown, unfinished, upsert_many,
};
#[cfg(test)]
pub(super) use super::run_mirror::{MIRROR_READS, chunk_statements};

/// What the platform says about one run.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    /// Where.
    pub environment_id: String,
    /// Adobe's.
    pub id: String,
    /// Of which flow.
    pub flow_id: String,
    /// As Adobe says it.
    pub status: String,
    /// Our reading of it.
    pub outcome: RunOutcome,
    /// Its start, or the platform's creation time until it has one.
    pub started_at: i64,
    /// Its end.
    pub completed_at: Option<i64>,
    /// How long it took, milliseconds.
    pub duration_ms: Option<i64>,
    /// Records read.
    pub records_in: Option<i64>,
    /// Records stored.
    pub records_out: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// Bytes stored.
    pub bytes_out: Option<i64>,
    /// Of the error that tells most: see [`most_telling`](crate::domain::failures::most_telling).
    pub error_code: Option<String>,
    /// Of the same error.
    pub error_message: Option<String>,
    /// Files changed since here were read.
    pub window_start_at: Option<i64>,
    /// Files changed until here were read.
    pub window_end_at: Option<i64>,
    /// When the platform last changed it.
    pub platform_updated_at: i64,
    /// When we read it as it is here.
    pub read_at: i64,
    /// Of a final one: its end, or its last change if the platform tells no end.
    pub ended_at: Option<i64>,
    /// No longer at the platform since; rows that come from there say nothing.
    pub gone_at: Option<i64>,
}

/// What a table or chart of a flow's runs shows of each: reading a column of fifty rows costs more than a page has
/// to spare for those that it does not show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, sqlx::FromRow)]
pub struct RunLine {
    /// Adobe's.
    pub id: String,
    /// As Adobe says it.
    pub status: String,
    /// Our reading of it.
    pub outcome: RunOutcome,
    /// Its start, or the platform's creation time until it has one.
    pub started_at: i64,
    /// How long it took, milliseconds.
    pub duration_ms: Option<i64>,
    /// Records read.
    pub records_in: Option<i64>,
    /// Records stored.
    pub records_out: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// Of the error that tells most.
    pub error_code: Option<String>,
    /// Of the same error.
    pub error_message: Option<String>,
}

impl Run {
    /// What a table shows of it.
    pub fn line(&self) -> RunLine {
        RunLine {
            id: self.id.clone(),
            status: self.status.clone(),
            outcome: self.outcome,
            started_at: self.started_at,
            duration_ms: self.duration_ms,
            records_in: self.records_in,
            records_out: self.records_out,
            records_failed: self.records_failed,
            files_in: self.files_in,
            bytes_in: self.bytes_in,
            error_code: self.error_code.clone(),
            error_message: self.error_message.clone(),
        }
    }
}

/// What the runs of one day came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct RunDay {
    /// Days since 1970-01-01 UTC.
    pub day: i64,
    /// Runs after which everything had arrived.
    pub succeeded: i64,
    /// Runs that lost some records.
    pub partial: i64,
    /// Runs that failed.
    pub failed: i64,
    /// Runs without a final outcome yet.
    pub unfinished: i64,
    /// Records stored.
    pub records_out: i64,
    /// Bytes read.
    pub bytes_in: i64,
}

/// How one ended that the platform forgot before its end nobody will know.
const LATEST: &str = "SELECT id, status, CASE WHEN gone_at IS NOT NULL AND ended_at IS NULL THEN 'unknown' \
     ELSE outcome END AS outcome, started_at, duration_ms, records_in, records_out, records_failed, \
     files_in, bytes_in, error_code, error_message FROM runs \
     WHERE environment_id = $1 AND flow_id = $2 AND (started_at, id) < ($3, $4) \
     ORDER BY started_at DESC, id DESC LIMIT $5";
const BY_ID: &str = "SELECT environment_id, id, flow_id, status, outcome, started_at, completed_at, duration_ms, \
     records_in, records_out, records_failed, files_in, bytes_in, bytes_out, error_code, error_message, \
     window_start_at, window_end_at, platform_updated_at, read_at, ended_at, gone_at FROM runs \
     WHERE environment_id = $1 AND id = $2";
const RAW: &str = "SELECT raw FROM runs WHERE environment_id = $1 AND id = $2";
const DAY_SUMS: &str = "SELECT day, succeeded, partial, failed, unfinished, records_out, bytes_in FROM run_days \
     WHERE environment_id = $1 AND flow_id = $2 AND day >= $3 ORDER BY day";
const TEAM_DAY_SUMS: &str = "SELECT d.day, CAST(SUM(d.succeeded) AS BIGINT) AS succeeded, \
     CAST(SUM(d.partial) AS BIGINT) AS partial, CAST(SUM(d.failed) AS BIGINT) AS failed, \
     CAST(SUM(d.unfinished) AS BIGINT) AS unfinished, CAST(SUM(d.records_out) AS BIGINT) AS records_out, \
     CAST(SUM(d.bytes_in) AS BIGINT) AS bytes_in \
     FROM environments e JOIN run_days d ON d.environment_id = e.id \
     WHERE e.team_id = $1 AND e.archived_at IS NULL AND ($2 IS NULL OR e.id = $2) AND d.day >= $3 \
     GROUP BY d.day ORDER BY d.day";
const COUNTS: &str = "SELECT CAST(0 AS BIGINT) AS day, CAST(COALESCE(SUM(succeeded), 0) AS BIGINT) AS succeeded, \
     CAST(COALESCE(SUM(partial), 0) AS BIGINT) AS partial, CAST(COALESCE(SUM(failed), 0) AS BIGINT) AS failed, \
     CAST(COALESCE(SUM(unfinished), 0) AS BIGINT) AS unfinished, \
     CAST(COALESCE(SUM(records_out), 0) AS BIGINT) AS records_out, \
     CAST(COALESCE(SUM(bytes_in), 0) AS BIGINT) AS bytes_in \
     FROM run_days WHERE environment_id = $1 AND flow_id = $2";

const FAILED_AT: &str = "SELECT id FROM runs WHERE environment_id = $1 AND flow_id = $2 AND started_at = $3 \
     AND outcome = 'failed' ORDER BY id DESC LIMIT 1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[FAILED_AT, LATEST, BY_ID, RAW, DAY_SUMS, TEAM_DAY_SUMS, COUNTS];

/// The runs of a flow, last started first, before the one started at `before.0` with id `before.1`.
pub async fn latest(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<RunLine>, StoreError> {
    let (started_at, id) = before.unwrap_or((i64::MAX, ""));
    let query = sqlx::query_as(LATEST)
        .bind(environment_id)
        .bind(flow_id)
        .bind(started_at)
        .bind(id)
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// The id of the failed run of a flow with this start (UTC epoch milliseconds).
pub async fn failed_at(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    started_at: i64,
) -> Result<Option<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(FAILED_AT)
        .bind(environment_id)
        .bind(flow_id)
        .bind(started_at)
        .fetch_optional(db))
}

/// One run.
pub async fn by_id(store: &Store, environment_id: &str, id: &str) -> Result<Option<Run>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(environment_id)
        .bind(id)
        .fetch_optional(db))
}

/// Adobe's JSON of a run as last read.
pub async fn raw(store: &Store, environment_id: &str, id: &str) -> Result<Option<String>, StoreError> {
    let stored: Option<Vec<u8>> = read!(store, |db| sqlx::query_scalar(RAW)
        .bind(environment_id)
        .bind(id)
        .fetch_optional(db))?;
    stored.map(Document::unpack).transpose()
}

/// The day sums of a flow since a day (days since 1970-01-01 UTC); days without runs are left out.
pub async fn day_sums(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    from_day: i64,
) -> Result<Vec<RunDay>, StoreError> {
    let query = sqlx::query_as(DAY_SUMS)
        .bind(environment_id)
        .bind(flow_id)
        .bind(from_day);
    read!(store, |db| query.fetch_all(db))
}

/// The day sums of all flows of a team, or of one of its environments, since a day; days without runs are left
/// out, archived environments too.
pub async fn team_day_sums(
    store: &Store,
    team_id: &str,
    environment_id: Option<&str>,
    from_day: i64,
) -> Result<Vec<RunDay>, StoreError> {
    let query = sqlx::query_as(TEAM_DAY_SUMS)
        .bind(team_id)
        .bind(environment_id)
        .bind(from_day);
    read!(store, |db| query.fetch_all(db))
}

/// What all stored runs of a flow came to; its `day` is 0.
pub async fn counts(store: &Store, environment_id: &str, flow_id: &str) -> Result<RunDay, StoreError> {
    read!(store, |db| sqlx::query_as(COUNTS)
        .bind(environment_id)
        .bind(flow_id)
        .fetch_one(db))
}
