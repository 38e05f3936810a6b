//! When the platform is looked through, how that went, and which step a marker belongs to.

use super::bulk::CHUNK;
use super::database::Engine;
use super::{Store, StoreError, WriteTx};
use crate::domain::setup::{SetupState, StepKind, StepState};

/// How one collection of an environment was read; an environment that was not looked through yet has one row without.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SweepState {
    /// Where.
    pub environment_id: String,
    /// Its name.
    pub environment_name: String,
    /// When it is looked through next (UTC epoch milliseconds).
    pub due_at: Option<i64>,
    /// When it was last looked through to the end.
    pub ended_at: Option<i64>,
    /// The collection, named by the step that makes its objects.
    pub collection: Option<StepKind>,
    /// Its last complete reading.
    pub read_at: Option<i64>,
    /// The first failure since then.
    pub failing_since_at: Option<i64>,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// A step of a setup, as far as the owner of its marker must be known.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MarkedStep {
    /// By which its object is found.
    pub marker: String,
    /// Of which setup.
    pub setup_id: String,
    /// Which step.
    pub kind: StepKind,
    /// Where the step stands.
    pub state: StepState,
    /// Adobe's id of its object.
    pub object_id: Option<String>,
    /// Where the setup stands.
    pub setup_state: SetupState,
    /// Where the setup makes its dataflow.
    pub environment_id: String,
    /// The setup's last change of any kind (UTC epoch milliseconds).
    pub setup_updated_at: i64,
}

/// A setup that has finished and whose objects were not counted since.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DueCheck {
    /// Which.
    pub setup_id: String,
    /// When it finished (UTC epoch milliseconds).
    pub finished_at: i64,
    /// Looks that could not be completed.
    pub attempts: i64,
}

const DUE: &str = "SELECT e.id, w.due_at FROM environments e LEFT JOIN sweeps w ON w.environment_id = e.id \
     WHERE e.archived_at IS NULL AND (w.due_at IS NULL OR w.due_at <= $1) ORDER BY e.id";
const PLAN: &str =
    "INSERT INTO sweeps (environment_id, due_at) VALUES ($1, $2) ON CONFLICT (environment_id) DO NOTHING";
const BEGIN: &str = "UPDATE sweeps SET begun_at = $2, due_at = $3 WHERE environment_id = $1 AND due_at <= $2";
const END: &str = "INSERT INTO sweeps (environment_id, due_at, ended_at) VALUES ($1, $3, $2) \
     ON CONFLICT (environment_id) DO UPDATE SET due_at = excluded.due_at, ended_at = excluded.ended_at";
const RECORD_READ: &str = "INSERT INTO sweep_collections (environment_id, collection, attempted_at, read_at) \
     VALUES ($1, $2, $3, $3) ON CONFLICT (environment_id, collection) DO UPDATE SET \
     attempted_at = excluded.attempted_at, read_at = excluded.read_at, failing_since_at = NULL, problem = NULL";
const RECORD_UNREAD: &str = "INSERT INTO sweep_collections \
     (environment_id, collection, attempted_at, failing_since_at, problem) VALUES ($1, $2, $3, $3, $4) \
     ON CONFLICT (environment_id, collection) DO UPDATE SET attempted_at = excluded.attempted_at, \
     failing_since_at = COALESCE(sweep_collections.failing_since_at, excluded.failing_since_at), \
     problem = excluded.problem";
const STATES_FOR: &str = "SELECT e.id AS environment_id, e.name AS environment_name, w.due_at, w.ended_at, \
     c.collection, c.read_at, c.failing_since_at, c.problem FROM environments e \
     LEFT JOIN sweeps w ON w.environment_id = e.id LEFT JOIN sweep_collections c ON c.environment_id = e.id \
     WHERE e.team_id = $1 AND e.archived_at IS NULL ORDER BY e.name, c.collection";
macro_rules! marked {
    ($rest:literal) => {
        concat!(
            "SELECT p.marker, p.setup_id, p.kind, p.state, p.object_id, s.state AS setup_state, s.environment_id, ",
            "s.updated_at AS setup_updated_at FROM ",
            $rest
        )
    };
}
const MADE_SINCE: &str = marked!(
    "setups s JOIN setup_steps p ON p.setup_id = s.id WHERE s.environment_id = $1 AND s.finished_at >= $2 \
     AND COALESCE(s.platform_origin, $3) = $3 AND s.state = 'done' AND p.state = 'confirmed' AND p.object_id IS NOT NULL"
);
const BY_MARKER: &str = marked!("setup_steps p JOIN setups s ON s.id = p.setup_id WHERE p.marker IN (");
const DUE_CHECKS: &str = "SELECT s.id AS setup_id, s.finished_at, \
     CASE WHEN c.finished_at = s.finished_at THEN c.attempts ELSE 0 END AS attempts \
     FROM setups s JOIN environments e ON e.id = s.environment_id LEFT JOIN setup_checks c ON c.setup_id = s.id \
     WHERE s.finished_at >= $1 AND s.finished_at <= $2 AND e.archived_at IS NULL \
     AND (c.setup_id IS NULL OR c.finished_at <> s.finished_at OR (c.checked_at IS NULL AND c.next_at <= $3)) \
     ORDER BY s.finished_at, s.id LIMIT $4";
const RECORD_CHECK: &str = "INSERT INTO setup_checks (setup_id, finished_at, attempts, next_at, checked_at, problem) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (setup_id) DO UPDATE SET finished_at = excluded.finished_at, \
     attempts = excluded.attempts, next_at = excluded.next_at, checked_at = excluded.checked_at, \
     problem = excluded.problem";

/// Reads on a page's path, and those that are repeated every few seconds.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[STATES_FOR, MADE_SINCE, DUE_CHECKS];

/// The statement around the markers of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statement() -> String {
    format!("{BY_MARKER}'m')")
}

/// The environments in use whose turn has come at `now`, and those that have no turn yet (`None`).
pub async fn due(store: &Store, now: i64) -> Result<Vec<(String, Option<i64>)>, StoreError> {
    read!(store, |db| sqlx::query_as(DUE).bind(now).fetch_all(db))
}

/// Gives an environment its first turn, unless it has one.
pub async fn plan(tx: &mut WriteTx, environment_id: &str, due_at: i64) -> Result<(), StoreError> {
    let insert = sqlx::query(PLAN).bind(environment_id).bind(due_at);
    change!(tx, |db| insert.execute(db))?;
    Ok(())
}

/// Takes the turn of an environment; if the work is lost half-way, the turn comes again at `again_at`. False:
/// somebody else has taken it.
pub async fn begin(
    tx: &mut WriteTx,
    environment_id: &str,
    now: i64,
    again_at: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(BEGIN).bind(environment_id).bind(now).bind(again_at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// An environment was looked through; its next turn is at `due_at`.
pub async fn end(tx: &mut WriteTx, environment_id: &str, now: i64, due_at: i64) -> Result<(), StoreError> {
    let upsert = sqlx::query(END).bind(environment_id).bind(now).bind(due_at);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// A collection was read to its end (`Ok`), or not, for the reason given.
pub async fn record_collection(
    tx: &mut WriteTx,
    environment_id: &str,
    collection: StepKind,
    outcome: Result<(), &str>,
    at: i64,
) -> Result<(), StoreError> {
    let upsert = match outcome {
        Ok(()) => sqlx::query(RECORD_READ)
            .bind(environment_id)
            .bind(collection.as_str())
            .bind(at),
        Err(problem) => sqlx::query(RECORD_UNREAD)
            .bind(environment_id)
            .bind(collection.as_str())
            .bind(at)
            .bind(problem),
    };
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// How the team's environments in use were looked through, by name.
pub async fn states_for(store: &Store, team_id: &str) -> Result<Vec<SweepState>, StoreError> {
    read!(store, |db| sqlx::query_as(STATES_FOR).bind(team_id).fetch_all(db))
}

/// The steps, of all teams, that these markers belong to; markers that nobody knows are left out.
pub async fn by_marker(store: &Store, markers: &[&str]) -> Result<Vec<MarkedStep>, StoreError> {
    let mut steps = Vec::new();
    for chunk in markers.chunks(CHUNK) {
        let mut query = sqlx::QueryBuilder::<Engine>::new(BY_MARKER);
        let mut list = query.separated(", ");
        for marker in chunk {
            list.push_bind(*marker);
        }
        query.push(")");
        let found: Vec<MarkedStep> = read!(store, |db| query
            .build_query_as()
            .persistent(chunk.len() == CHUNK)
            .fetch_all(db))?;
        steps.extend(found);
    }
    Ok(steps)
}

/// The confirmed steps of the environment's setups that were done at `since` (UTC epoch milliseconds) or later, at
/// the platform with this origin.
pub async fn made_since(
    store: &Store,
    environment_id: &str,
    platform_origin: &str,
    since: i64,
) -> Result<Vec<MarkedStep>, StoreError> {
    read!(store, |db| sqlx::query_as(MADE_SINCE)
        .bind(environment_id)
        .bind(since)
        .bind(platform_origin)
        .fetch_all(db))
}

/// Setups that finished between `since` and `until` and whose objects are to be counted at `now`.
pub async fn due_checks(
    store: &Store,
    since: i64,
    until: i64,
    now: i64,
    limit: i64,
) -> Result<Vec<DueCheck>, StoreError> {
    read!(store, |db| sqlx::query_as(DUE_CHECKS)
        .bind(since)
        .bind(until)
        .bind(now)
        .bind(limit)
        .fetch_all(db))
}

/// When the objects of a setup are counted again: at this time (UTC epoch milliseconds), or not any more (`None`).
/// `problem` says why they could not be counted now.
pub async fn record_check(
    tx: &mut WriteTx,
    check: &DueCheck,
    (again_at, problem): (Option<i64>, Option<&str>),
    at: i64,
) -> Result<(), StoreError> {
    let attempts = check.attempts + i64::from(problem.is_some());
    let (next_at, checked_at) = (again_at.unwrap_or(at), again_at.is_none().then_some(at));
    let upsert = sqlx::query(RECORD_CHECK)
        .bind(&check.setup_id)
        .bind(check.finished_at)
        .bind(attempts)
        .bind(next_at)
        .bind(checked_at)
        .bind(problem);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}
