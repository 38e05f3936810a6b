//! Connection and flow specifications: what the platform itself says a connector or a flow needs.

use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::client::{PlatformClient, Read};
use super::endpoints::segment;
use super::error::{PlatformError, Service};
use super::wire;

/// A specification. The parts that describe forms are JSON Schemas inside `raw`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its id.
    pub id: String,
    /// Its name, for example `azure-file-storage` or `CloudStorageToAEP`.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// The platform's own JSON.
    pub raw: Value,
}

impl Spec {
    fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let unreadable = || PlatformError::unreadable(Service::FlowService, "a specification has no id");
        Ok(Self {
            id: wire::text(raw, "/id")
                .filter(|id| !id.is_empty())
                .ok_or_else(unreadable)?,
            name: wire::text(raw, "/name").unwrap_or_default(),
            version: wire::text(raw, "/version"),
            raw: raw.clone(),
        })
    }
}

impl PlatformClient {
    /// All connection specifications this credential may use.
    ///
    /// # Errors
    /// What the service said instead.
    pub async fn connection_specs(&self) -> Result<Vec<Spec>, PlatformError> {
        self.specs(Read::at("/flowservice/connectionSpecs")).await
    }

    /// One connection specification.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn connection_spec(&self, id: &str) -> Result<Spec, PlatformError> {
        Spec::from_json(
            &self
                .single(&format!("/flowservice/connectionSpecs/{}", segment(id)))
                .await?,
        )
    }

    /// The flow specification of this name, such as `CloudStorageToAEP`.
    ///
    /// # Errors
    /// Also when there is none or more than one: a flow must not be built on a guess.
    pub async fn flow_spec_named(&self, name: &str) -> Result<Spec, PlatformError> {
        // Adobe's pages quote this value and no other; both ways are said to work.
        let read = Read::at("/flowservice/flowSpecs").with("property", format!("name==\"{name}\""));
        let mut found = self.specs(read).await?;
        found.retain(|spec| spec.name == name);
        match (found.pop(), found.is_empty()) {
            (Some(spec), true) => Ok(spec),
            (Some(_), false) => Err(PlatformError::unreadable(
                Service::FlowService,
                "more than one flow specification has that name",
            )),
            (None, _) => Err(PlatformError::unreadable(
                Service::FlowService,
                "no flow specification has that name",
            )),
        }
    }

    async fn specs(&self, read: Read) -> Result<Vec<Spec>, PlatformError> {
        let mut pages = pin!(self.pages(Service::FlowService, read, |item| Spec::from_json(&item)));
        let mut specs = Vec::new();
        while let Some(page) = pages.try_next().await? {
            specs.extend(page.items);
        }
        Ok(specs)
    }
}
