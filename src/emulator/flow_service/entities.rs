//! What connections, source connections, target connections and flows have in common: list, look up, patch,
//! delete, publish.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::super::refusal::{Answer, Refusal};
use super::super::state::{App, Entity, Shelf, World};
use super::super::wire::{Call, created, ok};
use super::actions::act;
use super::filters::Field;
use super::paging::{Key, ListQuery};
use super::{BASE, checks, deletion_checks, flow_checks, flows, patch};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Connection,
    Source,
    Target,
    Flow,
}

const CONNECTION_FIELDS: &[Field] = &[
    Field::text("id"),
    Field::text("name"),
    Field::text("description"),
    Field::text("connectionSpec.id"),
    Field::text("state"),
];
const SOURCE_TARGET_FIELDS: &[Field] = &[
    Field::text("id"),
    Field::text("connectionSpec.id"),
    Field::text("baseConnectionId"),
    Field::text("params.*"),
];
const FLOW_FIELDS: &[Field] = &[
    Field::text("id"),
    Field::text("name"),
    Field::text("description"),
    Field::text("flowSpec.id"),
    Field::text("state"),
    Field::text("sourceConnectionIds[]"),
    Field::text("targetConnectionIds[]"),
    Field::number("lastRunDetails.startedAtUTC"),
    Field::text("inheritedAttributes.properties.*"),
    Field::text("inheritedAttributes.sourceConnections[].*"),
    Field::text("inheritedAttributes.targetConnections[].*"),
];
const ORDERS: &[&str] = &["id", "name", "createdAt", "updatedAt", "state"];

impl Kind {
    /// Its segment in paths, and its type in error reports.
    pub fn segment(self) -> &'static str {
        match self {
            Self::Connection => "connections",
            Self::Source => "sourceConnections",
            Self::Target => "targetConnections",
            Self::Flow => "flows",
        }
    }

    pub fn of_segment(segment: &str) -> Option<Self> {
        [Self::Connection, Self::Source, Self::Target, Self::Flow]
            .into_iter()
            .find(|kind| kind.segment() == segment)
    }

    fn fields(self) -> &'static [Field] {
        match self {
            Self::Connection => CONNECTION_FIELDS,
            Self::Source | Self::Target => SOURCE_TARGET_FIELDS,
            Self::Flow => FLOW_FIELDS,
        }
    }

    pub fn shelf(self, world: &World) -> &Shelf<Entity> {
        match self {
            Self::Connection => &world.connections,
            Self::Source => &world.source_connections,
            Self::Target => &world.target_connections,
            Self::Flow => &world.flows,
        }
    }

    pub fn shelf_mut(self, world: &mut World) -> &mut Shelf<Entity> {
        match self {
            Self::Connection => &mut world.connections,
            Self::Source => &mut world.source_connections,
            Self::Target => &mut world.target_connections,
            Self::Flow => &mut world.flows,
        }
    }

    /// Judges what a client wants to keep, and brings it into the form that is kept.
    pub fn check(
        self,
        world: &World,
        sandbox: &str,
        content: &mut Map<String, Value>,
        draft: bool,
    ) -> Result<(), Refusal> {
        match self {
            Self::Connection => checks::connection(content, draft),
            Self::Source => checks::source(world, sandbox, content, draft),
            Self::Target => checks::target(world, sandbox, content, draft),
            Self::Flow => flow_checks::flow(world, sandbox, content, draft),
        }
    }

    pub fn missing(self, id: &str) -> Refusal {
        Refusal::flow_missing(self.segment(), id)
    }
}

pub fn router() -> Router<Arc<App>> {
    let kinds = [Kind::Connection, Kind::Source, Kind::Target, Kind::Flow];
    kinds.into_iter().fold(Router::new(), |router, kind| {
        let path = format!("{BASE}/{}", kind.segment());
        let all = get(move |state, call| list(kind, state, call))
            .post(move |state, call| create(kind, state, call));
        let one = get(move |state, id, call| lookup(kind, state, id, call))
            .patch(move |state, id, call| change(kind, state, id, call))
            .delete(move |state, id, call| remove(kind, state, id, call));
        let action = post(move |state, id, call| act(kind, state, id, call));
        router
            .route(&path, all)
            .route(&format!("{path}/{{id}}"), one)
            .route(&format!("{path}/{{id}}/action"), action)
    })
}

/// Opens an object for a write: it gets a new etag and a new time of update.
pub fn opened<'a>(
    world: &'a mut World,
    kind: Kind,
    sandbox: &str,
    id: &str,
    now_ms: i64,
) -> Option<&'a mut Entity> {
    let etag = world.ids.etag(now_ms);
    let entity = kind.shelf_mut(world).get_mut(sandbox, id)?;
    entity.etag = etag;
    entity.updated_at = now_ms;
    Some(entity)
}

/// The answer to every write: id and etag.
pub fn written(entity: &Entity) -> Value {
    json!({ "id": entity.id, "etag": entity.etag })
}

/// An object as lists and look-ups show it.
pub fn document(app: &App, world: &World, kind: Kind, entity: &Entity, now_ms: i64) -> Value {
    let mut document = app.provenance(&entity.sandbox);
    document.extend(entity.content.clone());
    for (name, value) in [
        ("id", json!(entity.id)),
        ("createdAt", json!(entity.created_at)),
        ("updatedAt", json!(entity.updated_at)),
        ("state", json!(entity.state)),
        ("version", json!(entity.etag)),
        ("etag", json!(entity.etag)),
    ] {
        document.insert(name.to_owned(), value);
    }
    match kind {
        Kind::Connection => {}
        Kind::Source | Kind::Target => {
            if let Some(base) = base_connection(world, entity) {
                document.insert(
                    "inheritedAttributes".to_owned(),
                    json!({ "baseConnection": base }),
                );
            }
        }
        Kind::Flow => flows::complete(world, entity, &mut document, now_ms),
    }
    Value::Object(document)
}

/// `{id, connectionSpec}` of the base connection of a source or target connection.
pub fn base_connection(world: &World, entity: &Entity) -> Option<Value> {
    let base = world
        .connections
        .get(&entity.sandbox, entity.text(&["baseConnectionId"])?)?;
    Some(json!({ "id": base.id, "connectionSpec": base.content.get("connectionSpec") }))
}

/// Whether a create asks for a draft.
fn wants_draft(call: &Call) -> Result<bool, Refusal> {
    if let Some(unknown) = call.query.first_unknown(&["mode"]) {
        return Err(Refusal::flow(
            "1451-400",
            format!("The query parameter '{unknown}' is not supported."),
        ));
    }
    match call.query.get("mode") {
        None => Ok(false),
        Some(mode) if mode.eq_ignore_ascii_case("draft") => Ok(true),
        Some(mode) => Err(Refusal::flow_own(format!("The mode '{mode}' is not known."))),
    }
}

async fn create(kind: Kind, State(app): State<Arc<App>>, call: Call) -> Answer {
    let draft = wants_draft(&call)?;
    let mut content = call.object()?;
    let (mut world, now_ms) = app.world();
    kind.check(&world, &call.sandbox, &mut content, draft)?;
    if kind == Kind::Flow && !draft {
        flow_checks::start_lies_ahead(&content, now_ms)?;
    }
    let entity = Entity::new(
        &mut world.ids,
        &call.sandbox,
        now_ms,
        if draft { "draft" } else { "enabled" },
        content,
    );
    if kind == Kind::Flow && !draft {
        flows::begin(&mut world, &entity, now_ms, app.options.speed);
    }
    let answer = created(
        &format!("{BASE}/{}/{}", kind.segment(), entity.id),
        &written(&entity),
    );
    kind.shelf_mut(&mut world).put(entity);
    Ok(answer)
}

async fn list(kind: Kind, State(app): State<Arc<App>>, call: Call) -> Answer {
    let query = ListQuery::parse(&call, kind.fields(), ORDERS)?;
    let (world, now_ms) = app.world();
    let rows = kind
        .shelf(&world)
        .of(&call.sandbox)
        .map(|(place, entity)| (place, document(&app, &world, kind, entity, now_ms)))
        .filter(|(_, document)| query.filters.iter().all(|filter| filter.accepts(document)))
        .map(|(place, document)| {
            let key = query
                .order
                .as_ref()
                .map_or(Key::Number(0), |field| Key::of(&document, field));
            (key, place, document)
        })
        .collect();
    Ok(query.answer(rows, |document| document))
}

async fn lookup(kind: Kind, State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, now_ms) = app.world();
    let entity = kind
        .shelf(&world)
        .get(&call.sandbox, &id)
        .ok_or_else(|| kind.missing(&id))?;
    let mut body = json!({ "items": [document(&app, &world, kind, entity, now_ms)] });
    if matches!(kind, Kind::Source | Kind::Target) {
        body["_links"] = json!({});
    }
    Ok(ok(&body))
}

async fn remove(kind: Kind, State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (mut world, now_ms) = app.world();
    kind.shelf(&world)
        .get(&call.sandbox, &id)
        .ok_or_else(|| kind.missing(&id))?;
    match kind {
        Kind::Connection => deletion_checks::no_flow_uses_connection(&world, &call.sandbox, &id)?,
        Kind::Source | Kind::Target => deletion_checks::no_active_flow_contains(&world, &call.sandbox, &id)?,
        Kind::Flow => world.runs.retime(&id, now_ms, |table| table.pause()),
    }
    kind.shelf_mut(&mut world).remove(&call.sandbox, &id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The entity that a PATCH is for, if its `If-Match` is there and fits. Quotes around the etag may be left out.
fn matched<'a>(kind: Kind, world: &'a World, call: &Call, id: &str) -> Result<&'a Entity, Refusal> {
    let entity = kind
        .shelf(world)
        .get(&call.sandbox, id)
        .ok_or_else(|| kind.missing(id))?;
    let sent = call.header(&header::IF_MATCH).ok_or_else(|| {
        Refusal::flow(
            "1403-400",
            "The header 'If-Match' is missing in the request. Please provide the header and try again.",
        )
    })?;
    if sent.trim_matches('"') != entity.etag.trim_matches('"') {
        let detail = format!(
            "The supplied version '{sent}' does not match the current version on entity '{}'. Please ensure that the supplied version matches the current version on entity and try again.",
            entity.etag
        );
        return Err(Refusal::flow("1404-412", detail));
    }
    Ok(entity)
}

async fn change(kind: Kind, State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (mut guard, now_ms) = app.world();
    let world = &mut *guard;
    let entity = matched(kind, world, &call, &id)?;
    let operations = call.json()?;
    checks::patchable(kind, &operations)?;
    let mut state = entity.state;
    let mut editable = entity.content.clone();
    if kind == Kind::Flow {
        editable.insert("state".to_owned(), json!(state));
    }
    let mut content = patch::apply(&editable, &operations)?;
    if kind == Kind::Flow {
        state = flow_checks::patched_state(entity.state, content.remove("state"))?;
    }
    kind.check(world, &call.sandbox, &mut content, state == "draft")?;
    if kind == Kind::Flow && state != "draft" {
        flows::reschedule(
            world,
            &call.sandbox,
            &id,
            &content,
            state,
            now_ms,
            app.options.speed,
        )?;
    }
    let entity = opened(world, kind, &call.sandbox, &id, now_ms).ok_or_else(|| kind.missing(&id))?;
    entity.content = content;
    entity.state = state;
    if kind == Kind::Flow {
        entity.last_operation = json!({
            "started": now_ms, "updated": now_ms, "percentCompleted": 100.0,
            "status": { "value": "completed", "errors": [] }, "ops": operations, "operation": "update",
        });
    }
    Ok(ok(&written(entity)))
}
