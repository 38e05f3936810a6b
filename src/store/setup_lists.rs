//! Lists of setups: for people, and for workers.

use super::{Store, StoreError};
use crate::domain::setup::{Question, SetupState};

/// A setup as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedSetup {
    /// Ours.
    pub id: String,
    /// The dataflow's name.
    pub flow_name: String,
    /// Where it stands.
    pub state: SetupState,
    /// Why a person is asked.
    pub question: Option<Question>,
    /// Adobe's id of the dataflow it made.
    pub flow_id: Option<String>,
    /// Where the dataflow is made.
    pub environment_id: String,
    /// Its name.
    pub environment_name: String,
    /// The template it was made from.
    pub template_id: Option<String>,
    /// Its name.
    pub template_name: Option<String>,
    /// Which version of it.
    pub template_version: Option<i64>,
    /// The name of who started it.
    pub started_by_name: String,
    /// How many steps it has.
    pub steps: i64,
    /// How many of them are confirmed.
    pub steps_confirmed: i64,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// The last change of any kind.
    pub updated_at: i64,
    /// When nothing was left to do.
    pub finished_at: Option<i64>,
}

/// Which setups a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetupFilter<'a> {
    /// Only those of one environment.
    pub environment_id: Option<&'a str>,
    /// Only those in one state.
    pub state: Option<SetupState>,
}

/// A setup that a worker has something to do for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ActiveSetup {
    /// Ours.
    pub id: String,
    /// Where the dataflow is made.
    pub environment_id: String,
    /// Where it stands.
    pub state: SetupState,
    /// The last change of any kind.
    pub updated_at: i64,
}

macro_rules! list {
    ($driver:literal) => {
        concat!(
            "SELECT s.id, s.flow_name, s.state, s.question, s.flow_id, s.environment_id, ",
            "e.name AS environment_name, t.id AS template_id, t.name AS template_name, ",
            "v.version AS template_version, u.name AS started_by_name, ",
            "(SELECT COUNT(*) FROM setup_steps p WHERE p.setup_id = s.id) AS steps, ",
            "(SELECT COUNT(*) FROM setup_steps p WHERE p.setup_id = s.id AND p.state = 'confirmed') ",
            "AS steps_confirmed, s.created_at, s.updated_at, s.finished_at ",
            "FROM setups s JOIN environments e ON e.id = s.environment_id JOIN users u ON u.id = s.started_by ",
            "LEFT JOIN template_versions v ON v.id = s.template_version_id ",
            "LEFT JOIN connection_templates t ON t.id = v.template_id ",
            "WHERE s.team_id = $1 AND ($2 IS NULL OR s.environment_id = $2) AND ",
            $driver,
            " AND (s.created_at, s.id) < ($4, $5) ORDER BY s.created_at DESC, s.id DESC LIMIT $6"
        )
    };
}

const LIST: &str = list!("$3 IS NULL");
const LIST_IN_STATE: &str = list!("s.state = $3");
/// The words are those of [`SetupState::is_active`]; a test compares them.
const LIST_ACTIVE: &str = "SELECT id, environment_id, state, updated_at FROM setups \
     WHERE state IN ('queued', 'running', 'waiting', 'undoing') AND (retry_at IS NULL OR retry_at <= $1) \
     ORDER BY created_at, id LIMIT $2";
const COUNTS: &str = "SELECT state, COUNT(*) FROM setups WHERE team_id = $1 GROUP BY state";
/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[LIST, LIST_IN_STATE, LIST_ACTIVE, COUNTS];

/// The team's setups, newest first, before the one created at `before.0` with id `before.1`.
pub async fn list(
    store: &Store,
    team_id: &str,
    filter: SetupFilter<'_>,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<ListedSetup>, StoreError> {
    let (created_at, id) = before.unwrap_or((i64::MAX, ""));
    let query = sqlx::query_as(if filter.state.is_some() {
        LIST_IN_STATE
    } else {
        LIST
    })
    .bind(team_id)
    .bind(filter.environment_id)
    .bind(filter.state.map(SetupState::as_str))
    .bind(created_at)
    .bind(id)
    .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// Setups of all teams that a worker has something to do for now or later, oldest first.
pub async fn list_active(store: &Store, now: i64, limit: i64) -> Result<Vec<ActiveSetup>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST_ACTIVE)
        .bind(now)
        .bind(limit)
        .fetch_all(db))
}

/// How many setups of the team stand where; states without any are left out.
pub async fn counts(store: &Store, team_id: &str) -> Result<Vec<(SetupState, i64)>, StoreError> {
    read!(store, |db| sqlx::query_as(COUNTS).bind(team_id).fetch_all(db))
}
