//! `GET /drafts`: a person's own unfinished forms.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::connector::connector;
use crate::domain::recipe::{Recipe, resolve};
use crate::store;
use crate::store::drafts::Draft;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Drafts in the list; older ones show when newer ones are finished or deleted.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "drafts/list.html")]
struct DraftsPage {
    layout: Layout,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    name: String,
    connector: String,
    environment: String,
    saved: TimeView,
}

/// The list, last saved first.
pub async fn list(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    let session = &visit.session;
    let found =
        store::drafts::of_author(&state.store, &session.team_id, &session.user_id, None, SHOWN).await?;
    page(&DraftsPage {
        layout: visit.layout("Unfinished forms", NavEntry::Flows),
        rows: found.iter().map(|draft| row(draft, &visit)).collect(),
    })
}

fn row(draft: &Draft, visit: &Visit) -> Row {
    let (name, slug) = named(draft).unwrap_or_else(|| ("Unreadable form".to_owned(), String::new()));
    let environment = visit.environments.iter().find(|e| e.id == draft.environment_id);
    Row {
        id: draft.id.clone(),
        name,
        connector: connector(&slug).map_or("", |c| &c.name).to_owned(),
        environment: environment.map_or_else(|| "archived".to_owned(), |e| e.name.clone()),
        saved: visit.times().at(draft.updated_at),
    }
}

/// The flow's name with the answers in it, and the connector.
fn named(draft: &Draft) -> Option<(String, String)> {
    let recipe: Recipe = serde_json::from_str(&draft.recipe).ok()?;
    let answers: BTreeMap<String, String> = serde_json::from_str(&draft.answers).ok()?;
    let name = resolve(&recipe, &answers).map_or(recipe.flow_name, |resolved| resolved.flow_name);
    Some((name, recipe.connector))
}
