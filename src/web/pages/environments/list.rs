//! `/environments`: all of the team's, with the state of their credentials.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::show::CheckView;
use crate::domain::Role;
use crate::store;
use crate::store::environments::Environment;
use crate::store::sync_state;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// A team with more has bigger problems than a second page.
const SHOWN: i64 = 500;

#[derive(Template)]
#[template(path = "environments/list.html")]
struct EnvironmentsPage {
    layout: Layout,
    rows: Vec<EnvironmentRow>,
    may_change: bool,
}

struct EnvironmentRow {
    environment: Environment,
    check: CheckView,
}

/// The environments in use, then the archived ones, each by name.
pub async fn list(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    let mut environments =
        store::environments::list(&state.store, &visit.session.team_id, None, SHOWN).await?;
    let sync = sync_state::all_for(&state.store, &visit.session.team_id).await?;
    let freshness = Freshness::of_team(&sync, &visit);
    environments.sort_by_key(|environment| environment.archived_at.is_some());
    let rows = environments.into_iter().map(|environment| EnvironmentRow {
        check: CheckView::of(&environment, &freshness, &visit),
        environment,
    });
    page(&EnvironmentsPage {
        layout: visit.layout("Environments", NavEntry::Environments),
        rows: rows.collect(),
        may_change: visit.may(Role::Admin),
    })
}
