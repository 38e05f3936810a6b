//! Running setups: the heart of the product.
//!
//! [`Setups::start`] turns a draft into rows. A worker ([`run`]) takes a setup over by its lease, asks the pure
//! state machine in [`crate::domain::setup`] what to do, does it at the platform and records what came of it.
//! Nothing about a setup lives only in memory: any process can go on from the rows.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `start` | from a draft to a setup, in one transaction |
//! | `people` | what a person may ask of a setup: resume, undo |
//! | `dispatcher` | finding the setups that have something to do |
//! | `run` | the loop of one worker |
//! | `journal` | recording events under the lease |
//! | `data_lake` | the one connection that setups share |
//! | `points` | where a test can stop a debug build, around the journal |
//! | `sending`, `looking`, `undoing` | one call each, and what its answer means |

mod data_lake;
mod dispatcher;
mod journal;
mod looking;
mod people;
#[cfg(debug_assertions)]
mod points;
mod run;
mod sending;
mod start;
mod undoing;

use std::sync::Arc;

use tokio::sync::{Notify, broadcast, mpsc};

use crate::domain::setup::Rules;
use crate::domain::{SharedClock, new_id};
use crate::platform::Clients;
use crate::store::Store;
use crate::vault::KeyRing;

pub use people::PersonError;
#[cfg(debug_assertions)]
pub use points::Point;
pub use start::{ResolvedDraft, StartError, resolve_draft};

/// How long a worker holds a setup without renewing, in milliseconds.
const LEASE_TTL_MS: i64 = 90_000;

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
            }),
        }
    }

    /// Ids of setups, each time one changes. A receiver that lags should read the setup again.
    pub fn changes(&self) -> broadcast::Receiver<String> {
        self.inner.changes.subscribe()
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
