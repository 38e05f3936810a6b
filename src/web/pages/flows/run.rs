//! `GET /flows/{id}/runs/{run_id}`: one run: what it took and stored, stage by stage, and what went wrong.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::asking::{self, Ask};
use super::view::{self, Badge, RunRow};
use crate::history::stages::{self, Stage};
use crate::store::flows::{self, Flow};
use crate::store::runs;
use crate::store::{self, sync_state};
use crate::web::error::PageError;
use crate::web::explained::Explained;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Seconds between two loads while the run is going on.
const REFRESH_SECONDS: u32 = 5;

#[derive(Template)]
#[template(path = "flows/run.html")]
struct RunPage {
    layout: Layout,
    flow: Flow,
    run: RunRow,
    completed: Option<TimeView>,
    window: Option<(TimeView, TimeView)>,
    bytes_out: String,
    stages: Vec<StageView>,
    files: Vec<String>,
    raw: String,
    freshness: Freshness,
    read: TimeView,
    is_final: bool,
    again: Ask,
}

struct StageView {
    name: String,
    badge: Badge,
    started: Option<TimeView>,
    duration: String,
    /// "2 files, 1.2 MB, 100 records in".
    counts: String,
    errors: Vec<Explained>,
    batch_ids: Vec<String>,
}

/// The page of one run.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path((flow_id, run_id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id.clone());
    let flow = flows::by_id(store, team_id, None, &flow_id)
        .await?
        .ok_or_else(PageError::not_found)?;
    let environment = store::environments::by_id(store, team_id, &flow.record.environment_id).await?;
    let environment = environment.ok_or_else(PageError::not_found)?;
    let run = runs::by_id(store, &environment.id, &run_id)
        .await?
        .filter(|run| run.flow_id == flow_id);
    let run = run.ok_or_else(PageError::not_found)?;
    let raw = runs::raw(store, &environment.id, &run_id)
        .await?
        .unwrap_or_default();
    let document = serde_json::from_str(&raw).unwrap_or_default();

    let visit = visit.in_environment(&environment.id);
    let times = visit.times();
    let freshness =
        Freshness::of_environment(&sync_state::all_for(store, team_id).await?, &environment, &visit);
    let row = RunRow::new(&run, &times);
    let title = format!("Run of {}, {}", row.started.local(), flow.record.name);
    let again = asking::run_again(&state, &visit, &flow, &run).await?;
    let mut layout = visit.layout(title, NavEntry::Flows);
    layout.read_at = freshness.read_at.clone();
    layout.refresh_seconds = (!run.outcome.is_final()).then_some(REFRESH_SECONDS);
    page(&RunPage {
        layout,
        run: row,
        completed: run.completed_at.map(|at| times.at(at)),
        window: run
            .window_start_at
            .zip(run.window_end_at)
            .map(|(from, to)| (times.at(from), times.at(to))),
        bytes_out: view::bytes(run.bytes_out),
        stages: stages::stages(&document)
            .into_iter()
            .map(|stage| StageView::new(stage, &times))
            .collect(),
        files: stages::files(&document),
        raw: view::pretty(&raw),
        freshness,
        read: times.at(run.read_at),
        is_final: run.outcome.is_final(),
        again,
        flow,
    })
}

impl StageView {
    fn new(stage: Stage, times: &Times) -> Self {
        let lasted = stage
            .started_at
            .zip(stage.completed_at)
            .map(|(from, to)| (to - from).max(0));
        let number = |told: Option<i64>, one: &str, many: &str| {
            told.map(|count| {
                format!(
                    "{} {}",
                    numbers::count(count),
                    if count == 1 { one } else { many }
                )
            })
        };
        let counts = [
            number(stage.files_in, "file", "files"),
            stage.bytes_in.map(|bytes| view::bytes(Some(bytes))),
            number(stage.records_in, "record read", "records read"),
            number(stage.records_out, "stored", "stored"),
            number(stage.records_failed, "rejected", "rejected"),
        ];
        Self {
            badge: view::outcome_badge(stage.outcome, &stage.status),
            name: stage.name,
            started: stage.started_at.map(|at| times.at(at)),
            duration: lasted.map(numbers::duration).unwrap_or_default(),
            counts: counts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            errors: stage
                .errors
                .iter()
                .map(|(code, message)| Explained::new(code, message))
                .collect(),
            batch_ids: stage.batch_ids,
        }
    }
}
