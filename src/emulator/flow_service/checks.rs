//! What Flow Service refuses about connections, source connections and target connections.
//!
//! Codes come from Adobe's Flow Service error page; where no code is printed the emulator speaks for itself.

use serde_json::{Map, Value, json};

use super::super::refusal::Refusal;
use super::super::schema_registry;
use super::super::state::{Entity, World};
use super::super::wire::{first_unknown, text};
use super::entities::Kind;
use super::patch::paths;
use super::specs::{ConnectionSpec, DATA_LAKE_SPEC_ID, connection_spec};

fn own(detail: impl Into<String>) -> Refusal {
    Refusal::flow_own(detail)
}

/// Refuses members that no document gives to an object.
pub fn only(content: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match first_unknown(content, known) {
        None => Ok(()),
        Some("state") => Err(Refusal::flow(
            "1410-400",
            "State is not allowed in a create request.",
        )),
        Some(unknown) => Err(own(format!("The member '{unknown}' is not known."))),
    }
}

/// Refuses names and descriptions that are no text; a name may be demanded.
pub fn named(content: &Map<String, Value>, demanded: bool) -> Result<(), Refusal> {
    for member in ["name", "description"] {
        if content.get(member).is_some_and(|value| !value.is_string()) {
            return Err(own(format!("The {member} must be text.")));
        }
    }
    if demanded && text(content, "name").is_none() {
        Err(own("A name is required."))
    } else {
        Ok(())
    }
}

/// The id in a `{id, version}` member. A version given as a number is kept as text; a missing one becomes 1.0.
pub fn spec_id(content: &mut Map<String, Value>, member: &str) -> Result<String, Refusal> {
    let spec = content
        .get_mut(member)
        .and_then(Value::as_object_mut)
        .ok_or_else(|| own(format!("The {member} is required, with an id.")))?;
    only(spec, &["id", "version"])?;
    let version = match spec.get("version") {
        None => "1.0".to_owned(),
        Some(Value::String(version)) => version.clone(),
        Some(Value::Number(version)) => {
            tracing::warn!(target: "headgate::emulator", %version, member, "a version was sent as a number");
            "1.0".to_owned()
        }
        Some(_) => return Err(own(format!("The version of the {member} must be text."))),
    };
    spec.insert("version".to_owned(), json!(version));
    let id = text(spec, "id").map(str::to_owned);
    id.ok_or_else(|| Refusal::flow("1413-400", format!("The id of the {member} is missing or empty.")))
}

fn unknown_spec(member: &str, id: &str) -> Refusal {
    Refusal::flow(
        "1413-400",
        format!("The {member} ID {id} is invalid. Please provide a valid ID and try again."),
    )
}

/// Judges a base connection and masks its secrets, so that none is kept.
pub fn connection(content: &mut Map<String, Value>, draft: bool) -> Result<(), Refusal> {
    only(content, &["name", "description", "auth", "connectionSpec"])?;
    named(content, true)?;
    let id = spec_id(content, "connectionSpec")?;
    if id == DATA_LAKE_SPEC_ID {
        return if content.contains_key("auth") {
            Err(own("The data lake takes no auth."))
        } else {
            Ok(())
        };
    }
    let spec = connection_spec(&id).ok_or_else(|| unknown_spec("connection spec", &id))?;
    match content.get_mut("auth") {
        None if draft || !spec.needs_base_connection => Ok(()),
        None => Err(own(format!("The connection spec '{}' needs an auth.", spec.name))),
        Some(auth) => authentication(spec, auth),
    }
}

fn authentication(spec: &ConnectionSpec, auth: &mut Value) -> Result<(), Refusal> {
    let auth = auth
        .as_object_mut()
        .ok_or_else(|| own("The auth must be an object."))?;
    only(auth, &["specName", "params"])?;
    let name = text(auth, "specName").unwrap_or_default().to_owned();
    let auth_spec = spec.auth_spec(&name).ok_or_else(|| {
        let detail = format!(
            "The auth spec '{name}' could not be found for the connection spec ID {}.",
            spec.id
        );
        Refusal::flow("1415-400", detail)
    })?;
    let params = auth
        .get_mut("params")
        .and_then(Value::as_object_mut)
        .ok_or_else(|| own("The auth needs params."))?;
    // Adobe's page says userId, the published specification userid.
    if auth_spec.properties.contains_key("userid")
        && let Some(user) = params.remove("userId")
    {
        params.insert("userid".to_owned(), user);
    }
    if let Some(fault) = auth_spec.fault(params) {
        return Err(own(format!("The auth params are not valid: {fault}.")));
    }
    for (_, value) in params.iter_mut().filter(|(name, _)| auth_spec.is_secret(name)) {
        *value = json!("****");
    }
    Ok(())
}

/// Whether a base connection is there, made for a connection spec.
fn base_connection(
    world: &World,
    sandbox: &str,
    content: &Map<String, Value>,
    spec: &str,
) -> Result<(), Refusal> {
    let Some(id) = content.get("baseConnectionId") else {
        return Ok(());
    };
    let id = id
        .as_str()
        .ok_or_else(|| own("The baseConnectionId must be text."))?;
    let base = world
        .connections
        .get(sandbox, id)
        .ok_or_else(|| Kind::Connection.missing(id))?;
    if base.text(&["connectionSpec", "id"]) == Some(spec) {
        Ok(())
    } else {
        Err(own(format!(
            "The base connection {id} is of another connection spec than {spec}."
        )))
    }
}

/// Judges a `data.schema`: it must name a schema that is there.
fn schema(world: &World, sandbox: &str, data: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(schema) = data.get("schema") else {
        return Ok(());
    };
    let schema = schema
        .as_object()
        .ok_or_else(|| own("The data.schema must be an object."))?;
    only(schema, &["id", "version"])?;
    let id = text(schema, "id").ok_or_else(|| own("The data.schema needs an id."))?;
    schema_registry::find(&world.schemas, sandbox, id)
        .ok_or_else(|| own(format!("The schema {id} is not found.")))?;
    match text(schema, "version")
        .map(|version| version.replace(' ', ""))
        .as_deref()
    {
        Some(
            "application/vnd.adobe.xed-full+json;version=1"
            | "application/vnd.adobe.xed-full+json;version=1.0",
        ) => Ok(()),
        _ => Err(own(
            "The version of data.schema must be application/vnd.adobe.xed-full+json;version=1.",
        )),
    }
}

/// Judges a source connection.
pub fn source(
    world: &World,
    sandbox: &str,
    content: &mut Map<String, Value>,
    draft: bool,
) -> Result<(), Refusal> {
    only(
        content,
        &[
            "name",
            "description",
            "baseConnectionId",
            "data",
            "params",
            "connectionSpec",
        ],
    )?;
    named(content, true)?;
    let id = spec_id(content, "connectionSpec")?;
    let spec = connection_spec(&id).ok_or_else(|| unknown_spec("connection spec", &id))?;
    base_connection(world, sandbox, content, &id)?;
    if draft {
        return Ok(());
    }
    if spec.needs_base_connection && !content.contains_key("baseConnectionId") {
        return Err(own("The source connection needs a baseConnectionId."));
    }
    let data = content
        .get("data")
        .and_then(Value::as_object)
        .ok_or_else(|| own("The source connection needs data."))?;
    only(data, &["format", "schema", "properties", "columnDelimiter"])?;
    schema(world, sandbox, data)?;
    source_format(data)?;
    source_params(spec, content.get("params"))
}

fn source_format(data: &Map<String, Value>) -> Result<(), Refusal> {
    let format =
        text(data, "format").ok_or_else(|| own("The data of a source connection needs a format."))?;
    if !["delimited", "json", "parquet", "parquet_xdm"].contains(&format) {
        return Err(own(format!(
            "The format '{format}' is not delimited, json or parquet."
        )));
    }
    let nothing = Map::new();
    let properties = match data.get("properties") {
        None => &nothing,
        Some(properties) => properties
            .as_object()
            .ok_or_else(|| own("The data.properties must be an object."))?,
    };
    only(properties, &["columnDelimiter", "encoding", "compressionType"])?;
    let delimited = format == "delimited";
    for delimiter in [properties.get("columnDelimiter"), data.get("columnDelimiter")]
        .into_iter()
        .flatten()
    {
        let one = delimiter
            .as_str()
            .is_some_and(|text| text.chars().count() == 1 || text == "\\t");
        if !one || !delimited {
            return Err(own(
                "The columnDelimiter must be one character, with the format delimited.",
            ));
        }
    }
    if let Some(encoding) = properties.get("encoding")
        && !(delimited && (encoding == "UTF-8" || encoding == "ISO-8859-1"))
    {
        return Err(own(
            "The encoding must be UTF-8 or ISO-8859-1, with the format delimited.",
        ));
    }
    if let Some(compression) = properties.get("compressionType") {
        let known = ["bzip2", "gzip", "deflate", "zipDeflate", "tarGzip", "tar"];
        let fits =
            (delimited || format == "json") && compression.as_str().is_some_and(|kind| known.contains(&kind));
        if !fits {
            return Err(own(
                "The compressionType is not known, or not possible with this format.",
            ));
        }
    }
    Ok(())
}

fn source_params(spec: &ConnectionSpec, params: Option<&Value>) -> Result<(), Refusal> {
    let params = params
        .and_then(Value::as_object)
        .ok_or_else(|| own("The source connection needs params."))?;
    text(params, "path").ok_or_else(|| own("The params of a source connection need a path."))?;
    let is_flag = |value: &Value| value.is_boolean() || value == "true" || value == "false";
    if params.get("recursive").is_some_and(|value| !is_flag(value)) {
        return Err(own("The recursive must be true or false."));
    }
    if params
        .get("type")
        .is_some_and(|kind| kind != "file" && kind != "folder")
    {
        return Err(own("The type of a path must be file or folder."));
    }
    match params.get("cdcEnabled") {
        Some(flag) if !is_flag(flag) => Err(own("The cdcEnabled must be true or false.")),
        Some(_) if !spec.change_data_capture => Err(own(format!(
            "The connector '{}' has no change data capture.",
            spec.name
        ))),
        _ => Ok(()),
    }
}

/// Judges a target connection.
pub fn target(
    world: &World,
    sandbox: &str,
    content: &mut Map<String, Value>,
    draft: bool,
) -> Result<(), Refusal> {
    only(
        content,
        &[
            "name",
            "description",
            "baseConnectionId",
            "data",
            "params",
            "connectionSpec",
        ],
    )?;
    named(content, false)?;
    let id = spec_id(content, "connectionSpec")?;
    if id != DATA_LAKE_SPEC_ID {
        return Err(unknown_spec("target connection spec", &id));
    }
    base_connection(world, sandbox, content, &id)?;
    if draft {
        return Ok(());
    }
    let data = content
        .get("data")
        .and_then(Value::as_object)
        .ok_or_else(|| own("The target connection needs data."))?;
    only(data, &["format", "schema"])?;
    schema(world, sandbox, data)?;
    if let Some(format) = data.get("format")
        && !["parquet_xdm", "parquet", "json", "delimited"]
            .iter()
            .any(|known| format == known)
    {
        return Err(own("The format of the target is not known."));
    }
    let params = content
        .get("params")
        .and_then(Value::as_object)
        .ok_or_else(|| own("The target connection needs params."))?;
    only(params, &["dataSetId"])?;
    let dataset = text(params, "dataSetId")
        .ok_or_else(|| own("The params of a target connection need a dataSetId."))?;
    world
        .datasets
        .get(sandbox, dataset)
        .map(|_| ())
        .ok_or_else(|| own(format!("The dataset {dataset} is not found.")))
}

/// What an object depends on must be published before it.
pub fn parts_are_published(world: &World, entity: &Entity) -> Result<(), Refusal> {
    let parts = [
        (Kind::Connection, entity.text(&["baseConnectionId"])),
        (Kind::Source, entity.only_id("sourceConnectionIds")),
        (Kind::Target, entity.only_id("targetConnectionIds")),
    ];
    for (kind, id) in parts {
        let part = id.and_then(|id| kind.shelf(world).get(&entity.sandbox, id));
        if let Some(part) = part.filter(|part| part.state == "draft") {
            return Err(own(format!(
                "The {} {} is still a draft; publish it first.",
                kind.segment(),
                part.id
            )));
        }
    }
    Ok(())
}

/// Refuses patches of what cannot change.
pub fn patchable(kind: Kind, operations: &Value) -> Result<(), Refusal> {
    for path in paths(operations) {
        let fixed = |member: &str| {
            path == member
                || path
                    .strip_prefix(member)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        if kind == Kind::Connection && fixed("/connectionSpec") {
            return Err(Refusal::flow(
                "1414-400",
                "The connection spec of a connection cannot be changed.",
            ));
        }
        if kind == Kind::Connection && (fixed("/auth/specName") || path == "/auth") {
            return Err(own(
                "The authentication type of a connection cannot be changed; create another connection.",
            ));
        }
        let others = [
            "/connectionSpec",
            "/baseConnectionId",
            "/flowSpec",
            "/sourceConnectionIds",
            "/targetConnectionIds",
        ];
        if others.into_iter().any(fixed) {
            return Err(own(format!(
                "The field {path} cannot be changed; create another object."
            )));
        }
    }
    Ok(())
}
