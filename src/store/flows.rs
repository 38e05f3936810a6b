//! The mirror of the platform's dataflows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::bulk::{CHUNK, Mirrored, insert_into, qualified, take_excluded};
use super::database::Engine;
use super::{Store, StoreError, WriteTx, flow_versions, judgements};
use crate::domain::RunOutcome;

/// What the platform says about a dataflow.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FlowRecord {
    /// Where it is.
    pub environment_id: String,
    /// Adobe's.
    pub id: String,
    /// As people gave it.
    pub name: String,
    /// As people gave it, with our marker if we made it.
    pub description: String,
    /// As Adobe says it.
    pub state: String,
    /// Our word for the kind of source; none: one that we do not know.
    pub connector: Option<String>,
    /// Adobe's id of the source connection.
    pub source_connection_id: Option<String>,
    /// Adobe's id of the target connection.
    pub target_connection_id: Option<String>,
    /// Adobe's id of the base connection.
    pub base_connection_id: Option<String>,
    /// Adobe's id of the dataset.
    pub dataset_id: Option<String>,
    /// The folder or file it reads.
    pub source_path: Option<String>,
    /// The schedule's unit.
    pub frequency: Option<String>,
    /// The schedule's number of units.
    pub interval_count: Option<i64>,
    /// When the schedule starts.
    pub start_at: Option<i64>,
    /// Whether older files are read too.
    pub backfill: Option<bool>,
    /// For changing it.
    pub etag: Option<String>,
    /// When it was made.
    pub platform_created_at: Option<i64>,
    /// When it was last changed.
    pub platform_updated_at: Option<i64>,
    /// Adobe's id of who made it.
    pub platform_created_by: Option<String>,
    /// When we read it as it is here.
    pub read_at: i64,
}

/// A dataflow with its last run.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Flow {
    /// What the platform says.
    #[sqlx(flatten)]
    pub record: FlowRecord,
    /// The environment's name.
    pub environment_name: String,
    /// Adobe's id of the run that started last.
    pub last_run_id: Option<String>,
    /// What became of it.
    pub last_run_outcome: Option<RunOutcome>,
    /// When it started.
    pub last_run_at: Option<i64>,
    /// No longer listed by the platform since.
    pub gone_at: Option<i64>,
}

/// What is known of the connections of a flow.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredEnds {
    /// Adobe's id of the source connection.
    pub source_connection_id: Option<String>,
    /// The folder or file it reads.
    pub source_path: Option<String>,
    /// Adobe's id of the target connection.
    pub target_connection_id: Option<String>,
    /// Adobe's id of the dataset.
    pub dataset_id: Option<String>,
}

/// Adobe's word for a flow that runs by its schedule.
pub const ENABLED: &str = "enabled";

const COLUMNS: &[&str] = &[
    "environment_id",
    "id",
    "read_at",
    "name",
    "description",
    "state",
    "connector",
    "source_connection_id",
    "target_connection_id",
    "base_connection_id",
    "dataset_id",
    "source_path",
    "frequency",
    "interval_count",
    "start_at",
    "backfill",
    "etag",
    "platform_created_at",
    "platform_updated_at",
    "platform_created_by",
    "raw",
];
/// The key comes first in [`COLUMNS`], then the time of reading, then what is worth a write when it differs.
const KEY_COLUMNS: usize = 2;
const UNCOMPARED_COLUMNS: usize = 3;

/// Also with further columns from further tables.
macro_rules! select {
    ($($rest:literal),+) => {
        select!([""] [""] $($rest),+)
    };
    ([$columns:literal] [$joins:literal] $($rest:literal),+) => {
        concat!(
            "SELECT f.environment_id, f.id, f.name, f.description, f.state, f.connector, f.source_connection_id, ",
            "f.target_connection_id, f.base_connection_id, f.dataset_id, f.source_path, f.frequency, ",
            "f.interval_count, f.start_at, f.backfill <> 0 AS backfill, f.etag, f.platform_created_at, ",
            "f.platform_updated_at, f.platform_created_by, f.read_at, e.name AS environment_name, f.last_run_id, ",
            "f.last_run_outcome, f.last_run_at, f.gone_at", $columns, " FROM environments e ",
            "JOIN flows f ON f.environment_id = e.id", $joins, " WHERE e.team_id = $1 AND ",
            $($rest),+
        )
    };
}
pub(super) use select as select_flow;

const BY_ID: &str = select!(
    "f.id = $2 AND ($3 IS NULL OR e.id = $3) \
     ORDER BY CASE WHEN e.archived_at IS NULL THEN 0 ELSE 1 END, e.created_at, e.id LIMIT 1"
);
const RAW: &str = "SELECT raw FROM flows WHERE environment_id = $1 AND id = $2";
const ENDS: &str = "SELECT source_connection_id, source_path, target_connection_id, dataset_id FROM flows \
     WHERE environment_id = $1";
const LISTED: &str = "SELECT id FROM flows WHERE environment_id = $1 AND gone_at IS NULL";
const MARK_GONE: &str =
    "UPDATE flows SET gone_at = $3 WHERE environment_id = $1 AND id = $2 AND gone_at IS NULL";
const SET_STATE: &str = "UPDATE flows SET state = $3, etag = COALESCE($4, etag), read_at = $5 \
     WHERE environment_id = $1 AND id = $2";
const SET_LAST_RUN: &str = "UPDATE flows SET (last_run_id, last_run_outcome, last_run_at) = \
     (SELECT r.id, r.outcome, r.started_at FROM runs r \
     WHERE r.environment_id = flows.environment_id AND r.flow_id = flows.id \
     ORDER BY r.started_at DESC, r.id DESC LIMIT 1) WHERE (environment_id, id) IN (";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[BY_ID, RAW];

/// The statement around the rows of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statement() -> String {
    format!("{SET_LAST_RUN}VALUES ('e', 'f'))")
}

/// Stores flows as the platform shows them now, with a new version of what people set where that has changed, and
/// judges those anew that are new or have changed. Of two rows for one flow the later one counts.
pub async fn upsert_many(tx: &mut WriteTx, flows: &[Mirrored<FlowRecord>]) -> Result<(), StoreError> {
    let distinct: BTreeMap<(&str, &str), &Mirrored<FlowRecord>> = flows
        .iter()
        .map(|flow| ((flow.row.environment_id.as_str(), flow.row.id.as_str()), flow))
        .collect();
    let distinct: Vec<&Mirrored<FlowRecord>> = distinct.into_values().collect();
    for chunk in distinct.chunks(CHUNK) {
        let mut changed: BTreeSet<(String, String)> = upsert_chunk(tx, chunk).await?.into_iter().collect();
        changed.extend(flow_versions::record(tx, chunk, &changed).await?);
        let keys: Vec<(&str, &str)> = changed
            .iter()
            .map(|(env, id)| (env.as_str(), id.as_str()))
            .collect();
        if !keys.is_empty() {
            set_last_runs(tx, &keys, " AND last_run_id IS NULL").await?;
            judgements::judge_anew(tx, &keys).await?;
        }
    }
    Ok(())
}

/// Gives back only those that were new or had changed.
async fn upsert_chunk(
    tx: &mut WriteTx,
    flows: &[&Mirrored<FlowRecord>],
) -> Result<Vec<(String, String)>, StoreError> {
    let mut upsert = insert_into("flows", COLUMNS);
    upsert.push_values(flows, |mut tuple, flow| {
        let row = &flow.row;
        tuple
            .push_bind(&row.environment_id)
            .push_bind(&row.id)
            .push_bind(row.read_at)
            .push_bind(&row.name)
            .push_bind(&row.description)
            .push_bind(&row.state)
            .push_bind(&row.connector)
            .push_bind(&row.source_connection_id)
            .push_bind(&row.target_connection_id)
            .push_bind(&row.base_connection_id)
            .push_bind(&row.dataset_id)
            .push_bind(&row.source_path)
            .push_bind(&row.frequency)
            .push_bind(row.interval_count)
            .push_bind(row.start_at)
            .push_bind(row.backfill.map(i64::from))
            .push_bind(&row.etag)
            .push_bind(row.platform_created_at)
            .push_bind(row.platform_updated_at)
            .push_bind(&row.platform_created_by)
            .push_bind(&flow.raw);
    });
    let compared = &COLUMNS[UNCOMPARED_COLUMNS..];
    upsert.push(format!(
        " ON CONFLICT (environment_id, id) DO UPDATE SET {}, gone_at = NULL \
         WHERE flows.gone_at IS NOT NULL OR ({}) IS DISTINCT FROM ({}) RETURNING environment_id, id",
        take_excluded(&COLUMNS[KEY_COLUMNS..]),
        qualified("flows", compared),
        qualified("excluded", compared),
    ));
    change!(tx, |db| upsert
        .build_query_as()
        .persistent(flows.len() == CHUNK)
        .fetch_all(db))
}

/// Takes the last run of each flow from its stored runs. Runs and flows may be stored in either order.
pub(super) async fn set_last_run(tx: &mut WriteTx, flows: &[(&str, &str)]) -> Result<(), StoreError> {
    for chunk in flows.chunks(CHUNK) {
        set_last_runs(tx, chunk, "").await?;
    }
    Ok(())
}

async fn set_last_runs(
    tx: &mut WriteTx,
    flows: &[(&str, &str)],
    condition: &'static str,
) -> Result<(), StoreError> {
    let mut update = sqlx::QueryBuilder::<Engine>::new(SET_LAST_RUN);
    update.push_values(flows, |mut tuple, (environment_id, id)| {
        tuple.push_bind(*environment_id).push_bind(*id);
    });
    update.push(")").push(condition);
    change!(tx, |db| update
        .build()
        .persistent(flows.len() == CHUNK)
        .execute(db))?;
    Ok(())
}

/// Marks the flows of an environment that a complete listing did not show; says how many.
pub async fn mark_gone(
    tx: &mut WriteTx,
    environment_id: &str,
    shown: &HashSet<String>,
    at: i64,
) -> Result<usize, StoreError> {
    let listed: Vec<String> = change!(tx, |db| sqlx::query_scalar(LISTED)
        .bind(environment_id)
        .fetch_all(db))?;
    let gone: Vec<&str> = listed
        .iter()
        .filter(|id| !shown.contains(*id))
        .map(String::as_str)
        .collect();
    for id in &gone {
        let update = sqlx::query(MARK_GONE).bind(environment_id).bind(*id).bind(at);
        change!(tx, |db| update.execute(db))?;
    }
    let keys: Vec<(&str, &str)> = gone.iter().map(|id| (environment_id, *id)).collect();
    judgements::judge_anew(tx, &keys).await?;
    Ok(gone.len())
}

/// Notes the state that an action of ours led to, until the next reading. False: no such flow.
pub async fn set_state_after_action(
    tx: &mut WriteTx,
    environment_id: &str,
    id: &str,
    state: &str,
    etag: Option<&str>,
    at: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_STATE)
        .bind(environment_id)
        .bind(id)
        .bind(state)
        .bind(etag)
        .bind(at);
    let is_known = change!(tx, |db| update.execute(db))?.rows_affected() == 1;
    judgements::judge_anew(tx, &[(environment_id, id)]).await?;
    Ok(is_known)
}

/// A flow of the team; without an environment, of the oldest one in use that has it.
pub async fn by_id(
    store: &Store,
    team_id: &str,
    environment_id: Option<&str>,
    id: &str,
) -> Result<Option<Flow>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(id)
        .bind(environment_id)
        .fetch_optional(db))
}

/// Adobe's JSON of a flow as last read.
pub async fn raw(store: &Store, environment_id: &str, id: &str) -> Result<Option<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(RAW)
        .bind(environment_id)
        .bind(id)
        .fetch_optional(db))
}

/// What all stored flows of an environment tell of their connections, also those that are no longer listed.
pub async fn ends(store: &Store, environment_id: &str) -> Result<Vec<StoredEnds>, StoreError> {
    read!(store, |db| sqlx::query_as(ENDS)
        .bind(environment_id)
        .fetch_all(db))
}
