//! `GET` and `POST /drafts/{id}/edit`: the form again, filled in.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::editing::{Editing, Frame};
use super::show::{Unsent, unsent};
use crate::connection_templates::{Before, drafts};
use crate::store::drafts::Draft;
use crate::web::error::PageError;
use crate::web::forms::recipe_page::typed_values;
use crate::web::layout::NavEntry;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// The form with what the draft holds.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let editing = match unsent(&state, &visit, &id).await? {
        Unsent::Draft(draft) => begin(&state, draft).await?,
        Unsent::Setup(setup_id) => return Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
    };
    let values = editing.values(&visit)?;
    editing.page(&visit, frame(&editing), &values, &[]).answer()
}

/// Saves the draft and shows what would be sent.
pub async fn save(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let editing = match unsent(&state, &visit, &id).await? {
        Unsent::Draft(draft) => begin(&state, draft).await?,
        Unsent::Setup(setup_id) => return Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
    };
    let values = typed_values(&pairs);
    let content = match editing.read(pairs, &visit.environment_ids(), visit.now_ms) {
        Ok(content) => content,
        Err(problems) => return editing.page(&visit, frame(&editing), &values, &problems).answer(),
    };
    let actor = visit.actor();
    let from = (&editing.draft, &editing.before);
    drafts::change(&state.store, &state.vault, &visit.by(&actor), from, &content).await?;
    Ok(Redirect::to(&format!("/drafts/{id}")).into_response())
}

async fn begin(state: &AppState, draft: Draft) -> Result<Editing, PageError> {
    let before = Before::of_draft(&state.store, &draft).await?;
    Editing::begin(state, draft, before).await
}

fn frame(editing: &Editing) -> Frame {
    let review = format!("/drafts/{}", editing.draft.id);
    Frame {
        title: "Change the form",
        nav: NavEntry::Flows,
        crumbs: vec![
            ("/drafts".to_owned(), "Unfinished forms".to_owned()),
            (review.clone(), "Review".to_owned()),
        ],
        heading: format!("New flow from {}", editing.connector_name()),
        action: format!("{review}/edit"),
        cancel: review,
        submit: "Review",
        conflict: None,
    }
}
