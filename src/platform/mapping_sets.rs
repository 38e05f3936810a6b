//! Mapping sets at Data Prep, read back.

use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::wire;

/// A mapping set.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingSet {
    /// Its id.
    pub id: String,
    /// Its version; the first one is 0.
    pub version: Option<i64>,
    /// `$id` of the schema it maps to, in either vocabulary.
    pub schema_id: Option<String>,
    /// Its rows, in order.
    pub mappings: Vec<Mapping>,
    /// The platform's own JSON.
    pub raw: Value,
}

/// One row of a mapping set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The column or expression read.
    pub source: Option<String>,
    /// The path in the schema written.
    pub destination: Option<String>,
}

impl MappingSet {
    fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let unreadable = || PlatformError::unreadable(Service::DataPrep, "a mapping set has no id");
        let either = |raw: &Value, new, old| wire::text(raw, new).or_else(|| wire::text(raw, old));
        Ok(Self {
            id: wire::text(raw, "/id")
                .filter(|id| !id.is_empty())
                .ok_or_else(unreadable)?,
            version: wire::count(raw, "/version"),
            schema_id: either(raw, "/outputSchema/schemaRef/id", "/xdmSchema"),
            mappings: wire::elements(raw, "/mappings")
                .iter()
                .map(|row| Mapping {
                    source: either(row, "/source", "/sourceAttribute"),
                    destination: either(row, "/destination", "/destinationXdmPath"),
                })
                .collect(),
            raw: raw.clone(),
        })
    }
}

impl PlatformClient {
    /// One mapping set.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn mapping_set(&self, id: &str) -> Result<MappingSet, PlatformError> {
        MappingSet::from_json(&self.get(&Read::at(ObjectKind::MappingSet.path_of(id))).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_vocabularies_are_read() {
        let new = MappingSet::from_json(&json!({"id": "m", "version": 0,
            "outputSchema": {"schemaRef": {"id": "s"}}, "mappings": [{"source": "a", "destination": "_t.a"}]}))
        .unwrap();
        let old = MappingSet::from_json(&json!({"id": "m", "version": "0", "xdmSchema": "s",
            "mappings": [{"sourceAttribute": "a", "destinationXdmPath": "_t.a"}]}))
        .unwrap();
        assert_eq!(
            (&new.schema_id, &new.mappings, new.version),
            (&old.schema_id, &old.mappings, old.version)
        );
        assert!(MappingSet::from_json(&json!({"version": 0})).is_err());
    }
}
