//! `POST /setups/{id}/resume`, and `GET` and `POST /setups/{id}/undo`: what a person decides.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::show::load;
use super::view::SetupView;
use crate::setups::PersonError;
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

/// Goes on with a setup that asked.
pub async fn resume(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let decided = state
        .setups
        .resume(&visit.actor(), &visit.session.team_id, &id)
        .await;
    answer(&id, decided, "setup-resumed")
}

/// Asks whether what exists shall really be taken back.
pub async fn confirm_undo(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (setup, environment, view) = load(&state, &visit, &id).await?;
    let title = format!("Take back {}", setup.flow_name);
    let layout = visit
        .in_environment(&environment.id)
        .layout(title, NavEntry::Setups);
    page(&UndoSetupPage {
        layout,
        setup: view,
        flow_name: setup.flow_name,
    })
}

/// Takes back what a setup made.
pub async fn undo(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let decided = state
        .setups
        .undo(&visit.actor(), &visit.session.team_id, &id)
        .await;
    answer(&id, decided, "setup-undo")
}

fn answer(id: &str, decided: Result<(), PersonError>, done: &str) -> Result<Response, PageError> {
    let done = match decided {
        Ok(()) => done,
        Err(PersonError::NotNow) => "setup-unchanged",
        Err(PersonError::NoSetup) => return Err(PageError::not_found()),
        Err(PersonError::Busy) => {
            return Err(PageError::new(
                StatusCode::CONFLICT,
                "setup.busy",
                "This setup is being worked on",
            )
            .what("Calls are being made for it at this moment.")
            .advice("Go back to the setup and try again when it has come to rest."));
        }
        Err(PersonError::Store(error)) => return Err(error.into()),
        Err(error @ PersonError::Damaged) => return Err(PageError::internal(error)),
    };
    Ok(Redirect::to(&format!("/setups/{id}?{DONE}={done}")).into_response())
}
