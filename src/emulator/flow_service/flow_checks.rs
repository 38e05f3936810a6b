//! What Flow Service refuses about flows: parts, transformations, schedule.

use serde_json::{Map, Value, json};

use super::super::data_prep;
use super::super::refusal::Refusal;
use super::super::state::{Entity, World};
use super::super::wire::text;
use super::checks::{named, only, spec_id};
use super::entities::Kind;
use super::specs::{FLOW_SPEC_ID, flow_spec_takes, schedule_fault};

/// How far a start may lie behind, milliseconds: the sender's clock and the way here take time.
const START_TOLERANCE_MS: i64 = 60_000;

fn own(detail: impl Into<String>) -> Refusal {
    Refusal::flow_own(detail)
}

/// Judges a flow and brings its schedule into the types of the flow specification.
pub fn flow(
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
            "flowSpec",
            "sourceConnectionIds",
            "targetConnectionIds",
            "transformations",
            "scheduleParams",
            "labels",
        ],
    )?;
    named(content, true)?;
    let spec = spec_id(content, "flowSpec")?;
    if spec != FLOW_SPEC_ID {
        return Err(Refusal::flow(
            "1413-400",
            format!("The flow spec ID {spec} is invalid. Please provide a valid ID and try again."),
        ));
    }
    if let Some(schedule) = content.get_mut("scheduleParams") {
        normalize_schedule(schedule)?;
    } else if !draft {
        return Err(own("The flow needs scheduleParams."));
    }
    let source = part(
        world,
        sandbox,
        content,
        Kind::Source,
        "sourceConnectionIds",
        draft,
    )?;
    let target = part(
        world,
        sandbox,
        content,
        Kind::Target,
        "targetConnectionIds",
        draft,
    )?;
    let mapping = transformations(world, sandbox, content)?;
    let (Some(source), Some(target)) = (source, target) else {
        return Ok(());
    };
    let source_spec = source.text(&["connectionSpec", "id"]).unwrap_or_default();
    if !flow_spec_takes(source_spec) {
        return Err(own(format!(
            "The flow spec takes no source of the connection spec {source_spec}."
        )));
    }
    if source.text(&["data", "format"]) == Some("delimited") && mapping.is_none() && !draft {
        return Err(own("A flow of delimited files needs a Mapping transformation."));
    }
    if draft {
        Ok(())
    } else {
        one_schema(world, sandbox, source, target, mapping)
    }
}

/// The one source or target connection of a flow.
fn part<'a>(
    world: &'a World,
    sandbox: &str,
    content: &Map<String, Value>,
    kind: Kind,
    member: &str,
    draft: bool,
) -> Result<Option<&'a Entity>, Refusal> {
    let ids = match content.get(member) {
        None if draft => return Ok(None),
        Some(Value::Array(ids)) if draft && ids.is_empty() => return Ok(None),
        Some(Value::Array(ids)) => &ids[..],
        _ => &[],
    };
    let [id] = ids else {
        return Err(own(format!("The {member} must hold exactly one id.")));
    };
    let id = id
        .as_str()
        .ok_or_else(|| own(format!("The {member} must hold text.")))?;
    let part = kind
        .shelf(world)
        .get(sandbox, id)
        .ok_or_else(|| kind.missing(id))?;
    if part.state == "draft" && !draft {
        return Err(own(format!(
            "The {} {id} is still a draft; publish it first.",
            kind.segment()
        )));
    }
    Ok(Some(part))
}

/// Judges the transformations and answers the schema that the mapping set writes to.
fn transformations<'a>(
    world: &'a World,
    sandbox: &str,
    content: &Map<String, Value>,
) -> Result<Option<&'a str>, Refusal> {
    let Some(list) = content.get("transformations") else {
        return Ok(None);
    };
    let list = list
        .as_array()
        .ok_or_else(|| own("The transformations must be an array."))?;
    let mut schema = None;
    for transformation in list {
        let transformation = transformation
            .as_object()
            .ok_or_else(|| own("A transformation must be an object."))?;
        only(transformation, &["name", "params"])?;
        let nothing = Map::new();
        let params = match transformation.get("params") {
            None => &nothing,
            Some(params) => params
                .as_object()
                .ok_or_else(|| own("The params of a transformation must be an object."))?,
        };
        match text(transformation, "name") {
            Some("Mapping") => schema = Some(mapping(world, sandbox, params)?),
            Some("Encryption") if text(params, "publicKeyId").is_some() => {}
            Some("Encryption") => return Err(own("The Encryption transformation needs a publicKeyId.")),
            _ => return Err(own("A transformation must be named Mapping or Encryption.")),
        }
    }
    Ok(schema)
}

fn mapping<'a>(world: &'a World, sandbox: &str, params: &Map<String, Value>) -> Result<&'a str, Refusal> {
    let id = text(params, "mappingId").unwrap_or_default();
    let set = world.mapping_sets.get(sandbox, id);
    let set =
        set.ok_or_else(|| Refusal::flow("1419-400", format!("The mapping '{id}' could not be validated.")))?;
    let version = match params.get("mappingVersion") {
        None => Some(0),
        Some(Value::Number(version)) => version.as_u64(),
        Some(Value::String(version)) => version.parse().ok(),
        Some(_) => None,
    };
    if version != set.document.get("version").and_then(Value::as_u64) {
        return Err(Refusal::flow(
            "1412-400",
            format!("The version of the mapping '{id}' is invalid."),
        ));
    }
    Ok(data_prep::schema_of(&set.document).unwrap_or_default())
}

/// 1425: dataset, target connection, mapping set and, where it names one, source connection share one schema.
fn one_schema(
    world: &World,
    sandbox: &str,
    source: &Entity,
    target: &Entity,
    mapping: Option<&str>,
) -> Result<(), Refusal> {
    let dataset_id = target.text(&["params", "dataSetId"]).unwrap_or_default();
    let dataset = world
        .datasets
        .get(sandbox, dataset_id)
        .ok_or_else(|| own(format!("The dataset {dataset_id} is not found.")))?;
    let schema = dataset
        .document
        .get("schemaRef")
        .and_then(|schema| schema.get("id"))
        .and_then(Value::as_str);
    let others = [
        ("target connection", target.text(&["data", "schema", "id"])),
        ("source connection", source.text(&["data", "schema", "id"])),
        ("mapping", mapping),
    ];
    for (who, other) in others {
        if other.is_some() && other != schema {
            return Err(Refusal::flow(
                "1425-400",
                format!(
                    "The schema of the dataset {dataset_id} and the schema of the {who} differ in id or version."
                ),
            ));
        }
    }
    Ok(())
}

/// Numbers and truths that came as text take the types of the flow specification, whose schema then judges.
fn normalize_schedule(schedule: &mut Value) -> Result<(), Refusal> {
    let members = schedule
        .as_object_mut()
        .ok_or_else(|| own("The scheduleParams must be an object."))?;
    only(members, &["startTime", "frequency", "interval", "backfill"])?;
    for name in ["startTime", "interval"] {
        if let Some(number) = members
            .get(name)
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<i64>().ok())
        {
            members.insert(name.to_owned(), json!(number));
        }
    }
    if let Some(truth) = members
        .get("backfill")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<bool>().ok())
    {
        members.insert("backfill".to_owned(), json!(truth));
    }
    if members
        .get("startTime")
        .and_then(Value::as_i64)
        .is_some_and(|start| !(0..100_000_000_000).contains(&start))
    {
        return Err(own(
            "The startTime must be in seconds since 1970; this looks like milliseconds or is negative.",
        ));
    }
    if members
        .get("interval")
        .and_then(Value::as_i64)
        .is_some_and(|interval| interval > 10_000_000)
    {
        return Err(own("The interval is too large."));
    }
    match schedule_fault(schedule) {
        None => Ok(()),
        Some(fault) => Err(own(format!("The scheduleParams are not valid: {fault}."))),
    }
}

/// 1360: a start that has passed. The code exists; its text here is the emulator's own.
pub fn start_lies_ahead(content: &Map<String, Value>, now_ms: i64) -> Result<(), Refusal> {
    let start_s = content
        .get("scheduleParams")
        .and_then(|schedule| schedule.get("startTime"))
        .and_then(Value::as_i64);
    match start_s {
        Some(start_s) if start_s.saturating_mul(1000) < now_ms - START_TOLERANCE_MS => Err(Refusal::flow(
            "1360-400",
            format!("The startTime {start_s} lies in the past."),
        )),
        _ => Ok(()),
    }
}

/// The state of a flow after a patch.
pub fn patched_state(before: &'static str, after: Option<Value>) -> Result<&'static str, Refusal> {
    match after.as_ref().and_then(Value::as_str) {
        Some(same) if same == before => Ok(before),
        Some("enabled") if before != "draft" => Ok("enabled"),
        Some("disabled") if before != "draft" => Ok("disabled"),
        _ => Err(Refusal::flow(
            "1456-400",
            "The state must be one of: enabled, disabled, initializing.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(mut schedule: Value) -> Option<Value> {
        normalize_schedule(&mut schedule).is_ok().then_some(schedule)
    }

    #[test]
    fn schedules_may_come_as_text_and_are_kept_as_numbers() {
        let sent = json!({ "startTime": "1597784298", "frequency": "minute", "interval": "30", "backfill": "false" });
        let kept =
            json!({ "startTime": 1_597_784_298, "frequency": "minute", "interval": 30, "backfill": false });
        assert_eq!(normalized(sent), Some(kept));
    }

    #[test]
    fn schedules_that_the_flow_spec_or_the_clock_refuse() {
        for schedule in [
            json!({ "startTime": 1_597_784_298_000_i64, "frequency": "day", "interval": 1 }),
            json!({ "startTime": -1, "frequency": "day", "interval": 1 }),
            json!({ "startTime": "soon", "frequency": "day", "interval": 1 }),
            json!({ "startTime": 1, "frequency": "day", "interval": 1, "endTime": 2 }),
            json!({ "startTime": 1, "frequency": "day", "interval": i64::MAX }),
            json!(["once"]),
        ] {
            assert_eq!(normalized(schedule.clone()), None, "{schedule}");
        }
        let content = json!({ "scheduleParams": { "startTime": 1000 } });
        let content = content.as_object().unwrap();
        assert!(start_lies_ahead(content, 1_060_000).is_ok());
        assert!(start_lies_ahead(content, 1_060_001).is_err());
    }
}
