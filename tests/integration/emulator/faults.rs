//! Faults on command and the ledger.

use std::time::{Duration, Instant};

use headgate::emulator::faults::{BodyForm, Fault, Garbage, RetryAfter, Rule};
use headgate::emulator::ledger::Wanted;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Bench, FLOW_SERVICE, ORGANIZATION, connection_body, keys, read};

const CONNECTIONS: &str = "/data/foundation/flowservice/connections";

async fn made(bench: &Bench) -> u64 {
    bench
        .list("connections", &[("count", "true")])
        .await
        .expect(200)
        .body["count"]
        .as_u64()
        .unwrap()
}

/// A create over a bare socket: the bytes that come back before the connection ends.
async fn raw_create(bench: &Bench) -> Vec<u8> {
    let body = connection_body("Raw").to_string();
    let address = bench.running.url().replace("http://", "");
    let mut socket = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "POST {CONNECTIONS} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nx-api-key: headgate-demo\r\nx-gw-ims-org-id: {ORGANIZATION}\r\nx-sandbox-name: prod\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        bench.token,
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await;
    // A reset is an end as good as a close.
    assert!(ended.is_ok(), "the connection stayed open");
    answer
}

#[tokio::test]
async fn a_lost_answer_leaves_no_byte_and_an_object() {
    let bench = Bench::start().await;
    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::LoseAnswer));
    assert_eq!(raw_create(&bench).await, b"");
    assert_eq!(made(&bench).await, 1);
    let entry = bench
        .control()
        .ledger_of(&Wanted {
            method: Some("POST".to_owned()),
            path: Some(CONNECTIONS.to_owned()),
            after: 0,
        })
        .remove(0);
    assert_eq!(
        (entry.status, entry.acted, entry.fault.as_deref()),
        (None, Some(201), Some("lose_answer"))
    );
    let listed = bench.get(CONNECTIONS).await.body;
    assert_eq!(listed["items"][0]["id"].as_str(), entry.object_id.as_deref());

    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::LoseRequest));
    assert_eq!(raw_create(&bench).await, b"");
    assert_eq!(made(&bench).await, 1);

    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::CutAnswer));
    let half = String::from_utf8(raw_create(&bench).await).unwrap();
    assert!(
        half.starts_with("HTTP/1.1 201") && half.contains("\r\n\r\n{") && !half.ends_with('}'),
        "{half}"
    );
    assert_eq!(made(&bench).await, 2);
}

#[tokio::test]
async fn a_client_that_goes_away_is_still_served() {
    let bench = Bench::start().await;
    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::Delay { ms: 300 }));
    let request = bench
        .request(reqwest::Method::POST, CONNECTIONS)
        .json(&connection_body("Impatient"))
        .timeout(Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(made(&bench).await, 0);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(made(&bench).await, 1);
}

#[tokio::test]
async fn acting_late() {
    let bench = Bench::start().await;
    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::ActLate {
            ms: 300,
            status: Some(504),
        }));
    bench
        .post(CONNECTIONS, &connection_body("Late"))
        .await
        .expect(504);
    assert_eq!(made(&bench).await, 0);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(made(&bench).await, 1);
    let entry = &bench.control().ledger_of(&Wanted {
        method: Some("POST".to_owned()),
        path: Some(CONNECTIONS.to_owned()),
        after: 0,
    })[0];
    assert_eq!((entry.status, entry.acted), (Some(504), Some(201)));
}

#[tokio::test]
async fn statuses_before_and_after_acting() {
    let bench = Bench::start().await;
    let arm = |fault| bench.control().arm(Rule::on("POST", CONNECTIONS).then(fault));
    arm(Fault::Status {
        status: 503,
        body: BodyForm::Service,
    });
    bench
        .post(CONNECTIONS, &connection_body("x"))
        .await
        .refused(503, "FLOW-1103-503");
    arm(Fault::Status {
        status: 502,
        body: BodyForm::Html,
    });
    let html = bench.post(CONNECTIONS, &connection_body("x")).await.expect(502);
    assert!(html.body.as_str().unwrap().starts_with("<html>"));
    arm(Fault::Status {
        status: 403,
        body: BodyForm::Gateway,
    });
    assert_eq!(
        keys(
            &bench
                .post(CONNECTIONS, &connection_body("x"))
                .await
                .expect(403)
                .body
        ),
        ["error_code", "message"]
    );
    assert_eq!(made(&bench).await, 0);
    arm(Fault::AfterStatus {
        status: 500,
        body: BodyForm::Empty,
    });
    assert_eq!(
        bench
            .post(CONNECTIONS, &connection_body("x"))
            .await
            .expect(500)
            .body,
        Value::Null
    );
    assert_eq!(made(&bench).await, 1);
}

#[tokio::test]
async fn too_many_requests() {
    let bench = Bench::start().await;
    for (after, is_fine) in [
        (
            Some(RetryAfter::Seconds(7)),
            (|header| header == "7") as fn(&str) -> bool,
        ),
        (Some(RetryAfter::DateInSeconds(90)), |header| {
            header.ends_with(" GMT") && httpdate::parse_http_date(header).is_ok()
        }),
        (Some(RetryAfter::Raw("soon".to_owned())), |header| {
            header == "soon"
        }),
        (None, |header| header.is_empty()),
    ] {
        bench
            .control()
            .arm(Rule::on("GET", "**").then(Fault::RetryAfter { after }));
        let answer = bench.get(CONNECTIONS).await.expect(429);
        assert!(is_fine(answer.header("retry-after")), "{answer:?}");
    }
    bench.get(CONNECTIONS).await.expect(200);
}

#[tokio::test]
async fn answers_that_cannot_be_used() {
    let bench = Bench::start().await;
    let spoiled = async |form: Garbage| {
        bench
            .control()
            .arm(Rule::on("POST", CONNECTIONS).then(Fault::Garbage { form }));
        bench.post(CONNECTIONS, &connection_body("x")).await
    };
    assert_eq!(spoiled(Garbage::EmptyObject).await.expect(201).body, json!({}));
    assert_eq!(keys(&spoiled(Garbage::NoId).await.expect(201).body), ["etag"]);
    assert!(spoiled(Garbage::OddId).await.expect(201).body["id"].is_object());
    assert!(spoiled(Garbage::Truncated).await.expect(201).body.is_string());
    assert!(spoiled(Garbage::NotJson).await.expect(201).body.is_string());
    assert!(spoiled(Garbage::Deep).await.expect(201).body.is_string());
    assert_eq!(
        spoiled(Garbage::Redirect).await.expect(307).header("location"),
        "http://elsewhere.invalid/"
    );
    let huge = bench
        .request(reqwest::Method::POST, CONNECTIONS)
        .json(&connection_body("x"));
    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::Garbage { form: Garbage::Huge }));
    assert!(huge.send().await.unwrap().bytes().await.unwrap().len() > 16 * 1024 * 1024);
    assert_eq!(made(&bench).await, 8, "each of them was acted on");
}

#[tokio::test]
async fn the_latency_holds_every_answer_back() {
    let bench = Bench::with(|options| options.latency_ms = 120).await;
    let begun = Instant::now();
    bench.get(CONNECTIONS).await.expect(200);
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn the_ledger_and_its_port_hold_no_secret() {
    let bench = Bench::start().await;
    bench
        .post(CONNECTIONS, &connection_body("Bucket"))
        .await
        .expect(201);
    bench.token_call("WRONGCANARY").await.expect(400);
    let control = bench.running.control_url();
    let all = read(bench.http.get(format!("{control}/ledger")))
        .await
        .expect(200);
    let text = all.body.to_string();
    for secret in [
        "S3CRETCANARY",
        "WRONGCANARY",
        "headgate-demo-secret",
        bench.token.as_str(),
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let wanted = read(
        bench
            .http
            .get(format!("{control}/ledger?method=POST&path=**/connections")),
    )
    .await
    .expect(200);
    let entries = wanted.body["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        keys(&entries[0]),
        [
            "acted",
            "arrivedAtMs",
            "body",
            "completedAtMs",
            "fault",
            "method",
            "objectId",
            "requestId",
            "sandbox",
            "sequence",
            "status",
            "target",
        ]
    );
    assert_eq!(entries[0]["body"]["auth"]["params"]["s3SecretKey"], "****");
    assert_eq!(
        (&entries[0]["sandbox"], &entries[0]["status"]),
        (&json!("prod"), &json!(201))
    );
    let none = read(bench.http.get(format!("{control}/ledger?after=1000")))
        .await
        .expect(200);
    assert_eq!(none.body, json!({ "entries": [] }));
}

#[tokio::test]
async fn rules_time_and_reset_over_the_control_port() {
    let mut bench = Bench::start().await;
    let control = bench.running.control_url();
    let rule = json!({ "when": { "method": "GET", "path": "**/flows", "nth": 2 }, "then": { "kind": "status", "status": 500 } });
    let armed = read(bench.http.post(format!("{control}/rules")).json(&rule))
        .await
        .expect(201);
    assert_eq!(armed.body, json!({ "id": 1 }));
    let flows = format!("{FLOW_SERVICE}/flows");
    bench.get(&flows).await.expect(200);
    bench.get(&flows).await.expect(500);
    bench.get(&flows).await.expect(200);
    let rules = read(bench.http.get(format!("{control}/rules"))).await.expect(200);
    assert_eq!(
        (&rules.body["rules"][0]["seen"], &rules.body["rules"][0]["hit"]),
        (&json!(3), &json!(1))
    );
    read(bench.http.delete(format!("{control}/rules")))
        .await
        .expect(204);
    assert_eq!(
        read(bench.http.get(format!("{control}/rules"))).await.body,
        json!({ "rules": [] })
    );
    let wrong = read(
        bench
            .http
            .post(format!("{control}/rules"))
            .json(&json!({ "then": { "kind": "explode" } })),
    )
    .await
    .expect(400);
    assert!(wrong.body["error"].as_str().unwrap().contains("explode"));

    let before = bench.now_ms();
    let advanced = read(
        bench
            .http
            .post(format!("{control}/advance"))
            .json(&json!({ "ms": 5000 })),
    )
    .await
    .expect(200);
    assert_eq!(advanced.body, json!({ "now_ms": before + 5000 }));
    bench.connection("Gone after reset").await;
    read(bench.http.post(format!("{control}/reset")))
        .await
        .expect(204);
    bench.get(CONNECTIONS).await.refused(401, "401013");
    bench.sign_in().await;
    assert_eq!(made(&bench).await, 0);

    let wall = Bench::with(|options| options.manual_time = false).await;
    let refused = wall
        .http
        .post(format!("{}/advance", wall.running.control_url()))
        .json(&json!({ "ms": 1 }));
    read(refused).await.expect(409);
}

#[tokio::test]
async fn a_stopped_emulator_answers_nobody() {
    let bench = Bench::start().await;
    let (address, pooled) = (
        bench.running.url(),
        bench.request(reqwest::Method::GET, CONNECTIONS),
    );
    let mut half_sent = TcpStream::connect(address.replace("http://", "")).await.unwrap();
    half_sent.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let begun = Instant::now();
    bench.running.shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(
        pooled.send().await.is_err(),
        "a connection from before was still served"
    );
    assert!(TcpStream::connect(address.replace("http://", "")).await.is_err());
}
