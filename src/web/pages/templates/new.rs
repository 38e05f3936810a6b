//! `GET` and `POST /templates/new`: first the connector, then the form.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::form::template_form;
use crate::connection_templates::{self, SaveError, read_template};
use crate::domain::Problem;
use crate::domain::connector::{Connector, connectors};
use crate::web::error::PageError;
use crate::web::forms::recipe_form::{Filling, declared_connector, template_defaults};
use crate::web::forms::recipe_page::{Conflict, RecipePage, typed_values};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

#[derive(Template)]
#[template(path = "templates/choose_connector.html")]
struct ChooseConnectorPage {
    layout: Layout,
    connectors: &'static [Connector],
}

/// Which connector the template is for.
#[derive(Debug, Deserialize)]
pub struct NewTemplateQuery {
    connector: Option<String>,
}

/// The connectors to choose from, or the empty form for one.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Query(query): Query<NewTemplateQuery>,
) -> Result<Response, PageError> {
    let Some(slug) = query.connector else {
        let layout = visit.layout("New template", NavEntry::Templates);
        return page(&ChooseConnectorPage {
            layout,
            connectors: connectors(),
        });
    };
    let connector = declared(&state, &visit, &slug).await?;
    let values = template_defaults(&connector, &visit.session.time_zone);
    form_page(&visit, &connector, &values, &[]).answer()
}

/// Creates the template.
pub async fn create(
    State(state): State<AppState>,
    visit: Visit,
    Query(query): Query<NewTemplateQuery>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let slug = query.connector.ok_or_else(PageError::not_found)?;
    let connector = declared(&state, &visit, &slug).await?;
    let values = typed_values(&pairs);
    let content = match read_template(pairs, &connector, None, visit.now_ms) {
        Ok(content) => content,
        Err(problems) => return form_page(&visit, &connector, &values, &problems).answer(),
    };
    let actor = visit.actor();
    match connection_templates::create(&state.store, &state.vault, &visit.by(&actor), &content).await {
        Ok(id) => Ok(Redirect::to(&format!("/templates/{id}?{DONE}=template-created")).into_response()),
        Err(SaveError::Exists { id }) => {
            let mut refused = form_page(&visit, &connector, &values, &[]);
            refused.conflict = Some(name_taken(&content.name, &id));
            refused.answer()
        }
        Err(error) => Err(error.into()),
    }
}

/// What is told when the team has another template of that name (E4).
pub(super) fn name_taken(name: &str, id: &str) -> Conflict {
    Conflict {
        code: "template.exists",
        heading: "A template with this name exists".to_owned(),
        text: format!("Your team has a template called \u{201c}{name}\u{201d}. Give this one another name."),
        differences: Vec::new(),
        href: format!("/templates/{id}"),
        link: "Look at that template".to_owned(),
    }
}

async fn declared(state: &AppState, visit: &Visit, slug: &str) -> Result<Connector, PageError> {
    let connector = declared_connector(&state.store, visit.environment(), slug).await?;
    connector.ok_or_else(PageError::not_found)
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
    let heading = format!("New template for {}", connector.name);
    RecipePage {
        layout: visit.layout(heading.as_str(), NavEntry::Templates),
        crumbs: vec![
            ("/templates".to_owned(), "Templates".to_owned()),
            ("/templates/new".to_owned(), "Connectors".to_owned()),
        ],
        heading,
        action: format!("/templates/new?connector={}", connector.slug),
        version: None,
        form: template_form(connector, false, &filling),
        conflict: None,
        submit: "Save template",
        cancel: "/templates".to_owned(),
        fixed: Vec::new(),
    }
}
