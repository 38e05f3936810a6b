//! Datasets and their batches at Catalog, which answers objects keyed by id.

use futures_util::Stream;
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::pages::{PAGE_SIZE, Page};
use super::wire;

/// A dataset. Times are UTC epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its id.
    pub id: String,
    /// The name people gave it; empty when there is none.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// `$id` of its schema.
    pub schema_id: Option<String>,
    /// When it was made.
    pub created_at: Option<i64>,
    /// When it was last changed.
    pub updated_at: Option<i64>,
}

impl Dataset {
    fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let unreadable = || PlatformError::unreadable(Service::Catalog, "a dataset has no id");
        Ok(Self {
            id: wire::text(raw, "/id")
                .filter(|id| !id.is_empty())
                .ok_or_else(unreadable)?,
            name: wire::text(raw, "/name").unwrap_or_default(),
            description: wire::text(raw, "/description").filter(|text| !text.is_empty()),
            schema_id: wire::text(raw, "/schemaRef/id"),
            created_at: wire::moment(raw, "/created"),
            updated_at: wire::moment(raw, "/updated"),
        })
    }
}

impl PlatformClient {
    /// All datasets of the sandbox, page by page.
    pub fn datasets(&self) -> impl Stream<Item = Result<Page<Dataset>, PlatformError>> + Send + use<> {
        self.pages(
            Service::Catalog,
            Read::at(ObjectKind::Dataset.collection()),
            |item| Dataset::from_json(&item),
        )
    }

    /// One dataset.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn dataset(&self, id: &str) -> Result<Dataset, PlatformError> {
        let body: Value = self.get(&Read::at(ObjectKind::Dataset.path_of(id))).await?;
        let mut dataset = body
            .get(id)
            .filter(|dataset| dataset.is_object())
            .cloned()
            .ok_or_else(|| {
                PlatformError::unreadable(Service::Catalog, "the answer is not keyed by the dataset's id")
            })?;
        dataset["id"] = Value::from(id);
        Dataset::from_json(&dataset)
    }

    /// How many batches were ever written to the dataset, whatever became of them; at most 100 are counted.
    ///
    /// # Errors
    /// Without an answer of the documented form nothing is known; treat that as "some".
    pub async fn dataset_batches(&self, id: &str) -> Result<usize, PlatformError> {
        let body = self
            .get(
                &Read::at("/catalog/batches")
                    .with("dataSet", id)
                    .with("limit", PAGE_SIZE.to_string()),
            )
            .await?;
        match body {
            Value::Object(batches) => Ok(batches.len()),
            Value::Array(batches) if batches.is_empty() => Ok(0),
            _ => Err(PlatformError::unreadable(
                Service::Catalog,
                "the list of batches is no object",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_dataset_is_read() {
        let dataset = Dataset::from_json(
            &json!({"id": "5e74", "name": "Leads", "created": 1_521_828_048_923_i64,
            "schemaRef": {"id": "https://ns.adobe.com/t/schemas/1"}, "tags": {}}),
        )
        .unwrap();
        assert_eq!(
            dataset.schema_id.as_deref(),
            Some("https://ns.adobe.com/t/schemas/1")
        );
        assert_eq!(
            (dataset.created_at, dataset.updated_at),
            (Some(1_521_828_048_923), None)
        );
        assert!(Dataset::from_json(&json!({"name": "Leads"})).is_err());
    }
}
