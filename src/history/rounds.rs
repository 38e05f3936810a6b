//! When which environment is read: each has a task of its own, and a few of them read at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::audience::{Attention, WATCHED_MS};
use super::connections::Connections;
use super::flow_by_flow::FlowByFlow;
use super::run_windows::Windows;
use super::unfinished::Unfinished;
use super::{History, ReadError};
use crate::platform::PlatformClient;
use crate::store::environments::Environment;
use crate::store::sync_state::{self, SyncTopic};
use crate::store::{self, StoreError};

/// Environments that are read side by side.
const AT_ONCE: usize = 4;
/// How often it is looked which environments there are, and whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// First pause after a failure, in milliseconds; it doubles up to the longest.
const FAILURE_PAUSE_MS: i64 = 5_000;
/// The same after the credential was refused, which only a person can mend.
const CREDENTIAL_PAUSE_MS: i64 = 30_000;
const LONGEST_PAUSE_MS: i64 = 300_000;
/// The longest text of a problem that is kept, in characters.
const PROBLEM_CHARS: usize = 600;

/// What is remembered of an environment between two readings. All of it can be found out again.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) connections: Option<Connections>,
    pub(super) windows: Windows,
    pub(super) unfinished: Unfinished,
    pub(super) flow_by_flow: FlowByFlow,
    /// When the list of flows is read again (UTC epoch milliseconds).
    pub(super) flows_due_at: i64,
    failures: u32,
}

/// One reading of one environment.
pub(super) struct Reading<'a> {
    pub(super) history: &'a History,
    pub(super) environment: &'a Environment,
    pub(super) client: PlatformClient,
    pub(super) stop: &'a CancellationToken,
}

/// The task of one environment. Dropping it stops the task softly.
struct Follower {
    task: JoinHandle<()>,
    attention: Arc<Attention>,
    _stop: DropGuard,
}

impl History {
    /// Reads environments until `stop` is cancelled, then waits for the readings on their way. `beat` is called
    /// on each look.
    pub async fn run(&self, stop: CancellationToken, beat: impl Fn() + Send) {
        if let Err(error) = self.give_up_old_wishes().await {
            tracing::error!(%error, "cannot note what became of runs that were asked for");
        }
        let mut to_read = self.inner.to_read.lock().await;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut followers: HashMap<String, Follower> = HashMap::new();
        while !stop.is_cancelled() {
            beat();
            match store::environments::list_all_active(&self.inner.store).await {
                Ok(environments) => {
                    followers.retain(|id, follower| {
                        !follower.task.is_finished() && environments.iter().any(|e| e.id == *id)
                    });
                    for Environment { id, .. } in environments {
                        followers
                            .entry(id)
                            .or_insert_with_key(|id| self.clone().follower(id.clone(), &places, &stop));
                    }
                }
                Err(error) => tracing::error!(%error, "cannot read which environments there are"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(id) = to_read.recv() => if let Some(follower) = followers.get(&id) { follower.attention.runs.wake() },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        join_all(followers.into_values().map(|follower| follower.task)).await;
    }

    fn follower(self, id: String, places: &Arc<Semaphore>, stop: &CancellationToken) -> Follower {
        let (attention, stop) = (self.inner.audience.attention(&id), stop.child_token());
        let (woken, places, stopping) = (Arc::clone(&attention), Arc::clone(places), stop.clone());
        let task = tokio::spawn(async move { self.follow(&id, &woken, &places, &stopping).await });
        Follower {
            task,
            attention,
            _stop: stop.drop_guard(),
        }
    }

    async fn follow(&self, id: &str, attention: &Attention, places: &Semaphore, stop: &CancellationToken) {
        let mut memory = Memory::default();
        while !stop.is_cancelled() {
            // What is read has to be stored.
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.store.writable_again() => {}
            }
            let Ok(place) = places.acquire().await else { return };
            let waiting = attention
                .flows
                .take_waiting()
                .into_iter()
                .chain(attention.runs.take_waiting());
            let pause_ms = match store::environments::any_by_id(&self.inner.store, id).await {
                Ok(Some(environment)) => self.read(&environment, &mut memory, stop).await,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(environment = id, %error, "cannot read an environment");
                    FAILURE_PAUSE_MS
                }
            };
            drop(place);
            self.inner.audience.tell(id, BTreeSet::new());
            waiting.for_each(|waiting| drop(waiting.send(Ok(()))));
            let ended_at = self.inner.clock.now_ms();
            let due_at = || {
                let most = if attention.is_watched() {
                    WATCHED_MS
                } else {
                    i64::MAX
                };
                ended_at.saturating_add(pause_ms.min(most))
            };
            while self.inner.clock.now_ms() < due_at() && !stop.is_cancelled() {
                let left = u64::try_from(due_at() - self.inner.clock.now_ms()).unwrap_or(0);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = attention.runs.woken() => { memory.flows_due_at = 0; break }
                    () = tokio::time::sleep(LOOK_EVERY.min(Duration::from_millis(left))) => {}
                }
            }
        }
    }

    /// Reads an environment once and says how long to wait, in milliseconds.
    async fn read(&self, environment: &Environment, memory: &mut Memory, stop: &CancellationToken) -> i64 {
        match self.read_topics(environment, memory, stop).await {
            Ok(()) => {
                memory.failures = 0;
                self.inner.interval_ms
            }
            Err((_, ReadError::Stopping)) => 0,
            Err((topic, error)) => {
                memory.failures += 1;
                let pause_ms = pause_after(&error, memory.failures).max(self.inner.interval_ms);
                tracing::warn!(environment = %environment.name, %topic, %error, pause_ms, "cannot read from the platform");
                if let Err(error) = self.note_failure(environment, topic, &error).await {
                    tracing::error!(%error, "cannot note that a reading failed");
                }
                pause_ms
            }
        }
    }

    async fn read_topics(
        &self,
        environment: &Environment,
        memory: &mut Memory,
        stop: &CancellationToken,
    ) -> Result<(), (SyncTopic, ReadError)> {
        let client = self.inner.clients.client_for(&environment.access());
        let client = client.map_err(|error| (SyncTopic::Flows, error.into()))?;
        let reading = Reading {
            history: self,
            environment,
            client,
            stop,
        };
        if memory.flows_due_at <= self.inner.clock.now_ms() {
            reading
                .flows(memory)
                .await
                .map_err(|error| (SyncTopic::Flows, error))?;
        }
        reading
            .runs(memory)
            .await
            .map_err(|error| (SyncTopic::Runs, error))
    }

    async fn note_failure(
        &self,
        environment: &Environment,
        topic: SyncTopic,
        error: &ReadError,
    ) -> Result<(), StoreError> {
        let problem: String = error.to_string().chars().take(PROBLEM_CHARS).collect();
        let mut tx = self.inner.store.begin().await?;
        let now = self.inner.clock.now_ms();
        sync_state::record_failure(&mut tx, &environment.id, topic, &problem, now).await?;
        tx.commit().await
    }
}

fn pause_after(error: &ReadError, failures: u32) -> i64 {
    let first = if error.is_about_the_credential() {
        CREDENTIAL_PAUSE_MS
    } else {
        FAILURE_PAUSE_MS
    };
    first
        .saturating_mul(1 << failures.saturating_sub(1).min(10))
        .min(LONGEST_PAUSE_MS)
}

impl Reading<'_> {
    /// UTC epoch milliseconds.
    pub(super) fn now(&self) -> i64 {
        self.history.inner.clock.now_ms()
    }

    /// Waits for the platform, but not when the server is stopping.
    pub(super) async fn unless_stopping<T, E: Into<ReadError>>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ReadError> {
        tokio::select! {
            () = self.stop.cancelled() => Err(ReadError::Stopping),
            answer = answer => answer.map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn pauses_grow_and_end() {
        let error = ReadError::Store(StoreError::Busy);
        let pauses: Vec<i64> = (1..9).map(|failures| pause_after(&error, failures)).collect();
        assert_eq!(
            pauses,
            [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]
        );
        assert_eq!(pause_after(&error, u32::MAX), 300_000);
    }
}
