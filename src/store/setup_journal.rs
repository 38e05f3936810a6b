//! The journal of setups: what was done, in order. Rows are only ever added; the database refuses the rest.

use super::{Store, StoreError, WriteTx};
use crate::domain::setup::StepKind;

/// One row of the journal, to be added.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NewSetupEvent {
    /// UTC epoch milliseconds.
    pub at: i64,
    /// Which step it is about; none: the setup.
    pub step: Option<StepKind>,
    /// What happened: a stable word.
    pub event: String,
    /// JSON: more about it, without secrets.
    pub detail: String,
    /// Of the lease under which it was written.
    pub epoch: i64,
}

/// One row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SetupEvent {
    /// Its place, without gaps from 1.
    pub seq: i64,
    /// What it tells.
    #[sqlx(flatten)]
    pub facts: NewSetupEvent,
}

const APPEND: &str = "INSERT INTO setup_events (setup_id, seq, at, step, event, detail, epoch) \
     SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6 FROM setup_events WHERE setup_id = $1 RETURNING seq";
const LIST: &str = "SELECT seq, at, step, event, detail, epoch FROM setup_events \
     WHERE setup_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[LIST];

/// Adds a row to the journal of a setup; gives its place.
pub async fn append(tx: &mut WriteTx, setup_id: &str, event: &NewSetupEvent) -> Result<i64, StoreError> {
    let insert = sqlx::query_scalar(APPEND)
        .bind(setup_id)
        .bind(event.at)
        .bind(event.step.map(StepKind::as_str))
        .bind(&event.event)
        .bind(&event.detail)
        .bind(event.epoch);
    change!(tx, |db| insert.fetch_one(db))
}

/// The journal of a setup in order, after the row with place `after` (0: from the start).
pub async fn list(
    store: &Store,
    setup_id: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<SetupEvent>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST)
        .bind(setup_id)
        .bind(after)
        .bind(limit)
        .fetch_all(db))
}
