//! Enabling and disabling a flow.

use serde_json::{Value, json};

use super::connections::Ends;
use super::{History, records};
use crate::audit::{self, Actor, Change, Phase};
use crate::domain::new_id;
use crate::platform::{Call, ClientError, ObjectKind, Outcome, PlatformClient, PlatformError};
use crate::store::flows::{self, FlowRecord};
use crate::store::{self, Mirrored, StoreError};

/// What a person wants of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It shall run by its schedule.
    Enable,
    /// It shall not run any more until it is enabled.
    Disable,
}

impl Switch {
    /// Adobe's word for the operation.
    const fn operation(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }

    /// Adobe's word for the state that it leads to.
    const fn state(self) -> &'static str {
        match self {
            Self::Enable => "enabled",
            Self::Disable => "disabled",
        }
    }

    /// The word in the audit trail.
    const fn event(self) -> &'static str {
        match self {
            Self::Enable => "flow.enabled",
            Self::Disable => "flow.disabled",
        }
    }
}

/// How it ended, as far as the platform told.
#[derive(Debug)]
pub enum Switched {
    /// The flow is in the state that was asked for.
    Done,
    /// The platform refused, or was not asked at all. Nothing was changed.
    Refused(PlatformError),
    /// The answer was lost, and the flow, read again, is in another state or cannot be read.
    Unknown {
        /// What became of the call.
        error: PlatformError,
        /// The flow's state as read afterwards.
        state: Option<String>,
    },
}

/// Why the platform was not asked, but for the last. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// There is no such flow in the team.
    #[error("this flow is not there")]
    NoFlow,
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

/// What is known of the flow after the call.
enum Seen {
    /// Only what the platform confirmed.
    Confirmed { etag: Option<String> },
    /// All of it, read again.
    Read(Box<Mirrored<FlowRecord>>),
    /// Nothing new.
    Nothing,
}

impl History {
    /// Enables or disables a flow of the team: the intent is recorded, the platform asked once, and the outcome
    /// recorded. An answer that is lost is looked up by reading the flow, never sent again.
    ///
    /// To be run in a task of its own: once begun, it must not be dropped half-way.
    pub async fn switch(
        &self,
        actor: &Actor,
        team_id: &str,
        flow_id: &str,
        switch: Switch,
    ) -> Result<Switched, SwitchError> {
        let store = &self.inner.store;
        let flow = flows::by_id(store, team_id, None, flow_id)
            .await?
            .ok_or(SwitchError::NoFlow)?;
        let environment = store::environments::by_id(store, team_id, &flow.record.environment_id).await?;
        let environment = environment.ok_or(SwitchError::NoFlow)?;
        let client = self.inner.clients.client_for(&environment.access())?;

        let change = || {
            Change::new(switch.event(), "flow", &flow.record.id, &flow.record.name)
                .before(json!({"state": flow.record.state}))
        };
        let intent = change()
            .after(json!({"state": switch.state()}))
            .phase(Phase::Intent);
        let mut tx = store.begin().await?;
        audit::record(&mut tx, actor, self.inner.clock.now_ms(), Some(team_id), &intent).await?;
        tx.commit().await?;

        let call = Call::action(ObjectKind::Flow, flow_id, switch.operation());
        let answer = client.send(&call, &new_id()).await;
        let told = json!({"status": answer.status, "request_id": answer.upstream_request_id});
        let (switched, seen) = self.settle(&client, &flow.record, switch, answer.outcome).await;

        let outcome = change()
            .after(outcome_of(&switched, switch, told))
            .phase(Phase::Outcome);
        let recorded = self.record_outcome(actor, team_id, &flow.record, switch, seen, &outcome);
        recorded.await.map_err(SwitchError::Unrecorded)?;
        Ok(switched)
    }

    async fn record_outcome(
        &self,
        actor: &Actor,
        team_id: &str,
        flow: &FlowRecord,
        switch: Switch,
        seen: Seen,
        outcome: &Change<'_>,
    ) -> Result<(), StoreError> {
        let (mut tx, now) = (self.inner.store.begin().await?, self.inner.clock.now_ms());
        match seen {
            Seen::Confirmed { etag } => {
                let (environment_id, state) = (&flow.environment_id, switch.state());
                flows::set_state_after_action(&mut tx, environment_id, &flow.id, state, etag.as_deref(), now)
                    .await?;
            }
            Seen::Read(row) => flows::upsert_many(&mut tx, &[*row]).await?,
            Seen::Nothing => {}
        }
        audit::record(&mut tx, actor, now, Some(team_id), outcome).await?;
        tx.commit().await
    }

    async fn settle(
        &self,
        client: &PlatformClient,
        stored: &FlowRecord,
        switch: Switch,
        outcome: Outcome,
    ) -> (Switched, Seen) {
        let (error, refused) = match outcome {
            Outcome::Confirmed { etag, .. } => return (Switched::Done, Seen::Confirmed { etag }),
            Outcome::Rejected(error) | Outcome::NotSent(error) => (error, true),
            Outcome::Unknown(error) => (error, false),
        };
        let read = client.flow(&stored.id).await.ok().map(|flow| {
            let ends = Ends {
                source_path: stored.source_path.clone(),
                dataset_id: stored.dataset_id.clone(),
            };
            records::flow_row(&stored.environment_id, &flow, ends, self.inner.clock.now_ms())
        });
        let state = read.as_ref().map(|read| read.row.state.clone());
        let switched = match state {
            _ if refused => Switched::Refused(error),
            Some(state) if state == switch.state() => Switched::Done,
            state => Switched::Unknown { error, state },
        };
        (
            switched,
            read.map_or(Seen::Nothing, |read| Seen::Read(Box::new(read))),
        )
    }
}

/// What the audit trail keeps of an outcome.
fn outcome_of(switched: &Switched, switch: Switch, call: Value) -> Value {
    let problem = |error: &PlatformError| json!({"code": error.code(), "message": error.to_string()});
    match switched {
        Switched::Done => json!({"result": "done", "state": switch.state(), "call": call}),
        Switched::Refused(error) => json!({"result": "refused", "problem": problem(error), "call": call}),
        Switched::Unknown { error, state } => {
            json!({"result": "unknown", "state": state, "problem": problem(error), "call": call})
        }
    }
}
