//! What a person decides about a setup: `POST /setups/{id}/resume`, `keep` and `start-soon`; `undo` and `leave` ask on a
//! page first.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::change::change_error;
use super::show::load;
use super::view::SetupView;
use crate::domain::schedule::Start;
use crate::setups::{ChangeError, Decision, PersonError};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

#[derive(Template)]
#[template(path = "setups/undo.html")]
struct UndoSetupPage {
    layout: Layout,
    setup: SetupView,
    flow_name: String,
}

#[derive(Template)]
#[template(path = "setups/leave.html")]
struct LeaveSetupPage {
    layout: Layout,
    setup: SetupView,
    flow_name: String,
}

/// Goes on with a setup that asked.
pub async fn resume(state: State<AppState>, visit: Visit, id: Path<String>) -> Result<Response, PageError> {
    decide(state, visit, id, Decision::Resume, "setup-resumed").await
}

/// Keeps what could not be deleted, and goes on taking back the rest.
pub async fn keep(state: State<AppState>, visit: Visit, id: Path<String>) -> Result<Response, PageError> {
    decide(state, visit, id, Decision::KeepBlocked, "setup-kept").await
}

/// Gives a dataflow whose start has passed the earliest start that is safe.
pub async fn start_soon(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let of = (visit.session.team_id.as_str(), id.as_str());
    let changed = match state.setups.answers(of).await {
        Ok(mut answers) => {
            answers.recipe.schedule.start = Start::Soon;
            let user_id = &visit.session.user_id;
            state.setups.change(&visit.actor(), user_id, of, answers).await
        }
        Err(error) => Err(ChangeError::Person(error)),
    };
    match changed {
        Ok(()) => Ok(back(&id, "setup-resumed")),
        Err(ChangeError::Person(PersonError::NotNow)) => Ok(back(&id, "setup-unchanged")),
        Err(error) => Err(change_error(error)),
    }
}

/// Asks whether what exists shall really be taken back.
pub async fn confirm_undo(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (layout, setup, flow_name) = confirming(&state, visit, &id, "Take back").await?;
    page(&UndoSetupPage {
        layout,
        setup,
        flow_name,
    })
}

/// Takes back what a setup made.
pub async fn undo(state: State<AppState>, visit: Visit, id: Path<String>) -> Result<Response, PageError> {
    decide(state, visit, id, Decision::Undo, "setup-undo").await
}

/// Asks whether the setup shall really end where it is.
pub async fn confirm_leave(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (layout, setup, flow_name) = confirming(&state, visit, &id, "Leave").await?;
    page(&LeaveSetupPage {
        layout,
        setup,
        flow_name,
    })
}

/// Ends a setup where it is.
pub async fn leave(state: State<AppState>, visit: Visit, id: Path<String>) -> Result<Response, PageError> {
    decide(state, visit, id, Decision::Leave, "setup-left").await
}

async fn confirming(
    state: &AppState,
    visit: Visit,
    id: &str,
    what: &str,
) -> Result<(Layout, SetupView, String), PageError> {
    let (setup, environment, view) = load(state, &visit, id).await?;
    let title = format!("{what} {}", setup.flow_name);
    let visit = visit.in_environment(&environment.id);
    Ok((visit.layout(title, NavEntry::Setups), view, setup.flow_name))
}

async fn decide(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    decision: Decision,
    done: &str,
) -> Result<Response, PageError> {
    let session = &visit.session;
    let of = (session.team_id.as_str(), id.as_str());
    let decided = state
        .setups
        .decide(&visit.actor(), &session.user_id, of, decision)
        .await;
    match decided {
        Ok(()) => Ok(back(&id, done)),
        Err(PersonError::NotNow) => Ok(back(&id, "setup-unchanged")),
        Err(error) => Err(person_error(error)),
    }
}

/// Back to the setup, with a line that tells what was done.
pub(super) fn back(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/setups/{id}?{DONE}={done}")).into_response()
}

/// Why a person's decision was not carried out.
pub(super) fn person_error(error: PersonError) -> PageError {
    match error {
        PersonError::NoSetup => PageError::not_found(),
        PersonError::Busy => busy(
            "setup.busy",
            "Calls are being made for it at this moment.",
            "Go back to the setup and try again when it has come to rest.",
        ),
        PersonError::NotNow => busy(
            "setup.not_now",
            "It has moved on meanwhile, so that this is not possible any more.",
            "Go back to the setup and look where it stands.",
        ),
        PersonError::Store(error) => error.into(),
        error @ PersonError::Damaged => PageError::internal(error),
    }
}

fn busy(code: &'static str, what: &'static str, advice: &'static str) -> PageError {
    PageError::new(StatusCode::CONFLICT, code, "This setup is being worked on")
        .what(what)
        .advice(advice)
}
