//! Taking back what a setup made: one deletion, and what its answer means.

use super::Setups;
use super::journal::{Note, Taken};
use super::looking::object_kind;
use super::sending::{note_of, retry_at};
use crate::domain::setup::{Event, StepKind};
use crate::platform::{Answer, Call, Outcome, PlatformClient, PlatformError};

/// What is to become of an object in an undo.
pub(super) enum Verdict {
    /// It goes.
    Delete(Call),
    /// It stays, for the reason given.
    Keep(&'static str),
    /// Whether it may go cannot be told now.
    CannotTell(PlatformError),
}

/// What must be known to decide whether the object of a step may go.
pub(super) struct Candidate {
    kind: StepKind,
    id: Option<String>,
    needed_by_kept: bool,
}

impl Candidate {
    pub(super) fn of(taken: &Taken, kind: StepKind) -> Self {
        let id = taken.machine.step(kind).and_then(|step| step.object_id.clone());
        Self {
            kind,
            id,
            needed_by_kept: taken.machine.is_needed_by_kept(kind),
        }
    }

    /// Decides; for a dataset the platform is asked whether it holds data.
    pub(super) async fn judge(self, client: &PlatformClient) -> Verdict {
        let Some(id) = self.id else {
            return Verdict::Keep("its id is not known");
        };
        if self.needed_by_kept {
            return Verdict::Keep("something that stays needs it");
        }
        match self.kind {
            StepKind::DataLakeConnection => Verdict::Keep("all dataflows of the sandbox share it"),
            StepKind::MappingSet => {
                Verdict::Keep("Adobe documents no way to delete a mapping set; it holds no data")
            }
            StepKind::Dataset => match client.dataset_has_batches(&id).await {
                Ok(false) => Verdict::Delete(Call::delete(object_kind(self.kind), &id)),
                Ok(true) => Verdict::Keep("it holds data"),
                Err(error) => Verdict::CannotTell(error),
            },
            _ => Verdict::Delete(Call::delete(object_kind(self.kind), &id)),
        }
    }
}

/// What the answer to the `tries`th deletion of an object means for the state machine.
pub(super) fn read_answer(
    setups: &Setups,
    taken: &Taken,
    kind: StepKind,
    answer: &Answer,
    tries: u32,
) -> (Event, Note) {
    let mut note = note_of(answer, &[]);
    let event = match &answer.outcome {
        Outcome::Confirmed { .. } => Event::Deleted(kind),
        Outcome::Rejected(error) if error.is_not_found() => Event::Deleted(kind),
        Outcome::Rejected(error) | Outcome::NotSent(error) | Outcome::Unknown(error) => {
            match retry_at(setups, taken, kind, error) {
                // Deleting again does no harm, but not for ever.
                Some(retry_at) if tries < MAX_TRIES => Event::NotActed { step: kind, retry_at },
                _ => {
                    note.detail = Some(error.to_string());
                    Event::DeleteFailed(kind)
                }
            }
        }
    };
    (event, note)
}

/// Deletions of one object that end without a clear answer before a person is asked.
const MAX_TRIES: u32 = 5;
