//! Actions: publish a draft, enable and disable a flow.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::super::refusal::{Answer, Refusal};
use super::super::state::{App, Entity};
use super::super::wire::{Call, ok};
use super::entities::{Kind, opened, written};
use super::{checks, flow_checks, flows};

/// Reads `op` of an action: case does not matter, and `-` and `_` are alike.
pub fn action_of(call: &Call) -> Result<String, Refusal> {
    if let Some(unknown) = call.query.first_unknown(&["op", "subOp"]) {
        return Err(Refusal::flow(
            "1451-400",
            format!("The query parameter '{unknown}' is not supported."),
        ));
    }
    let op = call
        .query
        .get("op")
        .ok_or_else(|| Refusal::flow_own("The query parameter op is missing."))?;
    Ok(op.to_ascii_lowercase().replace('_', "-"))
}

pub async fn act(kind: Kind, State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (mut guard, now_ms) = app.world();
    let world = &mut *guard;
    let entity = kind
        .shelf(world)
        .get(&call.sandbox, &id)
        .cloned()
        .ok_or_else(|| kind.missing(&id))?;
    let state = match (action_of(&call)?.as_str(), entity.state) {
        ("publish", "draft") => {
            let mut content = entity.content.clone();
            checks::parts_are_published(world, &entity)?;
            kind.check(world, &call.sandbox, &mut content, false)?;
            if kind == Kind::Flow {
                flow_checks::start_lies_ahead(&content, now_ms)?;
                flows::begin(
                    world,
                    &Entity {
                        content,
                        ..entity.clone()
                    },
                    now_ms,
                    app.options.speed,
                );
            }
            "enabled"
        }
        ("publish", state) => {
            let detail = format!("The {} {id} is {state}, not a draft.", kind.segment());
            return Err(Refusal::flow("1444-400", detail));
        }
        ("enable", "disabled") if kind == Kind::Flow => {
            world.runs.retime(&id, now_ms, |table| table.resume(now_ms));
            "enabled"
        }
        ("disable", "enabled") if kind == Kind::Flow => {
            world.runs.retime(&id, now_ms, |table| table.pause());
            "disabled"
        }
        (op @ ("enable" | "disable"), state) if kind == Kind::Flow => {
            return Err(Refusal::flow(
                "1422-400",
                format!("The operation {op} is not possible while the flow is {state}."),
            ));
        }
        ("finalize" | "finalize-update", _) => {
            return Err(Refusal::flow(
                "1402-400",
                "The operation finalize is for providers only.",
            ));
        }
        (op, _) => {
            return Err(Refusal::flow(
                "1435-400",
                format!("The operation '{op}' is not supported."),
            ));
        }
    };
    let entity = opened(world, kind, &call.sandbox, &id, now_ms).ok_or_else(|| kind.missing(&id))?;
    entity.state = state;
    Ok(ok(&written(entity)))
}
