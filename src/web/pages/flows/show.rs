//! `GET /flows/{id}`: one flow: how it stands, when it runs, its last runs, and where it comes from.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::status::{Live, RunsView};
use super::view;
use crate::store::environments::Environment;
use crate::store::flows::{self, Flow};
use crate::store::runs::{self, Run};
use crate::store::setups::Setup;
use crate::store::{self, sync_state};
use crate::web::audit_trail::AuditTrail;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Runs on one page.
const PAGE_SIZE: usize = 50;
/// How many of the next runs are shown.
const NEXT_RUNS: usize = 5;
/// Seconds between two loads in a browser without scripts.
const REFRESH_SECONDS: u32 = 15;
/// The same while a flow that was made a moment ago is awaited.
const AWAITED_REFRESH_SECONDS: u32 = 3;
/// The version that the page of an awaited flow shows.
pub(super) const AWAITED: &str = "awaited";

#[derive(Template)]
#[template(path = "flows/show.html")]
struct FlowPage {
    layout: Layout,
    csrf: String,
    flow: Flow,
    environment: Environment,
    live: Live,
    runs: RunsView,
    schedule: String,
    next_runs: Vec<TimeView>,
    starts: Option<TimeView>,
    created: Option<TimeView>,
    updated: Option<TimeView>,
    origin: Option<Origin>,
    trail: AuditTrail,
    raw: String,
    /// The newest runs are shown, which are followed.
    is_followed: bool,
    swap_other_places: bool,
}

/// A flow that a setup has made and that was not listed yet.
#[derive(Template)]
#[template(path = "flows/awaited.html")]
struct AwaitedFlowPage {
    layout: Layout,
    setup: Setup,
    environment: String,
}

/// The setup that made a flow.
struct Origin {
    setup_id: String,
    template: Option<(String, String, i64)>,
}

/// Where the list of runs goes on.
#[derive(Debug, Default, Deserialize)]
pub struct RunsQuery {
    before_at: Option<i64>,
    before_id: Option<String>,
}

/// A flow with the runs that one page shows.
pub(super) struct Shown {
    pub(super) flow: Flow,
    pub(super) environment: Environment,
    /// The newest first.
    pub(super) runs: Vec<Run>,
    pub(super) older: Option<String>,
    pub(super) freshness: Freshness,
}

impl Shown {
    /// Whether the list of runs was ever read, so that an empty one means that there are none.
    pub(super) fn runs_are_known(&self) -> bool {
        self.freshness.read_at.is_some()
    }
}

/// Reads a flow of the person's team and its runs before a place in their list. Nothing: it is not mirrored.
pub(super) async fn load(
    state: &AppState,
    visit: &Visit,
    id: &str,
    before: Option<(i64, &str)>,
) -> Result<Option<Shown>, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id);
    let Some(flow) = flows::by_id(store, team_id, None, id).await? else {
        return Ok(None);
    };
    let environment = store::environments::by_id(store, team_id, &flow.record.environment_id).await?;
    let environment = environment.ok_or_else(PageError::not_found)?;
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let mut runs = runs::latest(store, &environment.id, id, before, limit).await?;
    let more = runs.len() > PAGE_SIZE;
    runs.truncate(PAGE_SIZE);
    let last = runs.last().filter(|_| more);
    let older = last.map(|run| format!("/flows/{id}?before_at={}&before_id={}", run.started_at, run.id));
    let sync = sync_state::all_for(store, team_id).await?;
    let freshness = Freshness::of_environment(&sync, &environment, visit);
    Ok(Some(Shown {
        flow,
        environment,
        runs,
        older,
        freshness,
    }))
}

/// The page of one flow.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<RunsQuery>,
) -> Result<Response, PageError> {
    let before = query.before_at.zip(query.before_id.as_deref());
    let Some(shown) = load(&state, &visit, &id, before).await? else {
        return awaited(&state, visit, &id).await;
    };
    let visit = visit.in_environment(&shown.environment.id);
    let times = visit.times();
    let record = &shown.flow.record;
    let raw = flows::raw(&state.store, &shown.environment.id, &id)
        .await?
        .unwrap_or_default();
    let mut layout = visit.layout(record.name.clone(), NavEntry::Flows);
    layout.read_at = shown.freshness.read_at.clone();
    layout.refresh_seconds = before.is_none().then_some(REFRESH_SECONDS);
    let next_runs = view::next_runs(&shown.flow, visit.now_ms, NEXT_RUNS);
    page(&FlowPage {
        csrf: layout.csrf.clone(),
        live: Live::new(&shown, &visit),
        runs: RunsView::new(&shown, &visit),
        schedule: view::schedule_words(record),
        next_runs: next_runs.into_iter().map(|at| times.at(at)).collect(),
        starts: record.start_at.map(|at| times.at(at)),
        created: record.platform_created_at.map(|at| times.at(at)),
        updated: record.platform_updated_at.map(|at| times.at(at)),
        origin: origin(&state, &visit, &shown).await?,
        trail: AuditTrail::of(&state.store, "flow", &id, &visit).await?,
        raw: view::pretty(&raw),
        is_followed: before.is_none(),
        swap_other_places: false,
        flow: shown.flow,
        environment: shown.environment,
        layout,
    })
}

async fn origin(state: &AppState, visit: &Visit, shown: &Shown) -> Result<Option<Origin>, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id);
    let setup = store::setups::flow_setup(store, &shown.environment.id, &shown.flow.record.id).await?;
    let Some(setup) = setup else { return Ok(None) };
    let mut template = None;
    if let Some(version_id) = &setup.template_version_id
        && let Some(version) = store::connection_templates::version_by_id(store, team_id, version_id).await?
        && let version = version.version
        && let Some(named) = store::connection_templates::by_id(store, team_id, &version.template_id).await?
    {
        template = Some((version.template_id, named.template.name, version.version));
    }
    Ok(Some(Origin {
        setup_id: setup.id,
        template,
    }))
}

/// The page of a flow that a setup has made and that was not listed yet; otherwise there is no such flow.
async fn awaited(state: &AppState, visit: Visit, id: &str) -> Result<Response, PageError> {
    for environment in &visit.environments {
        if let Some(setup) = store::setups::flow_setup(&state.store, &environment.id, id).await? {
            let mut layout = visit.layout(setup.flow_name.clone(), NavEntry::Flows);
            layout.refresh_seconds = Some(AWAITED_REFRESH_SECONDS);
            return page(&AwaitedFlowPage {
                layout,
                environment: environment.name.clone(),
                setup,
            });
        }
    }
    Err(PageError::not_found())
}
