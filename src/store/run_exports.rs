//! All runs of a flow or of an environment, for exports: newest first, in batches of bounded size.
//!
//! Each batch is one indexed query that looks at no more than [`BATCH`] runs, whatever is selected among them, so
//! that an export of millions of runs never keeps a reader from others for long.

use super::runs::Run;
use super::{Store, StoreError};
use crate::domain::RunOutcome;

/// Runs that one batch looks at.
pub const BATCH: usize = 500;

/// A run with what tells people which flow it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ExportedRun {
    /// The run.
    #[sqlx(flatten)]
    pub run: Run,
    /// The flow's name; empty for a flow that was never listed.
    pub flow_name: String,
    /// The folder or file that the flow reads.
    source_path: Option<String>,
}

/// Which runs are exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSelection {
    /// Only those that went so.
    pub outcome: Option<RunOutcome>,
    /// Only those of flows with this text in name or source path, whatever the case of ASCII letters.
    pub text: Option<String>,
    /// Only those that started then or later (UTC epoch milliseconds).
    pub from_at: Option<i64>,
    /// Only those that started earlier (UTC epoch milliseconds).
    pub to_at: Option<i64>,
}

/// Where an export goes on: behind the run with this start and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlace {
    started_at: i64,
    id: String,
}

/// Some of the selected runs, and where the others begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunBatch {
    /// Newest first; may be empty although there are more.
    pub runs: Vec<ExportedRun>,
    /// `None`: these were the last.
    pub next: Option<RunPlace>,
}

macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT r.environment_id, r.id, r.flow_id, r.status, r.outcome, r.started_at, r.completed_at, ",
            "r.duration_ms, r.records_in, r.records_out, r.records_failed, r.files_in, r.bytes_in, r.bytes_out, ",
            "r.error_code, r.error_message, r.window_start_at, r.window_end_at, r.platform_updated_at, r.read_at, ",
            "r.ended_at, r.gone_at, COALESCE(f.name, '') AS flow_name, f.source_path ",
            "FROM runs r LEFT JOIN flows f ON f.environment_id = r.environment_id AND f.id = r.flow_id ",
            $where,
            " ORDER BY r.started_at DESC, r.id DESC LIMIT $5"
        )
    };
}
const OF_ENVIRONMENT: &str =
    select!("WHERE r.environment_id = $1 AND r.started_at >= $2 AND (r.started_at, r.id) < ($3, $4)");
const OF_FLOW: &str = select!(
    "WHERE r.environment_id = $1 AND r.flow_id = $6 AND r.started_at >= $2 AND (r.started_at, r.id) < ($3, $4)"
);

/// Reads that somebody waits for.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[OF_ENVIRONMENT, OF_FLOW];

impl RunSelection {
    fn takes(&self, exported: &ExportedRun) -> bool {
        let lower = |text: &str| text.to_ascii_lowercase();
        let found = |text: &String| {
            let text = lower(text);
            lower(&exported.flow_name).contains(&text)
                || exported
                    .source_path
                    .as_deref()
                    .is_some_and(|path| lower(path).contains(&text))
        };
        self.outcome.is_none_or(|outcome| exported.run.outcome == outcome)
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
    let (started_at, id) = after.map_or_else(
        // No id is smaller than the empty one: all that started earlier follow.
        || (selection.to_at.unwrap_or(i64::MAX), ""),
        |place| (place.started_at, place.id.as_str()),
    );
    let query = sqlx::query_as(if flow_id.is_some() {
        OF_FLOW
    } else {
        OF_ENVIRONMENT
    })
    .bind(environment_id)
    .bind(selection.from_at.unwrap_or(i64::MIN))
    .bind(started_at)
    .bind(id)
    .bind(BATCH as i64);
    let query = match flow_id {
        Some(flow_id) => query.bind(flow_id),
        None => query,
    };
    let mut runs: Vec<ExportedRun> = read!(store, |db| query.fetch_all(db))?;
    let last = runs.last().filter(|_| runs.len() == BATCH);
    let next = last.map(|last| RunPlace {
        started_at: last.run.started_at,
        id: last.run.id.clone(),
    });
    runs.retain(|run| selection.takes(run));
    Ok(RunBatch { runs, next })
}
