//! `GET /templates/{id}`: what a template holds, what it asks, and its versions.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::loaded::Loaded;
use crate::domain::Role;
use crate::store;
use crate::store::connection_templates::ListedVersion;
use crate::web::audit_trail::AuditTrail;
use crate::web::error::PageError;
use crate::web::forms::recipe_words::{self, Fact};
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Versions in the list.
const VERSIONS: i64 = 50;

#[derive(Template)]
#[template(path = "templates/show.html")]
struct TemplatePage {
    layout: Layout,
    id: String,
    purpose: String,
    version: i64,
    author: String,
    created: TimeView,
    setups: String,
    archived: Option<TimeView>,
    may_edit: bool,
    facts: Vec<Fact>,
    questions: Vec<Fact>,
    versions: Vec<VersionRow>,
    trail: AuditTrail,
}

struct VersionRow {
    number: i64,
    note: String,
    author: String,
    saved: TimeView,
    setups: String,
}

/// The page of one template.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let loaded = Loaded::of_id(&state, &visit, &id).await?;
    let team = &visit.session.team_id;
    let versions = store::connection_templates::versions(&state.store, team, &id, None, VERSIONS).await?;
    let times = visit.times();
    let row = |listed: ListedVersion| VersionRow {
        number: listed.version.version,
        note: listed.version.note,
        author: listed.author_name,
        saved: times.at(listed.version.created_at),
        setups: numbers::count(listed.setups).to_string(),
    };
    let template = &loaded.listed.template;
    page(&TemplatePage {
        layout: visit.layout(template.name.as_str(), NavEntry::Templates),
        purpose: template.purpose.clone(),
        version: template.current_version,
        author: loaded.listed.author_name.clone(),
        created: times.at(template.created_at),
        setups: numbers::count(loaded.listed.setups).to_string(),
        archived: template.archived_at.map(|at| times.at(at)),
        may_edit: visit.may(Role::Editor),
        facts: recipe_words::facts(&loaded.recipe, loaded.connector, &times),
        questions: recipe_words::questions(&loaded.recipe),
        versions: versions.into_iter().map(row).collect(),
        trail: AuditTrail::of(&state.store, "template", &id, &visit).await?,
        id,
    })
}
