//! Lists of flows with how they do, for people.

use serde::{Deserialize, Serialize};

use super::flow_health::FlowHealth;
use super::flow_list_sql::{
    BY_LAST_RUN, BY_NAME, BY_NEED, BY_NEXT_RUN, COUNTS, MISSING_FILES, NEXT_RUNS, TROUBLED,
};
use super::flow_versions::wanted_of;
use super::values::contains_pattern;
use super::{Store, StoreError, flows};
use crate::domain::RunOutcome;
use crate::domain::health::{Health, Judgement, Rhythm, Wanted};

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
    /// The schedule's first moment.
    pub start_at: Option<i64>,
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
    /// When the runs of its environment were last read to the end; none: never.
    pub runs_read_at: Option<i64>,
    current_version: Option<i64>,
    current_from_at: Option<i64>,
    current_wanted: Option<String>,
    judgement: Option<String>,
    recent: Option<String>,
    /// Of the runs before this moment not all are stored.
    runs_known_since_at: Option<i64>,
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

    /// Since when it is on with its schedule; none: that was not recorded yet.
    pub fn wanted(&self) -> Result<Option<Wanted>, StoreError> {
        let version = self.current_version.zip(self.current_from_at);
        version
            .map(|(number, from_at)| {
                let is_enabled = self.state == flows::ENABLED;
                wanted_of(self.current_wanted.as_deref(), number, from_at, is_enabled)
            })
            .transpose()
    }

    /// When its runs should begin, as far as that is known.
    pub fn rhythm(&self, wanted: Wanted) -> Option<Rhythm> {
        Rhythm::of(
            self.frequency.as_deref(),
            self.interval_count,
            self.start_at,
            wanted,
            self.runs_known_since_at,
        )
    }

    fn place(&self) -> (i64, &str, &str, &str) {
        (self.sort_value, &self.name, &self.environment_id, &self.id)
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
    /// The moment for which the first page was read (UTC epoch milliseconds): what time alone brings is the same on
    /// all pages, so that none repeats or loses a flow; what a reading from the platform brings meanwhile is not.
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

/// The same, or the other way round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowOrder {
    /// By what.
    pub by: FlowSort,
    /// The last first.
    pub is_reversed: bool,
}

impl From<FlowSort> for FlowOrder {
    fn from(by: FlowSort) -> Self {
        Self {
            by,
            is_reversed: false,
        }
    }
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
    /// Only those of which runs failed whose files did not come.
    pub misses_files: bool,
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
    /// When the runs of its environment were last read to the end; none: never.
    pub runs_read_at: Option<i64>,
}

type TroubledRow = (String, String, String, String, Option<i64>);

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
    MISSING_FILES,
];

/// No name comes after this one.
const LAST_NAME: &str = "\u{10ffff}";

/// A page of the team's flows in the environments in use, as they do at `moment` (UTC epoch milliseconds).
pub async fn list(
    store: &Store,
    team_id: &str,
    filter: FlowFilter<'_>,
    order: impl Into<FlowOrder>,
    moment: i64,
    part: FlowPage<'_>,
    limit: i64,
) -> Result<Vec<ListedFlow>, StoreError> {
    let FlowOrder { by, is_reversed } = order.into();
    let mut ways = match by {
        FlowSort::Name => BY_NAME,
        FlowSort::Need => BY_NEED,
        FlowSort::LastRun => BY_LAST_RUN,
        FlowSort::NextRun => BY_NEXT_RUN,
    };
    // Before all flows, or behind them.
    let mut beginning = (i64::MIN, "");
    if is_reversed {
        ways.reverse();
        beginning = (i64::MAX, LAST_NAME);
    }
    let [forward, backward] = ways;
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
        .bind(key.map_or(beginning.0, |key| key.sort_value))
        .bind(key.map_or(beginning.1, |key| &key.name))
        .bind(text(|key| &key.environment_id))
        .bind(text(|key| &key.id))
        .bind(limit)
        .bind(i64::from(filter.misses_files));
    let mut flows: Vec<ListedFlow> = read!(store, |db| query.fetch_all(db))?;
    flows.sort_unstable_by(|one, other| one.place().cmp(&other.place()));
    if is_reversed {
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
    let rows: Vec<TroubledRow> = read!(store, |db| sqlx::query_as(TROUBLED)
        .bind(team_id)
        .bind(moment)
        .bind(of_a_kind)
        .fetch_all(db))?;
    let flow = |(id, name, environment_name, judgement, runs_read_at): TroubledRow| {
        Ok(TroubledFlow {
            id,
            name,
            environment_name,
            judgement: FlowHealth::read_judgement(&judgement)?,
            runs_read_at,
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

/// How many of the team's listed flows miss files of failed runs.
pub async fn missing_files(store: &Store, team_id: &str) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar(MISSING_FILES).bind(team_id);
    read!(store, |db| query.fetch_one(db))
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
