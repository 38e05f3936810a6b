//! Taking back what a setup made.

use headgate::domain::setup::{Question, SetupState, StepKind, StepState};
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::setups::Decision;

use crate::support::recipes::s3_parquet;
use crate::support::works::Works;

fn deleted(works: &Works) -> Vec<String> {
    let ledger = works.emulator.control().ledger();
    let deletions = ledger
        .into_iter()
        .filter(|e| e.method == "DELETE" && matches!(e.status, Some(200 | 204)));
    deletions
        .map(|e| e.target.rsplit('/').nth(1).unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn p17_undo_deletes_backwards_what_it_made_and_keeps_what_is_shared() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    works.decide(&id, Decision::Undo).await.unwrap();
    let setup = works.rested(&id).await;
    assert_eq!(setup.state, SetupState::Undone, "{:#?}", works.steps(&id).await);
    let deleted = deleted(&works);
    assert_eq!(deleted.first().map(String::as_str), Some("flows"));
    assert_eq!(deleted.len(), 6, "{deleted:?}");
    let steps = works.steps(&id).await;
    let lake = steps
        .iter()
        .find(|s| s.kind == StepKind::DataLakeConnection)
        .unwrap();
    assert_eq!(lake.state, StepState::Kept);
}

#[tokio::test]
async fn p18_deleting_what_is_gone_is_a_success() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    works
        .emulator
        .control()
        .arm(Rule::on("DELETE", "**/flows/*").then(Fault::LoseAnswer));
    works.decide(&id, Decision::Undo).await.unwrap();
    assert_eq!(works.rested(&id).await.state, SetupState::Undone);
}

#[tokio::test]
async fn a_refused_deletion_asks_and_goes_on_after_resume() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    works
        .emulator
        .control()
        .arm(Rule::on("DELETE", "**/sourceConnections/*").then(Fault::Status {
            status: 400,
            body: BodyForm::default(),
        }));
    works.decide(&id, Decision::Undo).await.unwrap();
    let setup = works.rested(&id).await;
    assert_eq!(
        (setup.state, setup.question),
        (SetupState::NeedsAttention, Some(Question::UndoBlocked))
    );
    works.decide(&id, Decision::Resume).await.unwrap();
    assert_eq!(works.rested(&id).await.state, SetupState::Undone);
}
