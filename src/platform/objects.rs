//! Reading one object of a kind by its id.

use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::lookups::{Found, object};
use super::schemas::ONE_ACCEPT;

impl PlatformClient {
    /// The object of this kind and id, as it is now.
    ///
    /// # Errors
    /// `is_not_found()` when there is none (any more); anything else proves nothing about it.
    pub async fn object(&self, kind: ObjectKind, id: &str) -> Result<Found, PlatformError> {
        let path = kind.path_of(id);
        let (service, body) = match kind {
            ObjectKind::Schema => (
                Service::SchemaRegistry,
                self.get(&Read::at(path).accepting(ONE_ACCEPT)).await?,
            ),
            ObjectKind::Dataset => (Service::Catalog, keyed(self.get(&Read::at(path)).await?, id)),
            ObjectKind::MappingSet => (Service::DataPrep, self.get(&Read::at(path)).await?),
            _ => (Service::FlowService, self.single(&path).await?),
        };
        object(kind, body).filter(|found| found.id == id).ok_or_else(|| {
            PlatformError::unreadable(service, "the answer is not the object that was asked for")
        })
    }
}

/// Catalog keys the one dataset by its id and leaves the id out of it.
fn keyed(mut body: Value, id: &str) -> Value {
    let mut dataset = body.get_mut(id).map(Value::take).unwrap_or_default();
    if let Some(members) = dataset.as_object_mut() {
        members.insert("id".to_owned(), Value::from(id));
    }
    dataset
}
