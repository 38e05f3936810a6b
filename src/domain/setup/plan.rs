//! Planning a setup: which calls, with which bodies, and what depends on what. Nothing is sent here.
//!
//! The bodies follow Adobe's tutorial for Parquet and the current pages for the other formats, with the
//! tutorial's own mistakes mended.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::StepKind;
use super::body::Reference;
use crate::domain::connector::{CLOUD_STORAGE_FLOW_SPEC_ID, Connector, DATA_LAKE_SPEC_ID, FieldKind};
use crate::domain::recipe::{
    Compression, Connection, Dataset, Format, MappingRule, PathKind, Recipe, Schema, auth_secret_field,
};

/// Prefix of every marker; it tells our objects from other people's.
pub const MARKER_PREFIX: &str = "hg1-";
/// Name of the tag by which a dataset carries its marker.
pub const MARKER_TAG: &str = "headgate";
/// Name of the data lake connection that all flows of an environment share.
pub const DATA_LAKE_NAME: &str = "Headgate data lake connection";

const DATA_LAKE_SCHEMA_VERSION: &str = "application/vnd.adobe.xed-full+json;version=1";
const DATASET_CONTENT_TYPE: &str = "application/vnd.adobe.xed-full-notext+json; version=1";
const MAPPING_CONTENT_TYPE: &str = "application/vnd.adobe.xed-full+json;version=1";

/// One call as planned.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// Which one.
    pub kind: StepKind,
    /// Steps that must be confirmed before.
    pub needs: Vec<StepKind>,
    /// By which its object is found again.
    pub marker: String,
    /// Path below `/data/foundation` of the platform.
    pub path: &'static str,
    /// Query parameters.
    pub query: Vec<(&'static str, &'static str)>,
    /// Body with references.
    pub body: Value,
}

/// The marker of a step in the setup with this tag.
pub fn marker(tag: &str, kind: StepKind) -> String {
    let code = match kind {
        StepKind::BaseConnection => "bc",
        StepKind::Schema => "sc",
        StepKind::DataLakeConnection => "dl",
        StepKind::Dataset => "ds",
        StepKind::MappingSet => "ms",
        StepKind::SourceConnection => "so",
        StepKind::TargetConnection => "ta",
        StepKind::Flow => "fl",
    };
    format!("{MARKER_PREFIX}{tag}-{code}")
}

/// The tag of the setup that a marker belongs to.
pub fn tag_of(marker: &str) -> Option<&str> {
    let (tag, _) = marker.strip_prefix(MARKER_PREFIX)?.rsplit_once('-')?;
    Some(tag)
}

/// The calls that make the dataflow of a resolved recipe, in the order in which they are shown.
///
/// `tag` is the setup's own ([`crate::domain::new_tag`]).
pub fn plan(recipe: &Recipe, connector: &Connector, tag: &str) -> Vec<PlannedStep> {
    Planner {
        recipe,
        connector,
        tag,
    }
    .steps()
}

struct Planner<'a> {
    recipe: &'a Recipe,
    connector: &'a Connector,
    tag: &'a str,
}

impl Planner<'_> {
    fn steps(&self) -> Vec<PlannedStep> {
        let steps = [
            self.base_connection(),
            self.schema(),
            self.data_lake_connection(),
            self.dataset(),
            self.mapping_set(),
            Some(self.source_connection()),
            Some(self.target_connection()),
            Some(self.flow()),
        ];
        let mut steps: Vec<PlannedStep> = steps.into_iter().flatten().collect();
        let present: Vec<StepKind> = steps.iter().map(|s| s.kind).collect();
        for step in &mut steps {
            step.needs.retain(|need| present.contains(need));
        }
        steps
    }

    fn step(&self, kind: StepKind, needs: &[StepKind], path: &'static str, body: Value) -> PlannedStep {
        PlannedStep {
            kind,
            needs: needs.to_vec(),
            marker: self.marker(kind),
            path,
            query: Vec::new(),
            body,
        }
    }

    fn marker(&self, kind: StepKind) -> String {
        marker(self.tag, kind)
    }

    /// A short tag for names that nobody chose: they stay unique without hiding what they belong to.
    fn short_tag(&self) -> &str {
        &self.tag[..self.tag.len().min(6)]
    }

    fn is_tutorial_form(&self) -> bool {
        self.recipe.format == Format::ParquetXdm
    }

    fn base_connection(&self) -> Option<PlannedStep> {
        let Connection::New {
            spec_name,
            fields,
            secrets,
        } = &self.recipe.connection
        else {
            return None;
        };
        let mut params = self.typed_params(spec_name, fields);
        for key in secrets.keys() {
            params.insert(key.clone(), Reference::Secret(auth_secret_field(key)).to_json());
        }
        let body = json!({
            "name": format!("{} {} connection {}", self.recipe.flow_name, self.connector.name, self.short_tag()),
            "description": self.marker(StepKind::BaseConnection),
            "auth": {"specName": spec_name, "params": params},
            "connectionSpec": {"id": self.connector.spec_id, "version": "1.0"},
        });
        Some(self.step(StepKind::BaseConnection, &[], "/flowservice/connections", body))
    }

    /// Values of `auth.params` with the JSON types that the connector's fields have.
    fn typed_params(&self, spec_name: &str, fields: &BTreeMap<String, String>) -> Map<String, Value> {
        let kinds = self
            .connector
            .auth(spec_name)
            .map(|a| a.fields.as_slice())
            .unwrap_or_default();
        let typed = |key: &String, text: &String| match kinds.iter().find(|f| f.name == *key).map(|f| f.kind)
        {
            Some(FieldKind::Integer) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
            Some(FieldKind::Boolean) => json!(text == "true"),
            _ => json!(text),
        };
        fields
            .iter()
            .map(|(key, text)| (key.clone(), typed(key, text)))
            .collect()
    }

    fn schema(&self) -> Option<PlannedStep> {
        let Schema::New {
            class, field_groups, ..
        } = &self.recipe.schema
        else {
            return None;
        };
        let parts: Vec<Value> = std::iter::once(class)
            .chain(field_groups)
            .map(|id| json!({ "$ref": id }))
            .collect();
        let body = json!({
            "type": "object",
            "title": self.recipe.schema_title(),
            "description": self.marker(StepKind::Schema),
            "allOf": parts,
            "meta:class": class,
        });
        Some(self.step(StepKind::Schema, &[], "/schemaregistry/tenant/schemas", body))
    }

    fn data_lake_connection(&self) -> Option<PlannedStep> {
        let body = json!({
            "name": DATA_LAKE_NAME,
            "description": "Shared by the dataflows that Headgate sets up in this sandbox.",
            "connectionSpec": {"id": DATA_LAKE_SPEC_ID, "version": "1.0"},
        });
        let step = self.step(
            StepKind::DataLakeConnection,
            &[],
            "/flowservice/connections",
            body,
        );
        self.is_tutorial_form().then_some(step)
    }

    fn dataset(&self) -> Option<PlannedStep> {
        let Dataset::New { .. } = &self.recipe.dataset else {
            return None;
        };
        let mut body = json!({
            "name": self.recipe.dataset_name(),
            "schemaRef": {"id": self.schema_id(), "contentType": DATASET_CONTENT_TYPE},
            "tags": {MARKER_TAG: [self.marker(StepKind::Dataset)]},
        });
        if matches!(self.recipe.format, Format::ParquetXdm | Format::Parquet) {
            body["fileDescription"] = json!({"format": "parquet"});
        }
        let mut step = self.step(StepKind::Dataset, &[StepKind::Schema], "/catalog/dataSets", body);
        step.query = vec![("requestDataSource", "true")];
        Some(step)
    }

    fn mapping_set(&self) -> Option<PlannedStep> {
        if self.recipe.mapping.is_empty() {
            return None;
        }
        let row = |rule: &MappingRule| {
            json!({
                "sourceType": "ATTRIBUTE",
                "source": rule.source,
                "destination": rule.destination,
                "name": rule.source,
            })
        };
        let body = json!({
            "name": self.marker(StepKind::MappingSet),
            "mappings": self.recipe.mapping.iter().map(row).collect::<Vec<_>>(),
            "outputSchema": {"schemaRef": {"id": self.schema_id(), "contentType": MAPPING_CONTENT_TYPE}},
        });
        Some(self.step(
            StepKind::MappingSet,
            &[StepKind::Schema],
            "/conversion/mappingSets",
            body,
        ))
    }

    fn source_connection(&self) -> PlannedStep {
        let recipe = self.recipe;
        let mut data = json!({"format": recipe.format});
        if self.is_tutorial_form() {
            data["schema"] = json!({"id": self.schema_id(), "version": DATA_LAKE_SCHEMA_VERSION});
        }
        let properties = self.data_properties();
        if !properties.is_empty() {
            data["properties"] = Value::Object(properties);
        }
        let mut params = json!({"path": recipe.path, "type": recipe.path_kind});
        if recipe.path_kind == PathKind::Folder {
            params["recursive"] = json!(recipe.recursive);
        }
        let mut body = json!({
            "name": format!("{} source {}", recipe.flow_name, self.short_tag()),
            "description": self.marker(StepKind::SourceConnection),
            "connectionSpec": {"id": self.connector.spec_id, "version": "1.0"},
            "data": data,
            "params": params,
        });
        match &recipe.connection {
            Connection::None => {}
            Connection::Existing { id } => body["baseConnectionId"] = json!(id),
            Connection::New { .. } => {
                body["baseConnectionId"] = Reference::Step(StepKind::BaseConnection).to_json()
            }
        }
        let needs: &[StepKind] = if self.is_tutorial_form() {
            &[StepKind::BaseConnection, StepKind::Schema]
        } else {
            &[StepKind::BaseConnection]
        };
        self.step(
            StepKind::SourceConnection,
            needs,
            "/flowservice/sourceConnections",
            body,
        )
    }

    fn data_properties(&self) -> Map<String, Value> {
        let recipe = self.recipe;
        let mut properties = Map::new();
        if recipe.format == Format::Delimited {
            properties.insert("columnDelimiter".into(), json!(recipe.column_delimiter));
            properties.insert("encoding".into(), json!(recipe.encoding));
        }
        if recipe.format.takes_compression() && recipe.compression != Compression::None {
            properties.insert("compressionType".into(), json!(recipe.compression));
        }
        properties
    }

    fn target_connection(&self) -> PlannedStep {
        let mut data = json!({"schema": {"id": self.schema_id(), "version": DATA_LAKE_SCHEMA_VERSION}});
        if self.is_tutorial_form() {
            data["format"] = json!(Format::ParquetXdm);
        }
        let mut body = json!({
            "name": format!("{} target {}", self.recipe.flow_name, self.short_tag()),
            "description": self.marker(StepKind::TargetConnection),
            "connectionSpec": {"id": DATA_LAKE_SPEC_ID, "version": "1.0"},
            "data": data,
            "params": {"dataSetId": self.dataset_id()},
        });
        if self.is_tutorial_form() {
            body["baseConnectionId"] = Reference::Step(StepKind::DataLakeConnection).to_json();
        }
        let needs = &[StepKind::Dataset, StepKind::Schema, StepKind::DataLakeConnection];
        self.step(
            StepKind::TargetConnection,
            needs,
            "/flowservice/targetConnections",
            body,
        )
    }

    fn flow(&self) -> PlannedStep {
        let recipe = self.recipe;
        let schedule = &recipe.schedule;
        let mut params = json!({
            "startTime": Reference::Start(schedule.start.clone()).to_json(),
            "frequency": schedule.frequency,
        });
        if let Some(interval) = schedule.interval {
            params["interval"] = json!(interval);
        }
        if let Some(backfill) = schedule.backfill {
            params["backfill"] = json!(backfill);
        }
        let marker = self.marker(StepKind::Flow);
        let description = match recipe.description.trim() {
            "" => marker,
            text => format!("{text} ({marker})"),
        };
        let mut body = json!({
            "name": recipe.flow_name,
            "description": description,
            "flowSpec": {"id": CLOUD_STORAGE_FLOW_SPEC_ID, "version": "1.0"},
            "sourceConnectionIds": [Reference::Step(StepKind::SourceConnection).to_json()],
            "targetConnectionIds": [Reference::Step(StepKind::TargetConnection).to_json()],
            "scheduleParams": params,
        });
        if !recipe.mapping.is_empty() {
            body["transformations"] = json!([{
                "name": "Mapping",
                "params": {"mappingId": Reference::Step(StepKind::MappingSet).to_json(), "mappingVersion": 0},
            }]);
        }
        let needs = &[
            StepKind::SourceConnection,
            StepKind::TargetConnection,
            StepKind::MappingSet,
        ];
        self.step(StepKind::Flow, needs, "/flowservice/flows", body)
    }

    fn schema_id(&self) -> Value {
        match &self.recipe.schema {
            Schema::Existing { id } => json!(id),
            Schema::New { .. } => Reference::Step(StepKind::Schema).to_json(),
        }
    }

    fn dataset_id(&self) -> Value {
        match &self.recipe.dataset {
            Dataset::Existing { id } => json!(id),
            Dataset::New { .. } => Reference::Step(StepKind::Dataset).to_json(),
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
