//! All runs of a flow or of an environment, for lists and exports: newest first, in batches of bounded size.
//!
//! Each batch is one indexed query that looks at no more than [`BATCH`] runs, whatever is selected among them, so
//! that an export of millions of runs never keeps a reader from others for long.
//!
//! The runs of an environment that failed or lost records are listed by their end: that is when somebody first
//! could know. All others are listed by their start.

use serde::{Deserialize, Serialize};

use super::runs::Run;
use super::{Store, StoreError};
use crate::domain::RunOutcome;

/// Runs that one batch looks at.
pub const BATCH: usize = 500;

/// A run with what tells people which flow it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedRun {
    /// The run.
    #[sqlx(flatten)]
    pub run: Run,
    /// The flow's name; empty for a flow that was never listed.
    pub flow_name: String,
    /// The folder or file that the flow reads.
    source_path: Option<String>,
}

/// Which runs are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSelection {
    /// Only those that went so.
    pub outcome: Option<RunOutcome>,
    /// Only those of flows with this text in name or source path, whatever the case of ASCII letters.
    pub text: Option<String>,
    /// Only those that started (or ended, see above) then or later (UTC epoch milliseconds).
    pub from_at: Option<i64>,
    /// Only those that started (or ended) earlier (UTC epoch milliseconds).
    pub to_at: Option<i64>,
}

/// Where a list goes on: behind the run with this start (or end) and id. The later place is the greater one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunPlace {
    /// UTC epoch milliseconds.
    pub at: i64,
    /// Adobe's id of the run.
    pub id: String,
}

/// Runs of one day that ended in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct EndedDay {
    /// Days since 1970-01-01 UTC of the runs' end.
    pub day: i64,
    /// How many.
    pub runs: i64,
}

/// Some of the selected runs, and where the others begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunBatch {
    /// Newest first; may be empty although there are more.
    pub runs: Vec<ListedRun>,
    /// `None`: these were the last.
    pub next: Option<RunPlace>,
}

macro_rules! select {
    ($where:expr) => {
        concat!(
            "SELECT r.environment_id, r.id, r.flow_id, r.status, r.outcome, r.started_at, r.completed_at, ",
            "r.duration_ms, r.records_in, r.records_out, r.records_failed, r.files_in, r.bytes_in, r.bytes_out, ",
            "r.error_code, r.error_message, r.window_start_at, r.window_end_at, r.platform_updated_at, r.read_at, ",
            "r.ended_at, r.gone_at, COALESCE(f.name, '') AS flow_name, f.source_path ",
            "FROM runs r LEFT JOIN flows f ON f.environment_id = r.environment_id AND f.id = r.flow_id ",
            $where
        )
    };
}
macro_rules! by_start {
    ($condition:literal) => {
        select!(concat!(
            "WHERE r.environment_id = $1 AND r.started_at >= $2 AND (r.started_at, r.id) < ($3, $4) ",
            $condition,
            " ORDER BY r.started_at DESC, r.id DESC LIMIT $5"
        ))
    };
}
const OF_ENVIRONMENT: &str = by_start!("");
const OF_FLOW: &str = by_start!("AND r.flow_id = $6");
/// The words are those of the index.
const UNFINISHED: &str = by_start!("AND r.outcome IN ('waiting', 'running', 'unknown')");
/// The first words are those of the index.
const TROUBLED: &str = select!(
    "WHERE r.outcome IN ('failed', 'partial') AND r.environment_id = $1 AND r.outcome = $6 AND r.ended_at >= $2 \
     AND (r.ended_at, r.id) < ($3, $4) ORDER BY r.ended_at DESC, r.id DESC LIMIT $5"
);
const TROUBLED_DAYS: &str = "SELECT ended_at / 86400000 AS day, COUNT(*) AS runs FROM runs \
     WHERE outcome IN ('failed', 'partial') AND environment_id = $1 AND outcome = $2 AND ended_at >= $3 \
     GROUP BY ended_at / 86400000 ORDER BY day";

/// Reads that somebody waits for.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[OF_ENVIRONMENT, OF_FLOW, UNFINISHED, TROUBLED, TROUBLED_DAYS];

impl RunSelection {
    fn takes(&self, listed: &ListedRun) -> bool {
        let lower = |text: &str| text.to_ascii_lowercase();
        let found = |text: &String| {
            let text = lower(text);
            lower(&listed.flow_name).contains(&text)
                || listed
                    .source_path
                    .as_deref()
                    .is_some_and(|path| lower(path).contains(&text))
        };
        self.outcome.is_none_or(|outcome| listed.run.outcome == outcome)
            && self.text.as_ref().is_none_or(found)
    }
}

/// The next batch of an environment's runs, or of one of its flows, after a place.
pub async fn batch(
    store: &Store,
    environment_id: &str,
    flow_id: Option<&str>,
    selection: &RunSelection,
    after: Option<&RunPlace>,
) -> Result<RunBatch, StoreError> {
    let (at, id) = after.map_or_else(
        // No id is smaller than the empty one: all that came earlier follow.
        || (selection.to_at.unwrap_or(i64::MAX), ""),
        |place| (place.at, place.id.as_str()),
    );
    let (sql, sixth) = match (flow_id, selection.outcome) {
        (Some(flow_id), _) => (OF_FLOW, Some(flow_id)),
        (None, Some(outcome)) if is_troubled(outcome) => (TROUBLED, Some(outcome.as_str())),
        (None, Some(outcome)) if !outcome.is_final() => (UNFINISHED, None),
        (None, _) => (OF_ENVIRONMENT, None),
    };
    let query = sqlx::query_as(sql)
        .bind(environment_id)
        .bind(selection.from_at.unwrap_or(i64::MIN))
        .bind(at)
        .bind(id)
        .bind(BATCH as i64);
    let query = match sixth {
        Some(value) => query.bind(value),
        None => query,
    };
    let mut runs: Vec<ListedRun> = read!(store, |db| query.fetch_all(db))?;
    let by_end = flow_id.is_none() && selection.is_by_end();
    let last = runs.last().filter(|_| runs.len() == BATCH);
    let next = last.map(|last| last.place(by_end));
    runs.retain(|run| selection.takes(run));
    Ok(RunBatch { runs, next })
}

const fn is_troubled(outcome: RunOutcome) -> bool {
    matches!(outcome, RunOutcome::Failed | RunOutcome::Partial)
}

impl RunSelection {
    /// Whether the runs of an environment are listed by their end.
    pub fn is_by_end(&self) -> bool {
        self.outcome.is_some_and(is_troubled)
    }
}

impl ListedRun {
    /// Where it stands in the list, by its end or by its start.
    pub fn place(&self, by_end: bool) -> RunPlace {
        let end = self.run.ended_at.filter(|_| by_end);
        RunPlace {
            at: end.unwrap_or(self.run.started_at),
            id: self.run.id.clone(),
        }
    }
}

/// How many runs of an environment failed, or lost records, on each day since a moment (UTC epoch milliseconds), by
/// their end; days without such runs are left out.
pub async fn troubled_days(
    store: &Store,
    environment_id: &str,
    outcome: RunOutcome,
    from_at: i64,
) -> Result<Vec<EndedDay>, StoreError> {
    read!(store, |db| sqlx::query_as(TROUBLED_DAYS)
        .bind(environment_id)
        .bind(outcome.as_str())
        .bind(from_at)
        .fetch_all(db))
}
