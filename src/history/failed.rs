//! Noting for people that something could not be read, why, and when it is tried again.

use std::collections::BTreeSet;

use super::ReadError;
use super::reading::Place;
use crate::store::StoreError;
use crate::store::sync_state::{self, FailedTry, SyncState, SyncTopic};

/// The longest text of a problem that is kept, in characters.
const PROBLEM_CHARS: usize = 600;

/// A reading that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// In words for people.
    pub(super) problem: String,
    /// UTC epoch milliseconds.
    pub(super) next_try_at: i64,
    at: i64,
}

impl Failed {
    /// A topic that cannot be read and is tried again after `pause_ms`.
    pub(super) async fn of_topic(place: &Place, topic: SyncTopic, error: &ReadError, pause_ms: i64) -> Self {
        Self::new(place, topic, error, pause_ms, |known| known.problem).await
    }

    /// Older runs that cannot be read and are tried again after `pause_ms`.
    pub(super) async fn of_older_runs(place: &Place, error: &ReadError, pause_ms: i64) -> Self {
        Self::new(place, SyncTopic::Runs, error, pause_ms, |known| {
            known.fill_problem
        })
        .await
    }

    async fn new(
        place: &Place,
        topic: SyncTopic,
        error: &ReadError,
        pause_ms: i64,
        known_problem: impl FnOnce(SyncState) -> Option<String>,
    ) -> Self {
        // That calls are held back is not why they are.
        let known = match error.held_back_for() {
            Some(_) => sync_state::get(place.store(), &place.environment_id, topic).await,
            None => Ok(None),
        };
        let known = known.ok().flatten().and_then(known_problem);
        let at = place.now();
        Self {
            problem: known.unwrap_or_else(|| error.to_string().chars().take(PROBLEM_CHARS).collect()),
            next_try_at: at.saturating_add(pause_ms),
            at,
        }
    }

    /// Notes it for a topic.
    pub(super) async fn note(&self, place: &Place, topic: SyncTopic) {
        let id = &place.environment_id;
        let noted = async {
            let mut tx = place.store().begin().await?;
            sync_state::record_failure(&mut tx, id, topic, self.as_try()).await?;
            tx.commit().await
        };
        complain(noted.await);
    }

    /// Notes it for the runs of the past, and tells those who look.
    pub(super) async fn note_of_older_runs(&self, place: &Place) {
        let id = &place.environment_id;
        let noted = async {
            let mut tx = place.store().begin().await?;
            sync_state::record_fill_failure(&mut tx, id, self.as_try()).await?;
            tx.commit().await
        };
        complain(noted.await);
        place.history.inner.audience.tell(id, BTreeSet::new());
    }

    fn as_try(&self) -> FailedTry<'_> {
        FailedTry {
            problem: &self.problem,
            at: self.at,
            next_try_at: self.next_try_at,
        }
    }
}

fn complain(noted: Result<(), StoreError>) {
    if let Err(error) = noted {
        tracing::error!(%error, "cannot note that a reading failed");
    }
}
