//! Who looks at which environment, and who is told when something was stored.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, oneshot};

use super::History;
use crate::store::{self, StoreError};

/// The longest time between the ends of two readings of an environment that somebody looks at, in milliseconds.
pub const WATCHED_MS: i64 = 4_000;
/// Changes that a slow receiver may lag behind before it misses some.
const CHANGES_KEPT: usize = 256;
/// How long somebody waits for a reading that he asked for.
const REFRESH_PATIENCE: Duration = Duration::from_secs(60);

/// Something that pages show was stored, or a reading ended.
#[derive(Clone, Debug)]
pub struct HistoryChange {
    /// Where.
    pub environment_id: String,
    /// Flows of which a row or run changed; empty: only the time of reading, or a failure.
    pub flow_ids: Arc<BTreeSet<String>>,
}

/// Why a reading that somebody asked for brought nothing. What was known stays.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// It is archived, or not there.
    #[error("this environment is not read from the platform any more")]
    NotRead,
    /// The reading failed, and this is why.
    #[error("{0}")]
    Failed(String),
    /// Nobody knows yet.
    #[error("the reading has not ended within a minute; it goes on by itself")]
    Unfinished,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody looks at an environment, or at one flow of it, for as long as this lives.
#[derive(Debug)]
pub struct WatchGuard {
    attention: Arc<Attention>,
    flow_id: Option<String>,
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        let mut watchers = whole(&self.attention.watchers);
        if let Some(number) = watchers.get_mut(&self.flow_id) {
            *number -= 1;
            if *number == 0 {
                watchers.remove(&self.flow_id);
            }
        }
    }
}

/// All who look and listen.
#[derive(Debug)]
pub(super) struct Audience {
    changes: broadcast::Sender<HistoryChange>,
    by_environment: Mutex<HashMap<String, Arc<Attention>>>,
}

/// Who looks at one environment, and who waits for a reading of it.
#[derive(Debug, Default)]
pub(super) struct Attention {
    /// How many look at a flow or, without its id, at all flows.
    watchers: Mutex<HashMap<Option<String>, usize>>,
    pub(super) flows: Desk,
    pub(super) runs: Desk,
}

/// Where readings of one topic are asked for.
#[derive(Debug, Default)]
pub(super) struct Desk {
    wake: Notify,
    asked: Mutex<Vec<Waiting>>,
}

/// Somebody who waits for the end of a reading, and perhaps its problem.
pub(super) type Waiting = oneshot::Sender<Result<(), String>>;

impl Default for Audience {
    fn default() -> Self {
        Self {
            changes: broadcast::Sender::new(CHANGES_KEPT),
            by_environment: Mutex::default(),
        }
    }
}

impl Audience {
    pub(super) fn attention(&self, environment_id: &str) -> Arc<Attention> {
        let mut known = whole(&self.by_environment);
        Arc::clone(known.entry(environment_id.to_owned()).or_default())
    }

    /// Nobody may listen.
    pub(super) fn tell(&self, environment_id: &str, flow_ids: BTreeSet<String>) {
        // An error only says that nobody listens.
        let _ = self.changes.send(HistoryChange {
            environment_id: environment_id.to_owned(),
            flow_ids: Arc::new(flow_ids),
        });
    }
}

impl Attention {
    pub(super) fn is_watched(&self) -> bool {
        !whole(&self.watchers).is_empty()
    }

    /// The flows at which somebody looks in particular.
    pub(super) fn watched_flows(&self) -> HashSet<String> {
        whole(&self.watchers).keys().flatten().cloned().collect()
    }
}

impl Desk {
    /// Asks for a reading that begins from now on.
    fn ask(&self) -> oneshot::Receiver<Result<(), String>> {
        let (waiting, answer) = oneshot::channel();
        whole(&self.asked).push(waiting);
        self.wake.notify_one();
        answer
    }

    /// Asks for a reading for whose end nobody waits.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends when a reading is asked for.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Those who asked before the reading that begins now.
    pub(super) fn take_waiting(&self) -> Vec<Waiting> {
        std::mem::take(&mut whole(&self.asked))
    }
}

impl History {
    /// All changes from now on. Who lags behind misses the oldest and is told so by the channel.
    pub fn changes(&self) -> broadcast::Receiver<HistoryChange> {
        self.inner.audience.changes.subscribe()
    }

    /// While the guard lives, somebody looks at this environment: its runs are read at least every [`WATCHED_MS`],
    /// whatever the audience; else at the usual pace. The unfinished runs of a flow that is looked at come first.
    pub fn watch(&self, environment_id: &str, flow_id: Option<&str>) -> WatchGuard {
        let guard = WatchGuard {
            attention: self.inner.audience.attention(environment_id),
            flow_id: flow_id.map(str::to_owned),
        };
        let mut watchers = whole(&guard.attention.watchers);
        *watchers.entry(guard.flow_id.clone()).or_default() += 1;
        drop(watchers);
        guard
    }

    /// Reads an environment at once, together with whoever else asks for it, and answers when that reading has
    /// ended.
    ///
    /// # Errors
    /// With the problem if it failed; the last known state stays. A reading that takes longer than a minute goes on
    /// without the one who asked.
    pub async fn refresh(&self, environment_id: &str) -> Result<(), RefreshError> {
        let environment = store::environments::any_by_id(&self.inner.store, environment_id).await?;
        if environment.is_none_or(|environment| environment.archived_at.is_some()) {
            return Err(RefreshError::NotRead);
        }
        let attention = self.inner.audience.attention(environment_id);
        let both = async { tokio::join!(attention.flows.ask(), attention.runs.ask()) };
        match tokio::time::timeout(REFRESH_PATIENCE, both).await {
            Ok((Ok(flows), Ok(runs))) => flows.and(runs).map_err(RefreshError::Failed),
            Ok(_) | Err(_) => Err(RefreshError::Unfinished),
        }
    }
}

fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is complete before anything could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
