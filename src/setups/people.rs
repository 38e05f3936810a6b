//! What a person may decide about a setup: go on, take back what it made, keep it, leave it.

use std::time::Duration;

use super::Setups;
use super::journal::{Note, RecordError, Taken};
use super::lease::Lease;
use crate::audit::Actor;
use crate::domain::setup::{Event, Question};
use crate::store::{self, StoreError};

/// How often and how long apart a lease is tried before a person is told to come back.
const LEASE_TRIES: u32 = 40;
const LEASE_PAUSE: Duration = Duration::from_millis(50);

/// Why a person's wish was not followed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// There is no such setup in the team.
    #[error("this setup is not there")]
    NoSetup,
    /// Calls are being made for it at this moment.
    #[error("calls are being made for this setup right now: try again in a moment")]
    Busy,
    /// It does not fit where the setup stands.
    #[error("that is not possible where the setup stands now")]
    NotNow,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored row cannot be read.
    #[error("the stored setup cannot be read by this version")]
    Damaged,
}

/// What a person may decide about a setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on: refused steps are sent again, unclear ones looked for again.
    Resume,
    /// Take back what was made, as far as that is possible and safe.
    Undo,
    /// Keep what could not be deleted, and go on taking back the rest.
    KeepBlocked,
    /// End here; everything that exists stays.
    Leave,
}

impl Decision {
    fn event(self) -> Event {
        match self {
            Self::Resume => Event::Resumed,
            Self::Undo => Event::UndoRequested,
            Self::KeepBlocked => Event::KeepBlocked,
            Self::Leave => Event::LeftAsIs,
        }
    }

    const fn audited_as(self) -> &'static str {
        match self {
            Self::Resume => "setup.resumed",
            Self::Undo => "setup.undo_requested",
            Self::KeepBlocked => "setup.keep_requested",
            Self::Leave => "setup.leave_requested",
        }
    }
}

impl Setups {
    /// Records what a person decided and sets the setup going again. Whoever says "go on" answers for the calls that
    /// follow: they are made in the name of `user_id`.
    ///
    /// # Errors
    /// [`PersonError`]; nothing was changed.
    pub async fn decide(
        &self,
        actor: &Actor,
        user_id: &str,
        (team_id, setup_id): (&str, &str),
        decision: Decision,
    ) -> Result<(), PersonError> {
        let note = Note {
            audited_as: Some(decision.audited_as()),
            ..Note::default()
        };
        let lease = self.lease_soon(team_id, setup_id).await?;
        let decided = async {
            let mut taken = self.taken_by(actor, user_id, setup_id, &lease).await?;
            if decision == Decision::Resume && taken.setup.question == Some(Question::OtherPlatform) {
                // Whoever resumes says that the address in force leads to the same platform.
                taken.setup.platform_origin = None;
            }
            Ok(taken.record(self, vec![(decision.event(), note)]).await?)
        };
        let decided = decided.await;
        lease.give_up(self).await;
        self.wake();
        decided
    }

    /// Takes the lease; a worker that has just come to rest gives it up within moments.
    pub(super) async fn lease_soon(&self, team_id: &str, setup_id: &str) -> Result<Lease, PersonError> {
        let setup = store::setups::by_id(&self.inner.store, team_id, setup_id).await?;
        let setup = setup.ok_or(PersonError::NoSetup)?;
        for _ in 0..LEASE_TRIES {
            if let Some(lease) = Lease::take(self, &setup.id).await? {
                return Ok(lease);
            }
            tokio::time::sleep(LEASE_PAUSE).await;
        }
        Err(PersonError::Busy)
    }

    /// The setup in the hands of a person, who answers for what follows.
    pub(super) async fn taken_by(
        &self,
        actor: &Actor,
        user_id: &str,
        setup_id: &str,
        lease: &Lease,
    ) -> Result<Taken, PersonError> {
        let taken = Taken::read(&self.inner.store, setup_id, lease.epoch, self.inner.rules).await?;
        let mut taken = taken.ok_or(PersonError::NoSetup)?;
        taken.actor = actor.clone();
        taken.setup.driven_by = user_id.to_owned();
        Ok(taken)
    }
}

impl From<RecordError> for PersonError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Store(error) => Self::Store(error),
            RecordError::Illegal(_) => Self::NotNow,
            RecordError::Damaged(_) => Self::Damaged,
            // Only the create of a shared object takes turns, and no person records that.
            RecordError::OthersTurn => Self::Busy,
        }
    }
}
