//! Storing the platform's runs as it shows them, and what follows from them: day sums, last runs, judgements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;

use super::bulk::{MirroredRun, in_turn, insert_into, pieces, qualified, take_excluded};
use super::database::Engine;
use super::run_days::{self, DayChange};
use super::runs::Run;
use super::{Store, StoreError, WriteTx, judgements, lost_files};
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
const STORED_BEFORE: &str = "SELECT environment_id, id, flow_id, outcome, started_at, records_out, bytes_in FROM runs \
     WHERE environment_id = ";
const MARK_GONE: &str = "UPDATE runs SET gone_at = ";
const GONE_PLACES: &str = " WHERE gone_at IS NULL AND (environment_id, id) IN (";
/// The words are those of the index; a test compares them with [`RunOutcome::is_final`].
const UNFINISHED: &str = "SELECT id, flow_id, started_at FROM runs WHERE environment_id = $1 \
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
pub(super) fn chunk_statements() -> [String; 2] {
    [
        format!("{STORED_BEFORE}'e' AND id IN ('r')"),
        format!("{MARK_GONE}1{GONE_PLACES}VALUES ('e', 'r'))"),
    ]
}

impl Counted {
    fn key(&self) -> (&str, &str) {
        (&self.environment_id, &self.id)
    }
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
    /// Of which flow.
    pub flow_id: String,
    /// Its start.
    pub started_at: i64,
}

/// What of a stored run counts in its day.
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

/// One run more of a flow, or one less.
struct Change<'a> {
    place: judgements::Place<'a>,
    started_at: i64,
    /// 1 or -1.
    sign: i64,
    outcome: RunOutcome,
    records_out: Option<i64>,
    bytes_in: Option<i64>,
}

impl Change<'_> {
    fn day(&self) -> run_days::Day<'_> {
        let day = self.started_at.div_euclid(DAY_MS);
        (self.place.0, self.place.1, day)
    }
}

/// Stores runs as the platform shows them now, keeps the day sums exact, each flow's last run and its judgement; says
/// what was new or had changed.
///
/// A run with a final outcome never goes back to one without. Of two rows for one run the later one counts. A run
/// that was marked as gone is not any more.
pub async fn upsert_many(tx: &mut WriteTx, runs: &[MirroredRun]) -> Result<Changed, StoreError> {
    let distinct = distinct(runs);
    let stored = stored_before(tx, &distinct).await?;
    let known: HashSet<(&str, &str)> = stored.iter().map(Counted::key).collect();
    let (again, new): (Vec<&MirroredRun>, Vec<&MirroredRun>) =
        distinct.into_iter().partition(|run| known.contains(&key(run)));
    in_turn::<()>(tx, pieces(&new).map(insert)).await?;
    let written = update(tx, &again).await?;
    let is_written = |(environment_id, id): (&str, &str)| {
        !written.is_empty() && written.contains(&(environment_id.to_owned(), id.to_owned()))
    };
    let again = again.into_iter().filter(|run| is_written(key(run)));
    let changed: Vec<&Run> = new.into_iter().chain(again).map(|run| &run.row).collect();
    let before: Vec<&Counted> = stored.iter().filter(|run| is_written(run.key())).collect();
    Ok(Changed {
        runs: changed.len() as u64,
        flow_ids: keep_up(tx, &before, &changed).await?,
    })
}

fn key(run: &MirroredRun) -> (&str, &str) {
    (&run.row.environment_id, &run.row.id)
}

/// Each run once, ordered such that the rows of a flow come to lie together.
fn distinct(runs: &[MirroredRun]) -> Vec<&MirroredRun> {
    let mut by_key: HashMap<(&str, &str), &MirroredRun, RandomState> = HashMap::default();
    by_key.reserve(runs.len());
    for run in runs {
        let kept = by_key.entry(key(run)).or_insert(run);
        if run.row.outcome.is_final() || !kept.row.outcome.is_final() {
            *kept = run;
        }
    }
    // One sort of all by these four would take a tenth of the time that storing them takes.
    let mut of_flows: BTreeMap<judgements::Place<'_>, Vec<&MirroredRun>> = BTreeMap::new();
    for run in by_key.into_values() {
        let of_flow = of_flows.entry((&run.row.environment_id, &run.row.flow_id));
        of_flow.or_default().push(run);
    }
    for of_flow in of_flows.values_mut() {
        of_flow.sort_unstable_by_key(|run| (run.row.started_at, &run.row.id));
    }
    of_flows.into_values().flatten().collect()
}

/// Which of these runs, in the order of [`distinct`], are stored, and as what.
async fn stored_before(tx: &mut WriteTx, runs: &[&MirroredRun]) -> Result<Vec<Counted>, StoreError> {
    let of_environments = runs.chunk_by(|one, next| one.row.environment_id == next.row.environment_id);
    let queries = of_environments.flat_map(pieces).map(|piece| {
        let mut query = sqlx::QueryBuilder::<Engine>::new(STORED_BEFORE);
        query.push_bind(&piece[0].row.environment_id).push(" AND id IN (");
        let mut ids = query.separated(", ");
        for run in piece {
            ids.push_bind(&run.row.id);
        }
        query.push(")");
        query
    });
    in_turn(tx, queries).await
}

/// Writes stored runs as they are now; gives back only those that had changed.
async fn update(tx: &mut WriteTx, runs: &[&MirroredRun]) -> Result<HashSet<(String, String)>, StoreError> {
    let compared = &COLUMNS[UNCOMPARED_COLUMNS..];
    let on_conflict = format!(
        " ON CONFLICT (environment_id, id) DO UPDATE SET {}, gone_at = NULL \
         WHERE (runs.gone_at IS NOT NULL OR ({}) IS DISTINCT FROM ({})) AND NOT (runs.outcome IN ('succeeded', 'partial', 'failed') \
         AND excluded.outcome IN ('waiting', 'running', 'unknown')) \
         RETURNING environment_id, id",
        take_excluded(&COLUMNS[KEY_COLUMNS..]),
        qualified("runs", compared),
        qualified("excluded", compared),
    );
    let upserts = pieces(runs).map(|piece| {
        let mut upsert = insert(piece);
        upsert.push(&on_conflict);
        upsert
    });
    Ok(in_turn(tx, upserts).await?.into_iter().collect())
}

fn insert(runs: &[&MirroredRun]) -> sqlx::QueryBuilder<Engine> {
    let mut insert = insert_into("runs", COLUMNS);
    insert.push_values(runs, |mut tuple, run| {
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
            .push_bind(run.raw.as_bytes());
    });
    insert
}

/// Moves the changed runs from the days that they were in before to those that they are in now, and judges their
/// flows anew, which it gives back.
async fn keep_up(
    tx: &mut WriteTx,
    before: &[&Counted],
    after: &[&Run],
) -> Result<BTreeSet<String>, StoreError> {
    let was = before.iter().map(|run| Change {
        place: (&run.environment_id, &run.flow_id),
        started_at: run.started_at,
        sign: -1,
        outcome: run.outcome,
        records_out: run.records_out,
        bytes_in: run.bytes_in,
    });
    let is = after.iter().map(|run| Change {
        place: (&run.environment_id, &run.flow_id),
        started_at: run.started_at,
        sign: 1,
        outcome: run.outcome,
        records_out: run.records_out,
        bytes_in: run.bytes_in,
    });
    let changes: Vec<Change<'_>> = was.chain(is).collect();
    let mut days: BTreeMap<run_days::Day<'_>, DayChange> = BTreeMap::new();
    let mut between: HashMap<judgements::Place<'_>, judgements::Between> = HashMap::new();
    // The runs of a day lie together: what would be searched for each of them is searched for all.
    for of_day in changes.chunk_by(|one, next| one.day() == next.day()) {
        let day = days.entry(of_day[0].day()).or_default();
        let of_flow = between.entry(of_day[0].place);
        let (first, last) = of_flow.or_insert((i64::MAX, i64::MIN));
        for change in of_day {
            day.count(change.sign, change.outcome, change.records_out, change.bytes_in);
            *first = (*first).min(change.started_at);
            *last = (*last).max(change.started_at);
        }
    }
    run_days::change(tx, days).await?;
    judgements::runs_changed(tx, &between).await?;
    lost_files::mark_to_look_further(tx, &between).await?;
    Ok(between.keys().map(|(_, flow_id)| (*flow_id).to_owned()).collect())
}

/// Marks runs that the platform does not know any more, and judges their flows anew; gives the flows of those that were
/// not marked before.
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
    let places: Vec<judgements::Place<'_>> =
        flow_ids.iter().map(|id| (environment_id, id.as_str())).collect();
    judgements::judge_anew(tx, &places).await?;
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
