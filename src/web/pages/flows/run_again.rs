//! `POST /flows/{id}/runs/{run_id}/again`: one run once more.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::domain::run_request::RequestState;
use crate::history::run_requests::{Asking, RunWish, RunWishError};
use crate::store::run_requests::RunRequest;
use crate::web::error::{Changed, PageError};
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

/// The longest key of a form, in characters.
const KEY_CHARS: usize = 64;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct AgainForm {
    #[serde(default)]
    key: String,
}

/// Asks for the run and shows it.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path((flow_id, run_id)): Path<(String, String)>,
    Form(form): Form<AgainForm>,
) -> Result<Response, PageError> {
    ask(state, visit, flow_id, form.key, RunWish::Again { run_id }).await
}

/// Asks for a run under the form's key and goes where it can be seen.
pub(super) async fn ask(
    state: AppState,
    visit: Visit,
    flow_id: String,
    key: String,
    wish: RunWish,
) -> Result<Response, PageError> {
    if key.is_empty() || key.len() > KEY_CHARS {
        return Err(
            PageError::new(StatusCode::BAD_REQUEST, "form.key", "This form cannot be used")
                .what("It lacks the key by which it is recognized when it is sent twice.")
                .advice("Go back to the flow, load the page again and press the button there."),
        );
    }
    // In a task of its own: a person who goes away must not leave the call without its outcome.
    let history = state.history.clone();
    let work = async move {
        let asking = Asking {
            actor: &visit.actor(),
            user_id: &visit.session.user_id,
            team_id: &visit.session.team_id,
            flow_id: &flow_id,
            key: &key,
        };
        history.ask_for_run(asking, wish).await
    };
    let asked = state.lifecycle.spawn(work).await.map_err(PageError::internal)?;
    match asked {
        Ok(request) => answer(&request),
        Err(error) => Err(refused(error)),
    }
}

fn answer(request: &RunRequest) -> Result<Response, PageError> {
    let problem = || request.problem.clone().unwrap_or_default();
    match request.state {
        RequestState::Started => {
            let flow = &request.flow_id;
            let address = format!("/flows/{flow}?{DONE}=run-started");
            Ok(Redirect::to(&address).into_response())
        }
        RequestState::Refused => Err(PageError::new(
            StatusCode::CONFLICT,
            "run.refused",
            "Adobe did not start a run",
        )
        .what(problem())
        .advice("Go back to the flow: nothing runs because of this. If the cause passes, try again later.")),
        RequestState::Sent | RequestState::Unknown => Err(PageError::new(
            StatusCode::BAD_GATEWAY,
            "run.unknown",
            "The answer was lost",
        )
        .what(format!("{} A run may have begun.", problem()))
        .changed(Changed::Unknown)
        .advice(
            "Go back to the flow and wait: Adobe shows a run two to three minutes after it began. Headgate does not \
             ask a second time by itself.",
        )),
    }
}

fn refused(error: RunWishError) -> PageError {
    match error {
        RunWishError::NotThere => PageError::not_found(),
        RunWishError::OtherWish => {
            PageError::new(StatusCode::CONFLICT, "form.key", "This form cannot be used")
                .what("It was used already, for another run. Adobe was not asked.")
                .advice("Go back to the flow, load the page again and press the button there.")
        }
        RunWishError::Forbidden(hindrance) => {
            PageError::new(StatusCode::CONFLICT, "run.forbidden", "This cannot run now")
                .what(hindrance.to_string())
                .advice("Go back to the flow. Adobe was not asked.")
        }
        RunWishError::Client(error) => PageError::new(
            StatusCode::CONFLICT,
            "environment.secret",
            "The credential cannot be used",
        )
        .what(error.to_string())
        .advice("An admin can type the client secret again on the page of the environment."),
        RunWishError::Store(error) => error.into(),
        RunWishError::Unrecorded(error) => PageError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "run.unrecorded",
            "The outcome could not be saved",
        )
        .what("Adobe was asked and has answered, but the server could not save what it said.")
        .changed(Changed::Unknown)
        .advice("Go back to the flow and wait a few minutes: a run that began appears by itself.")
        .because(error),
    }
}
