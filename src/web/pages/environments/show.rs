//! `/environments/{id}`: what it is, whether its credential works, who did what with it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use crate::domain::Role;
use crate::environments::steps_of;
use crate::platform::CheckState;
use crate::store;
use crate::store::audit::AuditFilter;
use crate::store::environments::Environment;
use crate::store::sync_state;
use crate::web::audit_trail::AuditTrail;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "environments/show.html")]
struct EnvironmentPage {
    layout: Layout,
    environment: Environment,
    check: CheckView,
    freshness: Freshness,
    added: TimeView,
    archived: Option<TimeView>,
    secret_set: SecretSet,
    trail: AuditTrail,
    may_change: bool,
}

/// When and by whom the client secret was set.
struct SecretSet {
    at: TimeView,
    by: String,
}

/// The last check of a credential, ready to be shown.
#[derive(Debug, Clone)]
pub(super) struct CheckView {
    pub(super) status: Status,
    pub(super) word: &'static str,
    pub(super) steps: Vec<CheckStepView>,
    pub(super) at: Option<TimeView>,
}

/// One step of it.
#[derive(Debug, Clone)]
pub(super) struct CheckStepView {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) word: &'static str,
    pub(super) detail: String,
    pub(super) duration: String,
}

/// One environment of the team.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let environment = find(&state, &visit, &id).await?;
    let visit = visit.in_environment(&id);
    let times = visit.times();
    let sync = sync_state::all_for(&state.store, &visit.session.team_id).await?;
    let freshness = Freshness::of_environment(&sync, &environment, &visit);
    page(&EnvironmentPage {
        layout: visit.layout(environment.name.clone(), NavEntry::Environments),
        check: CheckView::of(&environment, &freshness, &visit),
        freshness,
        added: times.at(environment.created_at),
        archived: environment.archived_at.map(|at| times.at(at)),
        secret_set: secret_set(&state, &visit, &environment).await?,
        trail: AuditTrail::of(&state.store, "environment", &id, &visit).await?,
        may_change: visit.may(Role::Admin),
        environment,
    })
}

/// The team's environment of this id, in use or archived; 404 for those of others too.
pub(super) async fn find(state: &AppState, visit: &Visit, id: &str) -> Result<Environment, PageError> {
    let found = store::environments::by_id(&state.store, &visit.session.team_id, id).await?;
    found.ok_or_else(PageError::not_found)
}

/// Found in the audit trail: the newest change that names a fingerprint, else the adding.
async fn secret_set(
    state: &AppState,
    visit: &Visit,
    environment: &Environment,
) -> Result<SecretSet, PageError> {
    let times = visit.times();
    for event in ["environment.saved", "environment.added"] {
        let filter = AuditFilter {
            object_kind: Some("environment"),
            object_id: Some(&environment.id),
            event: Some(event),
            ..AuditFilter::default()
        };
        let events = store::audit::list(&state.store, &visit.session.team_id, filter, None, 100).await?;
        let sets_secret = |after: &Option<String>| {
            let after = after
                .as_deref()
                .and_then(|after| serde_json::from_str::<Value>(after).ok());
            after.is_some_and(|after| after["client_secret_fingerprint"].is_string())
        };
        if let Some(event) = events.into_iter().find(|event| sets_secret(&event.facts.after)) {
            return Ok(SecretSet {
                at: times.at(event.facts.at),
                by: event.facts.actor_name,
            });
        }
    }
    Ok(SecretSet {
        at: times.at(environment.created_at),
        by: "the operator".to_owned(),
    })
}

impl CheckView {
    /// How the last check of an environment went, and whether it has failed to be read since.
    pub(super) fn of(environment: &Environment, freshness: &Freshness, visit: &Visit) -> Self {
        let steps = steps_of(environment);
        let failed = steps.iter().any(|step| step.state == CheckState::Failed);
        let cannot_be_read = freshness
            .failing
            .iter()
            .any(|failing| failing.environment_id == environment.id);
        let (status, word) = match (environment.archived_at, environment.checked_at) {
            (Some(_), _) => (Status::Waiting, "Archived"),
            (None, Some(_)) if failed => (Status::Failed, "Does not work"),
            (None, _) if cannot_be_read => (Status::Failed, "Cannot be read"),
            (None, None) => (Status::Waiting, "Not checked yet"),
            (None, Some(_)) => (Status::Succeeded, "Works"),
        };
        let steps = steps.into_iter().map(|step| {
            let (status, word) = match step.state {
                CheckState::Passed => (Status::Succeeded, "Passed"),
                CheckState::Failed => (Status::Failed, "Failed"),
                CheckState::NotTried => (Status::Waiting, "Not tried"),
            };
            let duration = match step.state {
                CheckState::NotTried => String::new(),
                _ => numbers::duration(step.duration_ms).to_string(),
            };
            CheckStepView {
                name: step.name,
                status,
                word,
                detail: step.detail,
                duration,
            }
        });
        Self {
            status,
            word,
            steps: steps.collect(),
            at: environment.checked_at.map(|at| visit.times().at(at)),
        }
    }

    /// The step at which the check ended, if it did.
    pub(super) fn failed_step(&self) -> Option<&CheckStepView> {
        self.steps.iter().find(|step| step.status == Status::Failed)
    }
}
