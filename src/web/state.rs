//! What handlers may reach.

use std::ops::Deref;
use std::sync::Arc;

use crate::accounts::Accounts;
use crate::domain::SharedClock;
use crate::environments::Environments;
use crate::history::History;
use crate::lifecycle::Lifecycle;
use crate::platform::Clients;
use crate::setups::Setups;
use crate::store::Store;
use crate::sweep::Sweep;
use crate::vault::KeyRing;

use super::site::Site;

/// Everything that a handler may reach. Cheap to clone, which happens several times for each request.
#[derive(Clone, Debug)]
pub struct AppState {
    parts: Arc<Parts>,
}

/// What an [`AppState`] leads to.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Seals what people type.
    pub vault: Arc<KeyRing>,
    /// Clients of the platform, one per environment.
    pub clients: Clients,
    /// Lets people in and out.
    pub accounts: Accounts,
    /// Adds, checks and archives environments.
    pub environments: Environments,
    /// Makes dataflows.
    pub setups: Setups,
    /// Mirrors flows and runs.
    pub history: History,
    /// Looks whether the platform still holds what setups made.
    pub sweep: Sweep,
    /// The time.
    pub clock: SharedClock,
    /// Health of the tasks in the background.
    pub lifecycle: Lifecycle,
    /// Our own addresses.
    pub site: Arc<Site>,
    /// Settings that pages need.
    pub settings: WebSettings,
}

impl AppState {
    /// Leads to these.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Settings that pages need.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// IANA name of the zone for people who chose none.
    pub time_zone: String,
    /// Set in demo mode.
    pub demo: Option<Demo>,
}

/// What is different in demo mode.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Shown on every page.
    pub banner: String,
    /// Logins that sign in with one click.
    pub logins: Vec<String>,
}
