//! One client per environment, so that all parts of the program share its token and its restraint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Credential, Http, PlatformClient};
use crate::domain::EnvironmentAccess;
use crate::vault::{KeyRing, Place, Sealed, VaultError};

/// Why there is no client for an environment.
#[derive(Debug, thiserror::Error)]
#[error("the client secret of this environment cannot be opened: {0}")]
pub struct ClientError(#[from] VaultError);

/// The clients of all environments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clients {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: Http,
    vault: Arc<KeyRing>,
    /// By environment: when it was last changed, and its client.
    known: Mutex<HashMap<String, (i64, PlatformClient)>>,
}

impl Clients {
    /// Makes clients over one HTTP client; secrets are opened with `vault`.
    pub fn new(http: Http, vault: Arc<KeyRing>) -> Self {
        Self {
            inner: Arc::new(Inner {
                http,
                vault,
                known: Mutex::default(),
            }),
        }
    }

    /// The client of an environment. One whose environment was changed is replaced.
    ///
    /// # Errors
    /// When the client secret cannot be opened. Nothing was sent.
    pub fn client_for(&self, access: &EnvironmentAccess) -> Result<PlatformClient, ClientError> {
        let mut known = self.inner.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((updated_at, client)) = known.get(&access.id)
            && *updated_at == access.updated_at
        {
            return Ok(client.clone());
        }
        let sealed = Sealed::from_stored(access.client_secret_sealed.clone());
        let credential = Credential {
            client_id: access.client_id.clone(),
            client_secret: self
                .inner
                .vault
                .open(&Place::environment_secret(&access.id), &sealed)?,
            organization: access.organization.clone(),
            scopes: access.scopes.clone(),
        };
        let client = PlatformClient::new(self.inner.http.clone(), credential, access.sandbox.clone());
        known.insert(access.id.clone(), (access.updated_at, client.clone()));
        Ok(client)
    }

    /// How long a change may take from its first byte to the end of its answer.
    pub fn change_timeout(&self) -> std::time::Duration {
        self.inner.http.options().change_timeout
    }

    /// The origin of the platform that all clients talk to, such as `https://platform.adobe.io`.
    pub fn platform_origin(&self) -> String {
        self.inner.http.endpoints().platform_origin()
    }
}
