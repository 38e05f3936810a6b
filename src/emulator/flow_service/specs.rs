//! Connection specifications and the one flow specification, with the JSON Schemas that judge requests.
//!
//! `connection_specs.json` holds the ten batch cloud-storage connectors: ids, authentication names and parameters
//! from Adobe's connector pages. Only the names `azure-file-storage`, `landing-zone` and `datalake` are printed
//! there; the other names are the emulator's. `flow_spec.json` is the specification that Adobe's "Collect cloud
//! storage data" page shows.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::refusal::{Answer, Refusal};
use super::super::state::App;
use super::super::wire::{Call, ok};
use super::filters::{Field, Filter};

/// `CloudStorageToAEP`.
pub const FLOW_SPEC_ID: &str = "9753525b-82c7-4dce-8a9b-5ccfce2b9876";
/// The data lake: the target of every flow.
pub const DATA_LAKE_SPEC_ID: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";
const S3_SPEC_ID: &str = "ecadc60c-7455-4d87-84dc-2a0e293d997b";
const PROVIDER_ID: &str = "0ed90a81-07f4-4586-8190-b40eccef1c5a";
const DRAFT_07: &str = "http://json-schema.org/draft-07/schema#";

/// A source connector.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionSpec {
    pub id: String,
    pub name: String,
    connector_name: String,
    /// False for the Data Landing Zone alone, which has no credentials either.
    pub needs_base_connection: bool,
    pub change_data_capture: bool,
    auth_spec: Vec<AuthSpec>,
}

/// A way to authenticate at a connector.
#[derive(Debug, Deserialize)]
pub struct AuthSpec {
    pub name: String,
    /// JSON Schema of every parameter; `format: password` marks secrets.
    pub properties: Map<String, Value>,
    required: Vec<String>,
}

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program; a unit test reads it"
)]
static CONNECTION_SPECS: LazyLock<Vec<ConnectionSpec>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("connection_specs.json")).expect("embedded connection specs")
});

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program; a unit test reads it"
)]
static FLOW_SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("flow_spec.json")).expect("embedded flow spec"));

#[expect(
    clippy::expect_used,
    reason = "the schema is part of the program; a unit test compiles it"
)]
static SCHEDULE: LazyLock<Validator> = LazyLock::new(|| {
    jsonschema::validator_for(&FLOW_SPEC["scheduleSpec"]["spec"]).expect("embedded schedule schema")
});

/// A source connector by its id.
pub fn connection_spec(id: &str) -> Option<&'static ConnectionSpec> {
    CONNECTION_SPECS.iter().find(|spec| spec.id == id)
}

/// Whether the flow specification lists a connector as its source.
pub fn flow_spec_takes(source_spec: &str) -> bool {
    FLOW_SPEC["sourceConnectionSpecIds"]
        .as_array()
        .is_some_and(|ids| ids.iter().any(|id| id == source_spec))
}

/// The first rule of the flow specification's schedule schema that a schedule breaks.
pub fn schedule_fault(schedule: &Value) -> Option<String> {
    SCHEDULE
        .iter_errors(schedule)
        .next()
        .map(|error| match error.kind() {
            jsonschema::error::ValidationErrorKind::Not { .. } => {
                "interval and backfill are not allowed with the frequency once".to_owned()
            }
            _ => format!("{error}{}", place(&error)),
        })
}

fn place(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    if path.is_empty() {
        String::new()
    } else {
        format!(" at {path}")
    }
}

impl ConnectionSpec {
    pub fn auth_spec(&self, name: &str) -> Option<&AuthSpec> {
        self.auth_spec.iter().find(|auth| auth.name == name)
    }

    fn document(&self) -> Value {
        let auth: Vec<Value> = self
            .auth_spec
            .iter()
            .map(|auth| json!({ "name": auth.name, "type": "basicAuthentication", "spec": auth.schema() }))
            .collect();
        let camel: String = self
            .name
            .split('-')
            .enumerate()
            .map(|(at, word)| if at == 0 { word.to_owned() } else { capital(word) })
            .collect();
        json!({
            "id": self.id, "name": self.name, "providerId": PROVIDER_ID, "version": "1.0", "authSpec": auth,
            "sourceSpec": {
                "name": "CloudStorage", "type": "CloudStorage",
                "spec": { "$schema": DRAFT_07, "type": "object", "required": ["path"], "properties": {
                    "path": { "type": "string", "description": "file, folder or wildcard pattern to copy" },
                    "recursive": { "type": "boolean", "description": "whether sub-folders are copied; false when left out" },
                } },
                "attributes": { "uiAttributes": {
                    "documentationLink": format!("http://www.adobe.com/go/sources-{}-en", self.name), "isSource": true,
                    "category": { "key": "cloudStorage" }, "icon": { "key": camel },
                    "description": { "key": format!("{camel}Description") }, "label": { "key": format!("{camel}Label") },
                } },
            },
            "exploreSpec": explore_spec(),
            "attributes": {
                "category": "Cloud Storage", "connectorName": self.connector_name, "isSource": true,
                "isDraftModeSupported": true, "uiAttributes": { "apiFeatures": { "explorePaginationSupported": false } },
            },
            "permissionsInfo": permissions("EnterpriseSource"),
        })
    }
}

impl AuthSpec {
    fn schema(&self) -> Value {
        json!({
            "$schema": DRAFT_07, "type": "object", "description": "defines auth params",
            "properties": self.properties, "required": self.required,
        })
    }

    pub fn is_secret(&self, parameter: &str) -> bool {
        self.properties
            .get(parameter)
            .is_some_and(|schema| schema["format"] == "password")
    }

    /// The first rule that parameters break, told without their values.
    pub fn fault(&self, params: &Map<String, Value>) -> Option<String> {
        if let Some(unknown) = params.keys().find(|name| !self.properties.contains_key(*name)) {
            return Some(format!(
                "the parameter '{unknown}' is not known to the auth spec '{}'",
                self.name
            ));
        }
        let validator = jsonschema::validator_for(&self.schema()).ok()?;
        let instance = Value::Object(params.clone());
        validator
            .iter_errors(&instance)
            .next()
            .map(|error| format!("{}{}", error.masked(), place(&error)))
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn permissions(name: &str) -> Value {
    let one = |kind: &str| json!([{ "@type": "lowLevel", "name": name, "permissions": [kind] }]);
    json!({ "view": one("read"), "manage": one("write") })
}

fn explore_spec() -> Value {
    let text = json!({ "type": "string" });
    let entry = json!({ "type": "object", "properties": {
        "type": text, "name": text, "path": text,
        "canPreview": { "type": "boolean", "default": false }, "canFetchSchema": { "type": "boolean", "default": false },
    } });
    let listing = json!({ "$schema": DRAFT_07, "type": "array", "items": entry });
    let when = |kind: &str, properties: Value, required: Value| json!({ "if": { "properties": { "objectType": { "enum": [kind] } } }, "then": { "properties": properties, "required": required } });
    let file = json!({ "object": text, "fileType": { "type": "string", "enum": ["delimited", "json", "parquet"] }, "preview": { "type": "boolean" } });
    json!({
        "name": "FileSystem", "type": "FileSystem",
        "requestSpec": {
            "$schema": DRAFT_07, "type": "object", "description": "defines explorable objects",
            "properties": { "objectType": { "type": "string", "enum": ["file", "folder", "root"] } },
            "allOf": [when("file", file, json!(["object", "fileType"])), when("folder", json!({ "object": text }), json!(["object"]))],
        },
        "responseSpec": { "root": listing, "folder": listing, "file": { "delimited": {
            "$schema": DRAFT_07, "type": "object", "properties": {
                "format": text,
                "schema": { "type": "object", "properties": { "columns": { "type": "array", "items": {
                    "type": "object", "properties": { "name": text, "type": text } } } } },
                "data": { "type": "array", "items": { "type": "object" } },
            } } } },
    })
}

fn data_lake() -> Value {
    json!({
        "id": DATA_LAKE_SPEC_ID, "name": "datalake", "providerId": PROVIDER_ID, "version": "1.0",
        "targetSpec": { "spec": {
            "$schema": DRAFT_07, "type": "object",
            "properties": { "dataSetId": { "type": "string" } }, "required": ["dataSetId"],
        } },
        "attributes": { "category": "Data Lake" },
        "permissionsInfo": permissions("Dataset"),
    })
}

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/data/foundation/flowservice/connectionSpecs",
            get(list_connection_specs),
        )
        .route(
            "/data/foundation/flowservice/connectionSpecs/{id}",
            get(lookup_connection_spec),
        )
        .route(
            "/data/foundation/flowservice/connectionSpecs/{id}/configs",
            get(configs),
        )
        .route("/data/foundation/flowservice/flowSpecs", get(list_flow_specs))
        .route(
            "/data/foundation/flowservice/flowSpecs/{id}",
            get(lookup_flow_spec),
        )
}

const FIELDS: [Field; 4] = [
    Field::text("id"),
    Field::text("name"),
    Field::text("providerId"),
    Field::text("attributes.*"),
];

fn listed(call: &Call, specs: Vec<Value>) -> Answer {
    if let Some(unknown) = call.query.first_unknown(&["property"]) {
        return Err(Refusal::flow(
            "1451-400",
            format!("The query parameter '{unknown}' is not supported."),
        ));
    }
    let filters: Vec<Filter> = call
        .query
        .all("property")
        .map(|filter| Filter::parse(filter, &FIELDS))
        .collect::<Result<_, _>>()?;
    let items: Vec<Value> = specs
        .into_iter()
        .filter(|spec| filters.iter().all(|filter| filter.accepts(spec)))
        .collect();
    Ok(ok(&json!({ "items": items })))
}

async fn list_connection_specs(call: Call) -> Answer {
    let specs = CONNECTION_SPECS
        .iter()
        .map(ConnectionSpec::document)
        .chain([data_lake()])
        .collect();
    listed(&call, specs)
}

async fn lookup_connection_spec(Path(id): Path<String>) -> Answer {
    let spec = match connection_spec(&id) {
        Some(spec) => spec.document(),
        None if id == DATA_LAKE_SPEC_ID => data_lake(),
        None => return Err(Refusal::flow_missing("connectionSpecs", &id)),
    };
    Ok(ok(&json!({ "items": [spec] })))
}

async fn configs(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    if id != S3_SPEC_ID || call.query.get("authType") != Some("IamBasedAuthentication") {
        return Err(Refusal::flow_missing("configs", &id));
    }
    let role = format!("arn:aws:iam::000000000000:role/emulator-{}", app.options.tenant);
    Ok(ok(&json!({ "configParams": { "IAMRole": role } })))
}

async fn list_flow_specs(call: Call) -> Answer {
    listed(&call, vec![FLOW_SPEC.clone()])
}

async fn lookup_flow_spec(Path(id): Path<String>) -> Answer {
    if id == FLOW_SPEC_ID {
        Ok(ok(&json!({ "items": [*FLOW_SPEC] })))
    } else {
        Err(Refusal::flow_missing("flowSpecs", &id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_are_sound() {
        assert_eq!(CONNECTION_SPECS.len(), 10);
        for spec in CONNECTION_SPECS.iter() {
            assert!(flow_spec_takes(&spec.id), "{}", spec.name);
            assert!(
                spec.auth_spec
                    .iter()
                    .all(|auth| jsonschema::validator_for(&auth.schema()).is_ok())
            );
            assert_eq!(
                !spec.auth_spec.is_empty(),
                spec.needs_base_connection,
                "{}",
                spec.name
            );
        }
        assert_eq!(FLOW_SPEC["id"], FLOW_SPEC_ID);
    }

    #[test]
    fn the_schedule_rules_are_those_of_the_flow_spec() {
        for (schedule, fine) in [
            (
                json!({ "startTime": 1, "frequency": "minute", "interval": 15 }),
                true,
            ),
            (
                json!({ "startTime": 1, "frequency": "minute", "interval": 14 }),
                false,
            ),
            (
                json!({ "startTime": 1, "frequency": "hour", "interval": 1, "backfill": false }),
                true,
            ),
            (json!({ "startTime": 1, "frequency": "day" }), false),
            (json!({ "startTime": 1, "frequency": "once" }), true),
            (
                json!({ "startTime": 1, "frequency": "once", "interval": 15 }),
                false,
            ),
            (
                json!({ "startTime": 1, "frequency": "once", "backfill": true }),
                false,
            ),
            (
                json!({ "startTime": 1, "frequency": "fortnight", "interval": 1 }),
                false,
            ),
            (json!({ "frequency": "day", "interval": 1 }), false),
        ] {
            assert_eq!(schedule_fault(&schedule).is_none(), fine, "{schedule}");
        }
    }

    #[test]
    fn faults_of_credentials_do_not_repeat_them() {
        let sftp = connection_spec("b7bf2577-4520-42c9-bae9-cad01560f7bc").unwrap();
        let auth = sftp.auth_spec("Basic Authentication for sftp").unwrap();
        let params = json!({ "host": "h", "userName": "u", "password": { "CANARY": "CANARY" } });
        let fault = auth.fault(params.as_object().unwrap()).unwrap();
        assert!(
            !fault.contains("CANARY") && fault.contains("/password"),
            "{fault}"
        );
        assert!(auth.is_secret("password") && !auth.is_secret("host"));
    }
}
