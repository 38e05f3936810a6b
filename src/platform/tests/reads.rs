//! Reads: retried when that may help, blocked when the address is not ours, and silent about queries.

use std::time::Duration;

use futures_util::TryStreamExt;
use reqwest::Request;
use serde_json::json;

use super::fake_server::{FakeServer, Say, nobody};
use super::{PATIENCE, SECRET, client, client_of, http, impatient_client};
use crate::platform::{ExploreThrough, ExploreWhat, PlatformError, RunFilter, Service};

#[tokio::test]
async fn a_read_survives_passing_trouble() {
    let server = FakeServer::start(|_, nth| match nth {
        0 => Say::Json(503, json!({})),
        1 => Say::Reset,
        2 => Say::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec()),
        _ => Say::Json(200, json!({"result": true})),
    })
    .await;
    assert!(client(&server).test_connection("c-1").await.unwrap());
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn a_read_gives_up_after_four_tries() {
    let server = FakeServer::start(|_, _| Say::Json(503, json!({"errorMessage": "busy"}))).await;
    let error = client(&server).test_connection("c-1").await.unwrap_err();
    assert!(matches!(error, PlatformError::Unavailable { .. }), "{error:?}");
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn a_definite_refusal_is_not_repeated() {
    for (status, body) in [
        (404, json!({"errorMessage": "no"})),
        (403, json!({})),
        (200, json!({"odd": 1})),
    ] {
        let server = FakeServer::start(move |_, _| Say::Json(status, body.clone())).await;
        client(&server).test_connection("c-1").await.unwrap_err();
        assert_eq!(server.calls().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_throttled_read_comes_back_no_earlier_than_asked() {
    let server = FakeServer::start(|_, nth| match nth {
        0 => Say::With(429, vec![("retry-after", "1".to_owned())], String::new()),
        _ => Say::Json(200, json!({"result": false})),
    })
    .await;
    let start = std::time::Instant::now();
    assert!(!client(&server).test_connection("c-1").await.unwrap());
    assert!(start.elapsed() >= Duration::from_secs(1));

    let server =
        FakeServer::start(|_, _| Say::With(429, vec![("retry-after", "61".to_owned())], String::new())).await;
    let start = std::time::Instant::now();
    let error = client(&server).test_connection("c-1").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(61)));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "a long wait is the caller's to park"
    );
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_platform_that_only_fails_is_left_alone() {
    let server = FakeServer::start(|_, _| Say::Json(503, json!({}))).await;
    let client = client(&server);
    let mut paused = 0;
    for _ in 0..100 {
        let error = client.test_connection("c-1").await.unwrap_err();
        paused += usize::from(matches!(error, PlatformError::Paused { .. }));
    }
    assert!(server.calls().len() <= 30, "{}", server.calls().len());
    assert!(paused >= 80, "{paused}");
}

#[tokio::test]
async fn only_configured_origins_are_called() {
    let (ours, other) = (
        FakeServer::start(|_, _| Say::Reset).await,
        FakeServer::start(|_, _| Say::Reset).await,
    );
    let http = http(&ours.address(), &ours.address(), PATIENCE);
    for service in [Service::FlowService, Service::Ims] {
        let foreign = Request::new(reqwest::Method::POST, other.address().parse().unwrap());
        let error = http.exchange(service, foreign, 10).await.unwrap_err();
        assert!(matches!(error, PlatformError::OriginBlocked { .. }), "{error:?}");
    }
    assert!(other.calls().is_empty());
    // The check can fail, so it must also be able to pass.
    let own = Request::new(reqwest::Method::POST, ours.address().parse().unwrap());
    let error = http.exchange(Service::FlowService, own, 10).await.unwrap_err();
    assert!(
        matches!(error, PlatformError::Unreachable { left: true, .. }),
        "{error:?}"
    );
    assert_eq!(ours.calls().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = FakeServer::start(|_, _| Say::Json(200, json!({"result": true}))).await;
    let target = other.address();
    let server =
        FakeServer::start(move |_, _| Say::With(307, vec![("location", target.clone())], String::new()))
            .await;
    let error = client(&server).test_connection("c-1").await.unwrap_err();
    assert!(
        matches!(error, PlatformError::Unreadable { status: 307, .. }),
        "{error:?}"
    );
    assert!(other.calls().is_empty());
}

#[tokio::test]
async fn no_network_fault_tells_the_query() {
    let what = ExploreWhat::Folder("path/query-canary".to_owned());
    let through = ExploreThrough::Connection("id-canary".to_owned());
    for say in [
        Say::Reset,
        Say::Raw(b"junk".to_vec()),
        Say::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec()),
        Say::With(
            302,
            vec![("location", "/x?query-canary".to_owned())],
            String::new(),
        ),
        Say::With(200, vec![], "query-canary".to_owned()),
        Say::With(
            200,
            vec![("content-encoding", "gzip".to_owned())],
            "junk".to_owned(),
        ),
    ] {
        let server = FakeServer::start(move |_, _| say.clone()).await;
        let error = client(&server).explore(&through, &what).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    let silent = FakeServer::start(|_, _| Say::Silence).await;
    let error = impatient_client(&silent)
        .explore(&through, &what)
        .await
        .unwrap_err();
    assert!(matches!(error, PlatformError::Timeout { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    let ims = FakeServer::start(|_, _| Say::Reset).await;
    let error = client_of(&nobody().await, &ims.address())
        .explore(&through, &what)
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless = format!("HTTP/1.1 200 X\r\n\r\n{}", "[".repeat(9 << 20));
    let server = FakeServer::start(move |_, _| Say::Raw(endless.clone().into_bytes())).await;
    let error = client(&server).test_connection("c-1").await.unwrap_err();
    assert!(matches!(error, PlatformError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn reads_carry_the_trace_and_the_accept_that_the_registry_wants() {
    let server =
        FakeServer::start(|_, _| Say::Json(200, json!({"$id": "https://ns.adobe.com/t/schemas/1"}))).await;
    client(&server)
        .traced("page-1")
        .schema("https://ns.adobe.com/t/schemas/1")
        .await
        .unwrap();
    client(&server).schema("_t.schemas.1").await.unwrap();
    let seen = server.calls();
    assert_eq!(seen[0].headers["x-request-id"], "page-1");
    assert_eq!(
        seen[0].headers["accept"],
        "application/vnd.adobe.xed-full+json; version=1"
    );
    assert!(
        seen[0]
            .target
            .ends_with("/tenant/schemas/https%3A%2F%2Fns.adobe.com%2Ft%2Fschemas%2F1")
    );
    assert!(!seen[1].headers["x-request-id"].is_empty());
}

#[tokio::test]
async fn what_is_read_never_repeats_our_own_secrets() {
    let server = FakeServer::start(|_, _| {
        let message = format!("bad token token-0 of {SECRET} <b>");
        let errors = json!([{"code": "CONNECTOR-1001-500", "message": message}]);
        Say::Json(
            200,
            json!({"items": [{"id": "r", "flowId": "f",
            "metrics": {"statusSummary": {"status": "failed", "errors": errors}}}]}),
        )
    })
    .await;
    let run = client(&server).run("r").await.unwrap();
    assert_eq!(run.errors[0].message, "bad token [hidden] of [hidden] <b>");
    assert!(!run.raw.contains(SECRET) && !run.raw.contains("token-0"));
}

#[tokio::test]
async fn a_secret_that_is_spelt_with_escapes_is_not_repeated_either() {
    let server = FakeServer::start(|_, _| {
        let spelt: String = SECRET
            .chars()
            .map(|letter| format!("\\u{:04x}", u32::from(letter)))
            .collect();
        let body = format!(r#"{{"items": [{{"id": "r", "flowId": "f", "state": "of {spelt}"}}]}}"#);
        Say::With(200, Vec::new(), body)
    })
    .await;
    let run = client(&server).run("r").await.unwrap();
    assert_eq!(run.status, "of [hidden]");
}

#[tokio::test]
async fn what_a_run_is_kept_as_does_not_depend_on_its_neighbours() {
    let plain = r#"{"id": "r", "flowId":"f", "count":1.50}"#;
    let with_escape = r#"{"id":"r2","flowId":"f","state":"\u00e9chec"}"#;
    let alone = format!(r#"{{"items": [{plain}]}}"#);
    let beside = format!(r#"{{"items": [{plain},{with_escape}]}}"#);
    for body in [alone, beside] {
        let server = FakeServer::start(move |_, _| Say::With(200, Vec::new(), body.clone())).await;
        let pages: Vec<_> = client(&server)
            .runs(&RunFilter::default())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(pages[0].items[0].raw, plain);
    }
}

#[tokio::test]
async fn a_secret_in_a_member_that_stands_twice_is_not_kept() {
    let body =
        format!(r#"{{"items": [{{"id": "r", "flowId": "f", "state": "{SECRET}", "state": "success"}}]}}"#);
    let server = FakeServer::start(move |_, _| Say::With(200, Vec::new(), body.clone())).await;
    let run = client(&server).run("r").await.unwrap();
    assert_eq!(run.status, "success");
    assert!(!run.raw.contains(SECRET), "{}", run.raw);
}
