//! `GET /flows/new`: from a template, or from nothing.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::Role;
use crate::domain::connector::{Connector, connector, connectors};
use crate::domain::recipe::Recipe;
use crate::store;
use crate::store::connection_templates::ListedTemplate;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Templates that are offered at once; the list of templates has all.
const OFFERED: i64 = 24;
/// Whether there are unfinished forms is all that is asked.
const DRAFTS: i64 = 1;

#[derive(Template)]
#[template(path = "flows/new.html")]
struct NewFlowPage {
    layout: Layout,
    templates: Vec<Offer>,
    are_all: bool,
    connectors: &'static [Connector],
    has_drafts: bool,
    has_environment: bool,
    is_admin: bool,
}

struct Offer {
    id: String,
    name: String,
    purpose: String,
    connector: String,
    asks: String,
}

/// The ways to begin.
pub async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    let session = &visit.session;
    let listed =
        store::connection_templates::list(&state.store, &session.team_id, false, None, OFFERED + 1).await?;
    let drafts =
        store::drafts::of_author(&state.store, &session.team_id, &session.user_id, None, DRAFTS).await?;
    let offered = usize::try_from(OFFERED).unwrap_or(usize::MAX);
    page(&NewFlowPage {
        layout: visit.layout("New flow", NavEntry::Flows),
        are_all: listed.len() <= offered,
        templates: listed.into_iter().take(offered).filter_map(offer).collect(),
        connectors: connectors(),
        has_drafts: !drafts.is_empty(),
        has_environment: !visit.environments.is_empty(),
        is_admin: visit.may(Role::Admin),
    })
}

/// A template whose recipe this version cannot read is not offered; its page says why.
fn offer(listed: ListedTemplate) -> Option<Offer> {
    let recipe: Recipe = serde_json::from_str(&listed.recipe).ok()?;
    let asks = match recipe.parameters.as_slice() {
        [] => "Asks nothing".to_owned(),
        [one] => format!("Asks for: {}", one.label),
        [first, second] => format!("Asks for: {}, {}", first.label, second.label),
        [first, rest @ ..] => format!("Asks for: {} and {} more", first.label, rest.len()),
    };
    Some(Offer {
        connector: connector(&recipe.connector)?.name.clone(),
        asks,
        id: listed.template.id,
        name: listed.template.name,
        purpose: listed.template.purpose,
    })
}
