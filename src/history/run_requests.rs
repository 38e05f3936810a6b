//! Asking the platform for a run on a person's word: a failed run again, or a window of a flow scheduled once.
//!
//! The wish is stored before the call under the form's one-time key, so a form sent twice asks once. A lost answer
//! is never sent again; the next readings show whether a run began.

use serde_json::{Value, json};

use super::{History, records};
use crate::audit::{self, Actor, Change, Phase};
use crate::domain::new_id;
use crate::domain::run_request::{
    FlowFacts, Hindrance, RequestState, RunFacts, may_run_again, may_run_window,
};
use crate::platform::{Call, ClientError, Outcome, PlatformClient};
use crate::store::environments::Environment;
use crate::store::flows::{self, Flow};
use crate::store::later_runs::{self, LaterRun};
use crate::store::run_requests::{self, RequestEnd, RunRequest};
use crate::store::{self, Store, StoreError, WriteTx, flow_health, runs};

/// What a person wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunWish {
    /// A run once more, over the same window of files.
    Again {
        /// Adobe's id of that run.
        run_id: String,
    },
    /// The files that changed in a window of time.
    Window {
        /// UTC epoch milliseconds.
        from_at: i64,
        /// UTC epoch milliseconds.
        to_at: i64,
    },
}

/// Why the platform was not asked, but for the last. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum RunWishError {
    /// There is no such flow or run in the team.
    #[error("this is not there")]
    NotThere,
    /// The form's key stands for another wish.
    #[error("this form was used for something else")]
    OtherWish,
    /// A rule of the platform forbids it now.
    #[error(transparent)]
    Forbidden(#[from] Hindrance),
    /// No client for the environment.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The platform was asked, and what came of it could not be recorded. The history reads it again.
    #[error("what the platform answered could not be recorded: {0}")]
    Unrecorded(StoreError),
}

impl RunWish {
    /// The answer that a form of this key got, if it wished the same.
    fn answered_by(&self, earlier: RunRequest, flow_id: &str) -> Result<RunRequest, RunWishError> {
        let is_same = match self {
            Self::Again { run_id } => earlier.retried_run_id.as_ref() == Some(run_id),
            Self::Window { from_at, to_at } => {
                (earlier.window_start_at, earlier.window_end_at) == (Some(*from_at), Some(*to_at))
            }
        };
        if is_same && earlier.flow_id == flow_id {
            Ok(earlier)
        } else {
            Err(RunWishError::OtherWish)
        }
    }
}

/// Who wishes it, where.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// For the audit trail.
    pub actor: &'a Actor,
    /// Who.
    pub user_id: &'a str,
    /// Whose flow.
    pub team_id: &'a str,
    /// Adobe's id of the flow.
    pub flow_id: &'a str,
    /// The one-time key of the form.
    pub key: &'a str,
}

/// What the rules look at, read from the store.
pub async fn facts<'a>(store: &Store, flow: &'a Flow) -> Result<FlowFacts<'a>, StoreError> {
    let (environment_id, id) = (&flow.record.environment_id, &flow.record.id);
    let health = flow_health::of_flow(store, environment_id, id).await?;
    let last = run_requests::last_of_flow(store, environment_id, id).await?;
    let in_doubt = |request: &RunRequest| matches!(request.state, RequestState::Unknown | RequestState::Sent);
    let is_running = health.is_some_and(|health| health.judgement.running_since_at.is_some());
    let answer_lost_at = match last.filter(in_doubt) {
        Some(request) if !run_requests::has_begun(store, &request).await? => Some(request.requested_at),
        _ => None,
    };
    Ok(flow_facts(flow, is_running, answer_lost_at))
}

/// The same from what was read already; the last is when a wish was sent whose answer was lost.
pub fn flow_facts(flow: &Flow, is_running: bool, answer_lost_at: Option<i64>) -> FlowFacts<'_> {
    let record = &flow.record;
    FlowFacts {
        is_gone: flow.gone_at.is_some(),
        is_enabled: record.state == flows::ENABLED,
        schedule: record
            .frequency
            .as_deref()
            .map(|unit| (unit, record.interval_count)),
        is_running,
        answer_lost_at,
    }
}

/// What the rules look at in a run, with the later runs that read the same files.
pub fn run_facts(run: &runs::Run, later: &[LaterRun]) -> RunFacts {
    RunFacts {
        outcome: run.outcome,
        records_out: run.records_out,
        is_gone: run.gone_at.is_some(),
        is_made_up_for: later.iter().any(LaterRun::brought_something),
    }
}

impl History {
    /// Asks the platform for a run, once; a form whose key was used before gets the first answer.
    ///
    /// To be run in a task of its own: once begun, it must not be dropped half-way.
    ///
    /// # Errors
    /// See [`RunWishError`].
    pub async fn ask_for_run(&self, asking: Asking<'_>, wish: RunWish) -> Result<RunRequest, RunWishError> {
        let store = &self.inner.store;
        if let Some(earlier) = run_requests::by_id(store, asking.team_id, asking.key).await? {
            return wish.answered_by(earlier, asking.flow_id);
        }
        let flow = flows::by_id(store, asking.team_id, None, asking.flow_id).await?;
        let flow = flow.ok_or(RunWishError::NotThere)?;
        let environment =
            store::environments::by_id(store, asking.team_id, &flow.record.environment_id).await?;
        let environment = environment.ok_or(RunWishError::NotThere)?;
        let call = self.allowed_call(&flow, &wish).await?;
        let client = self.inner.clients.client_for(&environment.access())?;

        let request = self.request(&asking, &environment, &wish);
        match self.record_wish(&asking, &flow, &request).await {
            Ok(()) => {}
            // Between the look above and now another press of the button was quicker.
            Err(StoreError::Duplicate { .. }) => {
                let earlier = run_requests::by_id(store, asking.team_id, asking.key).await?;
                let earlier = earlier.ok_or(RunWishError::Forbidden(Hindrance::AnotherGoesOn))?;
                return wish.answered_by(earlier, asking.flow_id);
            }
            Err(error) => return Err(error.into()),
        }
        let answer = client.send(&call, &new_id()).await;
        let told = json!({"status": answer.status, "request_id": answer.upstream_request_id});
        let ended = self.end_wish(&asking, &flow, request, answer.outcome, told);
        let request = ended.await.map_err(RunWishError::Unrecorded)?;
        if let Some(run_id) = &request.run_id {
            self.show_at_once(&client, &environment, run_id).await;
        }
        Ok(request)
    }

    async fn allowed_call(&self, flow: &Flow, wish: &RunWish) -> Result<Call, RunWishError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now_ms());
        let facts = facts(store, flow).await?;
        match wish {
            RunWish::Again { run_id } => {
                let run = runs::by_id(store, &flow.record.environment_id, run_id).await?;
                let run = run.filter(|run| run.flow_id == flow.record.id);
                let run = run.ok_or(RunWishError::NotThere)?;
                let later = later_runs::of_same_files(store, &run).await?;
                may_run_again(&facts, run_facts(&run, &later), now)?;
                Ok(Call::retry_run(run_id))
            }
            RunWish::Window { from_at, to_at } => {
                may_run_window(&facts, now)?;
                // Seconds, as Adobe's samples have them.
                let params = json!({
                    "startTime": now / 1000, "windowStartTime": from_at / 1000, "windowEndTime": to_at / 1000,
                });
                Ok(Call::create_run(
                    json!({"flowId": flow.record.id, "params": params}),
                ))
            }
        }
    }

    fn request(&self, asking: &Asking<'_>, environment: &Environment, wish: &RunWish) -> RunRequest {
        let (retried_run_id, window) = match wish {
            RunWish::Again { run_id } => (Some(run_id.clone()), None),
            RunWish::Window { from_at, to_at } => (None, Some((*from_at, *to_at))),
        };
        RunRequest {
            id: asking.key.to_owned(),
            team_id: asking.team_id.to_owned(),
            environment_id: environment.id.clone(),
            flow_id: asking.flow_id.to_owned(),
            retried_run_id,
            window_start_at: window.map(|(from, _)| from),
            window_end_at: window.map(|(_, to)| to),
            requested_by: asking.user_id.to_owned(),
            requested_at: self.inner.clock.now_ms(),
            state: RequestState::Sent,
            answered_at: None,
            run_id: None,
            problem: None,
        }
    }

    async fn record_wish(
        &self,
        asking: &Asking<'_>,
        flow: &Flow,
        request: &RunRequest,
    ) -> Result<(), StoreError> {
        let change = change_of(request, flow)
            .after(wish_of(request))
            .phase(Phase::Intent);
        let mut tx = self.inner.store.begin().await?;
        run_requests::insert(&mut tx, request).await?;
        audit::record(
            &mut tx,
            asking.actor,
            request.requested_at,
            Some(asking.team_id),
            &change,
        )
        .await?;
        tx.commit().await
    }

    async fn end_wish(
        &self,
        asking: &Asking<'_>,
        flow: &Flow,
        request: RunRequest,
        outcome: Outcome,
        told: Value,
    ) -> Result<RunRequest, StoreError> {
        let (state, run_id, problem) = match outcome {
            Outcome::Confirmed { id, .. } => (RequestState::Started, id, None),
            Outcome::Rejected(error) | Outcome::NotSent(error) => {
                (RequestState::Refused, None, Some(error.to_string()))
            }
            Outcome::Unknown(error) => (RequestState::Unknown, None, Some(error.to_string())),
        };
        let request = RunRequest {
            state,
            run_id,
            problem,
            answered_at: Some(self.inner.clock.now_ms()),
            ..request
        };
        let mut tx = self.inner.store.begin().await?;
        record_end(&mut tx, asking.actor, flow, &request, told).await?;
        tx.commit().await?;
        Ok(request)
    }

    /// Stores the run that was started without waiting for the next reading, which will find it anyway.
    async fn show_at_once(&self, client: &PlatformClient, environment: &Environment, run_id: &str) {
        let stored = async {
            let run = client.run(run_id).await.map_err(|error| error.to_string())?;
            let row = records::run_row(&environment.id, &run, self.inner.clock.now_ms());
            let mut tx = self
                .inner
                .store
                .begin()
                .await
                .map_err(|error| error.to_string())?;
            runs::upsert_many(&mut tx, &[row])
                .await
                .map_err(|error| error.to_string())?;
            tx.commit().await.map_err(|error| error.to_string())
        };
        if let Err(problem) = stored.await {
            tracing::info!(run = run_id, problem, "a new run is left to the next reading");
        }
    }

    /// Notes of requests that were on their way when the process before this one ended that nobody knows what
    /// became of them.
    ///
    /// # Errors
    /// The database.
    pub async fn give_up_old_wishes(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        for request in run_requests::on_their_way(store).await? {
            let lost = RunRequest {
                state: RequestState::Unknown,
                answered_at: Some(self.inner.clock.now_ms()),
                problem: Some("Headgate stopped while Adobe was asked.".to_owned()),
                ..request
            };
            let flow = flows::by_id(store, &lost.team_id, Some(&lost.environment_id), &lost.flow_id).await?;
            let mut tx = store.begin().await?;
            match &flow {
                Some(flow) => {
                    record_end(&mut tx, &Actor::itself("history"), flow, &lost, Value::Null).await?;
                }
                None => {
                    run_requests::end(&mut tx, &lost.id, end_of(&lost), self.inner.clock.now_ms()).await?
                }
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

async fn record_end(
    tx: &mut WriteTx,
    actor: &Actor,
    flow: &Flow,
    request: &RunRequest,
    told: Value,
) -> Result<(), StoreError> {
    let at = request.answered_at.unwrap_or(request.requested_at);
    run_requests::end(tx, &request.id, end_of(request), at).await?;
    let result = match request.state {
        RequestState::Started => "done",
        RequestState::Refused => "refused",
        RequestState::Sent | RequestState::Unknown => "unknown",
    };
    let mut after = wish_of(request);
    after["result"] = json!(result);
    after["started_run"] = json!(request.run_id);
    after["problem"] = json!(request.problem);
    after["call"] = told;
    let change = change_of(request, flow).after(after).phase(Phase::Outcome);
    audit::record(tx, actor, at, Some(&request.team_id), &change).await
}

fn end_of(request: &RunRequest) -> RequestEnd<'_> {
    RequestEnd {
        state: request.state,
        run_id: request.run_id.as_deref(),
        problem: request.problem.as_deref(),
    }
}

fn change_of<'a>(request: &RunRequest, flow: &'a Flow) -> Change<'a> {
    let event = if request.retried_run_id.is_some() {
        "flow.run_again"
    } else {
        "flow.window_run"
    };
    Change::new(event, "flow", &flow.record.id, &flow.record.name)
}

/// What the audit trail keeps of a wish.
fn wish_of(request: &RunRequest) -> Value {
    match &request.retried_run_id {
        Some(run_id) => json!({"run": run_id}),
        None => json!({"window_start_at": request.window_start_at, "window_end_at": request.window_end_at}),
    }
}
