//! `POST /account/sessions/{id}/end`: ending one of one's own sessions, for instance on a lost computer.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Ends the session. The one in use ends too if it is meant: the next page is then the sign-in.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    if state
        .accounts
        .end_session(&id, &visit.actor(), visit.person())
        .await?
    {
        Ok(Redirect::to("/account?done=session-ended").into_response())
    } else {
        Err(PageError::not_found())
    }
}
