//! `GET` and `POST /templates/{id}/archive`, and `POST /templates/{id}/restore`.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::loaded::Loaded;
use crate::connection_templates;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

#[derive(Template)]
#[template(path = "templates/archive.html")]
struct ArchiveTemplatePage {
    layout: Layout,
    id: String,
    name: String,
    setups: String,
}

/// Asks whether the template shall really not be offered any more.
pub async fn confirm(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let loaded = Loaded::of_id(&state, &visit, &id).await?;
    let name = loaded.listed.template.name.clone();
    page(&ArchiveTemplatePage {
        layout: visit.layout(format!("Archive {name}"), NavEntry::Templates),
        id,
        name,
        setups: numbers::count(loaded.listed.setups).to_string(),
    })
}

/// Takes the template out of the offer.
pub async fn archive(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let loaded = Loaded::of_id(&state, &visit, &id).await?;
    let actor = visit.actor();
    connection_templates::archive(&state.store, &visit.by(&actor), &loaded.listed.template).await?;
    Ok(Redirect::to(&format!("{}?{DONE}=template-archived", loaded.href())).into_response())
}

/// Puts the template back into the offer.
pub async fn restore(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let loaded = Loaded::of_id(&state, &visit, &id).await?;
    let actor = visit.actor();
    connection_templates::restore(&state.store, &visit.by(&actor), &loaded.listed.template).await?;
    Ok(Redirect::to(&format!("{}?{DONE}=template-restored", loaded.href())).into_response())
}
