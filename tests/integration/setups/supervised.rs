//! Workers that fail by our own fault: started again, counted, and stopped with a question when it does not help.

use std::time::{Duration, Instant};

use headgate::domain::setup::{Question, SetupState, StepKind};
use headgate::emulator::Options;
use headgate::setups::{Decision, Point};
use headgate::store;

use crate::support::process::Server;
use crate::support::recipes::s3_parquet;
use crate::support::works::Works;

#[tokio::test]
async fn o5_a_worker_that_panics_is_started_again_and_counted() {
    let mut works = Works::idle(Options::default()).await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.close_store().await;
    let file = works.directory.path().join("point");
    let point = format!(
        "panic:{}:{}:{}",
        Point::BeforeOutcome,
        StepKind::Flow,
        file.display()
    );
    let variables = [
        ("HEADGATE_POINT", point),
        ("HEADGATE_SETTLE_SECONDS", "2".to_owned()),
    ];
    let server = Server::spawn(works.directory.path(), &works.emulator.url(), &variables);
    works.reopen_store().await;
    let begun = Instant::now();
    while works.setup(&id).await.state != SetupState::Done {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{:?}",
            works.setup(&id).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(file.exists(), "it did panic");
    assert_eq!(works.created()["flows"], 1);
    let ready = reqwest::get(format!("{}/readyz", server.url)).await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&ready.text().await.unwrap()).unwrap();
    assert_eq!(told["setup_faults"], 1, "{told}");
}

#[tokio::test]
async fn a_setup_that_fails_again_and_again_asks_instead_of_trying_for_ever() {
    let mut works = Works::idle(Options::default()).await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    let mut flow = works.steps(&id).await.pop().unwrap();
    let needs = std::mem::replace(&mut flow.needs, "no JSON".to_owned());
    save(&works, &flow).await;
    works.run();
    let setup = works.rested(&id).await;
    assert_eq!(
        (setup.state, setup.question),
        (SetupState::NeedsAttention, Some(Question::Fault))
    );
    assert!(works.setups.faults() >= 3);
    let journal = store::setup_journal::list(&works.store, &id, 0, 100)
        .await
        .unwrap();
    assert!(
        journal.iter().any(|e| e.facts.event == "asked"),
        "the journal tells of it"
    );
    flow.needs = needs;
    save(&works, &flow).await;
    works.decide(&id, Decision::Resume).await.unwrap();
    works.done(&id).await;
}

async fn save(works: &Works, step: &store::setups::Step) {
    let mut tx = works.store.begin().await.unwrap();
    store::setups::save_step(&mut tx, step).await.unwrap();
    tx.commit().await.unwrap();
}
