//! Looking whether the platform still holds exactly what our setups have made.
//!
//! Every object that a setup makes carries a marker. [`Sweep::run`] counts the markers of each setup once after it
//! has finished, and reads each environment as a whole once a day. What does not fit becomes a finding: an object too
//! many, an object that is gone, an object that nobody vouches for. Looking changes nothing at the platform; people
//! decide about each finding, and [`Sweep::delete`] carries their word out.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `rounds` | when what is looked at |
//! | `environment` | one environment as a whole |
//! | `after_setup` | what one setup has made |
//! | `objects` | collections and markers |
//! | `judging` | what a look means: pure |
//! | `recording` | a look into the database |
//! | `deleting` | one object, on a person's word |

mod after_setup;
mod deleting;
mod environment;
mod judging;
mod objects;
mod recording;
mod rounds;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::domain::{SharedClock, new_id};
use crate::platform::{ClientError, Clients, PlatformClient, PlatformError};
use crate::store::environments::Environment;
use crate::store::{Store, StoreError};

pub use after_setup::Counted;
pub use deleting::{DeleteError, Deletion};
pub use environment::Swept;

/// The sweep of all environments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sweep {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clients: Clients,
    clock: SharedClock,
    /// Names this process in leases.
    holder: String,
}

/// Why a look did not come to its end. What it found before is kept.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The platform did not show everything.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// No client for the environment.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The environment, or the setup, belongs to another platform: its ids mean nothing here.
    #[error("it belongs to the platform at {theirs}, and this server talks to {ours}")]
    OtherPlatform {
        /// The origin that it belongs to.
        theirs: String,
        /// The origin that is called.
        ours: String,
    },
    /// What was to be looked at is not there.
    #[error("the environment or the setup is gone")]
    Gone,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl Sweep {
    /// Nothing is looked at before [`Self::run`].
    pub fn new(store: Store, clients: Clients, clock: SharedClock) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                clients,
                clock,
                holder: new_id(),
            }),
        }
    }

    /// The client of an environment, unless its ids belong to another platform.
    fn client(&self, environment: &Environment) -> Result<PlatformClient, SweepError> {
        let (ours, theirs) = (self.inner.clients.platform_origin(), &environment.platform_origin);
        if *theirs != ours {
            let theirs = theirs.clone();
            return Err(SweepError::OtherPlatform { theirs, ours });
        }
        Ok(self.inner.clients.client_for(&environment.access())?)
    }

    /// UTC epoch milliseconds.
    fn now(&self) -> i64 {
        self.inner.clock.now_ms()
    }
}

/// Waits for the platform, but not when the server is stopping.
async fn unless_stopping<T>(
    stop: &CancellationToken,
    answer: impl Future<Output = Result<T, PlatformError>>,
) -> Result<T, SweepError> {
    tokio::select! {
        () = stop.cancelled() => Err(SweepError::Stopping),
        answer = answer => answer.map_err(Into::into),
    }
}
