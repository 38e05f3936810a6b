//! Setups on a good day, and the platform's refusals.

use headgate::domain::setup::{Question, SetupState, StepKind, StepState};
use headgate::emulator::faults::{BodyForm, Fault, RetryAfter, Rule};
use headgate::setups::Decision;
use headgate::store::secrets::SecretOwner;
use headgate::store::{self, setup_journal};

use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::{CANARY, EDITOR, TEAM, Works, editor};

#[tokio::test]
async fn the_tutorials_way_makes_each_object_once() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    let setup = works.done(&id).await;
    assert!(setup.flow_id.is_some());
    let created = works.created();
    let expected = [
        ("connections", 2),
        ("dataSets", 1),
        ("flows", 1),
        ("schemas", 1),
        ("sourceConnections", 1),
        ("targetConnections", 1),
    ];
    assert_eq!(
        created,
        expected.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
    );
    for step in works.steps(&id).await {
        assert_eq!(step.state, StepState::Confirmed, "{}", step.kind);
        assert!(
            step.object_id.is_some() && step.answer_status.is_some(),
            "{}",
            step.kind
        );
    }
}

#[tokio::test]
async fn delimited_files_get_a_mapping_set() {
    let works = Works::start().await;
    let id = works.set_up(&sftp_delimited("Store sales")).await;
    works.done(&id).await;
    let created = works.created();
    assert_eq!(
        (created.get("mappingSets"), created.get("connections")),
        (Some(&1), Some(&1))
    );
}

#[tokio::test]
async fn p21_the_data_lake_connection_is_made_once_for_all() {
    let works = Works::start().await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(works.set_up(&s3_parquet(&format!("Loyalty {n}"))).await);
    }
    for id in &ids {
        works.done(id).await;
    }
    // One base connection for each setup, and one for the data lake.
    assert_eq!(works.created()["connections"], ids.len() + 1);
}

#[tokio::test]
async fn p14_a_form_makes_one_setup_however_often_it_is_sent() {
    let works = Works::start().await;
    let draft = works.draft(&s3_parquet("Loyalty members")).await;
    let sends = (0..20).map(|_| {
        let (setups, draft) = (works.setups.clone(), draft.clone());
        tokio::spawn(async move { setups.start(&editor(), EDITOR, TEAM, &draft).await.unwrap() })
    });
    let mut ids = Vec::new();
    for send in sends.collect::<Vec<_>>() {
        ids.push(send.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    works.done(&ids[0]).await;
    assert_eq!(works.created()["flows"], 1);
}

#[tokio::test]
async fn p1_every_create_has_an_earlier_intent_in_the_journal() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    let journal = setup_journal::list(&works.store, &id, 0, 1000).await.unwrap();
    for step in works.steps(&id).await.iter().filter(|s| s.attempt > 0) {
        let intent = journal
            .iter()
            .find(|e| e.facts.step == Some(step.kind) && e.facts.event == "sending")
            .unwrap();
        let name = step.path.rsplit('/').next().unwrap();
        let arrived = works.emulator.control().ledger();
        let call = arrived
            .iter()
            .find(|e| e.object_id.is_some() && e.object_id == step.object_id && e.target.contains(name));
        assert!(
            call.unwrap().arrived_at_ms >= intent.facts.at,
            "{} arrived before its intent",
            step.kind
        );
    }
}

#[tokio::test]
async fn s8_a_secret_is_stored_nowhere_in_the_clear_and_forgotten_when_done() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    assert!(
        store::secrets::list(&works.store, SecretOwner::Setup, &id)
            .await
            .unwrap()
            .is_empty()
    );
    let shown = format!("{:?}{:?}", works.setup(&id).await, works.steps(&id).await);
    assert!(!shown.contains(CANARY));
    for file in std::fs::read_dir(works.directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
    }
}

#[tokio::test]
async fn a_refusal_asks_and_resume_sends_only_the_refused_step_again() {
    let works = Works::start().await;
    let refusal = Fault::Status {
        status: 400,
        body: BodyForm::default(),
    };
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/targetConnections").then(refusal));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    let setup = works.rested(&id).await;
    assert_eq!(
        (setup.state, setup.question),
        (SetupState::NeedsAttention, Some(Question::Rejected))
    );
    assert!(setup.question_detail.is_some());
    works.emulator.control().disarm();
    works.decide(&id, Decision::Resume).await.unwrap();
    works.done(&id).await;
    assert_eq!(works.created().values().sum::<usize>(), 7);
}

#[tokio::test]
async fn p7_a_throttled_call_is_sent_again_and_never_too_early() {
    let works = Works::start().await;
    let throttle = Fault::RetryAfter {
        after: Some(RetryAfter::Seconds(1)),
    };
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/dataSets").then(throttle));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    let ledger = works.emulator.control().ledger();
    let sends: Vec<i64> = ledger
        .iter()
        .filter(|e| e.method == "POST" && e.target.contains("dataSets"))
        .map(|e| e.arrived_at_ms)
        .collect();
    assert_eq!(sends.len(), 2);
    assert!(sends[1] - sends[0] >= 1_000, "{sends:?}");
}

#[tokio::test]
async fn z4_somebody_who_lost_the_right_creates_nothing_more() {
    let works = Works::start().await;
    let mut tx = works.store.begin().await.unwrap();
    store::people::upsert_membership(&mut tx, TEAM, EDITOR, headgate::domain::Role::Viewer, 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    assert_eq!(works.rested(&id).await.question, Some(Question::NotAllowed));
    assert!(works.created().is_empty());
}

#[tokio::test]
async fn audit_tells_of_every_call_before_and_after() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    let events = store::audit::for_object(&works.store, TEAM, "setup", &id, None, 100)
        .await
        .unwrap();
    let count = |event: &str, phase: &str| {
        events
            .iter()
            .filter(|e| e.facts.event == event && e.facts.phase.as_str() == phase)
            .count()
    };
    assert_eq!(
        (
            count("platform.create", "intent"),
            count("platform.create", "outcome")
        ),
        (7, 7)
    );
    assert_eq!(
        (count("setup.started", "done"), count("setup.done", "done")),
        (1, 1)
    );
    let kinds: Vec<StepKind> = works.steps(&id).await.iter().map(|s| s.kind).collect();
    assert_eq!(kinds.len(), 7);
}
