//! Sandbox management: the list of sandboxes, one of them, and the two types (Adobe's Sandbox API guide).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::refusal::{Answer, Refusal, Service};
use super::state::{App, user_id};
use super::wire::ok;

const BASE: &str = "/data/foundation/sandbox-management";

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route(BASE, get(list))
        .route("/data/foundation/sandbox-management/sandboxes", get(list))
        .route(
            "/data/foundation/sandbox-management/sandboxes/{name}",
            get(lookup),
        )
        .route("/data/foundation/sandbox-management/sandboxTypes", get(types))
}

fn document(app: &App, position: usize) -> Value {
    let name = &app.options.sandboxes[position];
    let (title, kind) = if position == 0 {
        ("Production", "production")
    } else {
        ("Development", "development")
    };
    json!({
        "name": name, "title": format!("{title} ({name})"), "state": "active", "type": kind, "region": "VA7",
        "isDefault": position == 0, "eTag": 1,
        "createdDate": "2024-01-15 09:00:00", "lastModifiedDate": "2024-01-15 09:00:00",
        "createdBy": user_id(&app.options), "modifiedBy": user_id(&app.options),
    })
}

async fn list(State(app): State<Arc<App>>) -> Response {
    let sandboxes: Vec<Value> = (0..app.options.sandboxes.len())
        .map(|position| document(&app, position))
        .collect();
    ok(&json!({
        "_page": { "limit": sandboxes.len(), "count": sandboxes.len() },
        "_links": { "page": {
            "href": "https://platform.adobe.io:443/data/foundation/sandbox-management/?limit={limit}&offset={offset}",
            "templated": true,
        } },
        "sandboxes": sandboxes,
    }))
}

async fn lookup(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer {
    match app.options.sandboxes.iter().position(|known| *known == name) {
        Some(position) => Ok(ok(&document(&app, position))),
        None => Err(Refusal::own(
            Service::Sandboxes,
            404,
            format!("Sandbox `{name}` is not found."),
        )),
    }
}

async fn types() -> Response {
    ok(&json!({ "sandboxTypes": ["development", "production"] }))
}
