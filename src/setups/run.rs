//! Taking a setup over: by its lease, with the client of its environment, and with care for workers that fail.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::journal::{Note, RecordError, Taken};
use super::lease::Lease;
use super::sending::NotReady;
use super::worker::Worker;
use super::{Setups, lease_name};
use crate::domain::setup::{Event, Question, SetupState};
use crate::platform::{ClientError, PlatformClient};
use crate::store::setup_journal::NewSetupEvent;
use crate::store::{self, StoreError};

/// How long a worker stays away from a setup that somebody else holds.
const HELD_PAUSE: Duration = Duration::from_secs(1);
/// Failures of one setup in a row, by our own fault, after which a person is asked.
const FAULTS_MAX: u32 = 3;

/// Why a worker let go of a setup before it was finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error("the environment of the setup is gone")]
    NoEnvironment,
    #[error("the worker panicked")]
    Panicked,
    #[error("nothing came back for minutes")]
    Stuck,
}

impl RunError {
    /// Whether the same would happen again: a fault of ours or of the stored rows, not of the outside.
    const fn is_fault(&self) -> bool {
        match self {
            Self::Store(_) | Self::Record(RecordError::Store(_)) | Self::NotReady(NotReady::Store(_)) => {
                false
            }
            Self::Record(_) | Self::NotReady(_) | Self::NoEnvironment | Self::Panicked | Self::Stuck => true,
            Self::Client(_) => false,
        }
    }
}

impl Setups {
    /// Works on one setup until it is finished, waits, asks, or `stop` is cancelled.
    ///
    /// Somebody else may hold it: then nothing happens.
    pub(super) async fn work_on(&self, setup_id: &str, stop: &CancellationToken) -> Result<(), RunError> {
        let Some(mut lease) = Lease::take(self, setup_id).await? else {
            tokio::time::sleep(HELD_PAUSE).await;
            return Ok(());
        };
        let work = AssertUnwindSafe(self.work_under_lease(setup_id, &mut lease, stop));
        let mut result = work.catch_unwind().await.unwrap_or(Err(RunError::Panicked));
        match &result {
            Err(error) if error.is_fault() => {
                if self.count_fault(setup_id) >= FAULTS_MAX {
                    result = self.stop_with_fault(setup_id, lease.epoch, error).await;
                }
            }
            _ => self.forget_faults(setup_id),
        }
        lease.give_up(self).await;
        result
    }

    async fn work_under_lease(
        &self,
        setup_id: &str,
        lease: &mut Lease,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        let taken = Taken::read(&self.inner.store, setup_id, lease.epoch, self.inner.rules).await?;
        let Some(mut taken) = taken.filter(|taken| taken.machine.state.is_active()) else {
            return Ok(());
        };
        let client = match self.client_of(&mut taken).await? {
            Ok(client) => client,
            Err((question, detail)) => {
                // What an earlier worker left on its way would else keep the question from being asked.
                let events = vec![
                    (Event::Recovered, Note::default()),
                    (Event::Ask(question), Note::saying(detail)),
                ];
                return Ok(taken.record(self, events).await?);
            }
        };
        taken
            .record(self, vec![(Event::Recovered, Note::default())])
            .await?;
        Worker::new(self, taken, lease, client).run(stop).await
    }

    /// The client of the setup's environment, or what a person is asked when there is none.
    async fn client_of(
        &self,
        taken: &mut Taken,
    ) -> Result<Result<PlatformClient, (Question, String)>, RunError> {
        let id = &taken.setup.environment_id;
        let environment = store::environments::any_by_id(&self.inner.store, id).await?;
        let environment = environment.ok_or(RunError::NoEnvironment)?;
        let here = self.inner.clients.platform_origin();
        match &taken.setup.platform_origin {
            Some(there) if *there != here => {
                let detail = format!("Its calls went to {there}; this server talks to {here} now.");
                return Ok(Err((Question::OtherPlatform, detail)));
            }
            _ => taken.setup.platform_origin = Some(here),
        }
        let client = self.inner.clients.client_for(&environment.access());
        Ok(client.map_err(|error| (Question::SecretMissing, error.to_string())))
    }

    /// Stops a setup that fails again and again by our own fault, so that nobody waits for it in vain.
    async fn stop_with_fault(&self, setup_id: &str, epoch: i64, fault: &RunError) -> Result<(), RunError> {
        let detail = format!("Headgate failed {FAULTS_MAX} times in a row on it: {fault}.");
        tracing::error!(setup = setup_id, %fault, "a setup is stopped because it fails again and again");
        self.forget_faults(setup_id);
        if let Ok(Some(mut taken)) = Taken::read(&self.inner.store, setup_id, epoch, self.inner.rules).await {
            let events = vec![
                (Event::Recovered, Note::default()),
                (Event::Ask(Question::Fault), Note::saying(detail.clone())),
            ];
            if taken.record(self, events).await.is_ok() {
                return Ok(());
            }
        }
        self.stop_unread(setup_id, epoch, detail).await
    }

    /// The same for rows that the state machine cannot read: they stay as they are, but the setup asks.
    async fn stop_unread(&self, setup_id: &str, epoch: i64, detail: String) -> Result<(), RunError> {
        let Some(mut setup) = store::setups::any_by_id(&self.inner.store, setup_id).await? else {
            return Ok(());
        };
        let now = self.inner.clock.now_ms();
        let entry = NewSetupEvent {
            at: now,
            step: None,
            event: "asked".to_owned(),
            detail: json!({ "event": "Ask(Fault)", "detail": detail }).to_string(),
            epoch,
        };
        setup.state = SetupState::NeedsAttention;
        setup.question = Some(Question::Fault);
        setup.question_detail = Some(detail);
        setup.updated_at = now;
        let mut tx = self.inner.store.begin().await?;
        store::leases::check(&mut tx, &lease_name(setup_id), epoch).await?;
        store::setup_journal::append(&mut tx, setup_id, &entry).await?;
        store::setups::save_setup(&mut tx, &setup).await?;
        tx.commit().await?;
        self.changed(setup_id);
        Ok(())
    }
}
