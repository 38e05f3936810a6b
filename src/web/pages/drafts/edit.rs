//! `GET` and `POST /drafts/{id}/edit`: the form again, filled in.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::show::{Unsent, unsent};
use crate::connection_templates::{Before, drafts, read_answers, read_flow};
use crate::domain::Problem;
use crate::domain::connector::Connector;
use crate::domain::recipe::{parameter_secret_field, to_form};
use crate::store::drafts::Draft;
use crate::web::error::PageError;
use crate::web::forms::recipe_form::{Filling, declared_connector};
use crate::web::forms::recipe_page::{RecipePage, typed_values};
use crate::web::forms::recipe_words;
use crate::web::layout::NavEntry;
use crate::web::pages::flows::form::{answers_form, flow_form};
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// What the form stands on.
struct Editing {
    draft: Draft,
    before: Before,
    connector: Connector,
}

/// The form with what the draft holds.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let editing = match unsent(&state, &visit, &id).await? {
        Unsent::Draft(draft) => Editing::begin(&state, draft).await?,
        Unsent::Setup(setup_id) => return Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
    };
    let values = editing.values(&visit)?;
    editing.page(&visit, &values, &[]).answer()
}

/// Saves the draft and shows what would be sent.
pub async fn save(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let editing = match unsent(&state, &visit, &id).await? {
        Unsent::Draft(draft) => Editing::begin(&state, draft).await?,
        Unsent::Setup(setup_id) => return Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
    };
    let values = typed_values(&pairs);
    let environments = visit.environment_ids();
    let before = &editing.before;
    let read = if editing.is_from_template() {
        let kept = before.stored_fields();
        let recipe = before.recipe.clone();
        read_answers(
            pairs,
            &editing.connector,
            recipe,
            (&kept, &environments),
            visit.now_ms,
        )
    } else {
        read_flow(
            pairs,
            &editing.connector,
            Some(before),
            &environments,
            visit.now_ms,
        )
    };
    let content = match read {
        Ok(content) => content,
        Err(problems) => return editing.page(&visit, &values, &problems).answer(),
    };
    let actor = visit.actor();
    let from = (&editing.draft, before);
    drafts::change(&state.store, &state.vault, &visit.by(&actor), from, &content).await?;
    Ok(Redirect::to(&format!("/drafts/{id}")).into_response())
}

impl Editing {
    async fn begin(state: &AppState, draft: Draft) -> Result<Self, PageError> {
        let before = Before::of_draft(&state.store, &draft).await?;
        let environment =
            crate::store::environments::by_id(&state.store, &draft.team_id, &draft.environment_id);
        let slug = &before.recipe.connector;
        let connector = declared_connector(&state.store, environment.await?.as_ref(), slug).await?;
        Ok(Self {
            connector: connector.ok_or_else(PageError::not_found)?,
            draft,
            before,
        })
    }

    fn is_from_template(&self) -> bool {
        self.draft.template_version_id.is_some()
    }

    fn values(&self, visit: &Visit) -> Result<BTreeMap<String, String>, PageError> {
        let mut values = if self.is_from_template() {
            let answers: BTreeMap<String, String> =
                serde_json::from_str(&self.draft.answers).map_err(PageError::internal)?;
            let field = |(name, answer): (String, String)| (parameter_secret_field(&name), answer);
            answers.into_iter().map(field).collect()
        } else {
            let mut values = to_form(&self.before.recipe, &visit.session.time_zone);
            values
                .entry("start_zone".to_owned())
                .or_insert_with(|| visit.session.time_zone.clone());
            values
        };
        values.insert("environment".to_owned(), self.draft.environment_id.clone());
        Ok(values)
    }

    fn page(&self, visit: &Visit, values: &BTreeMap<String, String>, problems: &[Problem]) -> RecipePage {
        let stored = self.before.stored_fields();
        let review = format!("/drafts/{}", self.draft.id);
        let recipe = &self.before.recipe;
        let (form, fixed) = if self.is_from_template() {
            let fixed = recipe_words::facts(recipe, &self.connector, &visit.times());
            (answers_form(visit, recipe, values, &stored, problems), fixed)
        } else {
            let filling = Filling {
                values,
                stored: &stored,
                problems,
                environment: visit.environment(),
            };
            (flow_form(visit, &self.connector, &filling), Vec::new())
        };
        RecipePage {
            layout: visit.layout("Change the form", NavEntry::Flows),
            crumbs: vec![
                ("/drafts".to_owned(), "Unfinished forms".to_owned()),
                (review.clone(), "Review".to_owned()),
            ],
            heading: format!("New flow from {}", self.connector.name),
            action: format!("{review}/edit"),
            version: None,
            form,
            conflict: None,
            submit: "Review",
            cancel: review,
            fixed,
        }
    }
}
