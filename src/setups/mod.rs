//! Running setups: the heart of the product.
//!
//! [`Setups::start`] turns a draft into rows. A worker ([`run`]) takes a setup over by its lease, asks the pure
//! state machine in [`crate::domain::setup`] what to do, does it at the platform and records what came of it.
//! Nothing about a setup lives only in memory: any process can go on from the rows.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `start` | from a draft to a setup, in one transaction |
//! | `people`, `changing` | what a person may decide: go on, with other answers, take back, keep, leave |
//! | `dispatcher` | finding the setups that have something to do |
//! | `run` | taking a setup over, and what becomes of workers that fail |
//! | `lease` | the right of one worker to write and to send |
//! | `worker` | the loop of one worker |
//! | `journal`, `audited` | recording events under the lease, and what the audit trail tells of them |
//! | `data_lake` | the one connection that setups share |
//! | `points` | where a test can stop a debug build, around the journal |
//! | `sending`, `looking`, `undoing` | one call each, and what its answer means |

mod audited;
mod changing;
mod data_lake;
mod dispatcher;
mod journal;
mod lease;
mod looking;
mod people;
#[cfg(debug_assertions)]
mod points;
mod run;
mod sending;
mod start;
mod undoing;
mod worker;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, broadcast, mpsc};

use crate::domain::setup::Rules;
use crate::domain::{SharedClock, new_id};
use crate::platform::Clients;
use crate::store::Store;
use crate::vault::KeyRing;

pub use changing::{ChangeError, NewAnswers};
pub use people::{Decision, PersonError};
#[cfg(debug_assertions)]
pub use points::Point;
pub use start::{QueueFull, ResolvedDraft, StartError, resolve_draft};

/// Everything that makes dataflows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Setups {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    vault: Arc<KeyRing>,
    clients: Clients,
    clock: SharedClock,
    rules: Rules,
    /// Names this process in leases.
    holder: String,
    /// Wakes the dispatcher.
    work: Notify,
    /// Tells open pages which setup changed.
    changes: broadcast::Sender<String>,
    /// Tells the history which environment has a new dataflow.
    finished: mpsc::Sender<String>,
    /// Leases of ended workers that could not be given up.
    unreleased: Mutex<Vec<(String, i64)>>,
    /// Failures in a row, by setup.
    faults: Mutex<HashMap<String, u32>>,
    /// Failures of workers since the start.
    faults_counted: AtomicU64,
}

impl Inner {
    /// How long after a call became unclear its object may still turn up for somebody who looks, in milliseconds.
    fn patience_ms(&self) -> i64 {
        let longest_call = self.clients.change_timeout();
        let longest_call = i64::try_from(longest_call.as_millis()).unwrap_or(i64::MAX / 2);
        self.rules.settle_ms.saturating_add(longest_call)
    }
}

impl Setups {
    /// `finished` receives the id of an environment whenever a dataflow was made there.
    pub fn new(
        store: Store,
        vault: Arc<KeyRing>,
        clients: Clients,
        clock: SharedClock,
        rules: Rules,
        finished: mpsc::Sender<String>,
    ) -> Self {
        let (changes, _) = broadcast::channel(256);
        let (holder, work) = (new_id(), Notify::new());
        Self {
            inner: Arc::new(Inner {
                store,
                vault,
                clients,
                clock,
                rules,
                holder,
                work,
                changes,
                finished,
                unreleased: Mutex::default(),
                faults: Mutex::default(),
                faults_counted: AtomicU64::new(0),
            }),
        }
    }

    /// Ids of setups, each time one changes. A receiver that lags should read the setup again.
    pub fn changes(&self) -> broadcast::Receiver<String> {
        self.inner.changes.subscribe()
    }

    /// The figures by which unknown outcomes are settled.
    pub fn rules(&self) -> Rules {
        self.inner.rules
    }

    /// How often a worker panicked, hung or met rows that it cannot read, since the start.
    pub fn faults(&self) -> u64 {
        self.inner.faults_counted.load(Ordering::Relaxed)
    }

    /// Counts a failure of a setup's worker; gives how many there were in a row.
    fn count_fault(&self, setup_id: &str) -> u32 {
        self.inner.faults_counted.fetch_add(1, Ordering::Relaxed);
        let mut faults = self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let count = faults.entry(setup_id.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn forget_faults(&self, setup_id: &str) {
        let mut faults = self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.remove(setup_id);
    }

    fn unreleased(&self) -> MutexGuard<'_, Vec<(String, i64)>> {
        self.inner
            .unreleased
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, setup_id: &str) {
        // Nobody may be listening, which is fine.
        let _ = self.inner.changes.send(setup_id.to_owned());
    }
}

/// The name of the lease under which a setup is run.
fn lease_name(setup_id: &str) -> String {
    format!("setup:{setup_id}")
}
