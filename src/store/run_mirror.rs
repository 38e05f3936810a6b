//! Storing the platform's runs as it shows them, and what follows from them: day sums, last runs, judgements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::bulk::{Mirrored, insert_into, pieces, qualified, take_excluded};
use super::database::Engine;
use super::runs::Run;
use super::{Store, StoreError, WriteTx, flow_health};
use crate::domain::{DAY_MS, RunOutcome};

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
const DAY_COLUMNS: &[&str] = &[
    "environment_id",
    "flow_id",
    "day",
    "succeeded",
    "partial",
    "failed",
    "unfinished",
    "records_out",
    "bytes_in",
];
const DAY_KEY_COLUMNS: usize = 3;

const STORED_BEFORE: &str = "SELECT environment_id, id, flow_id, outcome, started_at, records_out, bytes_in FROM runs \
     WHERE (environment_id, id) IN (";
const CLEAR_DAYS_HEAD: &str = "DELETE FROM run_days WHERE (environment_id, flow_id, day) IN (";
const CLEAR_DAYS_TAIL: &str = ") AND succeeded + partial + failed + unfinished = 0";
const MARK_GONE: &str = "UPDATE runs SET gone_at = ";
const GONE_PLACES: &str = " WHERE gone_at IS NULL AND (environment_id, id) IN (";
/// The words are those of the index; a test compares them with [`RunOutcome::is_final`].
const UNFINISHED: &str = "SELECT id, started_at FROM runs WHERE environment_id = $1 \
     AND outcome IN ('waiting', 'running', 'unknown') AND gone_at IS NULL ORDER BY started_at DESC, id DESC LIMIT $2";
const GONE_CANDIDATES: &str = "SELECT id FROM runs WHERE environment_id = $1 AND started_at >= $2 AND started_at < $3 \
     AND read_at < $4 AND gone_at IS NULL AND outcome <> 'waiting'";
const OLDEST_SHOWN: &str = "SELECT id, started_at FROM runs WHERE environment_id = $1 AND (started_at, id) > ($2, $3) \
     AND gone_at IS NULL ORDER BY started_at, id LIMIT $4";

/// What the mirror reads each few seconds.
#[cfg(test)]
pub(super) const MIRROR_READS: &[&str] = &[UNFINISHED, GONE_CANDIDATES, OLDEST_SHOWN];

/// The statements around the rows of a piece, for a piece of one.
#[cfg(test)]
pub(super) fn chunk_statements() -> [String; 3] {
    [
        format!("{STORED_BEFORE}VALUES ('e', 'r'))"),
        format!("{CLEAR_DAYS_HEAD}VALUES ('e', 'f', 1){CLEAR_DAYS_TAIL}"),
        format!("{MARK_GONE}1{GONE_PLACES}VALUES ('e', 'r'))"),
    ]
}

/// What storing some runs came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Runs that were new or had changed.
    pub runs: u64,
    /// Their flows.
    pub flow_ids: BTreeSet<String>,
}

/// A run without a final outcome.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Unfinished {
    /// Adobe's.
    pub id: String,
    /// Its start.
    pub started_at: i64,
}

/// What of a run counts in its day.
#[derive(Debug, sqlx::FromRow)]
struct Counted {
    environment_id: String,
    id: String,
    flow_id: String,
    outcome: RunOutcome,
    started_at: i64,
    records_out: Option<i64>,
    bytes_in: Option<i64>,
}

/// Environment, flow and day of some runs.
type Day<'a> = (&'a str, &'a str, i64);

/// By how much the sums of a day change.
#[derive(Debug, Clone, Copy, Default)]
struct DayChange {
    succeeded: i64,
    partial: i64,
    failed: i64,
    unfinished: i64,
    records_out: i64,
    bytes_in: i64,
}

impl DayChange {
    /// One run more, or with `sign` -1 one less.
    fn count(&mut self, sign: i64, outcome: RunOutcome, records_out: Option<i64>, bytes_in: Option<i64>) {
        let runs = match outcome {
            RunOutcome::Succeeded => &mut self.succeeded,
            RunOutcome::Partial => &mut self.partial,
            RunOutcome::Failed => &mut self.failed,
            RunOutcome::Waiting | RunOutcome::Running | RunOutcome::Unknown => &mut self.unfinished,
        };
        *runs += sign;
        self.records_out += sign * records_out.unwrap_or(0);
        self.bytes_in += sign * bytes_in.unwrap_or(0);
    }

    fn takes_runs_away(&self) -> bool {
        [self.succeeded, self.partial, self.failed, self.unfinished]
            .iter()
            .any(|runs| *runs < 0)
    }
}

/// Stores runs as the platform shows them now, keeps the day sums exact, each flow's last run and its judgement; says
/// what was new or had changed.
///
/// A run with a final outcome never goes back to one without. Of two rows for one run the later one counts. A run
/// that was marked as gone is not any more.
pub async fn upsert_many(tx: &mut WriteTx, runs: &[Mirrored<Run>]) -> Result<Changed, StoreError> {
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
    let (mut before, mut changed) = (Vec::new(), Vec::new());
    for piece in pieces(&distinct) {
        let stored = stored_before(tx, piece).await?;
        let written: HashSet<(String, String)> = upsert_piece(tx, piece).await?.into_iter().collect();
        let is_written = |environment_id: &str, id: &str| {
            written.len() == piece.len() || written.contains(&(environment_id.to_owned(), id.to_owned()))
        };
        before.extend(
            stored
                .into_iter()
                .filter(|run| is_written(&run.environment_id, &run.id)),
        );
        changed.extend(
            piece
                .iter()
                .map(|run| &run.row)
                .filter(|run| is_written(&run.environment_id, &run.id)),
        );
    }
    keep_up(tx, &before, &changed).await?;
    Ok(Changed {
        runs: changed.len() as u64,
        flow_ids: changed.into_iter().map(|run| run.flow_id.clone()).collect(),
    })
}

async fn stored_before(tx: &mut WriteTx, runs: &[&Mirrored<Run>]) -> Result<Vec<Counted>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Engine>::new(STORED_BEFORE);
    query.push_values(runs, |mut tuple, run| {
        tuple.push_bind(&run.row.environment_id).push_bind(&run.row.id);
    });
    query.push(")");
    change!(tx, |db| query.build_query_as().fetch_all(db))
}

/// Gives back only those that were new or had changed.
async fn upsert_piece(
    tx: &mut WriteTx,
    runs: &[&Mirrored<Run>],
) -> Result<Vec<(String, String)>, StoreError> {
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
         RETURNING environment_id, id",
        take_excluded(&COLUMNS[KEY_COLUMNS..]),
        qualified("runs", compared),
        qualified("excluded", compared),
    ));
    change!(tx, |db| upsert.build_query_as().fetch_all(db))
}

/// Moves the changed runs from the days that they were in before to those that they are in now, and judges flows
/// anew.
async fn keep_up(tx: &mut WriteTx, before: &[Counted], after: &[&Run]) -> Result<(), StoreError> {
    let mut days: BTreeMap<Day<'_>, DayChange> = BTreeMap::new();
    let mut latest_change: HashMap<flow_health::Place<'_>, i64> = HashMap::new();
    let was = before.iter().map(|run| {
        let place = (run.environment_id.as_str(), run.flow_id.as_str());
        (
            place,
            run.started_at,
            -1,
            run.outcome,
            run.records_out,
            run.bytes_in,
        )
    });
    let is = after.iter().map(|run| {
        let place = (run.environment_id.as_str(), run.flow_id.as_str());
        (
            place,
            run.started_at,
            1,
            run.outcome,
            run.records_out,
            run.bytes_in,
        )
    });
    for (place, started_at, sign, outcome, records_out, bytes_in) in was.chain(is) {
        let day = days
            .entry((place.0, place.1, started_at.div_euclid(DAY_MS)))
            .or_default();
        day.count(sign, outcome, records_out, bytes_in);
        let latest = latest_change.entry(place).or_insert(started_at);
        *latest = (*latest).max(started_at);
    }
    let days: Vec<(Day<'_>, DayChange)> = days.into_iter().collect();
    for piece in pieces(&days) {
        add_to_days(tx, piece).await?;
    }
    let emptied: Vec<Day<'_>> = days
        .iter()
        .filter(|(_, change)| change.takes_runs_away())
        .map(|(day, _)| *day)
        .collect();
    for piece in pieces(&emptied) {
        clear_empty_days(tx, piece).await?;
    }
    flow_health::runs_changed(tx, &latest_change).await
}

async fn add_to_days(tx: &mut WriteTx, days: &[(Day<'_>, DayChange)]) -> Result<(), StoreError> {
    let mut upsert = insert_into("run_days", DAY_COLUMNS);
    upsert.push_values(days, |mut tuple, ((environment_id, flow_id, day), change)| {
        tuple
            .push_bind(*environment_id)
            .push_bind(*flow_id)
            .push_bind(*day)
            .push_bind(change.succeeded)
            .push_bind(change.partial)
            .push_bind(change.failed)
            .push_bind(change.unfinished)
            .push_bind(change.records_out)
            .push_bind(change.bytes_in);
    });
    let sums: Vec<String> = DAY_COLUMNS[DAY_KEY_COLUMNS..]
        .iter()
        .map(|column| format!("{column} = run_days.{column} + excluded.{column}"))
        .collect();
    upsert.push(format!(
        " ON CONFLICT (environment_id, flow_id, day) DO UPDATE SET {}",
        sums.join(", ")
    ));
    change!(tx, |db| upsert.build().execute(db))?;
    Ok(())
}

/// A day without runs has no row.
async fn clear_empty_days(tx: &mut WriteTx, days: &[Day<'_>]) -> Result<(), StoreError> {
    let mut delete = sqlx::QueryBuilder::<Engine>::new(CLEAR_DAYS_HEAD);
    delete.push_values(days, |mut tuple, (environment_id, flow_id, day)| {
        tuple
            .push_bind(*environment_id)
            .push_bind(*flow_id)
            .push_bind(*day);
    });
    delete.push(CLEAR_DAYS_TAIL);
    change!(tx, |db| delete.build().execute(db))?;
    Ok(())
}

/// Marks runs that the platform does not know any more; gives the flows of those that were not marked before.
pub async fn mark_gone(
    tx: &mut WriteTx,
    environment_id: &str,
    ids: &[String],
    at: i64,
) -> Result<BTreeSet<String>, StoreError> {
    let mut flow_ids = BTreeSet::new();
    for piece in pieces(ids) {
        let mut update = sqlx::QueryBuilder::<Engine>::new(MARK_GONE);
        update.push_bind(at).push(GONE_PLACES);
        update.push_values(piece, |mut tuple, id| {
            tuple.push_bind(environment_id).push_bind(id);
        });
        update.push(") RETURNING flow_id");
        let marked: Vec<String> = change!(tx, |db| update.build_query_scalar().fetch_all(db))?;
        flow_ids.extend(marked);
    }
    Ok(flow_ids)
}

/// The runs of an environment without a final outcome that the platform still knows, last started first.
pub async fn unfinished(
    store: &Store,
    environment_id: &str,
    limit: i64,
) -> Result<Vec<Unfinished>, StoreError> {
    read!(store, |db| sqlx::query_as(UNFINISHED)
        .bind(environment_id)
        .bind(limit)
        .fetch_all(db))
}

/// The ids of stored runs that a complete list of those started at or after `from` and before `to`, begun at
/// `listed_at`, had to show. One that waits for its start is in no such list.
pub async fn gone_candidates(
    store: &Store,
    environment_id: &str,
    from: i64,
    to: i64,
    listed_at: i64,
) -> Result<Vec<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(GONE_CANDIDATES)
        .bind(environment_id)
        .bind(from)
        .bind(to)
        .bind(listed_at)
        .fetch_all(db))
}

/// Ids and starts of the oldest runs that are not marked as gone, after the one given by start and id.
pub async fn oldest_shown(
    store: &Store,
    environment_id: &str,
    after: (i64, &str),
    limit: i64,
) -> Result<Vec<(String, i64)>, StoreError> {
    read!(store, |db| sqlx::query_as(OLDEST_SHOWN)
        .bind(environment_id)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(db))
}
