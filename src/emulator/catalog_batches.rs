//! Catalog: the batches that runs have written.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::catalog::{order, project, sort, window};
use super::ids::{batch_of_run, run_of_batch};
use super::refusal::{Answer, Refusal, Service};
use super::run_book::{Lane, Run, RunState};
use super::run_generator::Verdict;
use super::state::{App, object, user_id};
use super::wire::{Call, ok};

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/data/foundation/catalog/batches", get(list))
        .route("/data/foundation/catalog/batches/{id}", get(lookup))
}

/// A run's batch by now; `None` while the run copies, and for runs that never reach the dataset.
fn document(app: &App, run: &Run, lane: &Lane, now_ms: i64) -> Option<Map<String, Value>> {
    if run.verdict == Verdict::CopyFailed || now_ms < run.copied_at {
        return None;
    }
    let status = match run.state(now_ms) {
        RunState::Success => "success",
        RunState::Failed => "failed",
        RunState::Scheduled | RunState::InProgress => "processing",
    };
    let user = user_id(&app.options);
    let mut batch = object(json!({
        "imsOrg": app.options.organization, "created": run.copied_at, "updated": run.updated_at(now_ms),
        "createdClient": app.options.client_id, "createdUser": user, "updatedUser": user,
        "status": status, "errors": [], "version": "1.0.3",
        "relatedObjects": [{ "type": "dataSet", "id": lane.dataset }],
        "metrics": {}, "tags": {}, "inputFormat": { "format": "parquet" },
    }));
    if status != "processing" {
        batch.insert("recordCount".to_owned(), json!(run.records - run.rejected));
        batch.insert("failedRecordCount".to_owned(), json!(run.rejected));
        batch.insert("completed".to_owned(), json!(run.completed_at));
    }
    if run.verdict == Verdict::BatchWithoutFiles && status == "failed" {
        batch.insert(
            "errors".to_owned(),
            json!([{ "code": "133", "description": "No files of this batch were found." }]),
        );
    }
    Some(batch)
}

async fn list(State(app): State<Arc<App>>, call: Call) -> Answer {
    let known = [
        "dataSet",
        "status",
        "createdAfter",
        "createdBefore",
        "limit",
        "start",
        "orderBy",
        "properties",
    ];
    let refuse = |detail: String| Refusal::own(Service::Catalog, 400, detail);
    if let Some(unknown) = call.query.first_unknown(&known) {
        return Err(refuse(format!(
            "The query parameter '{unknown}' is not supported."
        )));
    }
    let time = |name: &str, usual: i64| match call.query.get(name) {
        None => Ok(usual),
        Some(text) => text
            .parse::<i64>()
            .map_err(|_| refuse(format!("The parameter {name} must be milliseconds since 1970."))),
    };
    let (after, before) = (time("createdAfter", i64::MIN)?, time("createdBefore", i64::MAX)?);
    let (start, limit) = window(&call.query)?;
    let order = order(&call.query)?;
    let (world, now_ms) = app.world();
    let mut found: Vec<(String, Map<String, Value>)> = world
        .runs
        .of_sandbox(&call.sandbox, i64::MIN..=i64::MAX, now_ms)
        .map(|(_, run)| (run, world.runs.lane(run)))
        .filter(|(_, lane)| {
            call.query
                .get("dataSet")
                .is_none_or(|dataset| dataset.split(',').any(|id| id == lane.dataset))
        })
        .filter_map(|(run, lane)| Some((batch_of_run(run.id), document(&app, run, lane, now_ms)?)))
        .filter(|(_, batch)| {
            let created = batch.get("created").and_then(Value::as_i64).unwrap_or_default();
            let status = batch.get("status").and_then(Value::as_str).unwrap_or_default();
            created > after
                && created < before
                && call
                    .query
                    .get("status")
                    .is_none_or(|wanted| wanted.split(',').any(|one| one == status))
        })
        .collect();
    sort(&mut found, order);
    let page = found
        .iter()
        .skip(start)
        .take(limit)
        .map(|(id, batch)| (id.clone(), project(&call.query, batch)));
    Ok(ok(&Value::Object(page.collect())))
}

async fn lookup(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, now_ms) = app.world();
    let batch = run_of_batch(&id)
        .and_then(|run| world.runs.find(&call.sandbox, run, now_ms))
        .and_then(|run| document(&app, run, world.runs.lane(run), now_ms))
        .ok_or_else(|| Refusal::own(Service::Catalog, 404, format!("The batch {id} is not found.")))?;
    Ok(ok(&json!({ id: project(&call.query, &batch) })))
}
