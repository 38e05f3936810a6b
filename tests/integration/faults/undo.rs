//! Taking a setup back while deletions go wrong in every way.

use headgate::domain::setup::{Question, SetupState};
use headgate::emulator::faults::{BodyForm, Fault};
use headgate::platform::{Call, ObjectKind, Outcome};
use headgate::setups::Decision;
use serde_json::json;

use super::figures::{Row, side_by_side};
use super::ledger::{BY_HAND, Tally, account};
use super::steps::{self, StepCalls, brief, is_taken_back};
use crate::support::works::{TEAM, Works};

/// What the deletion of one step draws.
#[derive(Debug, Clone)]
enum Draws {
    /// It works.
    Nothing,
    /// Somebody else deletes the object before we come to it.
    Missing,
    Fault(Fault),
    /// A refusal in Flow Service's words, until a person says so.
    Refused(&'static str),
}

fn all_draws() -> Vec<Draws> {
    let status = 500;
    let body = BodyForm::Service;
    vec![
        Draws::Nothing,
        Draws::Missing,
        Draws::Fault(Fault::LoseAnswer),
        Draws::Fault(Fault::LoseRequest),
        Draws::Fault(Fault::Status { status, body }),
        Draws::Fault(Fault::AfterStatus { status, body }),
        Draws::Refused("1418-400"),
        Draws::Refused("1447-400"),
    ]
}

fn refusal(code: &str) -> Fault {
    let detail = "The resource is still used.";
    Fault::Answer {
        status: 400,
        body: json!({
            "type": format!("https://ns.adobe.com/aep/errors/FLOW-{code}"), "title": "Invalid request", "status": 400,
            "report": { "detailed-message": detail, "request-id": "r" }, "errorMessage": detail, "errorDetails": detail,
        }),
    }
}

/// Deletes the object of a step as somebody else would.
async fn delete_by_hand(works: &Works, calls: StepCalls, id: &str) {
    let object = works.steps(id).await.into_iter().find(|s| s.kind == calls.step);
    let kind = ObjectKind::ALL
        .into_iter()
        .find(|kind| kind.collection().ends_with(&format!("/{}", calls.collection)))
        .unwrap();
    let call = Call::delete(kind, &object.unwrap().object_id.unwrap());
    let answer = works.client().await.send(&call, BY_HAND).await;
    assert!(matches!(answer.outcome, Outcome::Confirmed { .. }), "{answer:?}");
}

/// An undo in which one deletion draws this.
async fn undone((calls, draws): (StepCalls, Draws)) -> Tally {
    let mut tally = Tally::default();
    let works = Works::start().await;
    let control = works.emulator.control();
    let id = works.set_up(&(calls.recipe)("Loyalty members")).await;
    works.done(&id).await;
    match &draws {
        Draws::Nothing => {}
        // Held up until nothing needs the object any more.
        Draws::Missing => drop(control.arm(calls.deletion().then(refusal("1418-400")))),
        Draws::Fault(fault) => drop(control.arm(calls.deletion().then(fault.clone()))),
        Draws::Refused(code) => drop(control.arm(calls.deletion().then(refusal(code)))),
    }
    works.decide(&id, Decision::Undo).await.unwrap();
    let mut setup = works.rested(&id).await;
    if matches!(draws, Draws::Refused(_) | Draws::Missing) {
        let blocked =
            setup.state == SetupState::NeedsAttention && setup.question == Some(Question::UndoBlocked);
        tally.expect(blocked, || {
            format!("a refused deletion left {}", brief(&setup, &[]))
        });
        if matches!(draws, Draws::Missing) {
            delete_by_hand(&works, calls, &id).await;
        }
        works.decide(&id, Decision::Resume).await.unwrap();
        setup = works.rested(&id).await;
    }
    let steps = works.steps(&id).await;
    let finished = setup.state == SetupState::Undone && is_taken_back(&steps);
    tally.expect(finished, || format!("it ended as {}", brief(&setup, &steps)));
    tally.add(account(control, &works.store, TEAM, &[id]).await);
    tally.named(&format!("{} draws {draws:?}", calls.step))
}

fn every_case() -> Vec<(StepCalls, Draws)> {
    steps::deleted()
        .flat_map(|calls| all_draws().into_iter().map(move |draws| (calls, draws)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p17_an_undo_deletes_only_its_own_and_names_what_is_left() {
    let row = Row::begin("P17", "undo, each bad deletion at some step");
    let draws = all_draws().len();
    let chosen = every_case()
        .into_iter()
        .enumerate()
        .filter(|(place, _)| (place / draws + place % draws).is_multiple_of(5));
    let cases: Vec<_> = chosen.map(|(_, case)| case).collect();
    row.end(cases.len(), &side_by_side(8, cases, undone).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p17_no_bad_deletion_at_any_step_deletes_what_is_not_ours_or_leaves_it_unnamed() {
    let row = Row::begin("P17", "undo, each bad deletion at each step");
    let cases = every_case();
    row.end(cases.len(), &side_by_side(8, cases, undone).await);
}
