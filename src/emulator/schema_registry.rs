//! Schema Registry: schemas of the tenant (Adobe's Schema Registry API guide, "Schemas endpoint").

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::refusal::{Answer, Refusal, Service};
use super::schema_creation;
use super::state::{App, Record, Shelf};
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

pub fn refuse(detail: impl Into<String>) -> Refusal {
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
        Some(other) => serde_json::from_str::<Value>(value).is_ok_and(|value| value == *other),
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
    let schema = schema_creation::add(&mut world, &app.options, &call.sandbox, sent, now_ms)?;
    let location = format!(
        "{BASE}/tenant/schemas/{}",
        text(&schema.document, "meta:altId").unwrap_or_default()
    );
    Ok(created(&location, &Value::Object(schema.document)))
}
