//! `GET /flows/{id}/runs/at/{started_at}`: the failed run that began then, for links from where its id is not at hand.

use axum::extract::{Path, State};
use axum::response::Redirect;

use crate::store::{flow_page, runs};
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Leads to the page of the run; the start is in UTC epoch milliseconds.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path((flow_id, started_at)): Path<(String, i64)>,
) -> Result<Redirect, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id);
    let head = flow_page::head(store, team_id, &flow_id).await?;
    let flow = head.ok_or_else(PageError::not_found)?.flow.record;
    let run_id = runs::failed_at(store, &flow.environment_id, &flow_id, started_at).await?;
    let run_id = run_id.ok_or_else(PageError::not_found)?;
    Ok(Redirect::to(&format!("/flows/{flow_id}/runs/{run_id}")))
}
