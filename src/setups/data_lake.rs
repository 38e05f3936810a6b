//! The data lake connection: one per environment, got or made, shared by all setups.
//!
//! Two setups never make it at once: the intent of its create is committed only in a transaction that sees no
//! other setup of the environment whose own create may have acted, and no connection that is known by then.

use super::journal::{Note, RecordError};
use super::looking;
use super::run::RunError;
use super::sending::NotReady;
use super::worker::{Landed, Worker};
use crate::domain::setup::{Event, StepKind, StepState};
use crate::platform::{ObjectKind, PlatformClient};
use crate::store;

const KIND: StepKind = StepKind::DataLakeConnection;
/// How long a setup stands back while another one makes the connection, in milliseconds: long enough for its worker to
/// be free for others meanwhile.
const STAND_BACK_MS: i64 = 3_000;

impl Worker<'_> {
    /// Takes the connection that the environment knows, finds one, waits for another setup, or makes one.
    pub(super) async fn get_data_lake(&mut self) -> Result<(), RunError> {
        let id = &self.taken.setup.environment_id;
        let environment = store::environments::any_by_id(&self.setups.inner.store, id).await?;
        if let Some(known) = environment.and_then(|e| e.data_lake_connection_id) {
            self.no_data_lake = false;
            self.check_known(known);
        } else if self.no_data_lake {
            self.make_data_lake().await?;
        } else {
            let search = looking::search(&self.taken, KIND).ok_or(NotReady::Damaged)?;
            self.fly_look_up(search);
        }
        Ok(())
    }

    /// What a look-up means. `None`: nothing is to be recorded, because the connection was not sent yet.
    pub(super) fn before_the_data_lake_is_made(&mut self, event: Event, note: Note) -> Option<(Event, Note)> {
        let is_planned = self
            .taken
            .machine
            .step(KIND)
            .is_some_and(|s| s.state == StepState::Planned);
        if event == Event::FoundNothing(KIND) && is_planned {
            self.no_data_lake = true;
            return None;
        }
        Some((event, note))
    }

    /// Somebody may have deleted the connection that the environment remembers.
    fn check_known(&mut self, id: String) {
        let client = self.client.clone();
        self.fly(KIND, async move { known(&client, id).await });
    }

    /// The connection that the environment remembers is gone: it is looked for anew.
    pub(super) async fn forget_data_lake(&mut self, id: &str) -> Result<(), RunError> {
        let mut tx = self.setups.inner.store.begin().await?;
        let environment_id = &self.taken.setup.environment_id;
        store::environments::forget_data_lake_connection(&mut tx, environment_id, id).await?;
        Ok(tx.commit().await?)
    }

    async fn make_data_lake(&mut self) -> Result<(), RunError> {
        match self.send(&[KIND]).await {
            Err(RunError::Record(RecordError::OthersTurn)) => {
                // What the look-up said may be outdated when this setup comes back.
                self.no_data_lake = false;
                let retry_at = self.setups.inner.clock.now_ms() + STAND_BACK_MS;
                let event = Event::Postponed { step: KIND, retry_at };
                Ok(self
                    .taken
                    .record(self.setups, vec![(event, Note::default())])
                    .await?)
            }
            other => other,
        }
    }
}

async fn known(client: &PlatformClient, id: String) -> Landed {
    match client.object(ObjectKind::Connection, &id).await {
        Ok(found) if found.is_data_lake() => {
            let confirmed = Event::Confirmed {
                step: KIND,
                id,
                adopted: true,
            };
            Landed::Event(confirmed, Note::default())
        }
        Ok(_) => Landed::DataLakeGone(id),
        Err(error) if error.is_not_found() => Landed::DataLakeGone(id),
        Err(error) => Landed::Event(Event::CouldNotLook(KIND), Note::saying(error.to_string())),
    }
}
