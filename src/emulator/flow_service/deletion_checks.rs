//! What Flow Service refuses to delete because it is in use.

use super::super::refusal::Refusal;
use super::super::state::{Entity, World};
use super::entities::Kind;

/// 1418: a base connection that flows use cannot be deleted.
pub fn no_flow_uses_connection(world: &World, sandbox: &str, id: &str) -> Result<(), Refusal> {
    let leans_on = |kind: Kind, part: Option<&str>| {
        part.and_then(|part| kind.shelf(world).get(sandbox, part))
            .and_then(|part| part.text(&["baseConnectionId"]))
            == Some(id)
    };
    let used = world.flows.of(sandbox).any(|(_, flow)| {
        leans_on(Kind::Source, flow.only_id("sourceConnectionIds"))
            || leans_on(Kind::Target, flow.only_id("targetConnectionIds"))
    });
    if !used {
        return Ok(());
    }
    Err(Refusal::flow(
        "1418-400",
        format!(
            "The base connection with the ID {id} cannot be deleted because the base connection is being used in one or more flows. Please ensure that corresponding flows are deleted before deleting a base connection."
        ),
    ))
}

/// 1447: a source or target connection of an active flow cannot be deleted.
pub fn no_active_flow_contains(world: &World, sandbox: &str, id: &str) -> Result<(), Refusal> {
    let contains = |flow: &Entity| {
        flow.only_id("sourceConnectionIds") == Some(id) || flow.only_id("targetConnectionIds") == Some(id)
    };
    match world
        .flows
        .of(sandbox)
        .map(|(_, flow)| flow)
        .find(|flow| flow.state == "enabled" && contains(flow))
    {
        None => Ok(()),
        Some(flow) => Err(Refusal::flow(
            "1447-400",
            format!(
                "There are active flows that contain the ID {id}, for example {}.",
                flow.id
            ),
        )),
    }
}
