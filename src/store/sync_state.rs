//! How fresh the mirror of the platform is.

use super::{Store, StoreError, WriteTx, judgements};
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
    /// Of what fails: when it is tried again.
    pub next_try_at: Option<i64>,
    /// Of runs: everything that started since then is stored; none: nobody has counted back yet.
    pub filled_from_at: Option<i64>,
    /// Of runs: how far back the history is being filled; none: nothing is being filled.
    pub fill_goal_at: Option<i64>,
    /// Of runs: since when older ones cannot be read; none: that does not fail.
    pub fill_failing_since_at: Option<i64>,
    /// Why the last try of that failed.
    pub fill_problem: Option<String>,
    /// When it is tried again.
    pub fill_next_try_at: Option<i64>,
}

/// A try that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedTry<'a> {
    /// Why, in words for people.
    pub problem: &'a str,
    /// When it failed (UTC epoch milliseconds).
    pub at: i64,
    /// When it is tried again (UTC epoch milliseconds).
    pub next_try_at: i64,
}

const GET: &str = "SELECT environment_id, topic, watermark_at, attempted_at, succeeded_at, failing_since_at, problem, \
     next_try_at, filled_from_at, fill_goal_at, fill_failing_since_at, fill_problem, fill_next_try_at \
     FROM sync_state WHERE environment_id = $1 AND topic = $2";
const ALL_FOR: &str = "SELECT s.environment_id, s.topic, s.watermark_at, s.attempted_at, s.succeeded_at, \
     s.failing_since_at, s.problem, s.next_try_at, s.filled_from_at, s.fill_goal_at, s.fill_failing_since_at, \
     s.fill_problem, s.fill_next_try_at FROM environments e JOIN sync_state s ON s.environment_id = e.id \
     WHERE e.team_id = $1 AND e.archived_at IS NULL ORDER BY e.name, s.topic";
const RECORD_SUCCESS: &str = "INSERT INTO sync_state \
     (environment_id, topic, watermark_at, attempted_at, succeeded_at) VALUES ($1, $2, $3, $4, $4) \
     ON CONFLICT (environment_id, topic) DO UPDATE SET watermark_at = excluded.watermark_at, \
     attempted_at = excluded.attempted_at, succeeded_at = excluded.succeeded_at, failing_since_at = NULL, \
     problem = NULL, next_try_at = NULL";
const RECORD_FAILURE: &str = "INSERT INTO sync_state \
     (environment_id, topic, watermark_at, attempted_at, failing_since_at, problem, next_try_at) \
     VALUES ($1, $2, 0, $3, $3, $4, $5) \
     ON CONFLICT (environment_id, topic) DO UPDATE SET attempted_at = excluded.attempted_at, \
     failing_since_at = COALESCE(sync_state.failing_since_at, excluded.failing_since_at), \
     problem = excluded.problem, next_try_at = excluded.next_try_at";

/// What lies behind a gap stays known.
const BEGIN_FILL: &str = "UPDATE sync_state SET filled_from_at = $3, fill_goal_at = $4, filled_before_at = \
     CASE WHEN fill_goal_at IS NULL THEN filled_from_at ELSE filled_before_at END, \
     fill_failing_since_at = NULL, fill_problem = NULL, fill_next_try_at = NULL \
     WHERE environment_id = $1 AND topic = $2";
const MOVE_FILL: &str = "UPDATE sync_state SET filled_from_at = \
     CASE WHEN $4 <= fill_goal_at AND filled_before_at < $4 THEN filled_before_at ELSE $4 END, \
     filled_before_at = CASE WHEN $4 <= fill_goal_at THEN NULL ELSE filled_before_at END, \
     fill_goal_at = CASE WHEN $4 <= fill_goal_at THEN NULL ELSE fill_goal_at END, \
     fill_failing_since_at = NULL, fill_problem = NULL, fill_next_try_at = NULL \
     WHERE environment_id = $1 AND topic = $2 AND filled_from_at = $3 AND fill_goal_at IS NOT NULL \
     RETURNING fill_goal_at";

const RECORD_FILL_FAILURE: &str = "UPDATE sync_state SET \
     fill_failing_since_at = COALESCE(fill_failing_since_at, $3), fill_problem = $4, fill_next_try_at = $5 \
     WHERE environment_id = $1 AND topic = $2 RETURNING fill_failing_since_at";
const END_FILL_FAILURE: &str = "UPDATE sync_state SET fill_failing_since_at = NULL, fill_problem = NULL, \
     fill_next_try_at = NULL \
     WHERE environment_id = $1 AND topic = $2 AND fill_failing_since_at IS NOT NULL AND fill_goal_at IS NULL";

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
    failed: FailedTry<'_>,
) -> Result<(), StoreError> {
    let upsert = sqlx::query(RECORD_FAILURE)
        .bind(environment_id)
        .bind(topic.as_str())
        .bind(failed.at)
        .bind(failed.problem)
        .bind(failed.next_try_at);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// Notes that older runs cannot be read at present; how far they are read stays. The flows are judged by that when it
/// begins.
pub async fn record_fill_failure(
    tx: &mut WriteTx,
    environment_id: &str,
    failed: FailedTry<'_>,
) -> Result<(), StoreError> {
    let update = sqlx::query_scalar(RECORD_FILL_FAILURE)
        .bind(environment_id)
        .bind(SyncTopic::Runs.as_str())
        .bind(failed.at)
        .bind(failed.problem)
        .bind(failed.next_try_at);
    let failing_since_at: Option<i64> = change!(tx, |db| update.fetch_optional(db))?;
    if failing_since_at == Some(failed.at) {
        judgements::judge_all_anew(tx, environment_id).await?;
    }
    Ok(())
}

/// Notes that reading older runs does not fail any more, where nothing is being filled; else that ends with the next
/// part of it.
pub async fn end_fill_failure(tx: &mut WriteTx, environment_id: &str) -> Result<(), StoreError> {
    let update = sqlx::query(END_FILL_FAILURE)
        .bind(environment_id)
        .bind(SyncTopic::Runs.as_str());
    if change!(tx, |db| update.execute(db))?.rows_affected() == 1 {
        judgements::judge_all_anew(tx, environment_id).await?;
    }
    Ok(())
}

/// Notes that everything since `filled_from_at` is stored and the rest is to be filled back to `goal_at`. The flows
/// are judged by that: nothing is missing or late for what is not read yet.
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
    judgements::judge_all_anew(tx, environment_id).await
}

/// Moves how far back the history is stored, and ends the filling at its goal, when the flows are judged anew. False:
/// it is not at `from` any more, and nothing was changed.
pub async fn move_fill(
    tx: &mut WriteTx,
    environment_id: &str,
    topic: SyncTopic,
    from: i64,
    to: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query_scalar(MOVE_FILL)
        .bind(environment_id)
        .bind(topic.as_str())
        .bind(from)
        .bind(to);
    let goal_left: Option<Option<i64>> = change!(tx, |db| update.fetch_optional(db))?;
    if goal_left == Some(None) {
        judgements::judge_all_anew(tx, environment_id).await?;
    }
    Ok(goal_left.is_some())
}
