//! Taking back what a setup made: whether an object may go, its deletion, and what the answer means.

use super::Setups;
use super::journal::{Note, Taken};
use super::sending::{note_of, retry_at};
use crate::domain::setup::{Event, StepKind};
use crate::platform::{Answer, Call, Outcome, PlatformClient, PlatformError};

/// Codes by which Flow Service says that an object is just being changed (facts from its list of errors).
const IN_TRANSITION: [&str; 5] = ["1416", "1420", "1421", "1457", "1458"];
/// Codes by which Flow Service says that something else uses the object.
const IN_USE: [&str; 2] = ["1418", "1447"];

/// What is to become of an object in an undo.
pub(super) enum Verdict {
    /// It goes.
    Delete(Call),
    /// It stays, is gone already, or cannot be judged now.
    Record(Event, Note),
}

/// What must be known to decide whether the object of a step may go.
pub(super) struct Candidate {
    kind: StepKind,
    id: Option<String>,
    marker: String,
    needed_by_kept: bool,
    /// Ids of the setup's own objects: lists may still show what was just deleted.
    own: Vec<String>,
    /// When it is judged (UTC epoch milliseconds).
    now_ms: i64,
}

impl Candidate {
    pub(super) fn of(taken: &Taken, kind: StepKind, now_ms: i64) -> Self {
        let id = taken.machine.step(kind).and_then(|step| step.object_id.clone());
        Self {
            kind,
            id,
            marker: taken.row(kind).map(|row| row.marker.clone()).unwrap_or_default(),
            needed_by_kept: taken.machine.is_needed_by_kept(kind),
            own: taken
                .rows
                .iter()
                .filter_map(|row| row.object_id.clone())
                .collect(),
            now_ms,
        }
    }

    /// Decides. The object is read right before, so that only what still carries our marker goes.
    pub(super) async fn judge(self, client: &PlatformClient) -> Verdict {
        let Some(id) = &self.id else {
            return self.keep("its id is not known");
        };
        if self.needed_by_kept {
            return self.keep("something that stays needs it");
        }
        match self.kind {
            StepKind::DataLakeConnection => return self.keep("all dataflows of the sandbox share it"),
            StepKind::MappingSet => {
                return self.keep("Adobe documents no way to delete a mapping set; it holds no data");
            }
            _ => {}
        }
        match client.object(self.kind.into(), id).await {
            Ok(found) if !found.is_marked(self.kind, &self.marker) => {
                self.keep("it no longer carries Headgate's marker, so somebody made it their own")
            }
            Ok(_) => self.judge_use(client, id).await,
            Err(error) if error.is_not_found() => Verdict::Record(Event::Deleted(self.kind), Note::default()),
            Err(error) => self.cannot_tell(&error),
        }
    }

    /// Adobe refuses to delete what dataflows use, but says nothing of datasets and schemas, nor of connections that
    /// wait for their dataflow.
    async fn judge_use(&self, client: &PlatformClient, id: &str) -> Verdict {
        let shared_kind = matches!(
            self.kind,
            StepKind::BaseConnection | StepKind::Schema | StepKind::Dataset
        );
        if shared_kind {
            match client.users_of(self.kind.into(), id).await {
                Ok(users) => {
                    let foreign = |user: &&String| !self.own.iter().any(|own| user.contains(own.as_str()));
                    if let Some(user) = users.iter().find(foreign) {
                        return self.keep(&format!("{user} is built on it"));
                    }
                }
                Err(error) => return self.cannot_tell(&error),
            }
        }
        if self.kind == StepKind::Dataset {
            return self.judge_dataset(client, id).await;
        }
        Verdict::Delete(Call::delete(self.kind.into(), id))
    }

    async fn judge_dataset(&self, client: &PlatformClient, id: &str) -> Verdict {
        match client.dataset_batches(id).await {
            Ok(0) => Verdict::Delete(Call::delete(self.kind.into(), id)),
            Ok(1) => self.keep("it holds a batch of data"),
            Ok(n) => self.keep(&format!("it holds {n} batches of data")),
            Err(error) => self.cannot_tell(&error),
        }
    }

    fn keep(&self, reason: &str) -> Verdict {
        let note = Note {
            answer: Some(format!("Kept: {reason}.")),
            ..Note::default()
        };
        Verdict::Record(Event::Kept(self.kind), note)
    }

    fn cannot_tell(&self, error: &PlatformError) -> Verdict {
        // Nothing was asked: that is no failed look.
        if let PlatformError::Paused { wait, .. } = error {
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
            let retry_at = self.now_ms.saturating_add(wait);
            let event = Event::Postponed {
                step: self.kind,
                retry_at,
            };
            return Verdict::Record(event, Note::default());
        }
        Verdict::Record(Event::CouldNotLook(self.kind), Note::saying(error.to_string()))
    }
}

/// What the answer to a deletion means for the state machine; `users` names what uses the object, after a refusal for
/// that reason. Deleting again does no harm, but not for ever.
pub(super) fn read_answer(
    setups: &Setups,
    taken: &Taken,
    kind: StepKind,
    answer: &Answer,
    users: Option<String>,
) -> (Event, Note) {
    let mut note = note_of(answer, &[]);
    let error = match &answer.outcome {
        Outcome::Confirmed { .. } => return (Event::Deleted(kind), note),
        Outcome::Rejected(error) if error.is_not_found() => return (Event::Deleted(kind), note),
        Outcome::Rejected(error) | Outcome::NotSent(error) | Outcome::Unknown(error) => error,
    };
    let tries = taken.machine.step(kind).map_or(1, |step| step.deletions);
    if tries < setups.inner.rules.deletions_max && (error.is_transient() || has_code(error, &IN_TRANSITION)) {
        let retry_at = retry_at(setups, tries, error);
        return (Event::NotActed { step: kind, retry_at }, note);
    }
    note.detail = Some(match users {
        Some(users) => format!("{error} {users}"),
        None => error.to_string(),
    });
    (Event::DeleteFailed(kind), note)
}

/// After a refusal because something uses the object: what that is.
pub(super) async fn users_if_in_use(
    client: &PlatformClient,
    kind: StepKind,
    id: &str,
    answer: &Answer,
) -> Option<String> {
    match &answer.outcome {
        Outcome::Rejected(error) if has_code(error, &IN_USE) => Some(users(client, kind, id).await),
        _ => None,
    }
}

fn has_code(error: &PlatformError, numbers: &[&str]) -> bool {
    let code = error.code().unwrap_or_default();
    let number = code.strip_prefix("FLOW-").unwrap_or(code).split('-').next();
    number.is_some_and(|number| numbers.contains(&number))
}

/// A sentence that names what uses an object, as far as that can be found out.
async fn users(client: &PlatformClient, kind: StepKind, id: &str) -> String {
    match client.users_of(kind.into(), id).await {
        Ok(users) if !users.is_empty() => format!("It is used by {}.", users.join(", ")),
        _ => "What uses it could not be found out.".to_owned(),
    }
}
