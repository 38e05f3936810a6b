//! Reading connection and flow specifications: what the running service says about its sources.

use serde_json::Value;

use super::client::{PlatformClient, Read};
use super::endpoints::segment;
use super::error::{PlatformError, Service};
use super::flows::only_item;
use super::wire;

impl PlatformClient {
    /// One connection specification, as answered.
    pub async fn connection_specification(&self, id: &str) -> Result<Value, PlatformError> {
        let path = format!("/flowservice/connectionSpecs/{}", segment(id));
        only_item(&self.get(&Read::at(path)).await?)
    }

    /// The flow specification of this name.
    ///
    /// # Errors
    /// Also when there is none or more than one.
    pub async fn flow_specification(&self, name: &str) -> Result<Value, PlatformError> {
        let read = Read::at("/flowservice/flowSpecs").with("property", format!("name==\"{name}\""));
        let body = self.get(&read).await?;
        match wire::elements(&body, "/items") {
            [only] => Ok(only.clone()),
            // An older page shows the bare object.
            [] if body.get("id").is_some() => Ok(body),
            _ => Err(PlatformError::unreadable(
                Service::FlowService,
                "there is not exactly one flow specification of that name",
            )),
        }
    }
}
