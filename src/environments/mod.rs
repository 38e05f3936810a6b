//! Environments: one Adobe organization, sandbox and API credential of a team.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `form` | what people type, and what is wrong with it |
//! | `change` | adding, changing, archiving |
//! | `check` | finding out step by step whether the credential works |

mod change;
mod check;
mod form;

use std::sync::Arc;

use crate::domain::{Problem, SharedClock};
use crate::platform::Clients;
use crate::store::{Store, StoreError};
use crate::vault::{KeyRing, VaultError};

pub use check::steps_of;
pub use form::{EnvironmentForm, SaveForm};

/// Adds, checks and archives environments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Environments {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    vault: Arc<KeyRing>,
    clients: Clients,
    clock: SharedClock,
}

impl Environments {
    /// Over the database, the keys and the clients that all parts share.
    pub fn new(store: Store, vault: Arc<KeyRing>, clients: Clients, clock: SharedClock) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                vault,
                clients,
                clock,
            }),
        }
    }
}

/// Why an environment was not added, changed or checked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// Something typed is wrong.
    #[error("{}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" "))]
    Mistakes(Vec<Problem>),
    /// There is no such environment in the team, or it is archived.
    #[error("there is no such environment in use")]
    Unknown,
    /// The secret cannot be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
