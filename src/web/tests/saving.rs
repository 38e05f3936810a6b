//! What is told while the database takes no writes.

use axum::routing::{get, post};

use super::*;
use crate::store::Store;
use crate::web::saving;

async fn app_on(store: &Store) -> Router {
    let router = Router::new()
        .route("/flows", get(|| async { "flows" }).post(|| async { "made" }))
        .route("/sign-in", post(|| async { "welcome" }));
    let site = Site::new(
        &Url::parse("https://gate.example").unwrap(),
        "127.0.0.1:8080".parse().unwrap(),
    );
    layers::wrap(saving::guard(router, store.clone()), Arc::new(site))
}

async fn ask(app: &Router, method: &str, path: &str, accept: &str) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "gate.example")
        .header("accept", accept);
    app.clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn e43_a_full_disk_refuses_every_change_before_it_begins_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("headgate.db")).await.unwrap();
    let app = app_on(&store).await;
    assert_eq!(text(ask(&app, "POST", "/flows", "text/html").await).await, "made");
    assert_eq!(saving::notice(&store), None);
    store.run_full().await;
    for path in ["/flows", "/sign-in"] {
        let refused = ask(&app, "POST", path, "text/html").await;
        assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE, "{path}");
        let page = text(refused).await;
        assert!(page.contains("The server cannot save"), "{page}");
        assert!(page.contains("Nothing was changed or sent."), "{page}");
        let json = text(ask(&app, "POST", path, "application/json").await).await;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["error"]["code"], "store.full");
    }
    assert_eq!(text(ask(&app, "GET", "/flows", "text/html").await).await, "flows");
    assert!(saving::notice(&store).unwrap().contains("its disk is full"));
    store.try_again().await;
    assert_eq!(text(ask(&app, "POST", "/flows", "text/html").await).await, "made");
}

#[tokio::test]
async fn a_change_that_runs_full_on_its_way_says_so_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("headgate.db")).await.unwrap();
    store.run_full().await;
    let error = PageError::from(store.begin().await.unwrap_err());
    assert_eq!(
        (error.context().status, error.context().code),
        (StatusCode::INSUFFICIENT_STORAGE, "store.full")
    );
}
