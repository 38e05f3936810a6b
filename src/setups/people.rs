//! What a person may ask of a setup: go on, or take back what it made.

use super::journal::{Note, RecordError, Taken};
use super::{LEASE_TTL_MS, Setups, lease_name};
use crate::audit::Actor;
use crate::domain::setup::Event;
use crate::store::{self, StoreError};

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

impl Setups {
    /// Goes on with a setup that asked: refused steps are sent again, unclear ones looked for again.
    pub async fn resume(&self, actor: &Actor, team_id: &str, setup_id: &str) -> Result<(), PersonError> {
        self.decide(actor, team_id, setup_id, Event::Resumed, "setup.resumed")
            .await
    }

    /// Takes back what a setup made, as far as that is possible and safe.
    pub async fn undo(&self, actor: &Actor, team_id: &str, setup_id: &str) -> Result<(), PersonError> {
        self.decide(
            actor,
            team_id,
            setup_id,
            Event::UndoRequested,
            "setup.undo_requested",
        )
        .await
    }

    async fn decide(
        &self,
        actor: &Actor,
        team_id: &str,
        setup_id: &str,
        event: Event,
        word: &'static str,
    ) -> Result<(), PersonError> {
        let store = &self.inner.store;
        let setup = store::setups::by_id(store, team_id, setup_id)
            .await?
            .ok_or(PersonError::NoSetup)?;
        let (name, now) = (lease_name(&setup.id), self.inner.clock.now_ms());
        let mut tx = store.begin().await?;
        let epoch = store::leases::acquire(&mut tx, &name, &self.inner.holder, now, LEASE_TTL_MS).await?;
        tx.commit().await?;
        let epoch = epoch.ok_or(PersonError::Busy)?;
        let decided = self.record_decision(actor, &setup.id, epoch, event, word).await;
        let mut tx = store.begin().await?;
        store::leases::release(&mut tx, &name, &self.inner.holder, epoch).await?;
        tx.commit().await?;
        self.wake();
        decided
    }

    async fn record_decision(
        &self,
        actor: &Actor,
        setup_id: &str,
        epoch: i64,
        event: Event,
        word: &'static str,
    ) -> Result<(), PersonError> {
        let taken = Taken::read(&self.inner.store, setup_id, epoch, self.inner.rules).await;
        let mut taken = taken.map_err(PersonError::from)?.ok_or(PersonError::NoSetup)?;
        taken.actor = actor.clone();
        let note = Note {
            audited_as: Some(word),
            ..Note::default()
        };
        Ok(taken.record(self, vec![(event, note)]).await?)
    }
}

impl From<RecordError> for PersonError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Store(error) => Self::Store(error),
            RecordError::Illegal(_) => Self::NotNow,
            RecordError::Damaged(_) => Self::Damaged,
        }
    }
}
