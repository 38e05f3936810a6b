//! Sending the call of a step, and what its answer means.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Setups;
use super::journal::{Note, Taken};
use crate::domain::schedule::StartPassed;
use crate::domain::setup::body::{Reference, fill};
use crate::domain::setup::{Event, Question, StepKind};
use crate::platform::{Answer, Call, Method, Outcome, PlatformError, schema_with_that_title};
use crate::store::secrets::SecretOwner;
use crate::store::{self, StoreError};
use crate::vault::{Place, Sealed, scrub};

/// Pause before a call that provably did nothing is tried again; it grows with the attempts.
const RETRY_PAUSE_MS: i64 = 2_000;
const RETRY_PAUSE_MAX_MS: i64 = 60_000;

/// A call ready to leave.
pub(super) struct Ready {
    pub(super) call: Call,
    pub(super) note: Note,
    pub(super) secrets: Vec<SecretString>,
}

/// Why a call cannot be made ready; each is a question to a person or a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReady {
    #[error("the start time has passed")]
    StartPassed,
    #[error("the stored secret {0} is gone or cannot be opened")]
    SecretMissing(String),
    #[error("the id of the {0} is not known")]
    IdMissing(StepKind),
    #[error("the planned call cannot be read")]
    Damaged,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fills in the body of a step: ids from earlier steps, secrets from the vault, the start time from the clock.
pub(super) async fn make_ready(setups: &Setups, taken: &Taken, kind: StepKind) -> Result<Ready, NotReady> {
    let row = taken.row(kind).ok_or(NotReady::Damaged)?;
    let planned: Value = serde_json::from_str(&row.body).map_err(|_| NotReady::Damaged)?;
    let sealed = store::secrets::list(&setups.inner.store, SecretOwner::Setup, &taken.setup.id).await?;
    let now = setups.inner.clock.now_ms();
    let mut secrets = Vec::new();
    // First everything but the secrets: this is what the journal keeps.
    let without_secrets = fill(&planned, &mut |reference| match reference {
        Reference::Secret(_) => Ok(reference.to_json()),
        Reference::Step(step) => {
            let made = taken.machine.step(*step).and_then(|s| s.object_id.clone());
            made.map(Value::String).ok_or(NotReady::IdMissing(*step))
        }
        Reference::Start(start) => start
            .seconds_when_sent(now)
            .map(Value::from)
            .map_err(|StartPassed| NotReady::StartPassed),
    })?;
    let body = fill::<NotReady>(&without_secrets, &mut |reference| {
        let Reference::Secret(field) = reference else {
            return Ok(reference.to_json());
        };
        let missing = || NotReady::SecretMissing(field.clone());
        let stored = sealed.iter().find(|s| s.field == *field).ok_or_else(missing)?;
        let place = Place::secret(&stored.id);
        let value = setups
            .inner
            .vault
            .open(&place, &Sealed::from_stored(stored.sealed.clone()))
            .map_err(|_| missing())?;
        let text = json!(value.expose_secret());
        secrets.push(value);
        Ok(text)
    })?;
    let sent_body = without_secrets.to_string();
    let request_hash = data_encoding::HEXLOWER.encode(&Sha256::digest(sent_body.as_bytes()));
    let query = serde_json::from_str(&row.query).map_err(|_| NotReady::Damaged)?;
    let call = Call {
        method: Method::Post,
        path: row.path.clone(),
        query,
        body: Some(body),
        if_match: None,
    };
    let note = Note {
        sent_body: Some(sent_body),
        request_hash: Some(request_hash),
        ..Note::default()
    };
    Ok(Ready { call, note, secrets })
}

/// What a person is asked when a call cannot be made ready.
pub(super) fn question_for(problem: &NotReady) -> Option<(Question, String)> {
    match problem {
        NotReady::StartPassed => Some((
            Question::StartTimePassed,
            "The start time passed before the dataflow could be created. Choose a new one.".into(),
        )),
        NotReady::SecretMissing(field) => Some((
            Question::SecretMissing,
            format!("The secret {field} is gone or was sealed with a key that this server does not have."),
        )),
        NotReady::IdMissing(_) | NotReady::Damaged | NotReady::Store(_) => None,
    }
}

/// Whether a create was refused because another object has the name. It may be ours: made by an earlier call whose
/// answer was lost, later than anybody had to expect.
pub(super) fn says_name_is_taken(answer: &Answer) -> bool {
    matches!(&answer.outcome, Outcome::Rejected(error) if schema_with_that_title(error).is_some())
}

/// What the answer to a create means for the state machine. `looked` is what a look-up brought after the answer that
/// the name is taken.
pub(super) fn read_answer(
    setups: &Setups,
    taken: &Taken,
    kind: StepKind,
    answer: Answer,
    secrets: &[SecretString],
    looked: Option<(Event, Note)>,
) -> (Event, Note) {
    let mut note = note_of(&answer, secrets);
    match looked {
        // Somebody else's object has the name: that is a refusal like any other.
        None | Some((Event::FoundNothing(_), _)) => {}
        Some((event @ (Event::Confirmed { .. } | Event::FoundUnlike(_)), looked)) => {
            note.etag = looked.etag;
            note.detail = looked.detail;
            return (event, note);
        }
        Some(_) => return (Event::Unclear(kind), note),
    }
    let event = match answer.outcome {
        Outcome::Confirmed {
            id: Some(id), etag, ..
        } => {
            note.etag = etag;
            Event::Confirmed {
                step: kind,
                id,
                adopted: false,
            }
        }
        Outcome::Confirmed { id: None, .. } => Event::Unclear(kind),
        Outcome::Unknown(_) => Event::Unclear(kind),
        Outcome::Rejected(error) | Outcome::NotSent(error) => refused(setups, taken, kind, &error, &mut note),
    };
    (event, note)
}

/// A call that had no effect: again later, or a question.
fn refused(setups: &Setups, taken: &Taken, kind: StepKind, error: &PlatformError, note: &mut Note) -> Event {
    if error.is_transient() {
        let tries = taken.machine.step(kind).map_or(1, |step| step.attempt);
        let retry_at = retry_at(setups, tries, error);
        return Event::NotActed { step: kind, retry_at };
    }
    let question = if matches!(error, PlatformError::Auth { .. }) || error.status() == Some(401) {
        Question::Auth
    } else {
        Question::Rejected
    };
    note.detail = Some(error.to_string());
    Event::Rejected(kind, question)
}

/// When a call may be sent again by itself: as the platform asked, else after a wait that grows with the tries.
/// Up to a fifth is added, so that not all who were sent away come back at once; it is never earlier than asked.
pub(super) fn retry_at(setups: &Setups, tries: u32, error: &PlatformError) -> i64 {
    let growing = (RETRY_PAUSE_MS << (tries.clamp(1, 8) - 1)).min(RETRY_PAUSE_MAX_MS);
    let asked = error
        .retry_after()
        .map(|wait: Duration| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2));
    let wait = asked.unwrap_or(growing);
    let longer = fastrand::i64(0..=wait / 5);
    setups
        .inner
        .clock
        .now_ms()
        .saturating_add(wait)
        .saturating_add(longer)
}

/// What is kept of an answer, without anything secret.
pub(super) fn note_of(answer: &Answer, secrets: &[SecretString]) -> Note {
    let error = match &answer.outcome {
        Outcome::Confirmed { .. } => None,
        Outcome::Rejected(error) | Outcome::Unknown(error) | Outcome::NotSent(error) => Some(error),
    };
    let problem = error.map(|error| {
        let told = json!({
            "code": error.code(),
            "message": scrub(&error.to_string(), secrets),
            "request_id": error.upstream_request_id(),
        });
        told.to_string()
    });
    Note {
        status: answer.status,
        answer: answer.body_excerpt.as_deref().map(|text| scrub(text, secrets)),
        problem,
        upstream_request_id: answer.upstream_request_id.clone(),
        ..Note::default()
    }
}
