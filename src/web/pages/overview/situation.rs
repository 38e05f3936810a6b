//! How the team's flows do: what the overview and the board both show.

use super::attention::{Kind, OF_A_KIND, Troubles};
use crate::domain::health::Health;
use crate::domain::setup::SetupState;
use crate::store::environments::Environment;
use crate::store::flow_lists::{self, NextRun};
use crate::store::setup_lists::{self, SetupFilter};
use crate::store::{Store, StoreError, findings, sync_state};
use crate::web::health_view;
use crate::web::numbers;
use crate::web::pages::freshness::Freshness;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// Of which team, for whom and when.
pub(super) struct Looking<'a> {
    pub(super) team_id: &'a str,
    /// Those in use.
    pub(super) environments: &'a [Environment],
    pub(super) times: &'a Times,
    pub(super) now_ms: i64,
    /// Runs that come next which are shown.
    pub(super) coming_up: i64,
}

/// How the team's flows do.
pub(super) struct Situation {
    pub(super) freshness: Freshness,
    /// What needs a person.
    pub(super) kinds: Vec<Kind>,
    /// How many flows do how.
    pub(super) counts: Vec<(Health, i64)>,
    pub(super) coming_up: Vec<Coming>,
    pub(super) open_findings: i64,
}

/// How many flows do so.
pub(super) struct Chip {
    pub(super) status: Status,
    pub(super) word: &'static str,
    pub(super) count: String,
    pub(super) href: String,
}

/// A run that is planned.
pub(super) struct Coming {
    pub(super) at: TimeView,
    pub(super) href: String,
    pub(super) name: String,
    pub(super) environment: String,
}

impl Situation {
    pub(super) async fn read(store: &Store, looking: Looking<'_>) -> Result<Self, StoreError> {
        let Looking {
            team_id,
            times,
            now_ms,
            ..
        } = looking;
        let asking = SetupFilter {
            state: Some(SetupState::NeedsAttention),
            ..SetupFilter::default()
        };
        let of_a_kind = OF_A_KIND as i64;
        let (sync, counts, flows, missing_files, setups, next_runs, findings) = tokio::try_join!(
            sync_state::all_for(store, team_id),
            flow_lists::counts(store, team_id, now_ms),
            flow_lists::troubled(store, team_id, now_ms, of_a_kind),
            flow_lists::missing_files(store, team_id),
            setup_lists::list(store, team_id, asking, None, of_a_kind + 1),
            flow_lists::next_runs(store, team_id, now_ms, looking.coming_up),
            findings::count_open(store, team_id),
        )?;
        let freshness = Freshness::of(&sync, looking.environments, times);
        let open_findings = findings.iter().map(|(_, count)| count).sum();
        let troubles = Troubles {
            freshness: &freshness,
            setups,
            flows,
            counts: &counts,
            missing_files,
            open_findings,
        };
        Ok(Self {
            kinds: troubles.kinds(times, now_ms),
            coming_up: next_runs.into_iter().map(|run| coming(run, times)).collect(),
            freshness,
            counts,
            open_findings,
        })
    }

    pub(super) fn chips(&self) -> Vec<Chip> {
        self.counts.iter().map(chip).collect()
    }
}

fn chip((health, count): &(Health, i64)) -> Chip {
    Chip {
        status: health_view::status(*health),
        word: health_view::word(*health),
        count: numbers::count(*count).to_string(),
        href: format!("/flows?health={health}"),
    }
}

fn coming(run: NextRun, times: &Times) -> Coming {
    Coming {
        at: times.at(run.at),
        href: format!("/flows/{}", run.flow_id),
        name: run.flow_name,
        environment: run.environment_name,
    }
}
