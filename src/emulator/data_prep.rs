//! Data Prep: mapping sets, in the legacy and the current vocabulary (Adobe's Data Prep API guide).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::options::Options;
use super::refusal::{Answer, Refusal, Service};
use super::schema_registry;
use super::state::{App, Record, World, object, user_id};
use super::wire::{Call, first_unknown, ok, text};

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/data/foundation/conversion/mappingSets", get(list).post(create))
        .route("/data/foundation/conversion/mappingSets/validate", post(validate))
        .route("/data/foundation/conversion/mappingSets/{id}", get(lookup))
}

fn refuse(detail: impl Into<String>) -> Refusal {
    Refusal::own(Service::DataPrep, 400, detail)
}

/// The schema that a mapping set writes to.
pub fn schema_of(document: &Map<String, Value>) -> Option<&str> {
    text(document, "xdmSchema").or_else(|| {
        document
            .get("outputSchema")?
            .get("schemaRef")?
            .get("id")?
            .as_str()
    })
}

/// Source and destination of one mapping, in either vocabulary.
fn ends(mapping: &Value) -> Result<(&str, &str), String> {
    let mapping = mapping.as_object().ok_or("A mapping must be an object.")?;
    let kind = mapping
        .get("sourceType")
        .and_then(Value::as_str)
        .unwrap_or("ATTRIBUTE");
    if ![
        "ATTRIBUTE",
        "EXPRESSION",
        "STATIC",
        "text/x.schema-path",
        "text/x.aep-xl",
    ]
    .contains(&kind)
    {
        return Err(format!("The sourceType '{kind}' is not known."));
    }
    let source = text(mapping, "source")
        .or_else(|| text(mapping, "sourceAttribute"))
        .ok_or("A mapping needs a source.")?;
    let destination = text(mapping, "destination")
        .or_else(|| text(mapping, "destinationXdmPath"))
        .ok_or("A mapping needs a destination.")?;
    Ok((source, destination))
}

fn mappings(sent: &Map<String, Value>) -> Result<&Vec<Value>, Refusal> {
    let known = [
        "id",
        "version",
        "name",
        "description",
        "xdmSchema",
        "xdmVersion",
        "inputSchema",
        "outputSchema",
        "mappings",
    ];
    if let Some(unknown) = first_unknown(sent, &known) {
        return Err(refuse(format!("The member '{unknown}' is not known.")));
    }
    let mappings = sent
        .get("mappings")
        .and_then(Value::as_array)
        .filter(|mappings| !mappings.is_empty());
    mappings.ok_or_else(|| refuse("The mapping set needs mappings."))
}

fn check(world: &World, sandbox: &str, sent: &Map<String, Value>) -> Result<(), Refusal> {
    let mut destinations = Vec::new();
    for mapping in mappings(sent)? {
        let (_, destination) = ends(mapping).map_err(refuse)?;
        if destinations.contains(&destination) {
            return Err(refuse(format!("The destination {destination} is mapped twice.")));
        }
        destinations.push(destination);
    }
    let schema =
        schema_of(sent).ok_or_else(|| refuse("The mapping set needs an xdmSchema or an outputSchema."))?;
    schema_registry::find(&world.schemas, sandbox, schema)
        .map(|_| ())
        .ok_or_else(|| refuse(format!("The schema {schema} is not found.")))
}

async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sent = call.object()?;
    let (mut world, now_ms) = app.world();
    check(&world, &call.sandbox, &sent)?;
    let set = add(&mut world, &app.options, &call.sandbox, sent, now_ms);
    Ok(ok(&summary(&set)))
}

/// Keeps a mapping set that has been checked.
pub fn add(
    world: &mut World,
    options: &Options,
    sandbox: &str,
    sent: Map<String, Value>,
    now_ms: i64,
) -> Record {
    let id = world.ids.hex(32);
    let user = user_id(options);
    let mut document = sent;
    document.extend(object(json!({
        "id": id, "version": 0, "createdDate": now_ms, "modifiedDate": now_ms, "createdBy": user, "modifiedBy": user,
    })));
    let set = Record {
        id,
        sandbox: sandbox.to_owned(),
        document,
    };
    world.mapping_sets.put(set.clone());
    set
}

fn summary(set: &Record) -> Value {
    let document = &set.document;
    json!({
        "id": set.id, "version": document["version"], "createdDate": document["createdDate"],
        "modifiedDate": document["modifiedDate"], "createdBy": document["createdBy"], "modifiedBy": document["modifiedBy"],
    })
}

async fn validate(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sent = call.object()?;
    let (world, _) = app.world();
    let schema_is_known = schema_of(&sent)
        .is_some_and(|schema| schema_registry::find(&world.schemas, &call.sandbox, schema).is_some());
    let results: Vec<Value> = mappings(&sent)?
        .iter()
        .map(|mapping| match ends(mapping) {
            Ok(_) if schema_is_known => json!({ "status": "SUCCESS", "errors": null }),
            Ok(_) => {
                json!({ "status": "FAILED", "errors": [{ "message": "The output schema is not found." }] })
            }
            Err(message) => json!({ "status": "FAILED", "errors": [{ "message": message }] }),
        })
        .collect();
    Ok(ok(&json!({ "validationResponse": results })))
}

async fn list(State(app): State<Arc<App>>, call: Call) -> Answer {
    let number = |name: &str, usual: usize| match call.query.get(name) {
        None => Ok(usual),
        Some(text) => text
            .parse()
            .map_err(|_| refuse(format!("The parameter {name} must be a whole number."))),
    };
    let (start, limit): (usize, usize) = (number("start", 0)?, number("limit", 10)?);
    let (world, _) = app.world();
    let wanted = call.query.get("name");
    let sets: Vec<Value> = world
        .mapping_sets
        .of(&call.sandbox)
        .filter(|(_, set)| wanted.is_none_or(|name| text(&set.document, "name") == Some(name)))
        .skip(start)
        .take(limit)
        .map(|(_, set)| Value::Object(set.document.clone()))
        .collect();
    Ok(ok(
        &json!({ "_page": { "count": sets.len(), "limit": limit }, "_links": {}, "data": sets }),
    ))
}

async fn lookup(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, _) = app.world();
    let set = world.mapping_sets.get(&call.sandbox, &id).ok_or_else(|| {
        Refusal::own(
            Service::DataPrep,
            404,
            format!("The mapping set {id} is not found."),
        )
    })?;
    Ok(ok(&Value::Object(set.document.clone())))
}
