//! The sandboxes a credential may use.

use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::wire;

/// A sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Its name, as sent in `x-sandbox-name`.
    pub name: String,
    /// Its title for people.
    pub title: Option<String>,
    /// `production` or `development`.
    pub kind: Option<String>,
    /// `active`, or `creating`, `deleting`, `resetting`, `deleted`, `failed`.
    pub state: Option<String>,
    /// Whether it is the organization's default one.
    pub is_default: bool,
}

impl Sandbox {
    fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let unreadable = || PlatformError::unreadable(Service::Sandboxes, "a sandbox has no name");
        Ok(Self {
            name: wire::text(raw, "/name")
                .filter(|name| !name.is_empty())
                .ok_or_else(unreadable)?,
            title: wire::text(raw, "/title"),
            kind: wire::text(raw, "/type"),
            state: wire::text(raw, "/state"),
            is_default: wire::boolean(raw, "/isDefault").unwrap_or(false),
        })
    }
}

impl PlatformClient {
    /// The sandboxes this credential may use. Works before one is chosen.
    ///
    /// # Errors
    /// What the service said instead.
    pub async fn sandboxes(&self) -> Result<Vec<Sandbox>, PlatformError> {
        let read = Read::at("/sandbox-management/");
        let mut pages = pin!(self.pages(Service::Sandboxes, read, |item| Sandbox::from_json(&item)));
        Ok(pages.try_next().await?.map(|page| page.items).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sandbox_is_read() {
        let sandbox = Sandbox::from_json(&json!({"name": "prod", "title": "Production", "state": "active",
            "type": "production", "isDefault": "true", "eTag": 2}))
        .unwrap();
        assert!(sandbox.is_default);
        assert_eq!(sandbox.kind.as_deref(), Some("production"));
        assert!(Sandbox::from_json(&json!({"title": "x"})).is_err());
    }
}
