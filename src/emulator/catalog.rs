//! Catalog: datasets (Adobe's Catalog Service API guide). Answers are keyed by id.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::options::Options;
use super::refusal::{Answer, Refusal, Service};
use super::schema_registry;
use super::state::{App, Record, World, object, user_id};
use super::wire::{Call, Query, created, first_unknown, ok, text};

const BASE: &str = "/data/foundation/catalog";
const FILTERS: [&str; 8] = [
    "name",
    "description",
    "version",
    "createdClient",
    "createdUser",
    "updatedUser",
    "created",
    "updated",
];

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/data/foundation/catalog/dataSets", get(list).post(create))
        .route(
            "/data/foundation/catalog/dataSets/{id}",
            get(lookup).delete(remove),
        )
}

fn refuse(detail: impl Into<String>) -> Refusal {
    Refusal::own(Service::Catalog, 400, detail)
}

/// Offset and size of a page: default 20, 1 to 100 (Adobe's "Filter Catalog data" page).
pub fn window(query: &Query) -> Result<(usize, usize), Refusal> {
    let number = |name: &str, usual: usize| match query.get(name) {
        None => Ok(usual),
        Some(text) => text
            .parse()
            .map_err(|_| refuse(format!("The parameter {name} must be a whole number."))),
    };
    let limit = number("limit", 20)?;
    if !(1..=100).contains(&limit) {
        return Err(refuse("The limit must be between 1 and 100."));
    }
    Ok((number("start", 0)?, limit))
}

/// Reads `orderBy=asc:created,updated`; `true` means descending.
pub fn order(query: &Query) -> Result<Option<(String, bool)>, Refusal> {
    let Some(order) = query.get("orderBy") else {
        return Ok(None);
    };
    let (direction, fields) = order.split_once(':').unwrap_or(("asc", order));
    match (direction, fields.split(',').next()) {
        ("asc" | "desc", Some(field)) if !field.is_empty() => {
            Ok(Some((field.to_owned(), direction == "desc")))
        }
        _ => Err(refuse("The orderBy must look like asc:created or desc:created.")),
    }
}

/// Keeps only the top-level members that `properties` names.
pub fn project(query: &Query, document: &Map<String, Value>) -> Value {
    match query.get("properties") {
        None => Value::Object(document.clone()),
        Some(names) => {
            let kept = names
                .split(',')
                .filter_map(|name| document.get(name).map(|value| (name.to_owned(), value.clone())));
            Value::Object(kept.collect())
        }
    }
}

/// Sorts by a member when asked to.
pub fn sort(found: &mut [(String, Map<String, Value>)], order: Option<(String, bool)>) {
    let Some((field, descending)) = order else { return };
    found.sort_by(|(_, a), (_, b)| match (a.get(&field), b.get(&field)) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a.as_i64().cmp(&b.as_i64()),
        (a, b) => a.and_then(Value::as_str).cmp(&b.and_then(Value::as_str)),
    });
    if descending {
        found.reverse();
    }
}

/// A text against a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| fits(tail, &rest[at..]))
        }),
    }
}

/// `tags=name:value,other:*`: every part must be there.
fn has_tags(wanted: &str, document: &Map<String, Value>) -> Result<bool, Refusal> {
    for part in wanted.split(',') {
        let (name, value) = part
            .split_once(':')
            .ok_or_else(|| refuse("The tags filter must look like name:value, with * as a wildcard."))?;
        let values = document
            .get("tags")
            .and_then(|tags| tags.get(name))
            .and_then(Value::as_array);
        if !values.is_some_and(|values| {
            values
                .iter()
                .filter_map(Value::as_str)
                .any(|tag| fits(value, tag))
        }) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn keeps(query: &Query, document: &Map<String, Value>) -> Result<bool, Refusal> {
    for name in FILTERS {
        for wanted in query.all(name) {
            let is = match document.get(name) {
                Some(Value::String(text)) => wanted.split(',').any(|wanted| wanted == text),
                Some(other) => {
                    let held = other.to_string();
                    wanted.split(',').any(|wanted| wanted == held)
                }
                None => false,
            };
            if !is {
                return Ok(false);
            }
        }
    }
    for wanted in query.all("tags") {
        if !has_tags(wanted, document)? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn list(State(app): State<Arc<App>>, call: Call) -> Answer {
    let known = [&FILTERS[..], &["tags", "limit", "start", "orderBy", "properties"]].concat();
    if let Some(unknown) = call.query.first_unknown(&known) {
        return Err(refuse(format!(
            "The query parameter '{unknown}' is not supported."
        )));
    }
    let (start, limit) = window(&call.query)?;
    let order = order(&call.query)?;
    let (world, _) = app.world();
    let mut found = Vec::new();
    for (_, dataset) in world.datasets.of(&call.sandbox) {
        if keeps(&call.query, &dataset.document)? {
            found.push((dataset.id.clone(), dataset.document.clone()));
        }
    }
    sort(&mut found, order);
    let page = found
        .iter()
        .skip(start)
        .take(limit)
        .map(|(id, document)| (id.clone(), project(&call.query, document)));
    Ok(ok(&Value::Object(page.collect())))
}

fn missing(id: &str) -> Refusal {
    Refusal::own(Service::Catalog, 404, format!("The dataset {id} is not found."))
}

async fn lookup(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, _) = app.world();
    let dataset = world
        .datasets
        .get(&call.sandbox, &id)
        .ok_or_else(|| missing(&id))?;
    let tag = dataset
        .document
        .get("version")
        .map(Value::to_string)
        .unwrap_or_default();
    let body = json!({ dataset.id.as_str(): project(&call.query, &dataset.document) });
    Ok(([("e-tag", tag)], ok(&body)).into_response())
}

async fn remove(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (mut world, _) = app.world();
    world
        .datasets
        .remove(&call.sandbox, &id)
        .ok_or_else(|| missing(&id))?;
    Ok(ok(&json!([format!("@/dataSets/{id}")])))
}

async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sent = call.object()?;
    if let Some(unknown) = call.query.first_unknown(&["requestDataSource"]) {
        return Err(refuse(format!(
            "The query parameter '{unknown}' is not supported."
        )));
    }
    let (mut world, now_ms) = app.world();
    check(&world, &call.sandbox, &sent)?;
    if call
        .headers
        .get("pragma")
        .is_some_and(|value| value == "validate-only")
    {
        return Ok(ok(&json!([])));
    }
    let dataset = add(&mut world, &app.options, &call.sandbox, sent, now_ms);
    let path = format!("{BASE}/dataSets/{}", dataset.id);
    Ok(created(&path, &json!([format!("@/dataSets/{}", dataset.id)])))
}

fn check(world: &World, sandbox: &str, sent: &Map<String, Value>) -> Result<(), Refusal> {
    let known = [
        "name",
        "description",
        "schemaRef",
        "fileDescription",
        "tags",
        "enableErrorDiagnostics",
    ];
    if let Some(unknown) = first_unknown(sent, &known) {
        return Err(refuse(format!("The member '{unknown}' is not known.")));
    }
    text(sent, "name").ok_or_else(|| refuse("The dataset needs a name."))?;
    let schema = sent
        .get("schemaRef")
        .and_then(Value::as_object)
        .ok_or_else(|| refuse("The dataset needs a schemaRef."))?;
    let id = text(schema, "id").ok_or_else(|| refuse("The schemaRef needs an id."))?;
    schema_registry::find(&world.schemas, sandbox, id)
        .ok_or_else(|| refuse(format!("The schema {id} is not found.")))?;
    let kind = text(schema, "contentType").ok_or_else(|| refuse("The schemaRef needs a contentType."))?;
    if !kind.starts_with("application/vnd.adobe.xed") || !kind.replace(' ', "").contains("+json;version=1") {
        return Err(refuse(
            "The contentType of the schemaRef must look like application/vnd.adobe.xed+json;version=1.",
        ));
    }
    let format = sent
        .get("fileDescription")
        .and_then(|files| files.get("format"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !["", "csv", "text", "parquet", "json", "sequencefile", "avro"].contains(&format) {
        return Err(refuse(format!("The file format '{format}' is not known.")));
    }
    check_tags(sent.get("tags"))
}

fn check_tags(tags: Option<&Value>) -> Result<(), Refusal> {
    let Some(tags) = tags else { return Ok(()) };
    let tags = tags
        .as_object()
        .ok_or_else(|| refuse("The tags must be an object of lists of text."))?;
    for (name, values) in tags {
        if name.to_ascii_lowercase().starts_with("adobe") {
            return Err(refuse(format!("The tag name '{name}' is reserved.")));
        }
        if !values
            .as_array()
            .is_some_and(|values| values.iter().all(Value::is_string))
        {
            return Err(refuse(format!("The tag '{name}' must be a list of text.")));
        }
    }
    Ok(())
}

/// Keeps a dataset that has been checked.
pub fn add(
    world: &mut World,
    options: &Options,
    sandbox: &str,
    sent: Map<String, Value>,
    now_ms: i64,
) -> Record {
    let (id, view) = (world.ids.hex(24), world.ids.hex(24));
    let user = user_id(options);
    let mut document = object(json!({
        "version": "1.0.0", "imsOrg": options.organization, "created": now_ms, "updated": now_ms,
        "createdClient": options.client_id, "createdUser": user, "updatedUser": user,
        "tags": {}, "fileDescription": { "format": "parquet" },
        "files": format!("@/dataSets/{id}/views/{view}/files"), "viewId": view, "observableSchema": {},
    }));
    document.extend(sent);
    let dataset = Record {
        id,
        sandbox: sandbox.to_owned(),
        document,
    };
    world.datasets.put(dataset.clone());
    dataset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_tags() {
        let document = object(json!({ "tags": { "hg": ["hg1-abc-ds"], "team": ["crm", "web"] } }));
        for (wanted, expected) in [
            ("hg:hg1-abc-ds", true),
            ("hg:hg1-*", true),
            ("hg:*", true),
            ("hg:hg1", false),
            ("team:web,hg:*ds", true),
            ("team:x,hg:*", false),
            ("none:*", false),
        ] {
            assert_eq!(has_tags(wanted, &document), Ok(expected), "{wanted}");
        }
        assert!(has_tags("hg", &document).is_err());
    }
}
