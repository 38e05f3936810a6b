//! The mirror of the platform's runs, and their sums per day.
//!
//! The sums, and each flow's last run, are kept by the transaction that stores the runs: no page ever counts
//! runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bulk::{CHUNK, Mirrored, insert_into, qualified, take_excluded};
use super::database::Engine;
use super::{Store, StoreError, WriteTx, flow_health};
use crate::domain::{DAY_MS, RunOutcome};

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
    /// Of its first error.
    pub error_code: Option<String>,
    /// Of its first error.
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

const COLUMNS: &[&str] = &[
    "environment_id",
    "id",
    "read_at",
    "flow_id",
    "status",
    "outcome",
    "started_at",
    "completed_at",
    "duration_ms",
    "records_in",
    "records_out",
    "records_failed",
    "files_in",
    "bytes_in",
    "bytes_out",
    "error_code",
    "error_message",
    "window_start_at",
    "window_end_at",
    "platform_updated_at",
    "ended_at",
    "raw",
];
/// The key comes first in [`COLUMNS`], then the time of reading, then what is worth a write when it differs.
const KEY_COLUMNS: usize = 2;
const UNCOMPARED_COLUMNS: usize = 3;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT environment_id, id, flow_id, status, outcome, started_at, completed_at, duration_ms, records_in, ",
            "records_out, records_failed, files_in, bytes_in, bytes_out, error_code, error_message, ",
            "window_start_at, window_end_at, platform_updated_at, read_at, ended_at, gone_at FROM runs ",
            $rest
        )
    };
}

const LATEST: &str = select!(
    "WHERE environment_id = $1 AND flow_id = $2 AND (started_at, id) < ($3, $4) \
     ORDER BY started_at DESC, id DESC LIMIT $5"
);
const BY_ID: &str = select!("WHERE environment_id = $1 AND id = $2");
const RAW: &str = "SELECT raw FROM runs WHERE environment_id = $1 AND id = $2";
/// The words are those of the index; a test compares them with [`RunOutcome::is_final`].
const UNFINISHED: &str = select!(
    "WHERE environment_id = $1 AND outcome IN ('waiting', 'running', 'unknown') ORDER BY started_at, id LIMIT $2"
);
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

const STORED_BEFORE: &str =
    "SELECT environment_id, id, flow_id, started_at FROM runs WHERE (environment_id, id) IN (";
const CLEAR_DAYS: &str = "DELETE FROM run_days WHERE (environment_id, flow_id, day) IN (";
const SUM_DAYS_HEAD: &str = "INSERT INTO run_days \
     (environment_id, flow_id, day, succeeded, partial, failed, unfinished, records_out, bytes_in) \
     SELECT t.column1, t.column2, t.column3, \
     SUM(CASE WHEN r.outcome = 'succeeded' THEN 1 ELSE 0 END), \
     SUM(CASE WHEN r.outcome = 'partial' THEN 1 ELSE 0 END), \
     SUM(CASE WHEN r.outcome = 'failed' THEN 1 ELSE 0 END), \
     SUM(CASE WHEN r.outcome IN ('waiting', 'running', 'unknown') THEN 1 ELSE 0 END), \
     CAST(COALESCE(SUM(r.records_out), 0) AS BIGINT), CAST(COALESCE(SUM(r.bytes_in), 0) AS BIGINT) FROM (";
/// `CROSS JOIN` keeps the order: the few days first, their runs by index.
const SUM_DAYS_TAIL: &str = ") AS t CROSS JOIN runs r WHERE r.environment_id = t.column1 AND r.flow_id = t.column2 \
     AND r.started_at >= t.column3 * 86400000 AND r.started_at < (t.column3 + 1) * 86400000 \
     GROUP BY t.column1, t.column2, t.column3";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[LATEST, BY_ID, RAW, UNFINISHED, DAY_SUMS, TEAM_DAY_SUMS, COUNTS];

/// The statements around the rows of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statements() -> [String; 3] {
    [
        format!("{STORED_BEFORE}VALUES ('e', 'r'))"),
        format!("{CLEAR_DAYS}VALUES ('e', 'f', 1))"),
        format!("{SUM_DAYS_HEAD}VALUES ('e', 'f', 1){SUM_DAYS_TAIL}"),
    ]
}

/// Environment and id of a run, then its flow and start.
type Placed = (String, String, String, i64);
/// Environment, flow and day of some runs.
type Day<'a> = (&'a str, &'a str, i64);

/// Stores runs as the platform shows them now, keeps the day sums exact and each flow's last run; says how many
/// were new or had changed.
///
/// A run with a final outcome never goes back to one without. Of two rows for one run the later one counts.
pub async fn upsert_many(tx: &mut WriteTx, runs: &[Mirrored<Run>]) -> Result<u64, StoreError> {
    let mut distinct: BTreeMap<(&str, &str), &Mirrored<Run>> = BTreeMap::new();
    for run in runs {
        let kept = distinct
            .entry((&run.row.environment_id, &run.row.id))
            .or_insert(run);
        if run.row.outcome.is_final() || !kept.row.outcome.is_final() {
            *kept = run;
        }
    }
    let distinct: Vec<&Mirrored<Run>> = distinct.into_values().collect();
    let mut changed = 0;
    for chunk in distinct.chunks(CHUNK) {
        let before = stored_before(tx, chunk).await?;
        let after = upsert_chunk(tx, chunk).await?;
        changed += after.len() as u64;
        keep_sums(tx, &before, &after).await?;
    }
    Ok(changed)
}

async fn stored_before(tx: &mut WriteTx, runs: &[&Mirrored<Run>]) -> Result<Vec<Placed>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Engine>::new(STORED_BEFORE);
    query.push_values(runs, |mut tuple, run| {
        tuple.push_bind(&run.row.environment_id).push_bind(&run.row.id);
    });
    query.push(")");
    change!(tx, |db| query
        .build_query_as()
        .persistent(runs.len() == CHUNK)
        .fetch_all(db))
}

/// Gives back only those that were new or had changed.
async fn upsert_chunk(tx: &mut WriteTx, runs: &[&Mirrored<Run>]) -> Result<Vec<Placed>, StoreError> {
    let mut upsert = insert_into("runs", COLUMNS);
    upsert.push_values(runs, |mut tuple, run| {
        let row = &run.row;
        tuple
            .push_bind(&row.environment_id)
            .push_bind(&row.id)
            .push_bind(row.read_at)
            .push_bind(&row.flow_id)
            .push_bind(&row.status)
            .push_bind(row.outcome.as_str())
            .push_bind(row.started_at)
            .push_bind(row.completed_at)
            .push_bind(row.duration_ms)
            .push_bind(row.records_in)
            .push_bind(row.records_out)
            .push_bind(row.records_failed)
            .push_bind(row.files_in)
            .push_bind(row.bytes_in)
            .push_bind(row.bytes_out)
            .push_bind(&row.error_code)
            .push_bind(&row.error_message)
            .push_bind(row.window_start_at)
            .push_bind(row.window_end_at)
            .push_bind(row.platform_updated_at)
            .push_bind(row.ended_at)
            .push_bind(&run.raw);
    });
    let compared = &COLUMNS[UNCOMPARED_COLUMNS..];
    upsert.push(format!(
        " ON CONFLICT (environment_id, id) DO UPDATE SET {}, gone_at = NULL \
         WHERE (runs.gone_at IS NOT NULL OR ({}) IS DISTINCT FROM ({})) AND NOT (runs.outcome IN ('succeeded', 'partial', 'failed') \
         AND excluded.outcome IN ('waiting', 'running', 'unknown')) \
         RETURNING environment_id, id, flow_id, started_at",
        take_excluded(&COLUMNS[KEY_COLUMNS..]),
        qualified("runs", compared),
        qualified("excluded", compared),
    ));
    change!(tx, |db| upsert
        .build_query_as()
        .persistent(runs.len() == CHUNK)
        .fetch_all(db))
}

/// Counts the days anew that the changed runs are in now or were in before, and finds their flows' last runs.
async fn keep_sums(tx: &mut WriteTx, before: &[Placed], after: &[Placed]) -> Result<(), StoreError> {
    fn place((environment_id, _, flow_id, started_at): &Placed) -> Day<'_> {
        (environment_id, flow_id, started_at.div_euclid(DAY_MS))
    }
    let changed: BTreeSet<(&str, &str)> = after
        .iter()
        .map(|(env, id, ..)| (env.as_str(), id.as_str()))
        .collect();
    let moved = before
        .iter()
        .filter(|(env, id, ..)| changed.contains(&(env.as_str(), id.as_str())));
    let days: BTreeSet<Day<'_>> = after.iter().chain(moved).map(place).collect();
    let days: Vec<Day<'_>> = days.into_iter().collect();
    for chunk in days.chunks(CHUNK) {
        sum_days(tx, chunk).await?;
    }
    let mut latest_change: HashMap<(&str, &str), i64> = HashMap::new();
    for (env, flow, day) in &days {
        let latest = latest_change.entry((env, flow)).or_insert(i64::MIN);
        *latest = (*latest).max((day + 1) * DAY_MS);
    }
    flow_health::runs_changed(tx, &latest_change).await
}

async fn sum_days(tx: &mut WriteTx, days: &[Day<'_>]) -> Result<(), StoreError> {
    for (head, tail) in [(CLEAR_DAYS, ")"), (SUM_DAYS_HEAD, SUM_DAYS_TAIL)] {
        let mut query = sqlx::QueryBuilder::<Engine>::new(head);
        query.push_values(days, |mut tuple, (environment_id, flow_id, day)| {
            tuple
                .push_bind(*environment_id)
                .push_bind(*flow_id)
                .push_bind(*day);
        });
        query.push(tail);
        change!(tx, |db| query.build().persistent(days.len() == CHUNK).execute(db))?;
    }
    Ok(())
}

/// The runs of a flow, last started first, before the one started at `before.0` with id `before.1`.
pub async fn latest(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Run>, StoreError> {
    let (started_at, id) = before.unwrap_or((i64::MAX, ""));
    let query = sqlx::query_as(LATEST)
        .bind(environment_id)
        .bind(flow_id)
        .bind(started_at)
        .bind(id)
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
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
    read!(store, |db| sqlx::query_scalar(RAW)
        .bind(environment_id)
        .bind(id)
        .fetch_optional(db))
}

/// The runs of an environment without a final outcome, first started first.
pub async fn unfinished(store: &Store, environment_id: &str, limit: i64) -> Result<Vec<Run>, StoreError> {
    read!(store, |db| sqlx::query_as(UNFINISHED)
        .bind(environment_id)
        .bind(limit)
        .fetch_all(db))
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
