//! One renewal in flight, in time, and never a word about the secret.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::json;

use super::fake_server::{FakeServer, Say, token_answer};
use super::{SECRET, client};
use crate::platform::{CheckState, PlatformError, check_credential};

fn sandboxes() -> Say {
    Say::Json(
        200,
        json!({"sandboxes": [{"name": "dev", "type": "development", "state": "active"}]}),
    )
}

#[tokio::test]
async fn fifty_calls_at_once_ask_for_one_token() {
    let server = FakeServer::start(|_, _| sandboxes()).await;
    let client = client(&server);
    let results = join_all((0..50).map(|_| client.sandboxes())).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(server.token_calls().len(), 1);
}

#[tokio::test]
async fn the_token_request_is_what_ims_documents() {
    let server = FakeServer::start(|_, _| sandboxes()).await;
    client(&server).sign_in().await.unwrap();
    let asked = server.token_calls().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("POST", "/ims/token/v3")
    );
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    let mut fields: Vec<_> = url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    fields.sort();
    let expected = [
        ("client_id", "the-client"),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", "openid,AdobeID,session"),
    ];
    assert_eq!(
        fields,
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert!(!asked.headers.contains_key("authorization"));
}

#[tokio::test]
async fn calls_refused_together_renew_once() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let server = FakeServer::start(|seen, _| {
        if seen.headers["authorization"] == "Bearer token-0" {
            REFUSED.fetch_add(1, Ordering::SeqCst);
            return Say::Json(
                401,
                json!({"error_code": "401013", "message": "Oauth token is not valid"}),
            );
        }
        sandboxes()
    })
    .await;
    let client = client(&server);
    let results = join_all((0..20).map(|_| client.sandboxes())).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(REFUSED.load(Ordering::SeqCst) >= 1);
    assert_eq!(server.token_calls().len(), 2);
}

#[tokio::test]
async fn waiters_share_a_failed_renewal() {
    let ims = |_: &_, _| {
        Say::Json(
            400,
            json!({"error": "invalid_client", "error_description": "bad"}),
        )
    };
    let server = FakeServer::start_with_ims(ims, |_, _| sandboxes()).await;
    let client = client(&server);
    let results = join_all((0..20).map(|_| client.sandboxes())).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(PlatformError::Auth(_))))
    );
    assert_eq!(server.token_calls().len(), 1);
    client.sandboxes().await.unwrap_err();
    assert_eq!(server.token_calls().len(), 2, "a later call asks again");
}

#[tokio::test]
async fn a_refused_credential_is_explained_without_its_secret() {
    let ims = |seen: &super::fake_server::Seen, _| {
        let echo = format!("invalid client_secret parameter in {}", seen.body);
        Say::Json(400, json!({"error": "invalid_client", "error_description": echo}))
    };
    let server = FakeServer::start_with_ims(ims, |_, _| sandboxes()).await;
    let error = client(&server).sign_in().await.unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        (Some("invalid_client"), Some(400))
    );
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
}

#[tokio::test]
async fn odd_token_answers_are_unreadable_and_keep_their_content_to_themselves() {
    for say in [
        Say::Json(200, json!({"access_token": 5, "token_type": "bearer"})),
        Say::Json(200, json!({"token": "body-canary"})),
        Say::With(
            200,
            vec![("content-type", "text/html".to_owned())],
            "<p>body-canary".to_owned(),
        ),
        Say::With(
            200,
            vec![("content-type", "application/json".to_owned())],
            String::new(),
        ),
        Say::With(
            302,
            vec![("location", "http://127.0.0.1:1/body-canary".to_owned())],
            String::new(),
        ),
        Say::With(403, vec![], "<p>body-canary".to_owned()),
    ] {
        let server = FakeServer::start_with_ims(move |_, _| say.clone(), |_, _| sandboxes()).await;
        let error = client(&server).sign_in().await.unwrap_err();
        assert!(matches!(error, PlatformError::Unreadable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_check_tells_which_part_does_not_work() {
    let states =
        |steps: &[crate::platform::CheckStep]| steps.iter().map(|step| step.state).collect::<Vec<_>>();
    use CheckState::{Failed, NotTried, Passed};

    let fine = FakeServer::start(|seen, _| {
        if seen.target.contains("sandbox") {
            sandboxes()
        } else {
            Say::Json(200, json!({"items": []}))
        }
    })
    .await;
    let steps = check_credential(&client(&fine)).await.steps;
    assert_eq!(states(&steps), [Passed, Passed, Passed]);
    assert!(steps[1].detail.contains("development"), "{steps:?}");

    let other = FakeServer::start(|_, _| Say::Json(200, json!({"sandboxes": [{"name": "prod"}]}))).await;
    let steps = check_credential(&client(&other)).await.steps;
    assert_eq!(states(&steps), [Passed, Failed, NotTried]);
    assert!(steps[1].detail.contains("prod"), "{steps:?}");

    let ims = |_: &_, _| {
        Say::Json(
            400,
            json!({"error": "invalid_client", "error_description": "bad"}),
        )
    };
    let refused = FakeServer::start_with_ims(ims, |_, _| sandboxes()).await;
    assert_eq!(
        states(&check_credential(&client(&refused)).await.steps),
        [Failed, NotTried, NotTried]
    );

    let forbidden = FakeServer::start_with_ims(token_answer, |seen, _| {
        if seen.target.contains("sandbox") {
            return sandboxes();
        }
        Say::Json(
            403,
            json!({"error_code": "403027", "message": "User region is missing"}),
        )
    })
    .await;
    let steps = check_credential(&client(&forbidden)).await.steps;
    assert_eq!(states(&steps), [Passed, Passed, Failed]);
    assert!(steps[2].detail.contains("product profile"), "{steps:?}");
}
