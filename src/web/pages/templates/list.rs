//! `GET /templates`: what the team can make dataflows from.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use url::form_urlencoded;

use super::loaded::{known_connector, read_recipe};
use crate::domain::Role;
use crate::store;
use crate::store::connection_templates::ListedTemplate;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::table::PageLinks;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Templates on one page.
const PAGE_SIZE: usize = 50;

#[derive(Template)]
#[template(path = "templates/list.html")]
struct TemplatesPage {
    layout: Layout,
    rows: Vec<Row>,
    with_archived: bool,
    may_edit: bool,
    pages: PageLinks,
}

struct Row {
    id: String,
    name: String,
    purpose: String,
    connector: String,
    version: i64,
    questions: usize,
    author: String,
    setups: String,
    updated: TimeView,
    is_archived: bool,
}

/// What the list shows: archived ones too, and from where on.
#[derive(Debug, Default, Deserialize)]
pub struct TemplatesQuery {
    #[serde(default)]
    archived: String,
    after: Option<String>,
}

/// The list, by name.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    Query(query): Query<TemplatesQuery>,
) -> Result<Response, PageError> {
    let with_archived = !query.archived.is_empty();
    let after = query.after.as_deref();
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let team = &visit.session.team_id;
    let mut found =
        store::connection_templates::list(&state.store, team, with_archived, after, limit).await?;
    let more = found.len() > PAGE_SIZE;
    found.truncate(PAGE_SIZE);
    let archived = if with_archived { "&archived=on" } else { "" };
    let next = found.last().filter(|_| more).map(|last| {
        let after = form_urlencoded::byte_serialize(last.template.name.as_bytes()).collect::<String>();
        format!("/templates?after={after}{archived}")
    });
    let rows: Vec<Row> = found
        .into_iter()
        .map(|listed| row(listed, &visit))
        .collect::<Result<_, _>>()?;
    page(&TemplatesPage {
        layout: visit.layout("Templates", NavEntry::Templates),
        pages: PageLinks {
            summary: summary(rows.len(), more || after.is_some()),
            previous: after.map(|_| format!("/templates?{}", archived.trim_start_matches('&'))),
            next,
        },
        rows,
        with_archived,
        may_edit: visit.may(Role::Editor),
    })
}

fn row(listed: ListedTemplate, visit: &Visit) -> Result<Row, PageError> {
    let recipe = read_recipe(&listed.recipe)?;
    let template = listed.template;
    Ok(Row {
        connector: known_connector(&recipe)?.name.clone(),
        questions: recipe.parameters.len(),
        id: template.id,
        name: template.name,
        purpose: template.purpose,
        version: template.current_version,
        author: listed.author_name,
        setups: numbers::count(listed.setups).to_string(),
        updated: visit.times().at(template.updated_at),
        is_archived: template.archived_at.is_some(),
    })
}

fn summary(count: usize, is_part: bool) -> String {
    match (count, is_part) {
        (n, true) => format!("{n} templates on this page"),
        (1, false) => "1 template".to_owned(),
        (n, false) => format!("{n} templates"),
    }
}
