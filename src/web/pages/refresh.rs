//! `POST /refresh`: reading what the team watches from Adobe at once.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::future::join_all;

use crate::web::error::PageError;
use crate::web::remembered::page_before;
use crate::web::state::AppState;
use crate::web::visit::{Visit, with_done};

/// How long a page waits for the readings. They go on afterwards and are stored all the same.
const PATIENCE: Duration = Duration::from_secs(8);

/// Reads all environments of the team and goes back to the page, which says when and, if it failed, why.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let readings = visit.environments.iter().map(|environment| {
        let (history, id) = (state.history.clone(), environment.id.clone());
        state.lifecycle.spawn(async move { history.refresh(&id).await })
    });
    let done = match tokio::time::timeout(PATIENCE, join_all(readings)).await {
        Ok(ended) if ended.iter().all(|reading| matches!(reading, Ok(Ok(())))) => "refreshed",
        Ok(_) => "refresh-failed",
        Err(_) => "refreshing",
    };
    Ok(Redirect::to(&with_done(&page_before(&headers), done)).into_response())
}
