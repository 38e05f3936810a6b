//! `POST /drafts/{id}/delete`: an unfinished form and its secrets go.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::show::{Unsent, unsent};
use crate::connection_templates::drafts;
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

/// Deletes the draft; one that became a setup stays with it.
pub async fn delete(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    match unsent(&state, &visit, &id).await? {
        Unsent::Setup(setup_id) => Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
        Unsent::Draft(draft) => {
            drafts::delete(&state.store, &draft).await?;
            Ok(Redirect::to(&format!("/drafts?{DONE}=draft-deleted")).into_response())
        }
    }
}
