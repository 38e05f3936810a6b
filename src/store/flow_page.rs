//! What the pages of one flow and of one run need, in few queries: each query of a page costs more than its rows.

use sqlx::{Database, FromRow, Row};

use super::database::Engine;
use super::flow_versions::wanted_of;
use super::flows::{self, Flow, select_flow};
use super::sync_state::{SyncState, SyncTopic};
use super::{Store, StoreError};
use crate::domain::health::{Judgement, Wanted};

/// A flow with all that the head of its page says.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowHead {
    /// What the platform says.
    pub flow: Flow,
    /// How it does; none: it was not judged yet.
    pub judgement: Option<Judgement>,
    /// What it is set to now; none: that was not recorded yet.
    pub version: Option<CurrentVersion>,
    /// Where it comes from; none: it was made elsewhere.
    pub origin: Option<Origin>,
    /// How fresh the flows and the runs of its environment are, as far as they were ever tried to be read.
    pub sync: Vec<SyncState>,
}

/// The newest version of what a flow is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentVersion {
    /// 1, 2, 3, …
    pub number: i64,
    /// UTC epoch milliseconds.
    pub valid_from_at: i64,
    /// Since when it is on with its schedule.
    pub wanted: Wanted,
}

/// The setup that made a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Ours.
    pub setup_id: String,
    /// The template that was used: id, name and version.
    pub template: Option<(String, String, i64)>,
}

/// The runs of a flow that started next before and after one.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Neighbours {
    /// Adobe's id of the run before.
    pub earlier: Option<String>,
    /// Adobe's id of the run after.
    pub later: Option<String>,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    #[sqlx(flatten)]
    flow: Flow,
    judgement: Option<String>,
    version_number: Option<i64>,
    version_from_at: Option<i64>,
    version_wanted: Option<String>,
    setup_id: Option<String>,
    template_id: Option<String>,
    template_name: Option<String>,
    template_version: Option<i64>,
    #[sqlx(flatten)]
    sync: JoinedSync,
}

const HEAD: &str = select_flow!(
    [", h.judgement, v.number AS version_number, v.valid_from_at AS version_from_at, \
      v.wanted AS version_wanted, s.id AS setup_id, \
      t.id AS template_id, t.name AS template_name, tv.version AS template_version, \
      yf.watermark_at AS flows_watermark_at, yf.attempted_at AS flows_attempted_at, \
      yf.succeeded_at AS flows_succeeded_at, yf.failing_since_at AS flows_failing_since_at, \
      yf.problem AS flows_problem, yf.next_try_at AS flows_next_try_at, \
      yr.watermark_at AS runs_watermark_at, yr.attempted_at AS runs_attempted_at, \
      yr.succeeded_at AS runs_succeeded_at, yr.failing_since_at AS runs_failing_since_at, \
      yr.problem AS runs_problem, yr.next_try_at AS runs_next_try_at, yr.filled_from_at, yr.fill_goal_at, \
      yr.fill_failing_since_at, yr.fill_problem, yr.fill_next_try_at"]
    [" LEFT JOIN flow_health h ON h.environment_id = f.environment_id AND h.flow_id = f.id \
      LEFT JOIN flow_versions v ON v.environment_id = f.environment_id AND v.flow_id = f.id AND v.number = \
      (SELECT MAX(n.number) FROM flow_versions n WHERE n.environment_id = f.environment_id AND n.flow_id = f.id) \
      LEFT JOIN setups s ON s.id = (SELECT o.id FROM setups o WHERE o.environment_id = f.environment_id \
      AND o.flow_id = f.id ORDER BY o.created_at DESC, o.id DESC LIMIT 1) \
      LEFT JOIN template_versions tv ON tv.id = s.template_version_id \
      LEFT JOIN connection_templates t ON t.id = tv.template_id AND t.team_id = e.team_id \
      LEFT JOIN sync_state yf ON yf.environment_id = f.environment_id AND yf.topic = 'flows' \
      LEFT JOIN sync_state yr ON yr.environment_id = f.environment_id AND yr.topic = 'runs'"]
    "f.id = $2 ORDER BY CASE WHEN e.archived_at IS NULL THEN 0 ELSE 1 END, e.created_at, e.id LIMIT 1"
);
const NEIGHBOURS: &str = "SELECT \
     (SELECT id FROM runs WHERE environment_id = $1 AND flow_id = $2 AND (started_at, id) < ($3, $4) \
     ORDER BY started_at DESC, id DESC LIMIT 1) AS earlier, \
     (SELECT id FROM runs WHERE environment_id = $1 AND flow_id = $2 AND (started_at, id) > ($3, $4) \
     ORDER BY started_at, id LIMIT 1) AS later";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[HEAD, NEIGHBOURS];

/// A flow of the team; of several environments that have it, the oldest one in use counts.
pub async fn head(store: &Store, team_id: &str, flow_id: &str) -> Result<Option<FlowHead>, StoreError> {
    let row: Option<HeadRow> = read!(store, |db| sqlx::query_as(HEAD)
        .bind(team_id)
        .bind(flow_id)
        .fetch_optional(db))?;
    row.map(HeadRow::read).transpose()
}

/// What a join brings of `sync_state`, each column with its topic's word before its name.
struct JoinedSync(Vec<SyncState>);

impl<'r> FromRow<'r, <Engine as Database>::Row> for JoinedSync {
    fn from_row(row: &'r <Engine as Database>::Row) -> Result<Self, sqlx::Error> {
        let mut states = Vec::new();
        for topic in [SyncTopic::Flows, SyncTopic::Runs] {
            let name = |column: &str| format!("{topic}_{column}");
            // Without it, that topic was never tried.
            let Some(watermark_at) = row.try_get(&*name("watermark_at"))? else {
                continue;
            };
            let mut state = SyncState {
                environment_id: row.try_get("environment_id")?,
                topic,
                watermark_at,
                attempted_at: row.try_get(&*name("attempted_at"))?,
                succeeded_at: row.try_get(&*name("succeeded_at"))?,
                failing_since_at: row.try_get(&*name("failing_since_at"))?,
                problem: row.try_get(&*name("problem"))?,
                next_try_at: row.try_get(&*name("next_try_at"))?,
                filled_from_at: None,
                fill_goal_at: None,
                fill_failing_since_at: None,
                fill_problem: None,
                fill_next_try_at: None,
            };
            // Only runs are filled.
            if topic == SyncTopic::Runs {
                state.filled_from_at = row.try_get("filled_from_at")?;
                state.fill_goal_at = row.try_get("fill_goal_at")?;
                state.fill_failing_since_at = row.try_get("fill_failing_since_at")?;
                state.fill_problem = row.try_get("fill_problem")?;
                state.fill_next_try_at = row.try_get("fill_next_try_at")?;
            }
            states.push(state);
        }
        Ok(Self(states))
    }
}

impl HeadRow {
    fn read(self) -> Result<FlowHead, StoreError> {
        let damaged = |error: serde_json::Error| StoreError::Other(format!("flow_health: {error}"));
        let judgement = self.judgement.as_deref().map(serde_json::from_str);
        let is_enabled = self.flow.record.state == flows::ENABLED;
        let version = self.version_number.zip(self.version_from_at);
        let version = version.map(|(number, valid_from_at)| {
            Ok::<_, StoreError>(CurrentVersion {
                number,
                valid_from_at,
                wanted: wanted_of(self.version_wanted.as_deref(), number, valid_from_at, is_enabled)?,
            })
        });
        let template = self
            .template_id
            .zip(self.template_name)
            .zip(self.template_version);
        Ok(FlowHead {
            sync: self.sync.0,
            flow: self.flow,
            judgement: judgement.transpose().map_err(damaged)?,
            version: version.transpose()?,
            origin: self.setup_id.map(|setup_id| Origin {
                setup_id,
                template: template.map(|((id, name), version)| (id, name, version)),
            }),
        })
    }
}

/// The runs of a flow beside the one with this id that started at `started_at` (UTC epoch milliseconds).
pub async fn neighbours(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
    started_at: i64,
    run_id: &str,
) -> Result<Neighbours, StoreError> {
    read!(store, |db| sqlx::query_as(NEIGHBOURS)
        .bind(environment_id)
        .bind(flow_id)
        .bind(started_at)
        .bind(run_id)
        .fetch_one(db))
}
