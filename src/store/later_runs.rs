//! Runs that read the files of an earlier one once more.

use super::runs::Run;
use super::{Store, StoreError};
use crate::domain::RunOutcome;

/// A run that read all files of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LaterRun {
    /// Adobe's.
    pub id: String,
    /// As Adobe says it.
    pub status: String,
    /// Our reading of it.
    pub outcome: RunOutcome,
    /// UTC epoch milliseconds.
    pub started_at: i64,
    /// Records stored.
    records_out: Option<i64>,
}

/// The runs of the flow that began next after it, as many as a page can afford to look at, and those that people
/// asked for here, whenever they began. The platform tells the window of a run that has not begun in whole seconds.
const OF_SAME_FILES: &str = "SELECT t.id, t.status, t.outcome, t.started_at, t.records_out FROM \
     (SELECT id, status, outcome, started_at, records_out, window_start_at, window_end_at FROM runs \
     WHERE environment_id = $1 AND flow_id = $2 AND (started_at, id) > ($3, $4) \
     ORDER BY started_at, id LIMIT 300) AS t \
     WHERE t.window_start_at <= CAST($5 AS BIGINT) + 999 AND t.window_end_at >= CAST($6 AS BIGINT) - 999 \
     UNION SELECT r.id, r.status, r.outcome, r.started_at, r.records_out FROM run_requests q \
     JOIN runs r ON r.environment_id = q.environment_id AND r.id = q.run_id \
     WHERE q.environment_id = $1 AND q.flow_id = $2 AND q.retried_run_id = $4 ORDER BY started_at, id";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[OF_SAME_FILES];

impl LaterRun {
    /// Whether something was stored, so that the earlier run's files have come.
    pub fn brought_something(&self) -> bool {
        self.outcome.brought_records(self.records_out)
    }
}

/// The later runs that read all files of this one, the first first.
pub async fn of_same_files(store: &Store, run: &Run) -> Result<Vec<LaterRun>, StoreError> {
    read!(store, |db| sqlx::query_as(OF_SAME_FILES)
        .bind(&run.environment_id)
        .bind(&run.flow_id)
        .bind(run.started_at)
        .bind(&run.id)
        .bind(run.window_start_at)
        .bind(run.window_end_at)
        .fetch_all(db))
}
