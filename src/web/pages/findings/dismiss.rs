//! `POST /findings/{id}/dismiss`: it may stay as it is, and is not shown any more.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

/// Marks a finding as known.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (user_id, team_id) = (&visit.session.user_id, &visit.session.team_id);
    if !state.sweep.dismiss(&visit.actor(), user_id, team_id, &id).await? {
        return Err(PageError::not_found());
    }
    Ok(Redirect::to(&format!("/findings?{DONE}=finding-known")).into_response())
}
