//! The connection test.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::json;

use super::super::refusal::Answer;
use super::super::state::App;
use super::super::wire::{Call, ok};
use super::entities::Kind;

pub fn router() -> Router<Arc<App>> {
    Router::new().route("/data/foundation/flowservice/connections/{id}/test", get(test))
}

/// Always well: no storage is asked. A rule with the fault `answer` makes it false.
async fn test(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, _) = app.world();
    world
        .connections
        .get(&call.sandbox, &id)
        .ok_or_else(|| Kind::Connection.missing(&id))?;
    Ok(ok(&json!({ "result": true })))
}
