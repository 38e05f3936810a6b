//! `/healthz` and `/readyz`: whether the process lives, and whether it can do its work.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::lifecycle::{TaskHealth, TaskState};
use crate::web::state::AppState;

/// How long the database may take to show that a write could begin.
const PROBE_TIME: Duration = Duration::from_secs(1);

/// 200 as long as requests are answered. Touches nothing.
pub async fn alive() -> &'static str {
    "ok"
}

/// 200 when the database takes writes, no task in the background is late and nobody asked for an end, else 503. Details are for this
/// machine only.
pub async fn ready(State(state): State<AppState>, extensions: Extensions) -> Response {
    let database = match tokio::time::timeout(PROBE_TIME, state.store.probe()).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a write could not begin within a second".to_owned(),
    };
    let tasks = state.lifecycle.health();
    let stopping = state.lifecycle.stopping().is_cancelled();
    let is_ready = !stopping && database == "ok" && tasks.iter().all(|task| task.state == TaskState::Fresh);
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if is_here(&extensions) {
        let tasks: Vec<Value> = tasks.iter().map(told).collect();
        return (
            status,
            Json(json!({
                "ready": is_ready,
                "stopping": stopping,
                "database": database,
                "tasks": tasks,
                "setup_faults": state.setups.faults(),
            })),
        )
            .into_response();
    }
    // As JSON, so that the error page does not take its place.
    (status, Json(json!({ "ready": is_ready }))).into_response()
}

fn told(task: &TaskHealth) -> Value {
    let state = match task.state {
        TaskState::Fresh => "fresh",
        TaskState::Late => "late",
        TaskState::Lost => "lost",
    };
    json!({
        "name": task.name,
        "state": state,
        "silent_for_ms": u64::try_from(task.silent_for.as_millis()).unwrap_or(u64::MAX),
        "restarts": task.restarts,
    })
}

/// Whether the request came from this machine itself.
fn is_here(extensions: &Extensions) -> bool {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(address)| address.ip().to_canonical().is_loopback())
}
