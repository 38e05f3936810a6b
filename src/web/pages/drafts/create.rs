//! `POST /drafts/{id}/create`: from here on calls are made.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::show::{Unsent, unsent};
use crate::setups::{QueueFull, StartError};
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Makes a setup of the draft and shows it. Sent twice, it leads to the same setup.
pub async fn create(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let draft = match unsent(&state, &visit, &id).await? {
        Unsent::Draft(draft) => draft,
        Unsent::Setup(setup_id) => return Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
    };
    if visit.environments.iter().all(|e| e.id != draft.environment_id) {
        return Ok(review_again(&id));
    }
    let session = &visit.session;
    let started = state
        .setups
        .start(&visit.actor(), &session.user_id, &session.team_id, &id)
        .await;
    match started {
        Ok(setup_id) => Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
        // The review tells what is wrong.
        Err(StartError::Mistakes(_) | StartError::SecretMissing(_)) => Ok(review_again(&id)),
        Err(StartError::NoDraft) => Err(PageError::not_found()),
        Err(StartError::QueueFull(full)) => Err(queue_full(full)),
        Err(StartError::Vault(error)) => Err(error.into()),
        Err(StartError::Store(error)) => Err(error.into()),
        Err(error @ StartError::Damaged) => Err(PageError::new(
            StatusCode::CONFLICT,
            "draft.damaged",
            "This form cannot be read any more",
        )
        .what("It was saved by another version of Headgate.")
        .advice("Delete it and fill in a new one.")
        .because(error)),
    }
}

fn queue_full(full: QueueFull) -> PageError {
    PageError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "setups.queue_full",
        "Too many dataflows are being created",
    )
    .what(match full {
        QueueFull::Server => "This server works on as many setups as it takes at once.",
        QueueFull::Person => "Some of your setups have not begun yet.",
    })
    .advice("The form is kept under Unfinished forms. Create the flow when the others have come further.")
    .because(full)
}

fn review_again(id: &str) -> Response {
    Redirect::to(&format!("/drafts/{id}")).into_response()
}
