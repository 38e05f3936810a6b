//! IMS: access tokens for the one credential (Adobe's "Server to Server authentication, IMS endpoints" page).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::state::App;
use super::wire::{Call, Query, ok, reply};

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/ims/token/v3", post(token))
        .route("/ims/token/v2", post(token))
}

fn refuse(error: &str, description: &str) -> Response {
    reply(
        StatusCode::BAD_REQUEST,
        &json!({ "error": error, "error_description": description }),
    )
}

async fn token(State(app): State<Arc<App>>, call: Call) -> Response {
    let form = std::str::from_utf8(&call.body)
        .map(Query::parse)
        .unwrap_or_default();
    let is_form = call.header(&header::CONTENT_TYPE).is_some_and(|kind| {
        kind.to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
    });
    let value = |name| {
        if is_form { form.get(name) } else { None }
            .or_else(|| call.query.get(name))
            .unwrap_or_default()
    };
    match value("grant_type") {
        "client_credentials" => {}
        "" => return refuse("invalid_request", "missing grant_type parameter"),
        _ => return refuse("unsupported_grant_type", "only client_credentials is supported"),
    }
    if value("client_id") != app.options.client_id {
        return refuse("invalid_client", "invalid client_id parameter");
    }
    if value("client_secret") != app.options.client_secret {
        return refuse("invalid_client", "invalid client_secret parameter");
    }
    if value("scope").trim().is_empty() {
        return refuse("invalid_scope", "missing scope parameter");
    }
    let (mut world, now_ms) = app.world();
    let lifetime_s = app.options.token_lifetime_s;
    world.tokens.retain(|_, expires_at| *expires_at > now_ms);
    let token = format!(
        "emulator.{}",
        BASE64URL_NOPAD.encode(world.ids.hex(64).as_bytes())
    );
    world
        .tokens
        .insert(token.clone(), now_ms.saturating_add(i64::from(lifetime_s) * 1000));
    ok(&json!({ "access_token": token, "token_type": "bearer", "expires_in": lifetime_s }))
}
