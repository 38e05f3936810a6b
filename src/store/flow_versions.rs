//! What each flow was set to, version by version. A version is only ever added, by the transaction that stores
//! the flow.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::bulk::{CHUNK, Mirrored, insert_into};
use super::database::Engine;
use super::flows::FlowRecord;
use super::{Store, StoreError, WriteTx, flows};
use crate::domain::configuration::Configuration;
use crate::domain::health::Wanted;

/// What a flow was set to from some moment on, until the next version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowVersion {
    /// 1, 2, 3, …
    pub number: i64,
    /// When the platform changed it; of the first: when the flow was made. UTC epoch milliseconds.
    pub valid_from_at: i64,
    /// When we first saw it; of the first version, what was set before is not known.
    pub seen_at: i64,
    /// What was set.
    pub configuration: Configuration,
}

type Row = (i64, i64, i64, String);

const COLUMNS: &[&str] = &[
    "environment_id",
    "flow_id",
    "number",
    "valid_from_at",
    "seen_at",
    "configuration",
    "wanted",
];
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, valid_from_at, seen_at, configuration FROM flow_versions \
             WHERE environment_id = $1 AND flow_id = $2 AND ",
            $rest
        )
    };
}
const BEFORE: &str = select!("number < $3 ORDER BY number DESC LIMIT $4");
const IN_FORCE: &str = select!("valid_from_at <= $3 ORDER BY number DESC LIMIT $4");
/// `CROSS JOIN` keeps the order: the few flows first, then the newest version of each.
const LATEST_HEAD: &str =
    "SELECT v.environment_id, v.flow_id, v.number, v.valid_from_at, v.configuration, v.wanted FROM (";
const LATEST_TAIL: &str = ") AS t CROSS JOIN flow_versions v \
     WHERE v.environment_id = t.column1 AND v.flow_id = t.column2 AND v.number = \
     (SELECT MAX(n.number) FROM flow_versions n WHERE n.environment_id = t.column1 AND n.flow_id = t.column2)";
const VERSIONED_HEAD: &str = "SELECT v.environment_id, v.flow_id FROM (";
const VERSIONED_TAIL: &str = ") AS t CROSS JOIN flow_versions v \
     WHERE v.environment_id = t.column1 AND v.flow_id = t.column2 AND v.number = 1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[BEFORE, IN_FORCE];

/// The statements around the rows of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statements() -> [String; 2] {
    let one = "VALUES ('e', 'f')";
    [
        format!("{LATEST_HEAD}{one}{LATEST_TAIL}"),
        format!("{VERSIONED_HEAD}{one}{VERSIONED_TAIL}"),
    ]
}

type Place = (String, String);
type LatestRow = (String, String, i64, i64, String, Option<String>);

/// The newest version of a flow.
struct Latest {
    number: i64,
    valid_from_at: i64,
    configuration: Configuration,
    wanted: Wanted,
}

/// Adds a version for each of the flows, at most one chunk of them, of which what people set has changed, or of
/// which there is none yet. `changed` are those whose rows were written just now. Gives back the flows that had no
/// version: new ones, and those that an earlier release had stored.
pub(super) async fn record(
    tx: &mut WriteTx,
    flows: &[&Mirrored<FlowRecord>],
    changed: &BTreeSet<Place>,
) -> Result<Vec<Place>, StoreError> {
    let place = |flow: &Mirrored<FlowRecord>| (flow.row.environment_id.clone(), flow.row.id.clone());
    let versioned: BTreeSet<Place> = among(tx, VERSIONED_HEAD, flows, VERSIONED_TAIL)
        .await?
        .into_iter()
        .collect();
    let known: Vec<&Mirrored<FlowRecord>> = flows
        .iter()
        .filter(|flow| changed.contains(&place(flow)) && versioned.contains(&place(flow)))
        .copied()
        .collect();
    let mut rows = Vec::new();
    if !known.is_empty() {
        let latest = latest(tx, &known).await?;
        rows.extend(
            known
                .iter()
                .filter_map(|flow| next(flow, latest.get(&place(flow))?)),
        );
    }
    let new: Vec<&Mirrored<FlowRecord>> = flows
        .iter()
        .filter(|flow| !versioned.contains(&place(flow)))
        .copied()
        .collect();
    rows.extend(new.iter().map(|flow| first(flow)));
    insert(tx, &rows).await?;
    Ok(new.into_iter().map(place).collect())
}

/// A version to be added.
struct NewVersion<'a> {
    flow: &'a FlowRecord,
    number: i64,
    valid_from_at: i64,
    configuration: Configuration,
    wanted: Wanted,
}

fn first(flow: &Mirrored<FlowRecord>) -> NewVersion<'_> {
    let row = &flow.row;
    let valid_from_at = row
        .platform_created_at
        .or(row.platform_updated_at)
        .unwrap_or(row.read_at);
    let configuration = configuration(flow);
    NewVersion {
        flow: row,
        number: 1,
        valid_from_at,
        wanted: Wanted::of_first(is_enabled(row)),
        configuration,
    }
}

/// Nothing: what people see of the configuration is as it was.
fn next<'a>(flow: &'a Mirrored<FlowRecord>, latest: &Latest) -> Option<NewVersion<'a>> {
    let configuration = configuration(flow);
    if configuration.changes_since(&latest.configuration).is_empty() {
        return None;
    }
    let row = &flow.row;
    // Versions follow each other in time, whatever the platform's clock says.
    let valid_from_at = row
        .platform_updated_at
        .filter(|at| *at >= latest.valid_from_at)
        .unwrap_or(row.read_at.max(latest.valid_from_at));
    let has_same_schedule = configuration.has_schedule_of(&latest.configuration);
    let wanted = &latest.wanted;
    Some(NewVersion {
        flow: row,
        number: latest.number + 1,
        valid_from_at,
        wanted: wanted.followed_by(valid_from_at, has_same_schedule, is_enabled(row)),
        configuration,
    })
}

fn is_enabled(flow: &FlowRecord) -> bool {
    flow.state == flows::ENABLED
}

/// What is stored of a version, of which an earlier release said nothing of the kind.
pub(super) fn wanted_of(
    stored: Option<&str>,
    number: i64,
    valid_from_at: i64,
    is_enabled: bool,
) -> Result<Wanted, StoreError> {
    match stored {
        Some(text) => serde_json::from_str(text).map_err(damaged),
        None if number == 1 => Ok(Wanted::of_first(is_enabled)),
        None => Ok(Wanted::since(valid_from_at, is_enabled)),
    }
}

fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::Other(format!("flow_versions: {error}"))
}

fn configuration(flow: &Mirrored<FlowRecord>) -> Configuration {
    let raw: Value = serde_json::from_str(&flow.raw).unwrap_or_default();
    Configuration::of_flow(&raw)
}

async fn insert(tx: &mut WriteTx, versions: &[NewVersion<'_>]) -> Result<(), StoreError> {
    if versions.is_empty() {
        return Ok(());
    }
    let mut texts = Vec::with_capacity(versions.len());
    for version in versions {
        let configuration = serde_json::to_string(&version.configuration).map_err(damaged)?;
        texts.push((
            configuration,
            serde_json::to_string(&version.wanted).map_err(damaged)?,
        ));
    }
    let mut insert = insert_into("flow_versions", COLUMNS);
    insert.push_values(
        versions.iter().zip(texts),
        |mut tuple, (version, (configuration, wanted))| {
            let flow = version.flow;
            tuple
                .push_bind(&flow.environment_id)
                .push_bind(&flow.id)
                .push_bind(version.number)
                .push_bind(version.valid_from_at)
                .push_bind(flow.read_at)
                .push_bind(configuration)
                .push_bind(wanted);
        },
    );
    change!(tx, |db| insert
        .build()
        .persistent(versions.len() == CHUNK)
        .execute(db))?;
    Ok(())
}

async fn latest(
    tx: &mut WriteTx,
    flows: &[&Mirrored<FlowRecord>],
) -> Result<HashMap<Place, Latest>, StoreError> {
    let found: Vec<LatestRow> = among(tx, LATEST_HEAD, flows, LATEST_TAIL).await?;
    found
        .into_iter()
        .map(|(environment_id, flow_id, number, valid_from_at, text, wanted)| {
            let configuration = read_configuration(&text)?;
            let was_enabled = configuration.state() == Some(flows::ENABLED);
            let latest = Latest {
                number,
                valid_from_at,
                configuration,
                wanted: wanted_of(wanted.as_deref(), number, valid_from_at, was_enabled)?,
            };
            Ok(((environment_id, flow_id), latest))
        })
        .collect()
}

async fn among<T>(
    tx: &mut WriteTx,
    head: &'static str,
    flows: &[&Mirrored<FlowRecord>],
    tail: &'static str,
) -> Result<Vec<T>, StoreError>
where
    T: for<'r> sqlx::FromRow<'r, <Engine as sqlx::Database>::Row> + Send + Unpin,
{
    let mut query = sqlx::QueryBuilder::<Engine>::new(head);
    query.push_values(flows, |mut tuple, flow| {
        tuple.push_bind(&flow.row.environment_id).push_bind(&flow.row.id);
    });
    query.push(tail);
    change!(tx, |db| query
        .build_query_as()
        .persistent(flows.len() == CHUNK)
        .fetch_all(db))
}

fn read_configuration(text: &str) -> Result<Configuration, StoreError> {
    serde_json::from_str(text).map_err(damaged)
}

fn version((number, valid_from_at, seen_at, text): Row) -> Result<FlowVersion, StoreError> {
    Ok(FlowVersion {
        number,
        valid_from_at,
        seen_at,
        configuration: read_configuration(&text)?,
    })
}

/// The versions of a flow, the newest first, before number `before`.
pub async fn list(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<FlowVersion>, StoreError> {
    let rows: Vec<Row> = read!(store, |db| sqlx::query_as(BEFORE)
        .bind(environment_id)
        .bind(flow_id)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(db))?;
    rows.into_iter().map(version).collect()
}

/// The version in force at a moment (UTC epoch milliseconds) and those before it, the newest first. Empty: that is
/// earlier than the first known version.
pub async fn in_force(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    at: i64,
    limit: i64,
) -> Result<Vec<FlowVersion>, StoreError> {
    let rows: Vec<Row> = read!(store, |db| sqlx::query_as(IN_FORCE)
        .bind(environment_id)
        .bind(flow_id)
        .bind(at)
        .bind(limit)
        .fetch_all(db))?;
    rows.into_iter().map(version).collect()
}
