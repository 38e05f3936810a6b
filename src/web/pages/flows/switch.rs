//! `POST /flows/{id}/enable` and `POST /flows/{id}/disable`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::history::{Switch, SwitchError, Switched};
use crate::web::error::{Changed, PageError};
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

/// Lets a flow run by its schedule.
pub async fn enable(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    switch(state, visit, id, Switch::Enable, "flow-enabled").await
}

/// Stops a flow from running by its schedule.
pub async fn disable(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    switch(state, visit, id, Switch::Disable, "flow-disabled").await
}

async fn switch(
    state: AppState,
    visit: Visit,
    id: String,
    switch: Switch,
    done: &str,
) -> Result<Response, PageError> {
    let address = format!("/flows/{id}?{DONE}={done}");
    // In a task of its own: a person who goes away must not leave the call without its outcome.
    let history = state.history.clone();
    let work = async move {
        let (actor, team_id) = (visit.actor(), &visit.session.team_id);
        history.switch(&actor, team_id, &id, switch).await
    };
    let switched = state.lifecycle.spawn(work).await.map_err(PageError::internal)?;
    match switched {
        Ok(Switched::Done) => Ok(Redirect::to(&address).into_response()),
        Ok(Switched::Refused(error)) => Err(PageError::new(
            StatusCode::CONFLICT,
            "flow.refused",
            "The flow was left as it is",
        )
        .what(error.to_string())
        .advice("Go back to the flow: it was read again from Adobe. If the cause passes, try again later.")),
        Ok(Switched::Unknown { error, state }) => {
            let read = state.map_or_else(
                || "The flow could not be read again either.".to_owned(),
                |state| format!("Read again, the flow is \u{201c}{state}\u{201d}."),
            );
            Err(PageError::new(StatusCode::BAD_GATEWAY, "flow.unknown", "The answer was lost")
                .what(format!("{error} {read}"))
                .changed(Changed::Unknown)
                .advice("Go back to the flow: it is read from Adobe every few seconds. Wait for its state, then decide."))
        }
        Err(SwitchError::NoFlow) => Err(PageError::not_found()),
        Err(SwitchError::Client(error)) => Err(PageError::new(
            StatusCode::CONFLICT,
            "environment.secret",
            "The credential cannot be used",
        )
        .what(error.to_string())
        .advice("An admin can type the client secret again on the page of the environment.")),
        Err(SwitchError::Store(error)) => Err(error.into()),
        Err(SwitchError::Unrecorded(error)) => Err(PageError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "flow.unrecorded",
            "The outcome could not be saved",
        )
        .what("Adobe was asked and has answered, but the server could not save what it said.")
        .changed(Changed::Unknown)
        .advice(
            "Go back to the flow: it is read from Adobe again as soon as the server can save. Then decide.",
        )
        .because(error)),
    }
}
