//! Flows: what their documents show beyond what was sent, and their timetables.

use serde_json::{Map, Value, json};

use super::super::refusal::Refusal;
use super::super::run_book::NewLane;
use super::super::schedule::{Schedule, Timetable};
use super::super::state::{Entity, World};
use super::entities::{Kind, base_connection};

/// Adds what a flow's document shows of its parts and of its last run. Schedule values are text on read.
pub fn complete(world: &World, flow: &Entity, document: &mut Map<String, Value>, now_ms: i64) {
    if let Some(Value::Object(schedule)) = document.get_mut("scheduleParams") {
        for value in schedule.values_mut().filter(|value| !value.is_string()) {
            *value = json!(value.to_string());
        }
    }
    document.entry("transformations").or_insert_with(|| json!([]));
    let version = |transformation: &mut Value| {
        if let Some(version) = transformation
            .pointer_mut("/params/mappingVersion")
            .filter(|version| version.is_number())
        {
            *version = json!(version.to_string());
        }
    };
    document
        .get_mut("transformations")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .for_each(version);
    let part = |kind: Kind, id: Option<&str>| {
        let part = kind.shelf(world).get(&flow.sandbox, id?)?;
        let mut shown = json!({ "id": part.id, "connectionSpec": part.content.get("connectionSpec") });
        if let (Kind::Source, Some(base)) = (kind, base_connection(world, part)) {
            shown["baseConnection"] = base;
        }
        Some(shown)
    };
    let sources: Vec<Value> = part(Kind::Source, flow.only_id("sourceConnectionIds"))
        .into_iter()
        .collect();
    let targets: Vec<Value> = part(Kind::Target, flow.only_id("targetConnectionIds"))
        .into_iter()
        .collect();
    document.insert(
        "inheritedAttributes".to_owned(),
        json!({ "properties": { "isSourceFlow": true }, "sourceConnections": sources, "targetConnections": targets }),
    );
    document.insert("runs".to_owned(), json!(format!("/flows/{}/runs", flow.id)));
    document.insert("lastOperation".to_owned(), flow.last_operation.clone());
    if let Some((_, run)) = world.runs.of_flow(&flow.sandbox, &flow.id, now_ms).next_back() {
        let mut last =
            json!({ "id": run.id, "state": run.state(now_ms).as_str(), "startedAtUTC": run.started_at });
        if run.completed_at <= now_ms {
            last["completedAtUTC"] = json!(run.completed_at);
        }
        document.insert("lastRunDetails".to_owned(), last);
    }
}

fn schedule(content: &Map<String, Value>) -> Option<Schedule> {
    Schedule::of_params(content.get("scheduleParams")?.as_object()?)
}

/// Lays a flow's schedule over the clock, from now on.
pub fn begin(world: &mut World, flow: &Entity, now_ms: i64, speed: u32) {
    let Some(schedule) = schedule(&flow.content) else {
        return;
    };
    let lane = lane(world, flow, Timetable::new(schedule, now_ms, speed), speed);
    world.runs.open(lane);
}

/// The lane of a flow in the book of runs.
pub fn lane(world: &World, flow: &Entity, timetable: Timetable, speed: u32) -> NewLane {
    let target = flow.only_id("targetConnectionIds").unwrap_or_default();
    let dataset = world
        .target_connections
        .get(&flow.sandbox, target)
        .and_then(|target| target.text(&["params", "dataSetId"]));
    NewLane {
        flow_id: flow.id.clone(),
        sandbox: flow.sandbox.clone(),
        source_connection: flow.only_id("sourceConnectionIds").unwrap_or_default().to_owned(),
        target_connection: target.to_owned(),
        dataset: dataset.unwrap_or_default().to_owned(),
        timetable,
        profile: None,
        speed,
    }
}

/// Takes a patched schedule and state over.
///
/// # Errors
/// When the start is changed after it has passed, or to a time that has passed.
pub fn reschedule(
    world: &mut World,
    sandbox: &str,
    id: &str,
    content: &Map<String, Value>,
    state: &str,
    now_ms: i64,
    speed: u32,
) -> Result<(), Refusal> {
    let Some(new) = schedule(content) else {
        return Ok(());
    };
    let Some(lane) = world.runs.lane_of(id).filter(|lane| lane.sandbox == sandbox) else {
        return Ok(());
    };
    let old = lane.timetable.schedule();
    if new.start_ms != old.start_ms {
        if lane.timetable.has_started(now_ms) {
            return Err(Refusal::flow_own(
                "The startTime cannot be changed once it has passed.",
            ));
        }
        super::flow_checks::start_lies_ahead(content, now_ms)?;
    }
    let was_enabled = world
        .flows
        .get(sandbox, id)
        .is_some_and(|flow| flow.state == "enabled");
    world.runs.retime(id, now_ms, |table| {
        if new != old {
            table.change(new, now_ms, speed);
        }
        match (was_enabled, state == "enabled") {
            (_, false) => table.pause(),
            (false, true) => table.resume(now_ms),
            (true, true) => {}
        }
    });
    Ok(())
}
