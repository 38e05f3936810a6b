//! Schema Registry: schemas of the tenant (Adobe's Schema Registry API guide, "Schemas endpoint").

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::refusal::{Answer, Refusal, Service};
use super::state::{App, Record, Shelf, World, object, user_id};
use super::wire::{Call, created, ok, text};

const BASE: &str = "/data/foundation/schemaregistry";
/// Schemas per listing at most (Adobe's "Schemas endpoint" page).
const MOST_LISTED: usize = 300;

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/data/foundation/schemaregistry/stats", get(stats))
        .route(
            "/data/foundation/schemaregistry/tenant/schemas",
            get(list).post(create),
        )
        .route("/data/foundation/schemaregistry/global/schemas", get(list_global))
        .route(
            "/data/foundation/schemaregistry/tenant/schemas/{id}",
            get(lookup).delete(remove),
        )
        .route(
            "/data/foundation/schemaregistry/global/schemas/{id}",
            get(lookup_global),
        )
}

fn refuse(detail: impl Into<String>) -> Refusal {
    Refusal::own(Service::SchemaRegistry, 400, detail)
}

fn missing(id: &str) -> Refusal {
    let detail = format!("The requested schemas resource {id} with version 1 is not found.");
    Refusal::registry("1010-404", "Resource not found", detail)
}

/// A schema by its `$id` or by its `meta:altId`.
pub fn find<'a>(schemas: &'a Shelf<Record>, sandbox: &str, id: &str) -> Option<&'a Record> {
    schemas.get(sandbox, id).or_else(|| {
        let hash = id.strip_prefix('_')?.split_once(".schemas.")?.1;
        schemas
            .of(sandbox)
            .map(|(_, schema)| schema)
            .find(|schema| schema.id.ends_with(&format!("/schemas/{hash}")))
    })
}

/// Whether an `Accept` is one of `application/vnd.adobe.{forms}+json`; `Some(version)` when it names a version.
fn accept<'a>(call: &'a Call, forms: &[&str]) -> Option<(String, Option<&'a str>)> {
    let (kind, parameters) = match call.header(&header::ACCEPT)?.split_once(';') {
        Some((kind, parameters)) => (kind, Some(parameters)),
        None => (call.header(&header::ACCEPT)?, None),
    };
    let form = kind
        .trim()
        .strip_prefix("application/vnd.adobe.")?
        .strip_suffix("+json")?;
    let version = match parameters {
        Some(parameters) => Some(parameters.trim().strip_prefix("version=")?.trim()),
        None => None,
    };
    forms.contains(&form).then(|| (form.to_owned(), version))
}

fn bad_accept(call: &Call, code: &str, example: &str) -> Refusal {
    let sent = call.header(&header::ACCEPT).unwrap_or_default();
    let detail = format!(
        "The supplied Accept header is not valid: {sent} - A valid Accept value should look like {example}"
    );
    Refusal::registry(code, "Accept header invalid", detail)
}

/// The form of a listing: `true` for whole documents.
fn listing_form(call: &Call) -> Result<bool, Refusal> {
    match accept(call, &["xed", "xdm", "xed-id", "xdm-id"]) {
        Some((form, None)) => Ok(!form.ends_with("-id")),
        _ => Err(bad_accept(
            call,
            "1006-400",
            "application/vnd.adobe.{xed|xdm}+json",
        )),
    }
}

/// The major version that a lookup asks for.
fn lookup_version(call: &Call) -> Result<(), Refusal> {
    let forms = [
        "xed",
        "xed-full",
        "xed-notext",
        "xed-full-notext",
        "xed-full-desc",
        "xed-deprecatefield",
        "xdm",
        "xdm-full",
    ];
    match accept(call, &forms) {
        Some((_, Some("1" | "1.0"))) => Ok(()),
        Some((_, Some(_))) => Err(Refusal::own(
            Service::SchemaRegistry,
            406,
            "This version of the resource is not available.",
        )),
        _ => Err(bad_accept(
            call,
            "1007-400",
            "application/vnd.adobe.{xed|xdm}+json;version={MAJOR_VERSION}",
        )),
    }
}

async fn stats(State(app): State<Arc<App>>, call: Call) -> Response {
    let (world, _) = app.world();
    let schemas: Vec<&Record> = world
        .schemas
        .of(&call.sandbox)
        .map(|(_, schema)| schema)
        .collect();
    let recent: Vec<Value> = schemas
        .iter()
        .rev()
        .take(10)
        .map(|schema| short(schema))
        .collect();
    let mut usage = Map::new();
    for class in schemas
        .iter()
        .filter_map(|schema| text(&schema.document, "meta:class"))
    {
        let count = usage.get(class).and_then(Value::as_u64).unwrap_or_default();
        usage.insert(class.to_owned(), json!(count + 1));
    }
    ok(&json!({
        "imsOrg": app.options.organization, "tenantId": app.options.tenant,
        "counts": { "schemas": schemas.len(), "mixins": 0, "datatypes": 0, "classes": 0, "unions": 0 },
        "recentlyCreatedResources": recent, "recentlyUpdatedResources": recent, "classUsage": usage,
    }))
}

fn short(schema: &Record) -> Value {
    let document = &schema.document;
    json!({ "$id": schema.id, "meta:altId": document["meta:altId"], "version": document["version"], "title": document["title"] })
}

fn page(results: &[Value], orderby: Option<&str>, next: Option<&str>) -> Value {
    json!({
        "results": results,
        "_page": { "orderby": orderby.unwrap_or("title"), "next": next, "count": results.len() },
        "_links": {
            "next": next.map(|next| {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("orderby", orderby.unwrap_or("title")).append_pair("start", next).finish();
                json!({ "href": format!("https://platform.adobe.io{BASE}/tenant/schemas?{query}") })
            }),
            "global_schemas": { "href": format!("https://platform.adobe.io{BASE}/global/schemas") },
        },
    })
}

async fn list_global(call: Call) -> Answer {
    listing_form(&call)?;
    Ok(ok(&page(&[], None, None)))
}

async fn lookup_global(Path(id): Path<String>, call: Call) -> Answer {
    lookup_version(&call)?;
    Err(missing(&id))
}

/// A filter of a listing, `name==value` or `name!=value` on a top-level member.
fn keeps(filter: &str, document: &Map<String, Value>) -> Result<bool, Refusal> {
    let (name, value, equal) = match (filter.split_once("=="), filter.split_once("!=")) {
        (Some((name, value)), _) => (name, value, true),
        (None, Some((name, value))) => (name, value, false),
        // A bare list of names is a projection in the published description; it filters nothing.
        (None, None) if !filter.contains(['<', '>', '~', '=']) => return Ok(true),
        (None, None) => {
            return Err(refuse(format!(
                "The filter '{filter}' uses an operator that is not supported."
            )));
        }
    };
    let matches = match document.get(name) {
        Some(Value::String(text)) => text == value,
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(value)),
        Some(other) => other.to_string() == value,
        None => false,
    };
    Ok(matches == equal)
}

async fn list(State(app): State<Arc<App>>, call: Call) -> Answer {
    let whole = listing_form(&call)?;
    if let Some(unknown) = call
        .query
        .first_unknown(&["property", "orderby", "limit", "start"])
    {
        return Err(refuse(format!(
            "The query parameter '{unknown}' is not supported."
        )));
    }
    let orderby = call.query.get("orderby");
    let limit = match call.query.get("limit") {
        None => MOST_LISTED,
        Some(_) if orderby.is_none() => {
            return Err(refuse("The limit parameter needs an orderby parameter."));
        }
        Some(limit) => limit
            .parse::<usize>()
            .ok()
            .filter(|limit| *limit <= 500)
            .ok_or_else(|| refuse("The limit must be a whole number from 0 to 500."))?
            .min(MOST_LISTED),
    };
    let start = call.query.get("start");
    if start.is_some() && orderby.is_none() {
        return Err(refuse("The start parameter needs an orderby parameter."));
    }
    let first_key = orderby
        .and_then(|order| order.split(',').next())
        .unwrap_or("title");
    let (key, descending) = first_key
        .strip_prefix('-')
        .map_or((first_key, false), |key| (key, true));
    let key_of = |schema: &Record| {
        schema
            .document
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (world, _) = app.world();
    let mut found = Vec::new();
    for (_, schema) in world.schemas.of(&call.sandbox) {
        let mut kept = true;
        for filter in call.query.all("property") {
            kept &= keeps(filter, &schema.document)?;
        }
        if kept {
            found.push((key_of(schema), schema));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if descending {
        found.reverse();
    }
    if let Some(start) = start {
        found.retain(|(value, _)| {
            if descending {
                value.as_str() < start
            } else {
                value.as_str() > start
            }
        });
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(value, _)| value.clone());
    let results: Vec<Value> = found
        .iter()
        .map(|(_, schema)| {
            if whole {
                Value::Object(schema.document.clone())
            } else {
                short(schema)
            }
        })
        .collect();
    Ok(ok(&page(&results, orderby, next.as_deref())))
}

async fn lookup(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    lookup_version(&call)?;
    let (world, _) = app.world();
    let schema = find(&world.schemas, &call.sandbox, &id).ok_or_else(|| missing(&id))?;
    Ok(ok(&Value::Object(schema.document.clone())))
}

async fn remove(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (mut world, _) = app.world();
    let id = find(&world.schemas, &call.sandbox, &id)
        .map(|schema| schema.id.clone())
        .ok_or_else(|| missing(&id))?;
    let user = world
        .datasets
        .of(&call.sandbox)
        .map(|(_, dataset)| dataset)
        .find(|dataset| {
            dataset
                .document
                .get("schemaRef")
                .and_then(|schema| schema.get("id"))
                .and_then(Value::as_str)
                == Some(&id)
        });
    if let Some(dataset) = user {
        return Err(refuse(format!(
            "The schema {id} is used by the dataset {} and cannot be deleted.",
            dataset.id
        )));
    }
    world.schemas.remove(&call.sandbox, &id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sent = call.object()?;
    let (mut world, now_ms) = app.world();
    let schema = add(&mut world, &app.options, &call.sandbox, sent, now_ms)?;
    let location = format!(
        "{BASE}/tenant/schemas/{}",
        text(&schema.document, "meta:altId").unwrap_or_default()
    );
    Ok(created(&location, &Value::Object(schema.document)))
}

/// Checks a schema, keeps it and answers what was kept.
pub fn add(
    world: &mut World,
    options: &super::options::Options,
    sandbox: &str,
    sent: Map<String, Value>,
    now_ms: i64,
) -> Result<Record, Refusal> {
    let title = text(&sent, "title").ok_or_else(|| refuse("The schema needs a title."))?;
    if sent.get("type").and_then(Value::as_str) != Some("object") {
        return Err(refuse("The type of a schema must be 'object'."));
    }
    if !sent.get("description").is_some_and(Value::is_string) {
        return Err(refuse("The schema needs a description; it may be empty."));
    }
    let references = references(&sent, &options.tenant)?;
    let class = class_of(&sent, &references)?;
    if let Some((_, other)) = world
        .schemas
        .of(sandbox)
        .find(|(_, other)| text(&other.document, "title") == Some(title))
    {
        let detail = format!(
            "Object titles must be unique. An object {} already exists with the same title",
            other.id
        );
        return Err(Refusal::registry("1521-400", "Title not unique", detail));
    }
    let hash = world.ids.hex(48);
    let tenant = &options.tenant;
    let id = format!("https://ns.adobe.com/{tenant}/schemas/{hash}");
    let user = user_id(options);
    let parts: Vec<Value> = references
        .iter()
        .map(|reference| json!({ "$ref": reference, "type": "object", "meta:xdmType": "object" }))
        .collect();
    let behaviour = if class.ends_with("experienceevent") {
        "time-series"
    } else {
        "record"
    };
    let mut extends = references.clone();
    extends.push(format!("https://ns.adobe.com/xdm/data/{behaviour}"));
    let mut document = sent;
    document.extend(object(json!({
        "$id": id, "meta:altId": format!("_{tenant}.schemas.{hash}"), "meta:resourceType": "schemas",
        "version": "1.0", "allOf": parts, "refs": references, "imsOrg": options.organization,
        "meta:extensible": false, "meta:abstract": false, "meta:extends": extends, "meta:xdmType": "object",
        "meta:registryMetadata": {
            "repo:createdDate": now_ms, "repo:lastModifiedDate": now_ms,
            "xdm:createdClientId": options.client_id, "xdm:lastModifiedClientId": options.client_id,
            "xdm:createdUserId": user, "xdm:lastModifiedUserId": user, "eTag": world.ids.hex(64),
        },
        "meta:class": class, "meta:containerId": "tenant", "meta:tenantNamespace": format!("_{tenant}"),
    })));
    let schema = Record {
        id,
        sandbox: sandbox.to_owned(),
        document,
    };
    world.schemas.put(schema.clone());
    Ok(schema)
}

fn references(sent: &Map<String, Value>, tenant: &str) -> Result<Vec<String>, Refusal> {
    let parts = sent
        .get("allOf")
        .and_then(Value::as_array)
        .filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| refuse("The schema needs an allOf with the class it is based on."))?;
    let own = format!("https://ns.adobe.com/{tenant}/");
    let mut references = Vec::new();
    for part in parts {
        let reference = part
            .get("$ref")
            .and_then(Value::as_str)
            .ok_or_else(|| refuse("Every part of allOf needs a $ref."))?;
        if !reference.starts_with("https://ns.adobe.com/xdm/") && !reference.starts_with(&own) {
            return Err(refuse(format!(
                "The $ref {reference} is known neither to the standard resources nor to this tenant."
            )));
        }
        references.push(reference.to_owned());
    }
    Ok(references)
}

fn class_of(sent: &Map<String, Value>, references: &[String]) -> Result<String, Refusal> {
    let is_class = |reference: &String| {
        reference == "https://ns.adobe.com/xdm/context/profile"
            || reference == "https://ns.adobe.com/xdm/context/experienceevent"
            || reference.contains("/classes/")
    };
    let mut classes = references.iter().filter(|reference| is_class(reference));
    let class = classes
        .next()
        .ok_or_else(|| refuse("The allOf names no class; one is mandatory."))?;
    if classes.next().is_some() {
        return Err(refuse("The allOf names more than one class."));
    }
    match sent.get("meta:class").and_then(Value::as_str) {
        Some(said) if said != class => Err(refuse("The meta:class is not the class named by allOf.")),
        _ => Ok(class.clone()),
    }
}
