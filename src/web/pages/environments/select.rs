//! `POST /environments/{id}/select`: which environment the pages show.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use crate::web::error::PageError;
use crate::web::remembered::{page_before, remember};
use crate::web::state::AppState;
use crate::web::visit::{ENVIRONMENT_COOKIE, Visit};

/// Remembers the choice in this browser and goes back to the page.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    if !visit.environments.iter().any(|environment| environment.id == id) {
        return Err(PageError::not_found());
    }
    let cookie = remember(&state.site, ENVIRONMENT_COOKIE, &id);
    Ok(([cookie], Redirect::to(&page_before(&headers))).into_response())
}
