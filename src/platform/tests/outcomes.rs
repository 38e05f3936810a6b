//! A change ends confirmed, rejected, unknown or not sent, and nothing else; and it is sent once.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake_server::{FakeServer, Say, nobody, token_answer};
use super::{SECRET, client, client_of, impatient_client};
use crate::platform::{Answer, Call, ObjectKind, Outcome, PlatformError};

const FLOW_ID: &str = "89ff50ef-b082-426e-bf50-efb082d26e78";

fn own_refusal(status: u16, code: &str) -> Say {
    let body = json!({"type": format!("https://ns.adobe.com/aep/errors/{code}"), "title": "Refused", "status": status,
        "report": {"detailed-message": "because", "request-id": "upstream-1"}});
    Say::Json(status, body)
}

fn html(status: u16) -> Say {
    Say::With(
        status,
        vec![("content-type", "text/html".to_owned())],
        "<html>no</html>".to_owned(),
    )
}

/// The answer of each service to a create that worked.
fn created(kind: ObjectKind) -> Value {
    match kind {
        ObjectKind::Schema => {
            json!({"$id": "https://ns.adobe.com/acme/schemas/0238be93d3e7a06a", "title": "x"})
        }
        ObjectKind::Dataset => json!(["@/dataSets/5e7439b1ad55a618ad4c5102"]),
        ObjectKind::MappingSet => json!({"id": "bf5286a9c1ad4266baca76ba3adc9366", "version": 0}),
        _ => json!({"id": FLOW_ID, "etag": "\"e-1\""}),
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Confirmed { .. } => "confirmed",
        Outcome::Rejected(_) => "rejected",
        Outcome::Unknown(_) => "unknown",
        Outcome::NotSent(_) => "not sent",
    }
}

/// Sends a create of `kind` to a server that always says `say`; gives the answer and how often it was sent.
async fn sent(kind: ObjectKind, say: Say) -> (Answer, usize) {
    let server = FakeServer::start(move |_, _| say.clone()).await;
    let answer = client(&server)
        .send(&Call::create(kind, json!({"name": "x"})), "request-1")
        .await;
    (answer, server.calls().len())
}

#[tokio::test]
async fn every_kind_is_confirmed_by_its_own_id() {
    for kind in ObjectKind::ALL {
        let status = if kind == ObjectKind::MappingSet { 200 } else { 201 };
        let (answer, times) = sent(kind, Say::Json(status, created(kind))).await;
        let Outcome::Confirmed { id, .. } = &answer.outcome else {
            panic!("{kind:?}: {answer:?}")
        };
        assert_eq!(*id, kind.id_from(&created(kind)), "{kind:?}");
        assert!(id.is_some() && times == 1);
        assert_eq!(answer.status, Some(status));
    }
}

#[tokio::test]
async fn every_fault_at_every_kind_is_told_right_and_sent_once() {
    let huge = format!("{{\"id\":\"{FLOW_ID}\",\"x\":\"{}\"}}", "x".repeat(2 << 20));
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let truncated = format!("HTTP/1.1 201 X\r\ncontent-length: 500\r\n\r\n{{\"id\": \"{FLOW_ID}\"");
    let cut_refusal = "HTTP/1.1 400 X\r\ncontent-length: 500\r\n\r\n{\"errorMessage\": \"x\"}".to_owned();
    let redirect = |status| {
        Say::With(
            status,
            vec![("location", "/data/foundation/flowservice/flows".to_owned())],
            String::new(),
        )
    };
    let faults: Vec<(&str, Say, &str)> = vec![
        ("empty object", Say::Json(201, json!({})), "unknown"),
        ("null", Say::Json(201, json!(null)), "unknown"),
        ("odd id", Say::Json(201, json!({"id": 17, "$id": 17})), "unknown"),
        (
            "wandering id",
            Say::Json(201, json!({"id": "../../x", "$id": "../../x"})),
            "unknown",
        ),
        ("no body", Say::With(201, vec![], String::new()), "unknown"),
        ("html success", html(200), "unknown"),
        ("array of nothing", Say::Json(201, json!([])), "unknown"),
        ("truncated", Say::Raw(truncated.into_bytes()), "unknown"),
        ("truncated refusal", Say::Raw(cut_refusal.into_bytes()), "unknown"),
        ("huge", Say::With(201, vec![], huge), "unknown"),
        ("deep", Say::With(201, vec![], deep), "unknown"),
        ("not http", Say::Raw(b"SSH-2.0-x\r\n".to_vec()), "unknown"),
        ("302", redirect(302), "unknown"),
        ("307", redirect(307), "unknown"),
        ("408", own_refusal(408, "FLOW-1-408"), "unknown"),
        ("500", own_refusal(500, "FLOW-1102-500"), "unknown"),
        ("503", html(503), "unknown"),
        ("html 403", html(403), "unknown"),
        ("html 401", html(401), "unknown"),
        ("empty 404", Say::With(404, vec![], String::new()), "unknown"),
        ("reset", Say::Reset, "unknown"),
        ("own 400", own_refusal(400, "FLOW-1415-400"), "rejected"),
        (
            "own 403",
            Say::Json(
                403,
                json!({"error_code": "403025", "message": "Profile is not valid"}),
            ),
            "rejected",
        ),
        ("own 409", own_refusal(409, "FLOW-1-409"), "rejected"),
        (
            "own 412",
            Say::Json(412, json!({"errorMessage": "stale"})),
            "rejected",
        ),
        (
            "429",
            Say::With(429, vec![("retry-after", "7".to_owned())], "slow down".to_owned()),
            "rejected",
        ),
        ("429 own", own_refusal(429, "FLOW-1-429"), "rejected"),
    ];
    for (name, say, expected) in faults {
        for kind in ObjectKind::ALL {
            let (answer, times) = sent(kind, say.clone()).await;
            assert_eq!(word(&answer.outcome), expected, "{name} at {kind:?}: {answer:?}");
            assert_eq!(times, 1, "{name} at {kind:?}");
        }
    }
}

#[tokio::test]
async fn silence_is_unknown() {
    let server = FakeServer::start(|_, _| Say::Silence).await;
    let answer = impatient_client(&server)
        .send(&Call::create(ObjectKind::Flow, json!({})), "r")
        .await;
    assert!(
        matches!(answer.outcome, Outcome::Unknown(PlatformError::Timeout { .. })),
        "{answer:?}"
    );
    assert_eq!((server.calls().len(), answer.status), (1, None));
    assert!(answer.duration_ms >= 250, "{}", answer.duration_ms);
}

#[tokio::test]
async fn what_never_left_is_told_so() {
    let ims = FakeServer::start(|_, _| Say::Reset).await;
    let create = Call::create(ObjectKind::Flow, json!({}));
    let answer = client_of(&nobody().await, &ims.address())
        .send(&create, "r")
        .await;
    let Outcome::NotSent(error @ PlatformError::Unreachable { left: false, .. }) = answer.outcome else {
        panic!("{answer:?}")
    };
    assert!(error.to_string().contains("Nothing was sent"), "{error}");

    let server = FakeServer::start(|_, _| Say::Json(201, json!({}))).await;
    let answer = client_of(&server.address(), &nobody().await)
        .send(&create, "r")
        .await;
    assert!(matches!(answer.outcome, Outcome::NotSent(_)), "{answer:?}");
    let wandering = Call {
        path: "/flowservice/../catalog/dataSets".to_owned(),
        ..create.clone()
    };
    let foreign = Call {
        path: "/elsewhere/x".to_owned(),
        ..create.clone()
    };
    let split = Call {
        if_match: Some("\"e\"\r\nx-evil: 1".to_owned()),
        ..create.clone()
    };
    for call in [wandering, foreign, split] {
        let answer = client(&server).send(&call, "r").await;
        assert!(
            matches!(answer.outcome, Outcome::NotSent(PlatformError::Invalid { .. })),
            "{call:?}: {answer:?}"
        );
    }
    let answer = client(&server).send(&create, "r\nx: y").await;
    assert!(
        matches!(answer.outcome, Outcome::NotSent(PlatformError::Invalid { .. })),
        "{answer:?}"
    );
    assert_eq!(server.calls().len(), 0);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let server = FakeServer::start(|_, nth| match nth {
        0 => Say::Json(
            401,
            json!({"error_code": "401013", "message": "Oauth token is not valid"}),
        ),
        _ => Say::Json(201, json!({"id": FLOW_ID, "etag": "\"e\""})),
    })
    .await;
    let answer = client(&server)
        .send(&Call::create(ObjectKind::Flow, json!({})), "r")
        .await;
    assert_eq!(word(&answer.outcome), "confirmed", "{answer:?}");
    let bearers: Vec<_> = server
        .calls()
        .iter()
        .map(|call| call.headers["authorization"].clone())
        .collect();
    assert_eq!(bearers, ["Bearer token-0", "Bearer token-1"]);

    let (answer, times) = sent(ObjectKind::Flow, own_refusal(401, "FLOW-2000-401")).await;
    assert!(
        matches!(answer.outcome, Outcome::Rejected(PlatformError::Auth(_))),
        "{answer:?}"
    );
    assert_eq!(times, 2);
}

#[tokio::test]
async fn a_throttled_change_says_how_long_to_wait_and_holds_back_the_next() {
    let server =
        FakeServer::start(|_, _| Say::With(429, vec![("retry-after", "120".to_owned())], String::new()))
            .await;
    let client = client(&server);
    let create = Call::create(ObjectKind::Flow, json!({}));
    let Outcome::Rejected(error) = client.send(&create, "r").await.outcome else {
        panic!()
    };
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    let Outcome::NotSent(paused @ PlatformError::Paused { .. }) = client.send(&create, "r").await.outcome
    else {
        panic!()
    };
    assert!(paused.retry_after().unwrap() > Duration::from_secs(110));
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn deletes_changes_and_actions_need_no_id() {
    let server = FakeServer::start(|seen, _| match seen.method.as_str() {
        "DELETE" => Say::With(
            204,
            vec![("x-request-id", "upstream-9".to_owned())],
            String::new(),
        ),
        _ => Say::Json(200, json!({"id": FLOW_ID, "etag": "\"e-2\""})),
    })
    .await;
    let client = client(&server);
    let gone = client.send(&Call::delete(ObjectKind::Flow, FLOW_ID), "r").await;
    assert_eq!(
        (word(&gone.outcome), gone.upstream_request_id.as_deref()),
        ("confirmed", Some("upstream-9"))
    );
    let operations = json!([{"op": "replace", "path": "/name", "value": "n"}]);
    let patched = client
        .send(
            &Call::patch(ObjectKind::Flow, FLOW_ID, "\"e-1\"", operations),
            "r",
        )
        .await;
    let Outcome::Confirmed { etag, .. } = patched.outcome else {
        panic!()
    };
    assert_eq!(etag.as_deref(), Some("\"e-2\""));
    assert_eq!(
        word(
            &client
                .send(&Call::action(ObjectKind::Flow, FLOW_ID, "disable"), "r")
                .await
                .outcome
        ),
        "confirmed"
    );
    let seen = server.calls();
    assert_eq!(seen[1].headers["if-match"], "\"e-1\"");
    assert_eq!(
        seen[2].target,
        format!("/data/foundation/flowservice/flows/{FLOW_ID}/action?op=disable")
    );
    assert!(!seen[2].headers.contains_key("content-type"));
}

#[tokio::test]
async fn every_required_header_is_sent() {
    let server = FakeServer::start(|_, _| Say::Json(201, created(ObjectKind::Dataset))).await;
    client(&server)
        .send(
            &Call::create(ObjectKind::Dataset, json!({"name": "d"})),
            "request-7",
        )
        .await;
    let seen = server.calls().remove(0);
    let header = |name: &str| seen.headers.get(name).map(String::as_str);
    assert_eq!(header("authorization"), Some("Bearer token-0"));
    assert_eq!(header("x-api-key"), Some("the-client"));
    assert_eq!(
        header("x-gw-ims-org-id"),
        Some("0123456789ABCDEF01234567@AdobeOrg")
    );
    assert_eq!(header("x-sandbox-name"), Some("dev"));
    assert_eq!(header("x-request-id"), Some("request-7"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("accept-encoding"), None);
    assert_eq!(
        seen.target,
        "/data/foundation/catalog/dataSets?requestDataSource=true"
    );
    assert_eq!(seen.body, "{\"name\":\"d\"}");
}

#[tokio::test]
async fn no_secret_comes_back_in_an_answer() {
    let server = FakeServer::start(|seen, _| {
        let echo = format!(
            "bad key storage-key-canary for {} and {SECRET}",
            seen.headers["authorization"]
        );
        Say::Json(400, json!({"error_code": "400000", "message": echo}))
    })
    .await;
    let body = json!({"auth": {"specName": "Access Key", "params": {"s3SecretKey": "storage-key-canary"}}});
    let answer = client(&server)
        .send(&Call::create(ObjectKind::Connection, body), "r")
        .await;
    let Outcome::Rejected(error) = &answer.outcome else {
        panic!()
    };
    assert!(error.to_string().contains("bad key [hidden]"), "{error}");
    for text in [
        format!("{answer:?}"),
        error.to_string(),
        answer.body_excerpt.clone().unwrap(),
    ] {
        assert!(!text.contains("canary") && !text.contains("token-0"), "{text}");
    }

    let echo = json!({"id": FLOW_ID, "auth": {"params": {"s3SecretKey": "storage-key-canary"}}});
    let server = FakeServer::start(move |_, _| Say::Json(201, echo.clone())).await;
    let body = json!({"auth": {"params": {"s3SecretKey": "storage-key-canary"}}});
    let answer = client(&server)
        .send(&Call::create(ObjectKind::Connection, body), "r")
        .await;
    assert_eq!(word(&answer.outcome), "confirmed");
    assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
}

#[tokio::test]
async fn a_new_token_that_cannot_be_had_leaves_the_change_undone() {
    let server = FakeServer::start_with_ims(
        |seen, nth| {
            if nth == 0 {
                token_answer(seen, nth)
            } else {
                Say::Json(503, json!({"error": "busy"}))
            }
        },
        |_, _| {
            Say::Json(
                401,
                json!({"error_code": "401013", "message": "Oauth token is not valid"}),
            )
        },
    )
    .await;
    let answer = client(&server)
        .send(&Call::create(ObjectKind::Flow, json!({})), "r")
        .await;
    assert!(
        matches!(
            answer.outcome,
            Outcome::NotSent(PlatformError::Unavailable { .. })
        ),
        "{answer:?}"
    );
}
