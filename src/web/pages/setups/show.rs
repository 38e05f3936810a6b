//! `GET /setups/{id}`: one setup, step by step.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use secrecy::ExposeSecret;

use super::view::SetupView;
use crate::domain::Role;
use crate::store::environments::Environment;
use crate::store::setups::Setup;
use crate::store::{self};
use crate::web::audit_trail::AuditTrail;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Seconds between two loads in a browser without scripts.
const REFRESH_SECONDS: u32 = 2;

#[derive(Template)]
#[template(path = "setups/show.html")]
struct ShowSetupPage {
    layout: Layout,
    csrf: String,
    setup: SetupView,
    flow_name: String,
    environment: Environment,
    template: Option<TemplateLink>,
    started_by: String,
    started: TimeView,
    finished: Option<TimeView>,
    trail: AuditTrail,
}

/// The part of the page that follows the setup.
#[derive(Template)]
#[template(path = "setups/progress.html")]
pub(super) struct SetupProgressFragment {
    pub(super) csrf: String,
    pub(super) setup: SetupView,
}

struct TemplateLink {
    id: String,
    name: String,
    version: i64,
}

/// The page of one setup.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (setup, environment, view) = load(&state, &visit, &id).await?;
    let visit = visit.in_environment(&environment.id);
    let times = visit.times();
    let starter = store::people::user_by_id(&state.store, &setup.started_by).await?;
    let title = format!("{} of {} · {}", view.done, view.steps.len(), setup.flow_name);
    let mut layout = visit.layout(title, NavEntry::Setups);
    layout.refresh_seconds = view.is_moving().then_some(REFRESH_SECONDS);
    page(&ShowSetupPage {
        csrf: layout.csrf.clone(),
        layout,
        template: template_link(&state, &setup).await?,
        started_by: starter.map_or_else(|| "somebody who was removed".to_owned(), |user| user.name),
        started: times.at(setup.created_at),
        finished: setup.finished_at.map(|at| times.at(at)),
        trail: AuditTrail::of(&state.store, "setup", &setup.id, &visit).await?,
        flow_name: setup.flow_name,
        setup: view,
        environment,
    })
}

/// The part that follows the setup, for htmx.
pub async fn progress(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (_, _, view) = load(&state, &visit, &id).await?;
    let csrf = visit.session.csrf.expose_secret().to_owned();
    page(&SetupProgressFragment { csrf, setup: view })
}

/// Reads a setup of the person's team with all that its page shows of it.
pub(super) async fn load(
    state: &AppState,
    visit: &Visit,
    id: &str,
) -> Result<(Setup, Environment, SetupView), PageError> {
    let setup = store::setups::by_id(&state.store, &visit.session.team_id, id).await?;
    let setup = setup.ok_or_else(PageError::not_found)?;
    let rows = store::setups::steps(&state.store, &setup.id).await?;
    let environment =
        store::environments::by_id(&state.store, &visit.session.team_id, &setup.environment_id).await?;
    let environment = environment.ok_or_else(PageError::not_found)?;
    let findings = store::findings::for_setup(&state.store, &setup.team_id, &setup.id).await?;
    let view = SetupView::new(
        &setup,
        (&rows, &findings),
        &environment,
        (visit.may(Role::Editor), state.setups.rules()),
        &visit.times(),
    );
    Ok((setup, environment, view))
}

async fn template_link(state: &AppState, setup: &Setup) -> Result<Option<TemplateLink>, PageError> {
    let Some(version_id) = &setup.template_version_id else {
        return Ok(None);
    };
    let version =
        store::connection_templates::version_by_id(&state.store, &setup.team_id, version_id).await?;
    let Some(version) = version else { return Ok(None) };
    let template =
        store::connection_templates::by_id(&state.store, &setup.team_id, &version.version.template_id)
            .await?;
    Ok(template.map(|t| TemplateLink {
        id: version.version.template_id,
        name: t.template.name,
        version: version.version.version,
    }))
}
