//! The layers and the route table together, as a client sees them.

mod access;
mod answers;
mod departed;
mod saving;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, Response};
use axum::routing::on;
use futures_util::StreamExt;
use secrecy::SecretString;
use tower::ServiceExt;
use url::Url;

use super::csrf::Csrf;
use super::error::PageError;
use super::route_table::{self, Route};
use super::session::{Access, CurrentSession};
use super::site::Site;
use super::{layers, limits};
use crate::domain::Role;

const TOKEN: &str = "token-of-the-session";

const ROUTES: &[Route<()>] = &[
    Route::get("/", Access::Public, |m| on(m, || async { "home" })),
    Route::get("/mine", Access::SignedIn, |m| {
        on(m, |who: CurrentSession| async move { who.user_name })
    }),
    Route::get("/flows", Access::Viewer, |m| on(m, || async { "flows" })),
    Route::get("/flows/{id}", Access::Viewer, |m| on(m, || async { "flow" })),
    Route::post("/flows", Access::Editor, |m| {
        on(m, |body: Bytes| async move { body })
    })
    .audited("flow.create"),
    Route::get("/people", Access::Admin, |m| on(m, || async { "people" })),
    Route::post("/sign-in", Access::Public, |m| {
        on(m, |_: Bytes| async { "welcome" })
    })
    .csrf(Csrf::Origin),
    Route::post("/api/hook", Access::Public, |m| on(m, |_: Bytes| async { "ok" })).csrf(Csrf::None),
    Route::post("/small", Access::Public, |m| {
        on(m, |body: Bytes| async move { body })
    })
    .csrf(Csrf::None)
    .body_limit(10),
    Route::get("/file", Access::Public, |m| {
        on(m, || async {
            ([(header::CACHE_CONTROL, "public, max-age=9")], "x")
        })
    }),
    Route::get("/panic", Access::Public, |m| on(m, panics)),
    Route::post("/late", Access::Public, |m| on(m, late)).csrf(Csrf::None),
    Route::get("/slow", Access::Public, |m| on(m, std::future::pending::<()>)),
    Route::get("/long", Access::Public, |m| on(m, long)),
    Route::get("/busy", Access::Public, |m| {
        on(m, || async { PageError::store_busy() })
    }),
    Route::get("/fault", Access::Public, |m| {
        on(m, || async { PageError::internal("canary <b>cause</b>") })
    }),
    Route::get("/refused", Access::Public, |m| on(m, refused)),
    Route::get("/form", Access::Public, |m| {
        on(m, || async {
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                Html("<p>the form with its mistakes</p>"),
            )
        })
    }),
];

/// How often [`late`] came to its end.
static LATE_ENDS: AtomicUsize = AtomicUsize::new(0);

async fn late() -> &'static str {
    tokio::time::sleep(Duration::from_millis(100)).await;
    LATE_ENDS.fetch_add(1, Ordering::SeqCst);
    "done"
}

/// A body that takes longer than any handler may.
async fn long() -> Body {
    let lines = futures_util::stream::iter(0..4_u32).then(|n| async move {
        tokio::time::sleep(limits::HANDLER_TIME).await;
        Ok::<_, std::io::Error>(format!("{n}\n"))
    });
    Body::from_stream(lines)
}

async fn panics() -> StatusCode {
    panic!("canary")
}

async fn refused() -> PageError {
    PageError::new(StatusCode::CONFLICT, "flow.name", "Name <taken>")
        .what("\"x\" & 'y'")
        .advice("Choose another.")
}

async fn session_from_test_header(mut request: Request, next: Next) -> Response {
    if let Some(role) = request
        .headers()
        .get("test-role")
        .and_then(|role| role.to_str().ok()?.parse::<Role>().ok())
    {
        request.extensions_mut().insert(CurrentSession {
            session_id: "s1".into(),
            user_id: "u1".into(),
            user_name: "Ada".into(),
            team_id: "t1".into(),
            team_name: "Data".into(),
            environments: Arc::default(),
            role,
            csrf: SecretString::from(TOKEN),
            time_zone: "UTC".into(),
            client_address: "127.0.0.1".into(),
        });
    }
    next.run(request).await
}

fn app(public_url: &str) -> Router {
    let site = Site::new(
        &Url::parse(public_url).unwrap(),
        "127.0.0.1:8080".parse().unwrap(),
    );
    let router = route_table::build(ROUTES).layer(middleware::from_fn(session_from_test_header));
    layers::wrap(router, Arc::new(site))
}

/// A request by a browser on a page of ours, unless told otherwise by headers; an empty value takes one away.
async fn send(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    let usual = [
        ("host", "gate.example"),
        ("sec-fetch-site", "same-origin"),
        ("accept", "text/html,*/*"),
    ];
    let told = |name: &str| headers.iter().any(|(other, _)| *other == name);
    for (name, value) in usual
        .iter()
        .filter(|(name, _)| !told(name))
        .chain(headers)
        .filter(|(_, value)| !value.is_empty())
    {
        request = request.header(*name, *value);
    }
    app("https://gate.example")
        .oneshot(request.body(body.into()).unwrap())
        .await
        .unwrap()
}

async fn get(path: &str, headers: &[(&str, &str)]) -> Response {
    send("GET", path, headers, "").await
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
