//! `POST /environments/{id}/check`: trying the credential now.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// How long a page waits for a check. It goes on afterwards and is stored all the same.
const PATIENCE: Duration = Duration::from_secs(8);

/// Checks, and shows the environment with what was found.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let done = if check_now(&state, &visit, &id).await? {
        "environment-checked"
    } else {
        "environment-checking"
    };
    Ok(Redirect::to(&format!("/environments/{id}?done={done}")).into_response())
}

/// Checks in a task of its own and waits a while. False: it goes on.
pub(super) async fn check_now(state: &AppState, visit: &Visit, id: &str) -> Result<bool, PageError> {
    let (environments, actor) = (state.environments.clone(), visit.actor());
    let (team_id, id) = (visit.session.team_id.clone(), id.to_owned());
    let checking = state
        .lifecycle
        .spawn(async move { environments.check(&actor, &team_id, &id).await });
    match tokio::time::timeout(PATIENCE, checking).await {
        Ok(checked) => {
            checked.map_err(PageError::internal)??;
            Ok(true)
        }
        Err(_) => Ok(false),
    }
}
