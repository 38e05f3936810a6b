//! What the tasks of an environment share.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::audience::Attention;
use super::budget::Budget;
use super::flow_by_flow::ListedFlows;
use super::followers::Pulse;
use super::{History, ReadError, records};
use crate::platform::{PlatformClient, Run};
use crate::store::environments::Environment;
use crate::store::runs::{self, Changed};
use crate::store::sync_state::{self, SyncTopic};
use crate::store::{self, MirroredRun, Store};

/// A call that takes longer than all its retries may is given up.
const LONGEST_CALL: Duration = Duration::from_secs(300);
/// A way that the platform refused is tried again after this long.
const REFUSAL_LASTS_MS: i64 = 3_600_000;
/// Seconds' worth of calls that may be made at once after a quiet time.
const STEADY_RESERVE_S: u32 = 30;
const FILL_RESERVE_S: u32 = 1;

/// One environment, for as long as this process follows it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) history: History,
    pub(super) environment_id: String,
    pub(super) attention: Arc<Attention>,
    steady: Budget,
    filling: Budget,
    /// What the list of flows told last.
    listed: Mutex<ListedFlows>,
    /// There is something to fill, or more of it.
    pub(super) to_fill: Notify,
    /// Whether the newest runs were read once.
    pub(super) is_begun: AtomicBool,
    by_start: Refusal,
    pub(super) by_ids: Refusal,
}

/// A way of listing that the platform may refuse, for a while.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    until: AtomicI64,
}

impl Refusal {
    pub(super) fn holds(&self, now: i64) -> bool {
        now < self.until.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, now: i64) {
        self.until.store(now + REFUSAL_LASTS_MS, Ordering::Relaxed);
    }
}

/// What a call is for, which decides when it may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The newest runs: made at once, others wait.
    News,
    /// Keeping a filled history up to date.
    Upkeep,
    /// Learning the past.
    Filling,
}

/// One task's access to the platform and the store, with the environment as it was a moment ago.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) place: Arc<Place>,
    pub(super) environment: Environment,
    pub(super) client: PlatformClient,
    pulse: Arc<Pulse>,
    stop: CancellationToken,
    purpose: Purpose,
}

/// What is noted in the transaction that stores runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Note {
    Nothing,
    /// Everything that started before this is stored, but for what is still to be filled, given by where that is
    /// begun and its goal if it is new.
    Read {
        up_to: i64,
        to_fill: Option<(i64, i64)>,
    },
    /// The history is filled from here to there.
    Filled {
        from: i64,
        to: i64,
    },
}

impl Place {
    pub(super) fn new(history: History, environment_id: String) -> Self {
        let (clock, pace) = (&history.inner.clock, history.inner.pace);
        Self {
            attention: history.inner.audience.attention(&environment_id),
            steady: Budget::new(Arc::clone(clock), pace.calls_per_second, STEADY_RESERVE_S),
            filling: Budget::new(Arc::clone(clock), pace.fill_calls_per_second, FILL_RESERVE_S),
            listed: Mutex::default(),
            to_fill: Notify::new(),
            is_begun: AtomicBool::new(false),
            by_start: Refusal::default(),
            by_ids: Refusal::default(),
            history,
            environment_id,
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.history.inner.store
    }

    /// UTC epoch milliseconds.
    pub(super) fn now(&self) -> i64 {
        self.history.inner.clock.now_ms()
    }

    pub(super) fn listed(&self) -> MutexGuard<'_, ListedFlows> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether runs are to be listed flow by flow, because the platform refused to list them by their start.
    pub(super) fn is_flow_by_flow(&self) -> bool {
        self.by_start.holds(self.now())
    }

    pub(super) fn go_flow_by_flow(&self) {
        tracing::warn!(environment = %self.environment_id, "the platform does not list runs by their start");
        self.by_start.begin(self.now());
    }

    /// Access with the credential as it is now; none: the environment is not there any more.
    pub(super) async fn reading(
        self: &Arc<Self>,
        purpose: Purpose,
        pulse: &Arc<Pulse>,
        stop: &CancellationToken,
    ) -> Result<Option<Reading>, ReadError> {
        let found = store::environments::any_by_id(self.store(), &self.environment_id).await?;
        let Some(environment) = found else {
            return Ok(None);
        };
        Ok(Some(Reading {
            client: self.history.inner.clients.client_for(&environment.access())?,
            place: Arc::clone(self),
            environment,
            pulse: Arc::clone(pulse),
            stop: stop.clone(),
            purpose,
        }))
    }
}

impl Reading {
    pub(super) fn store(&self) -> &Store {
        self.place.store()
    }

    pub(super) fn now(&self) -> i64 {
        self.place.now()
    }

    pub(super) fn with_purpose(&self, purpose: Purpose) -> Self {
        Self {
            purpose,
            ..self.clone()
        }
    }

    /// Makes one call of the platform when the budget allows it, but not when the server is stopping.
    pub(super) async fn call<T, E: Into<ReadError>>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ReadError> {
        self.afford().await?;
        let answer = tokio::select! {
            () = self.stop.cancelled() => return Err(ReadError::Stopping),
            answer = tokio::time::timeout(LONGEST_CALL, answer) => answer,
        };
        self.pulse.beat();
        answer.map_err(|_| ReadError::TooLong)?.map_err(Into::into)
    }

    async fn afford(&self) -> Result<(), ReadError> {
        let budget = match self.purpose {
            Purpose::News => {
                self.place.steady.charge();
                return Ok(());
            }
            Purpose::Upkeep => &self.place.steady,
            Purpose::Filling => &self.place.filling,
        };
        while let Err(wait_ms) = budget.take() {
            self.pulse.beat();
            tokio::select! {
                () = self.stop.cancelled() => return Err(ReadError::Stopping),
                () = tokio::time::sleep(Duration::from_millis(wait_ms.min(1_000))) => {}
            }
        }
        Ok(())
    }

    /// The rows of runs read now.
    pub(super) fn rows(&self, read: &[Run]) -> Vec<MirroredRun> {
        let (id, now) = (&self.environment.id, self.now());
        read.iter().map(|run| records::run_row(id, run, now)).collect()
    }

    /// Stores runs together with what follows from them and what is noted, and tells of it.
    pub(super) async fn keep(&self, rows: &[MirroredRun], note: Note) -> Result<Changed, ReadError> {
        if rows.is_empty() && matches!(note, Note::Nothing) {
            return Ok(Changed::default());
        }
        let (id, topic) = (&self.environment.id, SyncTopic::Runs);
        let mut tx = self.store().begin().await?;
        let changed = runs::upsert_many(&mut tx, rows).await?;
        match note {
            Note::Nothing => {}
            Note::Read { up_to, to_fill } => {
                sync_state::record_success(&mut tx, id, topic, up_to, self.now()).await?;
                match to_fill {
                    Some((from, goal)) => sync_state::begin_fill(&mut tx, id, topic, from, goal).await?,
                    // Where nothing is to be filled, nothing can fail to be.
                    None => sync_state::end_fill_failure(&mut tx, id).await?,
                }
            }
            Note::Filled { from, to } => {
                if !sync_state::move_fill(&mut tx, id, topic, from, to).await? {
                    return Err(ReadError::FilledByOthers);
                }
            }
        }
        tx.commit().await?;
        self.pulse.beat();
        if !changed.flow_ids.is_empty() {
            self.tell(changed.flow_ids.clone());
        }
        Ok(changed)
    }

    /// Marks runs that the platform does not know any more.
    pub(super) async fn keep_gone(&self, ids: &[String]) -> Result<(), ReadError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = self.store().begin().await?;
        let flow_ids = runs::mark_gone(&mut tx, &self.environment.id, ids, self.now()).await?;
        tx.commit().await?;
        self.tell(flow_ids);
        Ok(())
    }

    pub(super) fn tell(&self, flow_ids: std::collections::BTreeSet<String>) {
        let audience = &self.place.history.inner.audience;
        audience.tell(&self.environment.id, flow_ids);
    }
}
