//! How fresh the mirror of the platform is.

use super::{Store, StoreError, WriteTx};
use crate::domain::words;

words! {
    /// What is mirrored.
    pub enum SyncTopic {
        /// Dataflows.
        Flows = "flows",
        /// Their runs.
        Runs = "runs",
        /// Kinds of source.
        Specifications = "specifications",
    }
}

/// How fresh one topic of one environment is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SyncState {
    /// Where.
    pub environment_id: String,
    /// What.
    pub topic: SyncTopic,
    /// Everything that the platform changed before is stored.
    pub watermark_at: i64,
    /// The last try.
    pub attempted_at: i64,
    /// The last complete reading.
    pub succeeded_at: Option<i64>,
    /// The first failure since then.
    pub failing_since_at: Option<i64>,
    /// Why the last try failed.
    pub problem: Option<String>,
    /// Of runs: everything that started since then is stored; none: nobody has counted back yet.
    pub filled_from_at: Option<i64>,
    /// Of runs: how far back the history is being filled; none: nothing is being filled.
    pub fill_goal_at: Option<i64>,
}

const GET: &str = "SELECT environment_id, topic, watermark_at, attempted_at, succeeded_at, failing_since_at, problem, \
     filled_from_at, fill_goal_at FROM sync_state WHERE environment_id = $1 AND topic = $2";
const ALL_FOR: &str = "SELECT s.environment_id, s.topic, s.watermark_at, s.attempted_at, s.succeeded_at, \
     s.failing_since_at, s.problem, s.filled_from_at, s.fill_goal_at FROM environments e JOIN sync_state s ON s.environment_id = e.id \
     WHERE e.team_id = $1 AND e.archived_at IS NULL ORDER BY e.name, s.topic";
const RECORD_SUCCESS: &str = "INSERT INTO sync_state \
     (environment_id, topic, watermark_at, attempted_at, succeeded_at) VALUES ($1, $2, $3, $4, $4) \
     ON CONFLICT (environment_id, topic) DO UPDATE SET watermark_at = excluded.watermark_at, \
     attempted_at = excluded.attempted_at, succeeded_at = excluded.succeeded_at, failing_since_at = NULL, \
     problem = NULL";
const RECORD_FAILURE: &str = "INSERT INTO sync_state \
     (environment_id, topic, watermark_at, attempted_at, failing_since_at, problem) VALUES ($1, $2, 0, $3, $3, $4) \
     ON CONFLICT (environment_id, topic) DO UPDATE SET attempted_at = excluded.attempted_at, \
     failing_since_at = COALESCE(sync_state.failing_since_at, excluded.failing_since_at), \
     problem = excluded.problem";

const BEGIN_FILL: &str = "UPDATE sync_state SET filled_from_at = $3, fill_goal_at = $4 \
     WHERE environment_id = $1 AND topic = $2";
const MOVE_FILL: &str = "UPDATE sync_state SET filled_from_at = $4, \
     fill_goal_at = CASE WHEN $4 <= fill_goal_at THEN NULL ELSE fill_goal_at END \
     WHERE environment_id = $1 AND topic = $2 AND filled_from_at = $3 AND fill_goal_at IS NOT NULL";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[GET, ALL_FOR];

/// How fresh a topic is; none: it was never tried.
pub async fn get(
    store: &Store,
    environment_id: &str,
    topic: SyncTopic,
) -> Result<Option<SyncState>, StoreError> {
    read!(store, |db| sqlx::query_as(GET)
        .bind(environment_id)
        .bind(topic.as_str())
        .fetch_optional(db))
}

/// How fresh everything of a team is, by environment name; archived environments are left out.
pub async fn all_for(store: &Store, team_id: &str) -> Result<Vec<SyncState>, StoreError> {
    read!(store, |db| sqlx::query_as(ALL_FOR).bind(team_id).fetch_all(db))
}

/// Notes a complete reading and moves the watermark, in the transaction that stores what was read.
pub async fn record_success(
    tx: &mut WriteTx,
    environment_id: &str,
    topic: SyncTopic,
    watermark_at: i64,
    at: i64,
) -> Result<(), StoreError> {
    let upsert = sqlx::query(RECORD_SUCCESS)
        .bind(environment_id)
        .bind(topic.as_str())
        .bind(watermark_at)
        .bind(at);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// Notes a failed try; watermark and last success stay.
pub async fn record_failure(
    tx: &mut WriteTx,
    environment_id: &str,
    topic: SyncTopic,
    problem: &str,
    at: i64,
) -> Result<(), StoreError> {
    let upsert = sqlx::query(RECORD_FAILURE)
        .bind(environment_id)
        .bind(topic.as_str())
        .bind(at)
        .bind(problem);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// Notes that everything since `filled_from_at` is stored and the rest is to be filled back to `goal_at`.
pub async fn begin_fill(
    tx: &mut WriteTx,
    environment_id: &str,
    topic: SyncTopic,
    filled_from_at: i64,
    goal_at: i64,
) -> Result<(), StoreError> {
    let update = sqlx::query(BEGIN_FILL)
        .bind(environment_id)
        .bind(topic.as_str())
        .bind(filled_from_at)
        .bind(goal_at);
    change!(tx, |db| update.execute(db))?;
    Ok(())
}

/// Moves how far back the history is stored, and ends the filling at its goal. False: it is not at `from` any more,
/// and nothing was changed.
pub async fn move_fill(
    tx: &mut WriteTx,
    environment_id: &str,
    topic: SyncTopic,
    from: i64,
    to: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(MOVE_FILL)
        .bind(environment_id)
        .bind(topic.as_str())
        .bind(from)
        .bind(to);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}
