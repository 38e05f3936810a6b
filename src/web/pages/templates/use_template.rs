//! `GET` and `POST /templates/{id}/use`: only what the template leaves open.

use std::collections::{BTreeMap, BTreeSet};

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::loaded::{Loaded, known_connector, read_recipe};
use crate::connection_templates::{drafts, read_answers};
use crate::domain::Problem;
use crate::domain::recipe::{ParameterKind, Recipe};
use crate::store;
use crate::store::connection_templates::ListedVersion;
use crate::web::error::PageError;
use crate::web::forms::recipe_page::{RecipePage, typed_values};
use crate::web::forms::recipe_words;
use crate::web::layout::NavEntry;
use crate::web::pages::flows::form::answers_form;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// The questions of the current version.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (loaded, version) = offered(&state, &visit, &id, None).await?;
    let recipe = read_recipe(&version.version.recipe)?;
    let mut values: BTreeMap<String, String> = recipe
        .parameters
        .iter()
        .filter(|parameter| parameter.kind != ParameterKind::Secret)
        .map(|parameter| (parameter.field(), parameter.default.clone()))
        .collect();
    values.extend(
        visit
            .environment()
            .map(|e| ("environment".to_owned(), e.id.clone())),
    );
    form_page(&visit, &loaded, (&version, &recipe), &values, &[])?.answer()
}

/// Keeps the answers as a draft and shows what would be sent.
pub async fn review(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let values = typed_values(&pairs);
    let began_with = values.get("version").and_then(|number| number.parse().ok());
    let (loaded, version) = offered(&state, &visit, &id, began_with).await?;
    let recipe = read_recipe(&version.version.recipe)?;
    let connector = known_connector(&recipe)?;
    let environments = visit.environment_ids();
    let kept = BTreeSet::new();
    let read = read_answers(
        pairs,
        connector,
        recipe.clone(),
        (&kept, &environments),
        visit.now_ms,
    );
    let content = match read {
        Ok(content) => content,
        Err(problems) => {
            return form_page(&visit, &loaded, (&version, &recipe), &values, &problems)?.answer();
        }
    };
    let actor = visit.actor();
    let version_id = Some(version.version.id);
    let draft = drafts::begin(
        &state.store,
        &state.vault,
        &visit.by(&actor),
        version_id,
        &content,
    )
    .await?;
    Ok(Redirect::to(&format!("/drafts/{draft}")).into_response())
}

/// A template that is in use, with one of its versions; none: the current one.
async fn offered(
    state: &AppState,
    visit: &Visit,
    id: &str,
    number: Option<i64>,
) -> Result<(Loaded, ListedVersion), PageError> {
    let loaded = Loaded::of_id(state, visit, id).await?;
    if loaded.is_archived() {
        let archived = PageError::new(
            StatusCode::CONFLICT,
            "template.archived",
            "This template is archived",
        );
        return Err(archived
            .what("Your team does not offer it any more.")
            .advice("Choose another template, or have an editor restore this one."));
    }
    let number = number.unwrap_or(loaded.listed.template.current_version);
    let team = &visit.session.team_id;
    let version = store::connection_templates::version(&state.store, team, id, number).await?;
    Ok((loaded, version.ok_or_else(PageError::not_found)?))
}

fn form_page(
    visit: &Visit,
    loaded: &Loaded,
    (version, recipe): (&ListedVersion, &Recipe),
    values: &BTreeMap<String, String>,
    problems: &[Problem],
) -> Result<RecipePage, PageError> {
    let template = &loaded.listed.template;
    let heading = format!("New flow from {}", template.name);
    Ok(RecipePage {
        layout: visit.layout(heading.as_str(), NavEntry::Flows),
        crumbs: vec![
            ("/flows/new".to_owned(), "New flow".to_owned()),
            (loaded.href(), template.name.clone()),
        ],
        heading,
        action: format!("{}/use", loaded.href()),
        version: Some(version.version.version),
        form: answers_form(visit, recipe, values, &BTreeSet::new(), problems),
        conflict: None,
        submit: "Review",
        cancel: "/flows/new".to_owned(),
        fixed: recipe_words::facts(recipe, known_connector(recipe)?, &visit.times()),
    })
}
