//! `/environments/{id}/archive`: taking an environment out of use, after asking.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::show::find;
use crate::store::environments::Environment;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "environments/archive.html")]
struct ArchivePage {
    layout: Layout,
    environment: Environment,
}

/// Asks.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let environment = find(&state, &visit, &id).await?;
    let layout = visit.layout(format!("Archive {}?", environment.name), NavEntry::Environments);
    page(&ArchivePage { layout, environment })
}

/// Archives.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    state
        .environments
        .archive(&visit.actor(), &visit.session.team_id, &id)
        .await?;
    Ok(Redirect::to("/environments?done=environment-archived").into_response())
}
