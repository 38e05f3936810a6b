//! `GET /flows/{id}`: one flow: how it stands, when it runs, its last runs, and where it comes from.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::asking::{self, Ask};
use super::loaded::{Loaded, load};
use super::runs_view::{Measure, RunsView};
use super::status::Live;
use super::view;
use crate::store::environments::Environment;
use crate::store::flow_page::Origin;
use crate::store::flows::Flow;
use crate::store::setups::{self, Setup};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

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
    window: Ask,
    starts: Option<TimeView>,
    created: Option<TimeView>,
    origin: Option<Origin>,
    /// Number of the configuration in force, and since when it is.
    configuration: Option<(i64, TimeView)>,
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

/// Where the list of runs goes on, and what the chart shows.
#[derive(Debug, Default, Deserialize)]
pub struct FlowQuery {
    before_at: Option<i64>,
    before_id: Option<String>,
    #[serde(default)]
    chart: Measure,
}

/// The page of one flow.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<FlowQuery>,
) -> Result<Response, PageError> {
    let before = query.before_at.zip(query.before_id.as_deref());
    match load(&state, &visit, &id, before, query.chart).await? {
        Some(loaded) => page(&FlowPage::new(loaded, visit)),
        None => awaited(&state, visit, &id).await,
    }
}

impl FlowPage {
    fn new(mut loaded: Loaded, visit: Visit) -> Self {
        let visit = visit.in_environment(&loaded.environment.id);
        let is_running = loaded.runs.iter().any(|run| run.outcome.is_going_on());
        let live = Live::new(&loaded, &visit);
        let runs = RunsView::new(&mut loaded, &visit);
        let times = visit.times();
        let record = &loaded.flow().record;
        let mut layout = visit.layout(record.name.clone(), NavEntry::Flows);
        layout.read_at = loaded.freshness.read_at.clone();
        layout.refresh_seconds = (!loaded.is_paged).then_some(REFRESH_SECONDS);
        let next_runs = view::next_runs(loaded.flow(), visit.now_ms, NEXT_RUNS);
        Self {
            csrf: layout.csrf.clone(),
            live,
            runs,
            schedule: view::schedule_words(record),
            window: asking::run_window_at_a_glance(&visit, loaded.flow(), is_running),
            next_runs: next_runs.into_iter().map(|at| times.at(at)).collect(),
            starts: record.start_at.map(|at| times.at(at)),
            created: record.platform_created_at.map(|at| times.at(at)),
            configuration: loaded
                .head
                .version
                .map(|version| (version.number, times.at(version.valid_from_at))),
            origin: loaded.head.origin,
            swap_other_places: false,
            flow: loaded.head.flow,
            environment: loaded.environment,
            layout,
        }
    }
}

/// The page of a flow that a setup has made and that was not listed yet; otherwise there is no such flow.
async fn awaited(state: &AppState, visit: Visit, id: &str) -> Result<Response, PageError> {
    for environment in visit.environments.iter() {
        if let Some(setup) = setups::flow_setup(&state.store, &environment.id, id).await? {
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
