//! What a form lets people choose from: connections, schemas, datasets; and whether a dataset holds data.

use serde_json::Value;

use super::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::wire;

/// How many objects a list to choose from has at most.
const CHOICES: usize = 100;

impl PlatformClient {
    /// Datasets to choose from: the newest hundred, id and name.
    pub async fn dataset_choices(&self) -> Result<Vec<(String, String)>, PlatformError> {
        let read = Read::at(ObjectKind::Dataset.collection())
            .with("limit", CHOICES.to_string())
            .with("orderBy", "desc:created")
            .with("properties", "name");
        match self.get(&read).await? {
            Value::Object(datasets) => Ok(datasets
                .iter()
                .map(|(id, dataset)| {
                    (
                        id.clone(),
                        wire::text(dataset, "/name").unwrap_or_else(|| id.clone()),
                    )
                })
                .collect()),
            _ => Err(PlatformError::unreadable(
                Service::Catalog,
                "the datasets are no object",
            )),
        }
    }

    /// Base connections of one kind of source to choose from, id and name.
    pub async fn connection_choices(&self, spec_id: &str) -> Result<Vec<(String, String)>, PlatformError> {
        let read = Read::at(ObjectKind::Connection.collection())
            .with("property", format!("connectionSpec.id=={spec_id}"))
            .with("limit", CHOICES.to_string());
        let body = self.get(&read).await?;
        Ok(named(wire::elements(&body, "/items"), "/id", "/name"))
    }

    /// Schemas of the tenant to choose from, `$id` and title.
    pub async fn schema_choices(&self) -> Result<Vec<(String, String)>, PlatformError> {
        let read = Read::at(ObjectKind::Schema.collection())
            .with("orderby", "title")
            .accepting("application/vnd.adobe.xed-id+json");
        let body = self.get(&read).await?;
        Ok(named(wire::elements(&body, "/results"), "/$id", "/title"))
    }
}

fn named(items: &[Value], id: &str, name: &str) -> Vec<(String, String)> {
    items
        .iter()
        .filter_map(|item| {
            let id = wire::text(item, id)?;
            let name = wire::text(item, name).unwrap_or_else(|| id.clone());
            Some((id, name))
        })
        .collect()
}
