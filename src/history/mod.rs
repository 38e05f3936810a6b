//! Mirroring flows and runs, so that pages are quick, show their age, and survive the platform.
//!
//! [`History::run`] looks at every environment again and again: which flows are listed, which runs started
//! lately, what became of the unfinished ones. A failed reading is noted with its reason and erases nothing.
//! [`History::switch`] enables and disables a flow on a person's word.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `audience` | who looks, and who is told of changes |
//! | `rounds` | when which environment is read |
//! | `flow_list` | reading an environment's flows |
//! | `connections` | what a flow's connections say about it |
//! | `run_windows` | reading an environment's runs by their start |
//! | `unfinished` | following runs until they end |
//! | `flow_by_flow` | the way where runs cannot be listed by their start |
//! | `records` | from the platform's objects to rows |
//! | [`stages`], [`run_errors`] | the stages and files of a run; what went wrong in it |
//! | `switching` | enabling and disabling |
//! | [`run_requests`] | asking for a run |

mod audience;
mod connections;
mod flow_by_flow;
mod flow_list;
mod records;
mod rounds;
pub mod run_errors;
pub mod run_requests;
mod run_windows;
pub mod stages;
mod switching;
mod unfinished;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use crate::domain::SharedClock;
use crate::platform::{ClientError, Clients, PlatformError};
use crate::store::{Store, StoreError};

pub use audience::{HistoryChange, RefreshError, WATCHED_MS, WatchGuard};
pub use switching::{Switch, SwitchError, Switched};

/// The mirror of all environments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct History {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clients: Clients,
    clock: SharedClock,
    interval_ms: i64,
    audience: audience::Audience,
    /// Ids of environments to be read at once.
    to_read: Mutex<mpsc::Receiver<String>>,
}

impl History {
    /// Reads each environment every `interval`, and at once when its id comes in by `to_read`.
    pub fn new(
        store: Store,
        clients: Clients,
        clock: SharedClock,
        interval: Duration,
        to_read: mpsc::Receiver<String>,
    ) -> Self {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        let to_read = Mutex::new(to_read);
        Self {
            inner: Arc::new(Inner {
                store,
                clients,
                clock,
                interval_ms,
                audience: audience::Audience::default(),
                to_read,
            }),
        }
    }
}

/// Why a reading did not come to its end. What was read before it stays.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the server is stopping")]
    Stopping,
}

impl ReadError {
    /// Whether the credential is the cause, which a person must mend.
    fn is_about_the_credential(&self) -> bool {
        match self {
            Self::Client(_) => true,
            Self::Platform(error) => {
                matches!(error, PlatformError::Auth { .. }) || matches!(error.status(), Some(401 | 403))
            }
            Self::Store(_) | Self::Stopping => false,
        }
    }
}
