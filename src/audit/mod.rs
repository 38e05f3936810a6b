//! Who did what: composing audit events and adding them in the transaction of the change that they tell of.
//!
//! A change at the platform has two events: the intent, before the call, and the outcome, after it. Events are
//! read through [`crate::store::audit`]. What they are made of never includes a secret.

use serde_json::Value;

use crate::domain::{Role, new_id};
pub use crate::store::audit::AuditPhase as Phase;
use crate::store::audit::{ActorKind, NewAuditEvent};
use crate::store::{StoreError, WriteTx, audit as rows};

/// Who does something, as it stands in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    kind: ActorKind,
    id: Option<String>,
    name: String,
    role: Option<Role>,
    session_fingerprint: Option<String>,
    client_address: Option<String>,
    request_id: String,
}

impl Actor {
    /// A person with a session.
    pub fn person(
        id: &str,
        name: &str,
        role: Role,
        session_fingerprint: &str,
        client_address: &str,
        request_id: &str,
    ) -> Self {
        Self {
            kind: ActorKind::Person,
            id: Some(id.to_owned()),
            name: name.to_owned(),
            role: Some(role),
            session_fingerprint: Some(session_fingerprint.to_owned()),
            client_address: Some(client_address.to_owned()),
            request_id: request_id.to_owned(),
        }
    }

    /// This server, going on with a setup that a person started.
    pub fn on_behalf(user_id: &str, user_name: &str, setup_id: &str) -> Self {
        Self {
            kind: ActorKind::System,
            id: Some(user_id.to_owned()),
            name: format!("Headgate for {user_name}"),
            role: None,
            session_fingerprint: None,
            client_address: None,
            request_id: format!("setup:{setup_id}"),
        }
    }

    /// This server by itself: `task` is the part of it that acts.
    pub fn itself(task: &str) -> Self {
        Self {
            kind: ActorKind::System,
            id: None,
            name: "Headgate".to_owned(),
            role: None,
            session_fingerprint: None,
            client_address: None,
            request_id: format!("task:{task}"),
        }
    }

    /// Somebody at the machine's command line.
    pub fn operator(command: &str) -> Self {
        Self {
            kind: ActorKind::Operator,
            id: None,
            name: "Operator".to_owned(),
            role: None,
            session_fingerprint: None,
            client_address: None,
            request_id: format!("cli:{command}"),
        }
    }

    /// Somebody who is not signed in: an attempt to sign in.
    pub fn visitor(login: &str, client_address: &str, request_id: &str) -> Self {
        Self {
            kind: ActorKind::Person,
            id: None,
            name: login.chars().take(100).collect(),
            role: None,
            session_fingerprint: None,
            client_address: Some(client_address.to_owned()),
            request_id: request_id.to_owned(),
        }
    }
}

/// What was done, to what.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    event: &'static str,
    object_kind: &'static str,
    object_id: &'a str,
    object_name: &'a str,
    before: Option<Value>,
    after: Option<Value>,
    phase: Phase,
}

impl<'a> Change<'a> {
    /// `event` is a stable word such as `template.saved`; the object is named as people know it.
    pub fn new(
        event: &'static str,
        object_kind: &'static str,
        object_id: &'a str,
        object_name: &'a str,
    ) -> Self {
        Self {
            event,
            object_kind,
            object_id,
            object_name,
            before: None,
            after: None,
            phase: Phase::Done,
        }
    }

    /// What changed, as it was. Without secrets.
    pub fn before(mut self, value: Value) -> Self {
        self.before = Some(value);
        self
    }

    /// What changed, as it became. Without secrets.
    pub fn after(mut self, value: Value) -> Self {
        self.after = Some(value);
        self
    }

    /// Another phase than [`Phase::Done`].
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }
}

/// Adds the event of a change in its transaction. `at` is UTC epoch milliseconds; no team: the whole installation.
///
/// # Errors
/// When the row cannot be written: then the change must not be either.
pub async fn record(
    tx: &mut WriteTx,
    actor: &Actor,
    at: i64,
    team_id: Option<&str>,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    let event = NewAuditEvent {
        id: new_id(),
        at,
        team_id: team_id.map(str::to_owned),
        actor_kind: actor.kind,
        actor_id: actor.id.clone(),
        actor_name: actor.name.clone(),
        actor_role: actor.role.map(|role| role.as_str().to_owned()),
        session_fingerprint: actor.session_fingerprint.clone(),
        client_address: actor.client_address.clone(),
        request_id: actor.request_id.clone(),
        event: change.event.to_owned(),
        object_kind: change.object_kind.to_owned(),
        object_id: change.object_id.to_owned(),
        object_name: change.object_name.to_owned(),
        before: change.before.as_ref().map(Value::to_string),
        after: change.after.as_ref().map(Value::to_string),
        phase: change.phase,
        intent_id: None,
    };
    rows::append(tx, &event).await?;
    Ok(())
}
