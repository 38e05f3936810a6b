//! `GET /drafts/{id}`: the review. Everything that would be sent, before anything is.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::planned::{PlannedCall, TAG_TO_COME, planned_calls};
use crate::connection_templates::drafts;
use crate::domain::Problem;
use crate::domain::schedule::{Schedule, next_slots};
use crate::setups::{StartError, resolve_draft};
use crate::store;
use crate::store::drafts::Draft;
use crate::store::environments::Environment;
use crate::web::error::PageError;
use crate::web::forms::field::FormErrors;
use crate::web::forms::recipe_words::{self, Fact};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page_with;
use crate::web::state::AppState;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Runs that are told ahead.
const RUNS_AHEAD: usize = 5;

#[derive(Template)]
#[template(path = "drafts/show.html")]
struct ReviewPage {
    layout: Layout,
    id: String,
    environment: Environment,
    template: Option<TemplateLink>,
    errors: FormErrors,
    plan: Option<Plan>,
    /// Stands for the tag that is made when the flow is created.
    tag: &'static str,
}

/// What would be made, if the draft has no mistake.
struct Plan {
    facts: Vec<Fact>,
    runs: String,
    next_runs: Vec<TimeView>,
    calls: Vec<PlannedCall>,
}

struct TemplateLink {
    id: String,
    name: String,
    version: i64,
}

/// The review.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let draft = match unsent(&state, &visit, &id).await? {
        Unsent::Draft(draft) => draft,
        Unsent::Setup(setup_id) => return Ok(Redirect::to(&format!("/setups/{setup_id}")).into_response()),
    };
    let environment = environment_of(&state, &draft).await?;
    let mut problems = Vec::new();
    let plan = match resolve_draft(&draft, visit.now_ms) {
        Ok(resolved) => {
            let times = visit.times();
            Some(Plan {
                facts: recipe_words::facts(&resolved.recipe, resolved.connector, &times),
                runs: recipe_words::runs(&resolved.recipe),
                next_runs: next_runs(&resolved.recipe.schedule, visit.now_ms, &times),
                calls: planned_calls(&resolved.plan(TAG_TO_COME), &environment),
            })
        }
        Err(StartError::Mistakes(mistakes)) => {
            problems = mistakes;
            None
        }
        Err(error) => return Err(PageError::internal(error)),
    };
    if environment.archived_at.is_some() {
        let message = format!("{} is archived. Choose another environment.", environment.name);
        problems.push(Problem::new("environment", "input.choice", message));
    }
    if !drafts::missing_secrets(&state.store, &draft).await?.is_empty() {
        let message = "A secret is not stored any more. Change the form and enter it again.";
        problems.push(Problem::new("secrets", "secret.missing", message));
    }
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let visit = visit.in_environment(&environment.id);
    let name = plan
        .as_ref()
        .and_then(|plan| plan.facts.first())
        .map_or("dataflow", |fact| fact.value.as_str());
    let error = if problems.is_empty() { "" } else { "Error: " };
    let review = ReviewPage {
        layout: visit.layout(format!("{error}Review {name}"), NavEntry::Flows),
        template: template_link(&state, &draft).await?,
        errors: FormErrors {
            general: problems,
            fields: Vec::new(),
        },
        id,
        environment,
        plan,
        tag: TAG_TO_COME,
    };
    page_with(status, &review)
}

/// A form that was not sent, or the setup that was made of it.
pub(super) enum Unsent {
    Draft(Draft),
    Setup(String),
}

/// A draft of this person, unless it has become a setup.
pub(super) async fn unsent(state: &AppState, visit: &Visit, id: &str) -> Result<Unsent, PageError> {
    let session = &visit.session;
    let draft = drafts::mine(&state.store, &session.team_id, &session.user_id, id).await?;
    let setup = store::setups::by_draft(&state.store, &session.team_id, id).await?;
    Ok(setup.map_or(Unsent::Draft(draft), |setup| Unsent::Setup(setup.id)))
}

async fn environment_of(state: &AppState, draft: &Draft) -> Result<Environment, PageError> {
    let environment = store::environments::by_id(&state.store, &draft.team_id, &draft.environment_id).await?;
    environment.ok_or_else(PageError::not_found)
}

async fn template_link(state: &AppState, draft: &Draft) -> Result<Option<TemplateLink>, PageError> {
    let Some(version_id) = &draft.template_version_id else {
        return Ok(None);
    };
    let team = &draft.team_id;
    let version = store::connection_templates::version_by_id(&state.store, team, version_id).await?;
    let Some(version) = version.map(|listed| listed.version) else {
        return Ok(None);
    };
    let template = store::connection_templates::by_id(&state.store, team, &version.template_id).await?;
    Ok(template.map(|listed| TemplateLink {
        id: version.template_id,
        name: listed.template.name,
        version: version.version,
    }))
}

/// When the flow would run if it were made now.
fn next_runs(schedule: &Schedule, now_ms: i64, times: &Times) -> Vec<TimeView> {
    let Ok(first_s) = schedule.start.seconds_when_sent(now_ms) else {
        return Vec::new();
    };
    let interval = schedule.interval.unwrap_or(1);
    let slots = next_slots(schedule.frequency, interval, first_s * 1000, now_ms, RUNS_AHEAD);
    slots.into_iter().map(|at| times.at(at)).collect()
}
