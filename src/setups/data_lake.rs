//! The data lake connection: one per environment, got or made under a lock, shared by all setups.

use std::time::Duration;

use super::journal::Note;
use super::run::{Landed, RunError, Worker};
use crate::domain::setup::{Event, Question, StepKind, StepState};
use crate::store::{self, StoreError};

/// How long one setup may keep the others waiting, in milliseconds.
const LOCK_TTL_MS: i64 = 90_000;
const PAUSE: Duration = Duration::from_millis(250);
/// Look-ups that fail before a person is asked.
const FAILED_LOOKS_MAX: u32 = 5;

/// What this worker knows of the connection before it is made.
#[derive(Debug, Default)]
pub(super) struct DataLake {
    /// Epoch of the lock, once it is held.
    lock: Option<i64>,
    /// A complete look-up under the lock found none.
    absent: bool,
    failed_looks: u32,
}

impl Worker<'_> {
    /// Whether the create may leave now. Before that, the connection is taken from the environment, waited for,
    /// or looked for.
    pub(super) async fn data_lake_may_be_sent(&mut self) -> Result<bool, RunError> {
        let kind = StepKind::DataLakeConnection;
        let environment_id = self.taken.setup.environment_id.clone();
        let environment = store::environments::any_by_id(&self.setups.inner.store, &environment_id).await?;
        if let Some(id) = environment.and_then(|e| e.data_lake_connection_id) {
            let event = Event::Confirmed {
                step: kind,
                id,
                adopted: true,
            };
            self.taken
                .record(self.setups, vec![(event, Note::default())])
                .await?;
            self.fly(kind, async { Landed::Waited });
            return Ok(false);
        }
        if self.data_lake.lock.is_none() && !self.lock_data_lake().await? {
            self.fly(kind, async {
                tokio::time::sleep(PAUSE).await;
                Landed::Waited
            });
            return Ok(false);
        }
        if !self.data_lake.absent {
            self.start_look_up(kind)?;
        }
        Ok(self.data_lake.absent)
    }

    /// What a look-up means. `None`: nothing is to be recorded, because the connection was not sent yet.
    pub(super) fn before_the_data_lake_is_made(&mut self, event: Event, note: Note) -> Option<(Event, Note)> {
        let kind = StepKind::DataLakeConnection;
        let is_planned = self
            .taken
            .machine
            .step(kind)
            .is_some_and(|s| s.state == StepState::Planned);
        match event {
            Event::FoundNothing(step) if step == kind && is_planned => {
                self.data_lake.absent = true;
                None
            }
            Event::CouldNotLook(step) if step == kind && is_planned => {
                self.data_lake.failed_looks += 1;
                if self.data_lake.failed_looks >= FAILED_LOOKS_MAX {
                    return Some((Event::Ask(Question::CannotLook), note));
                }
                self.fly(kind, async {
                    tokio::time::sleep(PAUSE).await;
                    Landed::Waited
                });
                None
            }
            other => Some((other, note)),
        }
    }

    /// Keeps the id with the environment for all setups to come, and lets the next one go on.
    pub(super) async fn remember_data_lake(&mut self, event: &Event) -> Result<(), RunError> {
        let mut tx = self.setups.inner.store.begin().await?;
        if let Event::Confirmed { id, .. } = event {
            store::environments::set_data_lake_connection(&mut tx, &self.taken.setup.environment_id, id)
                .await?;
        }
        if let Some(epoch) = self.data_lake.lock.take() {
            store::leases::release(&mut tx, &self.lock_name(), &self.taken.setup.id, epoch).await?;
        }
        self.data_lake.absent = false;
        tx.commit().await?;
        Ok(())
    }

    async fn lock_data_lake(&mut self) -> Result<bool, StoreError> {
        let now = self.setups.inner.clock.now_ms();
        let holder = self.taken.setup.id.clone();
        let mut tx = self.setups.inner.store.begin().await?;
        self.data_lake.lock =
            store::leases::acquire(&mut tx, &self.lock_name(), &holder, now, LOCK_TTL_MS).await?;
        tx.commit().await?;
        Ok(self.data_lake.lock.is_some())
    }

    fn lock_name(&self) -> String {
        format!("data_lake:{}", self.taken.setup.environment_id)
    }
}
