//! What watches over the process asks these.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::app::App;

#[tokio::test]
async fn a_healthy_server_says_so() {
    let app = App::start().await;
    let mut prober = app.stranger();
    let alive = prober.get("/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (StatusCode::OK, "ok"));
    let ready = prober.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.body);
    let told: Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!(
        (&told["ready"], &told["database"]),
        (&Value::Bool(true), &Value::from("ok"))
    );
    let tasks: Vec<&str> = told["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|task| task["name"].as_str())
        .collect();
    assert!(
        tasks.contains(&"setups") && tasks.contains(&"history"),
        "{tasks:?}"
    );
}

#[tokio::test]
async fn a_database_that_takes_no_writes_makes_it_unready_but_not_dead() {
    let app = App::start().await;
    let mut prober = app.stranger();
    let held = app.store().begin().await.unwrap();
    let ready = prober.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{}", ready.body);
    let told: Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!(told["ready"], Value::Bool(false));
    assert_eq!(prober.get("/healthz").await.status, StatusCode::OK);
    drop(held);
    assert_eq!(prober.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn probes_work_with_any_cookie_and_by_head() {
    let app = App::start().await;
    for cookie in ["headgate=garbage", "headgate=", "headgate=a; headgate=b"] {
        let answer = app
            .stranger()
            .send(Method::HEAD, "/healthz", &[("cookie", cookie)], None)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{cookie}");
    }
}
