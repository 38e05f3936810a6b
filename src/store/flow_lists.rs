//! Lists of flows with how they do, for people.

use serde::{Deserialize, Serialize};

use super::flow_health::FlowHealth;
use super::values::contains_pattern;
use super::{Store, StoreError};
use crate::domain::RunOutcome;
use crate::domain::health::{Health, Judgement};

/// A dataflow as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedFlow {
    /// Where it is.
    pub environment_id: String,
    /// The environment's name.
    pub environment_name: String,
    /// Adobe's.
    pub id: String,
    /// As people gave it.
    pub name: String,
    /// As Adobe says it.
    pub state: String,
    /// Our word for the kind of source; none: one that we do not know.
    pub connector: Option<String>,
    /// The schedule's unit.
    pub frequency: Option<String>,
    /// The schedule's number of units.
    pub interval_count: Option<i64>,
    /// No longer listed by the platform since.
    pub gone_at: Option<i64>,
    /// What became of the run that started last.
    pub last_run_outcome: Option<RunOutcome>,
    /// When it started.
    pub last_run_at: Option<i64>,
    /// The next moment of its schedule after the one that was asked for.
    pub next_run_at: Option<i64>,
    /// The name of who set it up with Headgate; none: it was made elsewhere.
    pub owner_name: Option<String>,
    /// The template it was made from.
    pub template_id: Option<String>,
    /// Its name.
    pub template_name: Option<String>,
    /// Which version of it.
    pub template_version: Option<i64>,
    judgement: Option<String>,
    recent: Option<String>,
    sort_value: i64,
}

impl ListedFlow {
    /// How it does by its last runs; none: it was not judged yet.
    pub fn health(&self) -> Result<Option<FlowHealth>, StoreError> {
        let parts = self.judgement.as_deref().zip(self.recent.as_deref());
        parts
            .map(|(judgement, recent)| FlowHealth::read(judgement, recent))
            .transpose()
    }

    /// The key of the list at this flow. `moment` is the one that the list was read for.
    pub fn key(&self, moment: i64) -> FlowKey {
        FlowKey {
            moment,
            sort_value: self.sort_value,
            name: self.name.clone(),
            environment_id: self.environment_id.clone(),
            id: self.id.clone(),
        }
    }
}

/// Where a list of flows goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowKey {
    /// The moment for which the first page was read (UTC epoch milliseconds): what comes with time is the same on
    /// all pages, so that none repeats or loses a flow.
    pub moment: i64,
    sort_value: i64,
    name: String,
    environment_id: String,
    id: String,
}

/// In which order flows are listed. Flows that are alike in it come by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlowSort {
    /// By name.
    #[default]
    Name,
    /// Those that need a person first, in the order of [`Health`].
    Need,
    /// The last started run first; flows that never ran at the end.
    LastRun,
    /// The next run first; flows that will not run at the end.
    NextRun,
}

/// Which part of a list is read.
#[derive(Debug, Clone, Copy)]
pub enum FlowPage<'a> {
    /// The first flows.
    First,
    /// Those after this one.
    After(&'a FlowKey),
    /// Those before this one.
    Before(&'a FlowKey),
}

/// Which flows a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlowFilter<'a> {
    /// Only those of one environment.
    pub environment_id: Option<&'a str>,
    /// Only those in one of Adobe's states.
    pub state: Option<&'a str>,
    /// Only those of one kind of source.
    pub connector: Option<&'a str>,
    /// Only those whose last run went so.
    pub outcome: Option<RunOutcome>,
    /// Only those with this text in name or source path.
    pub text: Option<&'a str>,
    /// Also those that the platform lists no longer.
    pub include_gone: bool,
    /// Only those that do so.
    pub health: Option<Health>,
    /// Only those made from one template; empty: from none.
    pub template_id: Option<&'a str>,
    /// Only those that one person set up with Headgate; empty: those made elsewhere.
    pub owner_id: Option<&'a str>,
}

/// A flow that needs a person.
#[derive(Debug, Clone, PartialEq)]
pub struct TroubledFlow {
    /// Adobe's.
    pub id: String,
    /// As people gave it.
    pub name: String,
    /// The environment's name.
    pub environment_name: String,
    /// Why it needs a person.
    pub judgement: Judgement,
}

/// A run that the schedule holds in store.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NextRun {
    /// Adobe's id of the flow.
    pub flow_id: String,
    /// Its name.
    pub flow_name: String,
    /// The environment's name.
    pub environment_name: String,
    /// UTC epoch milliseconds.
    pub at: i64,
}

/// The place among [`Health::ALL`] of what [`Judgement::health_at`] says at the moment `$2`; a test compares the two.
macro_rules! need {
    () => {
        "CASE h.base WHEN 'failed' THEN 0 WHEN 'off' THEN 10 ELSE CASE WHEN h.stuck_at <= $2 THEN 1 \
         WHEN h.late_at <= $2 THEN 2 ELSE CASE h.base WHEN 'empty' THEN 3 WHEN 'odd' THEN 4 WHEN 'partial' THEN 5 \
         WHEN 'unknown' THEN 6 WHEN 'running' THEN 7 WHEN 'well' THEN 9 ELSE 8 END END END"
    };
}
/// Places that need a person: see [`Health::needs_a_person`]. The words are all but `off`, and lead to the index.
macro_rules! needs_a_person {
    () => {
        concat!(
            "h.base IN ('failed', 'empty', 'odd', 'partial', 'unknown', 'running', 'waiting', 'well') AND ",
            need!(),
            " <= 6"
        )
    };
}
/// The next moment of the schedule after `$2`: see [`crate::domain::schedule::next_slots`]. Numbers that no schedule
/// of people's has give none, so that nothing overflows.
macro_rules! next_run {
    () => {
        concat!(
            "CASE WHEN f.state <> 'enabled' OR f.gone_at IS NOT NULL OR f.start_at < 0 ",
            "OR f.interval_count > 1000000 THEN NULL ",
            "WHEN f.start_at > $2 AND f.frequency IN ('once', 'minute', 'hour', 'day', 'week') THEN f.start_at ",
            "ELSE f.start_at + (($2 - f.start_at) / (",
            period!(),
            ") + 1) * (",
            period!(),
            ") END"
        )
    };
}
/// NULL for a single run.
macro_rules! period {
    () => {
        "CASE f.frequency WHEN 'minute' THEN 60000 WHEN 'hour' THEN 3600000 WHEN 'day' THEN 86400000 \
         WHEN 'week' THEN 604800000 END * CASE WHEN f.interval_count > 1 THEN f.interval_count ELSE 1 END"
    };
}
macro_rules! list {
    ($sort_value:expr, $beyond:literal, $direction:literal) => {
        concat!(
            "SELECT f.environment_id, e.name AS environment_name, f.id, f.name, f.state, f.connector, f.frequency, ",
            "f.interval_count, f.gone_at, f.last_run_outcome, f.last_run_at, ",
            next_run!(),
            " AS next_run_at, u.name AS owner_name, t.id AS template_id, t.name AS template_name, ",
            "v.version AS template_version, h.judgement, h.recent, ",
            $sort_value,
            " AS sort_value FROM environments e JOIN flows f ON f.environment_id = e.id ",
            "LEFT JOIN flow_health h ON h.environment_id = f.environment_id AND h.flow_id = f.id ",
            "LEFT JOIN setups s ON s.id = (SELECT o.id FROM setups o WHERE o.environment_id = f.environment_id ",
            "AND o.flow_id = f.id ORDER BY o.created_at DESC, o.id DESC LIMIT 1) ",
            "LEFT JOIN users u ON u.id = s.started_by LEFT JOIN template_versions v ON v.id = s.template_version_id ",
            "LEFT JOIN connection_templates t ON t.id = v.template_id ",
            "WHERE e.team_id = $1 AND e.archived_at IS NULL AND ($3 IS NULL OR e.id = $3) ",
            "AND ($4 IS NULL OR f.state = $4) AND ($5 IS NULL OR f.connector = $5) ",
            "AND ($6 IS NULL OR f.last_run_outcome = $6) ",
            "AND ($7 IS NULL OR LOWER(f.name) LIKE $7 ESCAPE '\\' OR LOWER(f.source_path) LIKE $7 ESCAPE '\\') ",
            "AND ($8 <> 0 OR f.gone_at IS NULL) AND ($9 IS NULL OR ",
            need!(),
            " = $9) AND ($10 IS NULL OR COALESCE(t.id, '') = $10) ",
            "AND ($11 IS NULL OR COALESCE(s.started_by, '') = $11) AND (",
            $sort_value,
            ", f.name, f.environment_id, f.id) ",
            $beyond,
            " ($12, $13, $14, $15) ORDER BY sort_value ",
            $direction,
            ", f.name ",
            $direction,
            ", f.environment_id ",
            $direction,
            ", f.id ",
            $direction,
            " LIMIT $16"
        )
    };
}
/// Forward and backward.
macro_rules! both_ways {
    ($sort_value:expr) => {
        [list!($sort_value, ">", "ASC"), list!($sort_value, "<", "DESC")]
    };
}

const BY_NAME: [&str; 2] = both_ways!("0");
const BY_NEED: [&str; 2] = both_ways!(need!());
const BY_LAST_RUN: [&str; 2] = both_ways!("0 - COALESCE(f.last_run_at, 0)");
const BY_NEXT_RUN: [&str; 2] = both_ways!(concat!("COALESCE(", next_run!(), ", 9223372036854775807)"));
const TROUBLED: &str = concat!(
    "SELECT f.id, f.name, e.name, h.judgement FROM (SELECT h.environment_id, h.flow_id, ",
    need!(),
    " AS need, ROW_NUMBER() OVER (PARTITION BY ",
    need!(),
    " ORDER BY CASE ",
    need!(),
    " WHEN 1 THEN h.stuck_at WHEN 2 THEN h.late_at ELSE h.base_since_at END DESC, h.environment_id, h.flow_id) ",
    "AS place FROM environments e JOIN flow_health h ON h.environment_id = e.id ",
    "WHERE e.team_id = $1 AND e.archived_at IS NULL AND ",
    needs_a_person!(),
    ") AS t JOIN environments e ON e.id = t.environment_id ",
    "JOIN flows f ON f.environment_id = t.environment_id AND f.id = t.flow_id ",
    "JOIN flow_health h ON h.environment_id = t.environment_id AND h.flow_id = t.flow_id ",
    "WHERE t.place <= $3 ORDER BY t.need, t.place"
);
const COUNTS: &str = concat!(
    "SELECT ",
    need!(),
    " AS need, COUNT(*) FROM environments e JOIN flows f ON f.environment_id = e.id ",
    "LEFT JOIN flow_health h ON h.environment_id = f.environment_id AND h.flow_id = f.id ",
    "WHERE e.team_id = $1 AND e.archived_at IS NULL AND f.gone_at IS NULL GROUP BY need ORDER BY need"
);
const NEXT_RUNS: &str = concat!(
    "SELECT t.* FROM (SELECT f.id AS flow_id, f.name AS flow_name, e.name AS environment_name, ",
    next_run!(),
    " AS at FROM environments e JOIN flows f ON f.environment_id = e.id ",
    "WHERE e.team_id = $1 AND e.archived_at IS NULL AND f.gone_at IS NULL) AS t ",
    "WHERE t.at IS NOT NULL ORDER BY t.at, t.flow_name, t.flow_id LIMIT $3"
);

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[
    BY_NAME[0],
    BY_NAME[1],
    BY_NEED[0],
    BY_NEED[1],
    BY_LAST_RUN[0],
    BY_LAST_RUN[1],
    BY_NEXT_RUN[0],
    BY_NEXT_RUN[1],
    TROUBLED,
    COUNTS,
    NEXT_RUNS,
];

/// A page of the team's flows in the environments in use, as they do at `moment` (UTC epoch milliseconds).
pub async fn list(
    store: &Store,
    team_id: &str,
    filter: FlowFilter<'_>,
    sort: FlowSort,
    moment: i64,
    part: FlowPage<'_>,
    limit: i64,
) -> Result<Vec<ListedFlow>, StoreError> {
    let [forward, backward] = match sort {
        FlowSort::Name => BY_NAME,
        FlowSort::Need => BY_NEED,
        FlowSort::LastRun => BY_LAST_RUN,
        FlowSort::NextRun => BY_NEXT_RUN,
    };
    let (sql, key) = match part {
        FlowPage::First => (forward, None),
        FlowPage::After(key) => (forward, Some(key)),
        FlowPage::Before(key) => (backward, Some(key)),
    };
    let text = |of: fn(&FlowKey) -> &str| key.map_or("", of);
    let query = sqlx::query_as(sql)
        .bind(team_id)
        .bind(moment)
        .bind(filter.environment_id)
        .bind(filter.state)
        .bind(filter.connector)
        .bind(filter.outcome.map(RunOutcome::as_str))
        .bind(filter.text.map(contains_pattern))
        .bind(i64::from(filter.include_gone))
        .bind(filter.health.map(place_of))
        .bind(filter.template_id)
        .bind(filter.owner_id)
        .bind(key.map_or(i64::MIN, |key| key.sort_value))
        .bind(text(|key| &key.name))
        .bind(text(|key| &key.environment_id))
        .bind(text(|key| &key.id))
        .bind(limit);
    let mut flows: Vec<ListedFlow> = read!(store, |db| query.fetch_all(db))?;
    if matches!(part, FlowPage::Before(_)) {
        flows.reverse();
    }
    Ok(flows)
}

/// The team's flows that need a person at `moment`, the most urgent kind first and in each kind the latest trouble
/// first, at most `of_a_kind` of each.
pub async fn troubled(
    store: &Store,
    team_id: &str,
    moment: i64,
    of_a_kind: i64,
) -> Result<Vec<TroubledFlow>, StoreError> {
    let rows: Vec<(String, String, String, String)> = read!(store, |db| sqlx::query_as(TROUBLED)
        .bind(team_id)
        .bind(moment)
        .bind(of_a_kind)
        .fetch_all(db))?;
    let flow = |(id, name, environment_name, judgement): (String, String, String, String)| {
        Ok(TroubledFlow {
            id,
            name,
            environment_name,
            judgement: FlowHealth::read_judgement(&judgement)?,
        })
    };
    rows.into_iter().map(flow).collect()
}

/// How many of the team's listed flows do how at `moment`, in the order of [`Health`]; those without any are left out.
pub async fn counts(store: &Store, team_id: &str, moment: i64) -> Result<Vec<(Health, i64)>, StoreError> {
    let rows: Vec<(i64, i64)> = read!(store, |db| sqlx::query_as(COUNTS)
        .bind(team_id)
        .bind(moment)
        .fetch_all(db))?;
    let counted = |(place, count)| Some((*Health::ALL.get(usize::try_from(place).ok()?)?, count));
    Ok(rows.into_iter().filter_map(counted).collect())
}

/// The team's next runs by schedule after `moment`, the earliest first.
pub async fn next_runs(
    store: &Store,
    team_id: &str,
    moment: i64,
    limit: i64,
) -> Result<Vec<NextRun>, StoreError> {
    read!(store, |db| sqlx::query_as(NEXT_RUNS)
        .bind(team_id)
        .bind(moment)
        .bind(limit)
        .fetch_all(db))
}

fn place_of(health: Health) -> i64 {
    let place = Health::ALL.iter().position(|known| *known == health);
    place.map_or(0, |place| place as i64)
}
