//! A flow with the runs that one page shows, read with few queries.

use super::runs_view::Measure;
use crate::domain::RunOutcome;
use crate::domain::health::{Health, Rhythm, judged_at};
use crate::store::environments::{self, Environment};
use crate::store::flow_page::{self, FlowHead};
use crate::store::flow_versions::{self, FlowVersion};
use crate::store::flows::Flow;
use crate::store::runs::{self, RunLine};
use crate::store::sync_state::{SyncState, SyncTopic};
use crate::web::error::PageError;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Runs on one page.
const PAGE_SIZE: usize = 50;

/// A flow with the runs that one page shows.
pub(super) struct Loaded {
    pub(super) head: FlowHead,
    pub(super) environment: Environment,
    /// The newest first.
    pub(super) runs: Vec<RunLine>,
    pub(super) older: Option<String>,
    /// They are not the newest.
    pub(super) is_paged: bool,
    pub(super) measure: Measure,
    pub(super) freshness: Freshness,
    /// What was set differently before the first of the runs that failed, and how it is set since: new, then old.
    pub(super) change_before_trouble: Option<[FlowVersion; 2]>,
    /// The moment at which the flow is judged (UTC epoch milliseconds).
    pub(super) judged_at: i64,
}

impl Loaded {
    pub(super) fn flow(&self) -> &Flow {
        &self.head.flow
    }

    /// Whether the list of runs was ever read, so that an empty one means that there are none.
    pub(super) fn runs_are_known(&self) -> bool {
        self.freshness.read_at.is_some()
    }

    /// When its runs should begin, as far as that is known.
    pub(super) fn rhythm(&self) -> Option<Rhythm> {
        let record = &self.flow().record;
        Rhythm::of(
            record.frequency.as_deref(),
            record.interval_count,
            record.start_at,
            self.head.version.as_ref()?.wanted.clone(),
            of_runs(&self.head).and_then(|sync| sync.filled_from_at),
        )
    }

    /// The runs of the schedule that came to an end, the newest first: one that was made again for old files says
    /// nothing of how the flow does.
    pub(super) fn ended_by_schedule(&self) -> impl Iterator<Item = &RunLine> {
        let judged = self.head.judgement.as_ref();
        let of_old_files_at = judged.map_or(&[][..], |judged| &judged.of_old_files_at);
        let counts = |run: &&RunLine| run.outcome.is_final() && !of_old_files_at.contains(&run.started_at);
        self.runs.iter().filter(counts)
    }
}

/// How fresh the runs of a flow's environment are.
fn of_runs(head: &FlowHead) -> Option<&SyncState> {
    head.sync.iter().find(|sync| sync.topic == SyncTopic::Runs)
}

/// The environment of a flow: mostly one of those that the frame around the page shows anyway.
pub(super) async fn environment(
    state: &AppState,
    visit: &Visit,
    flow: &Flow,
) -> Result<Environment, PageError> {
    let id = &flow.record.environment_id;
    if let Some(known) = visit.environments.iter().find(|known| known.id == *id) {
        return Ok(known.clone());
    }
    let archived = environments::by_id(&state.store, &visit.session.team_id, id).await?;
    archived.ok_or_else(PageError::not_found)
}

/// Reads a flow of the person's team and its runs before a place in their list. Nothing: it is not mirrored.
pub(super) async fn load(
    state: &AppState,
    visit: &Visit,
    id: &str,
    before: Option<(i64, &str)>,
    measure: Measure,
) -> Result<Option<Loaded>, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id);
    let Some(head) = flow_page::head(store, team_id, id).await? else {
        return Ok(None);
    };
    let environment = environment(state, visit, &head.flow).await?;
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let mut runs = runs::latest(store, &environment.id, id, before, limit).await?;
    let more = runs.len() > PAGE_SIZE;
    runs.truncate(PAGE_SIZE);
    let last = runs.last().filter(|_| more);
    let older = last.map(|run| format!("/flows/{id}?before_at={}&before_id={}", run.started_at, run.id));
    let runs_read_at = of_runs(&head).and_then(|sync| sync.succeeded_at);
    let mut loaded = Loaded {
        judged_at: judged_at(visit.now_ms, runs_read_at),
        freshness: Freshness::of_environment(&head.sync, &environment, visit),
        is_paged: before.is_some(),
        change_before_trouble: None,
        head,
        environment,
        runs,
        older,
        measure,
    };
    if before.is_none() {
        loaded.change_before_trouble = change_before_trouble(state, &loaded).await?;
    }
    Ok(Some(loaded))
}

/// A change between the last good run and the first of those in a row that failed.
async fn change_before_trouble(
    state: &AppState,
    loaded: &Loaded,
) -> Result<Option<[FlowVersion; 2]>, PageError> {
    let was_ever_changed = loaded
        .head
        .version
        .as_ref()
        .is_some_and(|version| version.number > 1);
    let judged = loaded.head.judgement.as_ref();
    let Some(since) = judged
        .filter(|judged| was_ever_changed && matches!(judged.base, Health::Failed | Health::Partial))
        .and_then(|judged| judged.base_since_at)
    else {
        return Ok(None);
    };
    let (environment_id, flow_id) = (&loaded.environment.id, &loaded.flow().record.id);
    let found = flow_versions::in_force(&state.store, environment_id, flow_id, since, 2).await?;
    let last_good = loaded
        .runs
        .iter()
        .find(|run| run.started_at < since && run.outcome == RunOutcome::Succeeded);
    Ok(<[FlowVersion; 2]>::try_from(found)
        .ok()
        .filter(|[new, _]| last_good.is_none_or(|run| new.valid_from_at > run.started_at)))
}
