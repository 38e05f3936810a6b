//! Runs: list, look up, run on demand, retry (Adobe's "Monitor dataflows" and "On-demand ingestion" pages).

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::refusal::{Answer, Refusal};
use super::super::run_book::{Run, RunBook, RunState};
use super::super::run_document::{etag, render};
use super::super::run_generator::LONGEST_RUN_MS;
use super::super::state::App;
use super::super::wire::{Call, ok, reply, text};
use super::actions::action_of;
use super::checks::only;
use super::entities::Kind;
use super::filters::{Field, Filter, Held};
use super::paging::{Key, ListQuery};

const STARTED: &str = "metrics.durationSummary.startedAtUTC";
const COMPLETED: &str = "metrics.durationSummary.completedAtUTC";
const STATUS: &str = "metrics.statusSummary.status";
const FIELDS: &[Field] = &[
    Field::text("id"),
    Field::text("flowId"),
    Field::status("state"),
    Field::status(STATUS),
    Field::number(STARTED),
    Field::number(COMPLETED),
    Field::number("createdAt"),
    Field::number("updatedAt"),
];
const ORDERS: &[&str] = &["createdAt", "updatedAt", STARTED];

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/data/foundation/flowservice/runs", get(list).post(create))
        .route("/data/foundation/flowservice/runs/{id}", get(lookup).put(replace))
        .route("/data/foundation/flowservice/runs/{id}/action", post(act))
        .route("/data/foundation/flowservice/flows/{id}/runs", get(list_of_flow))
}

/// Holds a run against a filter without writing its document.
fn accepts(filter: &Filter, book: &RunBook, run: &Run, now_ms: i64) -> bool {
    let state = run.state(now_ms);
    let held = match filter.path.as_str() {
        "id" => Some(Held::Text(Cow::Owned(run.id.to_string()))),
        "flowId" => Some(Held::Text(Cow::Borrowed(book.lane(run).flow_id.as_str()))),
        "state" | STATUS => Some(Held::Text(Cow::Borrowed(state.as_str()))),
        STARTED => (state != RunState::Scheduled).then_some(Held::Number(run.started_at)),
        COMPLETED => (run.completed_at <= now_ms).then_some(Held::Number(run.completed_at)),
        "createdAt" => Some(Held::Number(run.visible_at)),
        "updatedAt" => Some(Held::Number(run.updated_at(now_ms))),
        _ => None,
    };
    filter.accepts_any(held.into_iter())
}

/// The earliest start that the filters leave possible. A run's last change is at most its length after its start.
fn earliest_start(filters: &[Filter]) -> i64 {
    let bound = |filter: &Filter| match filter.path.as_str() {
        STARTED => filter.lower_bound(),
        "createdAt" | "updatedAt" | COMPLETED => filter
            .lower_bound()
            .map(|bound| bound.saturating_sub(LONGEST_RUN_MS)),
        _ => None,
    };
    filters.iter().filter_map(bound).max().unwrap_or(i64::MIN)
}

/// The latest start that the filters leave possible.
fn latest_start(filters: &[Filter]) -> i64 {
    let started = filters.iter().filter(|filter| filter.path == STARTED);
    started.filter_map(Filter::upper_bound).min().unwrap_or(i64::MAX)
}

fn answer(app: &App, call: &Call, flow: Option<&str>) -> Answer {
    let query = ListQuery::parse(call, FIELDS, ORDERS)?;
    let (world, now_ms) = app.world();
    let book = &world.runs;
    let key = |run: &Run| match query.order.as_deref() {
        Some("updatedAt") => run.updated_at(now_ms),
        Some("createdAt") => run.visible_at,
        _ => run.started_at,
    };
    let wanted = flow.or_else(|| {
        query
            .filters
            .iter()
            .find(|filter| filter.path == "flowId")
            .and_then(Filter::only_value)
    });
    let by_start = query.order.as_deref() == Some(STARTED);
    let mut enough = usize::MAX;
    let candidates: Box<dyn Iterator<Item = (u32, &Run)>> = match wanted {
        Some(flow) => Box::new(book.of_flow(&call.sandbox, flow, now_ms)),
        None => {
            let mut from = earliest_start(&query.filters);
            // They come by their start: a page of many thousands of runs is made from its own ones only.
            if by_start {
                from = from.max(query.goes_on_from().unwrap_or(i64::MIN));
                enough = query.enough_rising();
            }
            Box::new(book.of_sandbox(&call.sandbox, from..=latest_start(&query.filters), now_ms))
        }
    };
    let rows = candidates
        .filter(|(_, run)| {
            query
                .filters
                .iter()
                .all(|filter| accepts(filter, book, run, now_ms))
        })
        .map(|(place, run)| (Key::Number(key(run)), u64::from(place), run))
        .filter(|(key, place, _)| query.is_to_come(key, *place))
        .take(enough)
        .collect();
    Ok(query.answer(rows, |run| render(app, run, book.lane(run), now_ms)))
}

async fn list(State(app): State<Arc<App>>, call: Call) -> Answer {
    answer(&app, &call, None)
}

async fn list_of_flow(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    answer(&app, &call, Some(&id))
}

fn missing(id: &str) -> Refusal {
    Refusal::flow_missing("runs", id)
}

fn find<'a>(book: &'a RunBook, sandbox: &str, id: &str, now_ms: i64) -> Result<&'a Run, Refusal> {
    Uuid::parse_str(id)
        .ok()
        .and_then(|uuid| book.find(sandbox, uuid, now_ms))
        .ok_or_else(|| missing(id))
}

async fn lookup(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, now_ms) = app.world();
    let run = find(&world.runs, &call.sandbox, &id, now_ms)?;
    Ok(ok(
        &json!({ "items": [render(&app, run, world.runs.lane(run), now_ms)], "_links": {} }),
    ))
}

async fn replace() -> Refusal {
    Refusal::flow(
        "1427-400",
        "Updating flow runs is not allowed with this kind of token.",
    )
}

/// A time of a run request: whole seconds since 1970, as a number or as text.
fn seconds(params: &serde_json::Map<String, Value>, name: &str) -> Result<i64, Refusal> {
    let value = params
        .get(name)
        .and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    match value {
        Some(seconds) if (0..100_000_000_000).contains(&seconds) => Ok(seconds),
        Some(_) => Err(Refusal::flow_own(format!(
            "The {name} must be in seconds since 1970; this looks like milliseconds."
        ))),
        None => Err(Refusal::flow_own(format!(
            "The params need a {name} in seconds since 1970."
        ))),
    }
}

async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let body = call.object()?;
    only(&body, &["flowId", "params"])?;
    let flow_id =
        text(&body, "flowId").ok_or_else(|| Refusal::flow("1446-400", "The flow id cannot be empty."))?;
    let (mut world, now_ms) = app.world();
    let flow = world.flows.get(&call.sandbox, flow_id);
    let flow = flow.ok_or_else(|| Refusal::flow("1430-400", format!("The flow {flow_id} is not found.")))?;
    if flow.text(&["scheduleParams", "frequency"]) != Some("once") {
        return Err(Refusal::flow_own(format!(
            "The flow {flow_id} is not scheduled once; only such flows run on demand."
        )));
    }
    if flow.state != "enabled" {
        return Err(Refusal::flow(
            "1444-400",
            format!("The flow {flow_id} is {}, not enabled.", flow.state),
        ));
    }
    let params = body
        .get("params")
        .and_then(Value::as_object)
        .ok_or_else(|| Refusal::flow_own("The run needs params."))?;
    only(
        params,
        &["startTime", "windowStartTime", "windowEndTime", "deltaColumn"],
    )?;
    let start_ms = (seconds(params, "startTime")? * 1000).max(now_ms);
    let window = (
        seconds(params, "windowStartTime")? * 1000,
        seconds(params, "windowEndTime")? * 1000,
    );
    if window.0 >= window.1 {
        return Err(Refusal::flow_own(
            "The windowStartTime must lie before the windowEndTime.",
        ));
    }
    let run = world
        .runs
        .make_on_demand(flow_id, now_ms, start_ms, window)
        .ok_or_else(|| Kind::Flow.missing(flow_id))?;
    let made = json!({ "items": [{ "id": run.id, "etag": etag(run, now_ms) }] });
    Ok(reply(StatusCode::CREATED, &made))
}

async fn act(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (mut world, now_ms) = app.world();
    let run = find(&world.runs, &call.sandbox, &id, now_ms)?;
    let op = action_of(&call)?;
    if op != "re-trigger" {
        return Err(Refusal::flow(
            "1435-400",
            format!("The operation '{op}' is not supported."),
        ));
    }
    let state = run.state(now_ms);
    let retriable = state == RunState::Failed || (state == RunState::Success && run.records == 0);
    if !retriable {
        return Err(Refusal::flow_own(
            "Only failed runs, and runs that ingested nothing, can be triggered again.",
        ));
    }
    let (flow_id, window) = (
        world.runs.lane(run).flow_id.clone(),
        (run.window_start, run.window_end),
    );
    let again = world
        .runs
        .make_on_demand(&flow_id, now_ms, now_ms, window)
        .ok_or_else(|| missing(&id))?;
    Ok(ok(&json!({ "id": again.id, "etag": etag(again, now_ms) })))
}
