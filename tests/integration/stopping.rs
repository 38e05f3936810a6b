//! Deadlines, and an end in time whatever clients do.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use headgate::emulator::faults::{Fault, Rule};
use headgate::emulator::{Emulator, Options};
use reqwest::{StatusCode, header};

use crate::support::app::App;
use crate::support::process::{Server, populate};

/// O2: the longest that anybody waits for an answer, whatever hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// O4: the longest that a stop takes.
const LONGEST_STOP: Duration = Duration::from_secs(30);

fn connect(url: &str, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o4_a_stop_ends_in_time_although_clients_are_slow_or_half_open() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (path, url) = (directory.path().to_owned(), emulator.url());
    tokio::task::spawn_blocking(move || populate(&path, &url))
        .await
        .unwrap();
    let mut server = Server::start(directory.path(), &emulator.url()).await;
    let host = server.url.trim_start_matches("http://").to_owned();
    let head = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    let half_a_body = format!(
        "{}Origin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nlogin=",
        head("POST", "/sign-in"),
        server.url
    );
    let texts = [
        String::new(),
        head("GET", "/sign-in"),
        half_a_body,
        format!("{}\r\n", head("GET", "/healthz")),
    ];
    let clients: Vec<TcpStream> = (0..50)
        .map(|n| connect(&server.url, &texts[n % texts.len()]))
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    server.ask_to_stop();
    assert!(server.ended(LONGEST_STOP).await, "it ended badly");
    assert!(started.elapsed() < LONGEST_STOP, "{:?}", started.elapsed());
    drop(clients);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o4_a_server_that_was_asked_to_stop_is_not_ready_any_more() {
    let app = App::start().await;
    let begun = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\n", app.running.address);
    let mut stream = connect(&app.url(""), &begun);
    tokio::time::sleep(Duration::from_millis(100)).await;
    app.running.state.lifecycle.stop();
    // The request was on its way when the stop was asked for.
    let _ = stream.write_all(b"\r\n");
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    });
    let answer = answer.await.unwrap();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 503"),
        "{answer}"
    );
    assert!(
        TcpStream::connect(app.running.address).is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn o2_who_cannot_get_the_writer_is_told_in_time_and_nothing_is_changed() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let page = ana.get("/account").await;
    let held = app.store().begin().await.unwrap();
    let started = Instant::now();
    let refused = ana
        .submit(&page, "/account", &[("time_zone", "Asia/Tokyo")])
        .await;
    assert!(started.elapsed() < LONGEST_WAIT, "{:?}", started.elapsed());
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        refused.body
    );
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert!(
        refused.body.contains("store.busy") && refused.body.contains("Nothing was changed."),
        "{}",
        refused.body
    );
    drop(held);
    let saved = ana
        .submit(&page, "/account", &[("time_zone", "Asia/Tokyo")])
        .await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
}

#[tokio::test]
async fn o2_a_platform_that_does_not_answer_keeps_nobody_waiting() {
    let app = App::start().await;
    let environment = app.environment_id().await;
    let mut theo = app.visitor("theo").await;
    let page = theo.get(&format!("/environments/{environment}")).await;
    let hang = Fault::Delay { ms: 60_000 };
    app.emulator
        .control()
        .arm(Rule::on("GET", "/**").times(0).then(hang.clone()));
    app.emulator
        .control()
        .arm(Rule::on("POST", "/**").times(0).then(hang));
    for path in [
        format!("/environments/{environment}"),
        "/flows".to_owned(),
        "/setups".to_owned(),
    ] {
        let started = Instant::now();
        let answer = theo.get(&path).await;
        assert!(
            started.elapsed() < LONGEST_WAIT,
            "{path}: {:?}",
            started.elapsed()
        );
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let started = Instant::now();
    let check = format!("/environments/{environment}/check");
    let answer = theo.submit(&page, &check, &[]).await;
    assert!(started.elapsed() < LONGEST_WAIT, "{:?}", started.elapsed());
    assert!(
        answer.status.is_redirection(),
        "{} {}",
        answer.status,
        answer.body
    );
}
