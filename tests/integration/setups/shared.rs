//! Several setups, several processes: the shared connection, leases and fencing, queues, gates and tokens.

use std::time::Duration;

use headgate::domain::setup::{Question, SetupState, StepKind, StepState};
use headgate::emulator::Options;
use headgate::emulator::faults::{BodyForm, Fault, RetryAfter, Rule};
use headgate::setups::{Decision, QueueFull, StartError};
use headgate::store;
use tokio_util::sync::CancellationToken;

use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::{EDITOR, ENVIRONMENT, TEAM, Works, editor};

/// The data lake's connection specification, which only its own create names.
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

fn create_of_the_lake() -> headgate::emulator::faults::When {
    Rule::on("POST", "**/flowservice/connections").body_contains(DATA_LAKE)
}

fn lakes_made(works: &Works) -> usize {
    let made = |e: &headgate::emulator::ledger::Entry| {
        e.method == "POST" && e.object_id.is_some() && e.body.to_string().contains("data lake connection")
    };
    works
        .emulator
        .control()
        .ledger()
        .iter()
        .filter(|e| made(e))
        .count()
}

#[tokio::test]
async fn p21_twenty_first_setups_at_once_make_one_data_lake_connection() {
    let works = Works::start().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(works.set_up(&s3_parquet(&format!("Loyalty {n}"))).await);
    }
    for id in &ids {
        works.done(id).await;
    }
    assert_eq!(lakes_made(&works), 1);
}

#[tokio::test]
async fn p21_while_it_is_not_known_whether_the_lake_was_made_the_others_stand_back() {
    let works = Works::start().await;
    works
        .emulator
        .control()
        .arm(create_of_the_lake().then(Fault::ActLate {
            ms: 250,
            status: None,
        }));
    let mut ids = Vec::new();
    // More setups than workers: those that stand back must not keep the one that knows from finishing.
    for n in 0..8 {
        ids.push(works.set_up(&s3_parquet(&format!("Loyalty {n}"))).await);
    }
    for id in &ids {
        works.done(id).await;
    }
    assert_eq!(lakes_made(&works), 1);
}

#[tokio::test]
async fn a_remembered_lake_that_somebody_deleted_is_made_anew() {
    let works = Works::start().await;
    let first = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&first).await;
    works.decide(&first, Decision::Undo).await.unwrap();
    works.rested(&first).await;
    let environment = store::environments::any_by_id(&works.store, ENVIRONMENT)
        .await
        .unwrap()
        .unwrap();
    let lake = environment.data_lake_connection_id.unwrap();
    let call = headgate::platform::Call::delete(headgate::platform::ObjectKind::Connection, &lake);
    works.client().await.send(&call, "test").await;
    let second = works.set_up(&s3_parquet("Loyalty again")).await;
    works.done(&second).await;
    assert_eq!(lakes_made(&works), 2);
}

#[tokio::test]
async fn m1_a_worker_that_lost_its_lease_writes_nothing_and_nothing_is_made_twice() {
    let works = Works::start().await;
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/flows").then(Fault::Delay { ms: 900 }));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    let flow_is_out = async || {
        let steps = works.steps(&id).await;
        steps.last().unwrap().state == StepState::Intent
    };
    while !flow_is_out().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Another process takes over while the first one's call is on its way.
    let mut tx = works.store.begin().await.unwrap();
    store::leases::expire_all(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let second = works.another_process();
    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let stop = stop.clone();
        async move { second.dispatch(stop, || {}).await }
    });
    works.done(&id).await;
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(works.created()["flows"], 1);
    let journal = store::setup_journal::list(&works.store, &id, 0, 1000)
        .await
        .unwrap();
    let confirms: Vec<i64> = journal
        .iter()
        .filter(|e| {
            e.facts.step == Some(StepKind::Flow) && matches!(e.facts.event.as_str(), "found" | "confirmed")
        })
        .map(|e| e.facts.epoch)
        .collect();
    assert_eq!(confirms, [2], "only the new holder confirmed it");
}

#[tokio::test]
async fn p7_a_long_wait_is_parked_in_the_database_and_survives_a_restart() {
    let mut works = Works::start().await;
    let throttle = Fault::RetryAfter {
        after: Some(RetryAfter::Seconds(300)),
    };
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/dataSets").then(throttle));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    let parked = async || works.setup(&id).await.state == SetupState::Waiting;
    while !parked().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    works.crash_and_restart().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let setup = works.setup(&id).await;
    assert_eq!(setup.state, SetupState::Waiting);
    let now = headgate::domain::Clock::now_ms(&*works.clock);
    let left = setup.retry_at.unwrap() - now;
    assert!((290_000..=360_000).contains(&left), "{left}");
    let sends = |works: &Works| {
        let ledger = works.emulator.control().ledger();
        ledger
            .iter()
            .filter(|e| e.method == "POST" && e.target.contains("dataSets"))
            .count()
    };
    assert_eq!(sends(&works), 1, "it is not sent before");
    works.clock.advance_ms(361_000);
    works.done(&id).await;
    assert_eq!(sends(&works), 2);
}

#[tokio::test]
async fn p7_one_throttled_call_slows_every_setup_of_the_environment() {
    let works = Works::start().await;
    let throttle = Fault::RetryAfter {
        after: Some(RetryAfter::Seconds(3)),
    };
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/tenant/schemas").then(throttle));
    let first = works.set_up(&s3_parquet("Loyalty members")).await;
    while works.setup(&first).await.state != SetupState::Waiting {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let throttled_at = works.emulator.control().ledger().last().unwrap().arrived_at_ms;
    let second = works.set_up(&sftp_delimited("Store sales")).await;
    for id in [&first, &second] {
        works.done(id).await;
    }
    let ledger = works.emulator.control().ledger();
    let later = ledger
        .iter()
        .filter(|e| e.method == "POST" && e.arrived_at_ms > throttled_at + 100);
    assert!(later.clone().count() > 8);
    assert!(later.map(|e| e.arrived_at_ms - throttled_at).min() >= Some(2_900));
}

#[tokio::test]
async fn p9_a_token_that_ends_before_each_step_is_renewed_once_and_all_finish() {
    for path in [
        "**/flowservice/connections",
        "**/tenant/schemas",
        "**/dataSets",
        "**/sourceConnections",
        "**/targetConnections",
        "**/flows",
    ] {
        let works = Works::start().await;
        works
            .emulator
            .control()
            .arm(Rule::on("POST", path).then(Fault::ExpireToken));
        let id = works.set_up(&s3_parquet("Loyalty members")).await;
        works.done(&id).await;
        let ledger = works.emulator.control().ledger();
        let tokens = ledger.iter().filter(|e| e.target.contains("/ims/token")).count();
        assert_eq!(
            (tokens, works.created().values().sum::<usize>()),
            (2, 7),
            "{path}"
        );
    }
}

#[tokio::test]
async fn e22_a_credential_that_is_refused_asks_and_loses_nothing() {
    let works = Works::start().await;
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "/ims/**").times(0).then(Fault::Status {
            status: 401,
            body: BodyForm::Service,
        }));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    assert_eq!(works.rested(&id).await.question, Some(Question::Auth));
    works.emulator.control().disarm();
    works.decide(&id, Decision::Resume).await.unwrap();
    works.done(&id).await;
    assert_eq!(works.created().values().sum::<usize>(), 7);
}

#[tokio::test]
async fn p23_the_queue_is_a_table_with_an_end() {
    let works = Works::idle(Options::default()).await;
    let start = async |n: usize| {
        let draft = works.draft(&s3_parquet(&format!("Loyalty {n}"))).await;
        works.setups.start(&editor(), EDITOR, TEAM, &draft).await
    };
    let mut accepted = Vec::new();
    for n in 0..5 {
        accepted.push(start(n).await.unwrap());
    }
    assert!(matches!(
        start(5).await,
        Err(StartError::QueueFull(QueueFull::Person))
    ));
    for id in &accepted {
        assert_eq!(works.setup(id).await.state, SetupState::Queued);
    }
}

#[tokio::test]
async fn e19_a_title_that_somebody_else_has_is_refused_and_nothing_is_taken_over() {
    let works = Works::start().await;
    let first = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&first).await;
    let second = works.set_up(&s3_parquet("Loyalty members")).await;
    let setup = works.rested(&second).await;
    assert_eq!(setup.question, Some(Question::Rejected));
    let schema = works
        .steps(&second)
        .await
        .into_iter()
        .find(|s| s.kind == StepKind::Schema)
        .unwrap();
    assert_eq!((schema.state, schema.object_id), (StepState::Rejected, None));
}

#[tokio::test]
async fn p4_a_schema_that_came_late_is_known_by_its_marker_when_its_title_is_taken() {
    let works = Works::start().await;
    // Acted on after three empty looks and the settle time, so that the create is sent a second time.
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/tenant/schemas").then(Fault::ActLate {
            ms: 700,
            status: None,
        }));
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/tenant/schemas").then(Fault::Delay { ms: 900 }));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    let schema = works
        .steps(&id)
        .await
        .into_iter()
        .find(|s| s.kind == StepKind::Schema)
        .unwrap();
    assert!(schema.adopted && schema.attempt == 2, "{schema:?}");
    assert_eq!(works.created()["schemas"], 1);
}
