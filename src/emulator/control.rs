//! The control port: arming faults, reading the ledger, moving time. Also offered in-process as [`Control`].

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::faults::{Armed, Rule};
use super::ledger::{Entry, Wanted};
use super::run_book::Tampering;
use super::state::{App, lock};
use super::wire::{ok, reply};

/// A handle on a running emulator. Clones speak to the same one.
#[derive(Debug, Clone)]
pub struct Control {
    app: Arc<App>,
}

/// Time can only be advanced on a manual clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the emulator runs on the wall clock; start it with a manual clock to advance time")]
pub struct NotManual;

impl Control {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Arms a rule and answers its number.
    pub fn arm(&self, rule: Rule) -> u64 {
        lock(&self.app.rules).arm(rule)
    }

    /// Removes every rule and lets go of the calls that are held.
    pub fn disarm(&self) {
        lock(&self.app.rules).clear();
    }

    /// The armed rules with how often they matched and hit.
    pub fn rules(&self) -> Vec<Armed> {
        lock(&self.app.rules).read()
    }

    /// Every call so far, oldest first.
    pub fn ledger(&self) -> Vec<Entry> {
        self.ledger_of(&Wanted::default())
    }

    /// The calls asked for, oldest first.
    pub fn ledger_of(&self, wanted: &Wanted) -> Vec<Entry> {
        lock(&self.app.ledger).read(wanted)
    }

    /// The emulator's time, epoch milliseconds UTC.
    pub fn now_ms(&self) -> i64 {
        self.app.clock.now_ms()
    }

    /// Moves a manual clock forward by milliseconds and answers the new time.
    ///
    /// # Errors
    /// When the emulator runs on the wall clock.
    pub fn advance(&self, ms: u32) -> Result<i64, NotManual> {
        let now_ms = self.app.clock.advance(ms).ok_or(NotManual)?;
        // Makes the runs of the time that has passed.
        drop(self.app.world());
        Ok(now_ms)
    }

    /// Changes runs that were made already; says how many.
    pub fn tamper(&self, tampering: &Tampering) -> usize {
        self.app.world().0.runs.tamper(tampering)
    }

    /// Back to the state of the start: objects, runs, tokens, rules and ledger. A manual clock keeps its time.
    pub fn reset(&self) {
        self.app.reset();
    }
}

pub(super) fn router(control: Control) -> Router {
    Router::new()
        .route("/rules", get(rules).post(arm).delete(disarm))
        .route("/ledger", get(ledger))
        .route("/advance", post(advance))
        .route("/runs", post(tamper))
        .route("/reset", post(reset))
        .route("/health", get(|| async { StatusCode::NO_CONTENT }))
        .with_state(control)
}

/// A refusal of the control port: `{"error"}`.
type Wrong = (StatusCode, Json<Value>);

fn wrong(status: StatusCode, error: &dyn std::error::Error) -> Wrong {
    (status, Json(json!({ "error": error.to_string() })))
}

/// Reads a body whatever its content type says, so that `curl -d` works.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(|error| wrong(StatusCode::BAD_REQUEST, &error))
}

async fn rules(State(control): State<Control>) -> Response {
    ok(&json!({ "rules": control.rules() }))
}

async fn arm(State(control): State<Control>, body: Bytes) -> Result<Response, Wrong> {
    let id = control.arm(read(&body)?);
    Ok(reply(StatusCode::CREATED, &json!({ "id": id })))
}

async fn disarm(State(control): State<Control>) -> StatusCode {
    control.disarm();
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerQuery {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    after: u64,
}

async fn ledger(State(control): State<Control>, Query(query): Query<LedgerQuery>) -> Response {
    let LedgerQuery { method, path, after } = query;
    ok(&json!({ "entries": control.ledger_of(&Wanted { method, path, after }) }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u32,
}

async fn advance(State(control): State<Control>, body: Bytes) -> Result<Response, Wrong> {
    let Advance { ms } = read(&body)?;
    let now_ms = control
        .advance(ms)
        .map_err(|error| wrong(StatusCode::CONFLICT, &error))?;
    Ok(ok(&json!({ "now_ms": now_ms })))
}

async fn tamper(State(control): State<Control>, body: Bytes) -> Result<Response, Wrong> {
    Ok(ok(&json!({ "changed": control.tamper(&read(&body)?) })))
}

async fn reset(State(control): State<Control>) -> StatusCode {
    control.reset();
    StatusCode::NO_CONTENT
}
