//! Schema Registry: what a new schema must be, and what becomes of it.

use serde_json::{Map, Value, json};

use super::options::Options;
use super::refusal::Refusal;
use super::schema_registry::refuse;
use super::state::{Record, World, object, user_id};
use super::wire::text;

/// Checks a schema, keeps it and answers what was kept.
pub fn add(
    world: &mut World,
    options: &Options,
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
