//! `GET` and `POST /flows/new/{connector}`: a dataflow without a template.

use std::collections::{BTreeMap, BTreeSet};

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::form::flow_form;
use crate::connection_templates::{drafts, read_flow};
use crate::domain::Problem;
use crate::domain::connector::Connector;
use crate::web::error::PageError;
use crate::web::forms::recipe_form::{Filling, declared_connector, flow_defaults};
use crate::web::forms::recipe_page::{RecipePage, typed_values};
use crate::web::layout::NavEntry;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// The form with its defaults.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Response, PageError> {
    let connector = declared_connector(&state.store, visit.environment(), &slug).await?;
    let connector = connector.ok_or_else(PageError::not_found)?;
    let mut values = flow_defaults(&connector, &visit.session.time_zone);
    values.extend(
        visit
            .environment()
            .map(|e| ("environment".to_owned(), e.id.clone())),
    );
    form_page(&visit, &connector, &values, &[]).answer()
}

/// Keeps the form as a draft and shows what would be sent.
pub async fn review(
    State(state): State<AppState>,
    visit: Visit,
    Path(slug): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let connector = declared_connector(&state.store, visit.environment(), &slug).await?;
    let connector = connector.ok_or_else(PageError::not_found)?;
    let values = typed_values(&pairs);
    let environments = visit.environment_ids();
    let content = match read_flow(pairs, &connector, None, &environments, visit.now_ms) {
        Ok(content) => content,
        Err(problems) => return form_page(&visit, &connector, &values, &problems).answer(),
    };
    let actor = visit.actor();
    let draft = drafts::begin(&state.store, &state.vault, &visit.by(&actor), None, &content).await?;
    Ok(Redirect::to(&format!("/drafts/{draft}")).into_response())
}

fn form_page(
    visit: &Visit,
    connector: &Connector,
    values: &BTreeMap<String, String>,
    problems: &[Problem],
) -> RecipePage {
    let filling = Filling {
        values,
        stored: &BTreeSet::new(),
        problems,
        environment: visit.environment(),
    };
    let heading = format!("New flow from {}", connector.name);
    RecipePage {
        layout: visit.layout(heading.as_str(), NavEntry::Flows),
        crumbs: vec![
            ("/flows".to_owned(), "Flows".to_owned()),
            ("/flows/new".to_owned(), "New flow".to_owned()),
        ],
        heading,
        action: format!("/flows/new/{}", connector.slug),
        version: None,
        form: flow_form(visit, connector, &filling),
        conflict: None,
        submit: "Review",
        cancel: "/flows/new".to_owned(),
        fixed: Vec::new(),
    }
}
