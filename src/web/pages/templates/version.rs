//! `GET /templates/{id}/versions/{n}`: one version as it was saved, and what it changed.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::loaded::{Loaded, known_connector, read_recipe};
use crate::store;
use crate::web::error::PageError;
use crate::web::forms::recipe_words::{self, Difference, Fact};
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "templates/version.html")]
struct VersionPage {
    layout: Layout,
    id: String,
    name: String,
    number: i64,
    current: i64,
    note: String,
    author: String,
    saved: TimeView,
    setups: String,
    facts: Vec<Fact>,
    questions: Vec<Fact>,
    differences: Vec<Difference>,
}

/// The page of one version.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Response, PageError> {
    let loaded = Loaded::of_id(&state, &visit, &id).await?;
    let team = &visit.session.team_id;
    let read = |number| store::connection_templates::version(&state.store, team, &id, number);
    let listed = read(number).await?.ok_or_else(PageError::not_found)?;
    let recipe = read_recipe(&listed.version.recipe)?;
    let connector = known_connector(&recipe)?;
    let times = visit.times();
    let differences = match read(number - 1).await? {
        None => Vec::new(),
        Some(earlier) => {
            let earlier = read_recipe(&earlier.version.recipe)?;
            let first = (&earlier, known_connector(&earlier)?);
            recipe_words::differences(first, (&recipe, connector), &times)
        }
    };
    let template = &loaded.listed.template;
    page(&VersionPage {
        layout: visit.layout(
            format!("{}, version {number}", template.name),
            NavEntry::Templates,
        ),
        name: template.name.clone(),
        number,
        current: template.current_version,
        note: listed.version.note,
        author: listed.author_name,
        saved: times.at(listed.version.created_at),
        setups: numbers::count(listed.setups).to_string(),
        facts: recipe_words::facts(&recipe, connector, &times),
        questions: recipe_words::questions(&recipe),
        differences,
        id,
    })
}
