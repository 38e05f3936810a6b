//! `GET /flows/{id}/raw` and `GET /flows/{id}/runs/{run_id}/raw`: Adobe's own JSON, to read, copy and keep.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::loaded::environment;
use super::view;
use crate::store::flows;
use crate::store::{flow_page, runs};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Bytes of JSON on the page; more is for the file.
const SHOWN_BYTES: usize = 256 * 1024;

#[derive(Template)]
#[template(path = "flows/raw.html")]
struct RawPage {
    layout: Layout,
    /// The page that this belongs to, with its name.
    parent: (String, String),
    path: String,
    read: TimeView,
    shown: String,
    /// The size of all of it, when only its beginning is shown.
    cut_from: Option<String>,
}

/// Whether a file is wanted instead of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RawQuery {
    download: bool,
}

/// The JSON of a flow.
pub async fn flow(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<RawQuery>,
) -> Result<Response, PageError> {
    let store = &state.store;
    let head = flow_page::head(store, &visit.session.team_id, &id).await?;
    let flow = head.ok_or_else(PageError::not_found)?.flow;
    let record = &flow.record;
    let json = flows::raw(store, &record.environment_id, &id).await?;
    let json = json.unwrap_or_default();
    if query.download {
        return Ok(file("attachment; filename=\"flow.json\"", json));
    }
    let visit = visit.in_environment(&record.environment_id);
    let path = format!("/flows/{id}");
    page(&RawPage::new(
        &visit,
        (path, record.name.clone()),
        format!("The flow {} as Adobe shows it", record.name),
        record.read_at,
        &json,
    ))
}

/// The JSON of a run.
pub async fn run(
    State(state): State<AppState>,
    visit: Visit,
    Path((id, run_id)): Path<(String, String)>,
    Query(query): Query<RawQuery>,
) -> Result<Response, PageError> {
    let store = &state.store;
    let head = flow_page::head(store, &visit.session.team_id, &id).await?;
    let flow = head.ok_or_else(PageError::not_found)?.flow;
    let environment = environment(&state, &visit, &flow).await?;
    let run = runs::by_id(store, &environment.id, &run_id).await?;
    let run = run
        .filter(|run| run.flow_id == id)
        .ok_or_else(PageError::not_found)?;
    let json = runs::raw(store, &environment.id, &run_id).await?;
    let json = json.unwrap_or_default();
    if query.download {
        return Ok(file("attachment; filename=\"run.json\"", json));
    }
    let visit = visit.in_environment(&environment.id);
    let name = format!("Run of {}", visit.times().at(run.started_at).local());
    let title = format!("{name} as Adobe shows it");
    let parent = (format!("/flows/{id}/runs/{run_id}"), name);
    page(&RawPage::new(&visit, parent, title, run.read_at, &json))
}

/// `disposition` holds nothing from outside.
fn file(disposition: &'static str, json: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, json).into_response()
}

impl RawPage {
    fn new(visit: &Visit, parent: (String, String), title: String, read_at: i64, json: &str) -> Self {
        let (shown, is_cut) = view::pretty_beginning(json, SHOWN_BYTES);
        Self {
            layout: visit.layout(title, NavEntry::Flows),
            path: format!("{}/raw", parent.0),
            parent,
            read: visit.times().at(read_at),
            shown,
            cut_from: is_cut.then(|| numbers::bytes(json.len() as u64).to_string()),
        }
    }
}
