//! Runs that people asked the platform for.

use super::runs::Run;
use super::{Store, StoreError, WriteTx};
use crate::domain::run_request::RequestState;

/// A person's wish for a run and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RunRequest {
    /// The one-time key of the form.
    pub id: String,
    /// Whose.
    pub team_id: String,
    /// Where.
    pub environment_id: String,
    /// Of which flow.
    pub flow_id: String,
    /// The run that is run again; none: a window was asked for.
    pub retried_run_id: Option<String>,
    /// Files changed since here were asked for.
    pub window_start_at: Option<i64>,
    /// Files changed until here were asked for.
    pub window_end_at: Option<i64>,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: i64,
    /// What became of it.
    pub state: RequestState,
    /// When that was known.
    pub answered_at: Option<i64>,
    /// The run that was started.
    pub run_id: Option<String>,
    /// Why it was not, or is not known.
    pub problem: Option<String>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub struct RequestEnd<'a> {
    /// What became of it.
    pub state: RequestState,
    /// The run that was started.
    pub run_id: Option<&'a str>,
    /// Why it was not, or is not known.
    pub problem: Option<&'a str>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, team_id, environment_id, flow_id, retried_run_id, window_start_at, window_end_at, ",
            "requested_by, requested_at, state, answered_at, run_id, problem FROM run_requests ",
            $rest
        )
    };
}

const BY_ID: &str = select!("WHERE id = $1 AND team_id = $2");
const LAST_OF_FLOW: &str =
    select!("WHERE environment_id = $1 AND flow_id = $2 ORDER BY requested_at DESC, id DESC LIMIT 1");
const OF_RUN: &str = "SELECT u.name, q.requested_at, q.retried_run_id, q.state FROM run_requests q \
     JOIN users u ON u.id = q.requested_by WHERE q.environment_id = $1 AND q.run_id = $2 LIMIT 1";
/// Whether run `r` is what request `q` asked for, whose answer was lost: it began within an hour and has the files of
/// the request or of the run `o` that was to be repeated. Of a run that has not begun, windows are told in seconds.
macro_rules! begun_by_it {
    () => {
        "LEFT JOIN runs o ON o.environment_id = q.environment_id AND o.id = q.retried_run_id \
         JOIN runs r ON r.environment_id = q.environment_id AND r.flow_id = q.flow_id \
         AND r.id IS DISTINCT FROM q.retried_run_id \
         AND r.started_at BETWEEN q.requested_at - 120000 AND q.requested_at + 3600000 \
         AND r.window_start_at BETWEEN COALESCE(q.window_start_at, o.window_start_at) - 999 \
         AND COALESCE(q.window_start_at, o.window_start_at) + 999 \
         AND r.window_end_at BETWEEN COALESCE(q.window_end_at, o.window_end_at) - 999 \
         AND COALESCE(q.window_end_at, o.window_end_at) + 999 "
    };
}
const PERHAPS_OF_RUN: &str = concat!(
    "SELECT u.name, q.requested_at, q.retried_run_id, q.state FROM run_requests q JOIN users u ON u.id = q.requested_by ",
    begun_by_it!(),
    "WHERE q.environment_id = $1 AND q.flow_id = $2 AND q.state = 'unknown' ",
    "AND q.requested_at BETWEEN CAST($3 AS BIGINT) - 3600000 AND CAST($3 AS BIGINT) + 120000 AND r.id = $4 ",
    "ORDER BY q.requested_at DESC, q.id DESC LIMIT 1"
);
const HAS_BEGUN: &str = concat!(
    "SELECT COUNT(*) FROM run_requests q ",
    begun_by_it!(),
    "WHERE q.id = $1"
);
const ON_THEIR_WAY: &str = select!("WHERE state = 'sent'");
const INSERT: &str = "INSERT INTO run_requests (id, team_id, environment_id, flow_id, retried_run_id, window_start_at, \
     window_end_at, requested_by, requested_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const END: &str = "UPDATE run_requests SET state = $2, run_id = $3, problem = $4, answered_at = $5 \
     WHERE id = $1 AND state = 'sent'";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[BY_ID, LAST_OF_FLOW, OF_RUN, PERHAPS_OF_RUN, HAS_BEGUN];

/// By whom a run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AskedFor {
    /// Their name.
    pub name: String,
    /// When (UTC epoch milliseconds).
    pub requested_at: i64,
    /// The earlier run that it repeats.
    pub retried_run_id: Option<String>,
    /// What is known of that; unknown: the answer was lost, and the run is what was asked for.
    pub state: RequestState,
}

/// Adds a request that is about to be sent. [`StoreError::Duplicate`]: this form was sent before, or another
/// request for the flow is on its way.
pub async fn insert(tx: &mut WriteTx, request: &RunRequest) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&request.id)
        .bind(&request.team_id)
        .bind(&request.environment_id)
        .bind(&request.flow_id)
        .bind(&request.retried_run_id)
        .bind(request.window_start_at)
        .bind(request.window_end_at)
        .bind(&request.requested_by)
        .bind(request.requested_at)
        .bind(request.state.as_str());
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("a run of this flow"))?;
    Ok(())
}

/// Notes how a request ended. [`StoreError::Stale`]: it had ended already.
pub async fn end(tx: &mut WriteTx, id: &str, end: RequestEnd<'_>, at: i64) -> Result<(), StoreError> {
    let update = sqlx::query(END)
        .bind(id)
        .bind(end.state.as_str())
        .bind(end.run_id)
        .bind(end.problem)
        .bind(at);
    match change!(tx, |db| update.execute(db))?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Stale),
    }
}

/// A request of the team by its form's key.
pub async fn by_id(store: &Store, team_id: &str, id: &str) -> Result<Option<RunRequest>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(id)
        .bind(team_id)
        .fetch_optional(db))
}

/// The last request for a flow.
pub async fn last_of_flow(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
) -> Result<Option<RunRequest>, StoreError> {
    read!(store, |db| sqlx::query_as(LAST_OF_FLOW)
        .bind(environment_id)
        .bind(flow_id)
        .fetch_optional(db))
}

/// Who asked for a run; nobody: it came by the schedule, or from elsewhere.
pub async fn of_run(store: &Store, run: &Run) -> Result<Option<AskedFor>, StoreError> {
    let known = sqlx::query_as(OF_RUN).bind(&run.environment_id).bind(&run.id);
    let known: Option<AskedFor> = read!(store, |db| known.fetch_optional(db))?;
    if known.is_some() {
        return Ok(known);
    }
    let perhaps = sqlx::query_as(PERHAPS_OF_RUN)
        .bind(&run.environment_id)
        .bind(&run.flow_id)
        .bind(run.started_at)
        .bind(&run.id);
    read!(store, |db| perhaps.fetch_optional(db))
}

/// Whether a run has come that is what was asked for, as it seems, although the answer was lost.
pub async fn has_begun(store: &Store, request: &RunRequest) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar(HAS_BEGUN).bind(&request.id);
    let runs: i64 = read!(store, |db| query.fetch_one(db))?;
    Ok(runs > 0)
}

/// Requests whose answer nobody waits for any more, when a process starts.
pub async fn on_their_way(store: &Store) -> Result<Vec<RunRequest>, StoreError> {
    read!(store, |db| sqlx::query_as(ON_THEIR_WAY).fetch_all(db))
}
