//! Calls that are never answered, and lists that are not the whole truth.

use std::time::{Duration, Instant};

use headgate::emulator::faults::{Fault, Rule};
use headgate::emulator::ledger::{Entry, Wanted};
use reqwest::Method;
use tokio::task::JoinHandle;

use super::{Bench, FLOW_SERVICE, connection_body};

const CONNECTIONS: &str = "/data/foundation/flowservice/connections";

fn creates(bench: &Bench) -> Vec<Entry> {
    bench.control().ledger_of(&Wanted {
        method: Some("POST".to_owned()),
        path: Some(CONNECTIONS.to_owned()),
        after: 0,
    })
}

/// Waits until the create stands in the ledger as held.
async fn held(bench: &Bench, acted: Option<u16>) -> Entry {
    let begun = Instant::now();
    loop {
        let found = creates(bench).into_iter().last();
        if let Some(entry) = found.filter(|entry| entry.fault.is_some() && entry.acted == acted) {
            return entry;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", creates(bench));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn create(bench: &Bench) -> JoinHandle<reqwest::Result<bytes_read::Read>> {
    let request = bench
        .request(Method::POST, CONNECTIONS)
        .json(&connection_body("Held"));
    tokio::spawn(async move { bytes_read::of(request).await })
}

/// What a client gets of an answer.
mod bytes_read {
    #[derive(Debug)]
    pub struct Read {
        pub status: u16,
        /// An error: the body ended too early.
        pub body: reqwest::Result<String>,
    }

    pub async fn of(request: reqwest::RequestBuilder) -> reqwest::Result<Read> {
        let response = request.send().await?;
        Ok(Read {
            status: response.status().as_u16(),
            body: response.text().await,
        })
    }
}

#[tokio::test]
async fn a_call_hangs_until_the_rules_are_removed() {
    for (acts, acted) in [(true, Some(201)), (false, None)] {
        let bench = Bench::start().await;
        bench
            .control()
            .arm(Rule::on("POST", CONNECTIONS).then(Fault::Hang { acts }));
        let call = create(&bench);
        let entry = held(&bench, acted).await;
        assert_eq!(entry.fault.as_deref(), Some("hang"));
        assert_eq!((entry.status, entry.completed_at_ms), (None, None));
        assert_eq!(entry.object_id.is_some(), acts);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!call.is_finished());
        bench.control().disarm();
        assert!(call.await.unwrap().is_err(), "no byte of an answer came");
        // What comes later is served as usual.
        bench
            .post(CONNECTIONS, &connection_body("Next"))
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn half_an_answer_and_then_silence() {
    let bench = Bench::start().await;
    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::HangHalf));
    let call = create(&bench);
    let entry = held(&bench, Some(201)).await;
    assert_eq!((entry.fault.as_deref(), entry.status), (Some("hang_half"), None));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!call.is_finished());
    bench.control().disarm();
    let read = call.await.unwrap().unwrap();
    assert_eq!(read.status, 201);
    assert!(read.body.is_err(), "{:?}", read.body);
}

#[tokio::test]
async fn a_held_call_keeps_nobody_from_stopping() {
    let bench = Bench::start().await;
    bench
        .control()
        .arm(Rule::on("POST", CONNECTIONS).then(Fault::Hang { acts: true }));
    let call = create(&bench);
    held(&bench, Some(201)).await;
    let begun = Instant::now();
    bench.running.shutdown().await;
    assert!(call.await.unwrap().is_err());
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_list_of_another_sandbox_names_it_and_shows_nothing_that_is_here() {
    let bench = Bench::start().await;
    bench.connection("Here").await;
    bench
        .control()
        .arm(Rule::on("GET", CONNECTIONS).then(Fault::ListOfAnotherSandbox));
    let other = bench.get(CONNECTIONS).await.expect(200).body;
    let items = other["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["sandboxName"], "elsewhere");
    assert_ne!(items[0]["name"], "Here");
}

#[tokio::test]
async fn an_endless_list_gives_the_same_token_again_and_its_second_page_can_fail() {
    let bench = Bench::start().await;
    let flows = format!("{FLOW_SERVICE}/flows");
    bench
        .control()
        .arm(Rule::on("GET", "**/flows").times(0).then(Fault::EndlessList));
    let next = |body: &serde_json::Value| body["_links"]["next"]["href"].as_str().unwrap().to_owned();
    let first = next(&bench.get(&flows).await.expect(200).body);
    let second_page = format!("{flows}?continuationToken=again");
    assert_eq!(next(&bench.get(&second_page).await.expect(200).body), first);

    bench.control().disarm();
    bench.control().arm(
        Rule::on("GET", "**/flows")
            .query_contains("continuationToken=")
            .times(0)
            .then(Fault::LoseRequest),
    );
    bench
        .control()
        .arm(Rule::on("GET", "**/flows").times(0).then(Fault::EndlessList));
    bench.get(&flows).await.expect(200);
    let failed = bench.request(Method::GET, &second_page).send().await;
    assert!(failed.is_err());
}
