//! Answers that say nothing usable, at every step: what happened is found out by looking, whatever they claim.

use headgate::emulator::faults::{BodyForm, Fault, Garbage};
use headgate::store::setup_journal;
use serde_json::{Value, json};

use super::figures::{Row, side_by_side};
use super::ledger::{Tally, account};
use super::steps::{self, StepCalls};
use crate::support::works::{TEAM, Works};

/// A bad answer, and whether the call was acted on.
#[derive(Debug, Clone)]
struct Bad {
    what: &'static str,
    acted: bool,
    fault: Fault,
}

/// The nine kinds, acted on and, where that makes sense, not.
fn kinds() -> Vec<Bad> {
    let mut kinds = Vec::new();
    let mut kind = |what, acted, fault| kinds.push(Bad { what, acted, fault });
    kind("reset", true, Fault::LoseAnswer);
    kind("reset", false, Fault::LoseRequest);
    kind("cut", true, Fault::CutAnswer);
    kind("hang", true, Fault::Hang { acts: true });
    kind("hang", false, Fault::Hang { acts: false });
    kind("half and hang", true, Fault::HangHalf);
    for status in [500, 502, 503, 504, 408] {
        let body = BodyForm::Html;
        kind("status with HTML", true, Fault::AfterStatus { status, body });
        kind("status with HTML", false, Fault::Status { status, body });
    }
    let says = |body: Value| Fault::Answer { status: 201, body };
    kind("201 {}", true, garbage(Garbage::EmptyObject));
    kind("201 {}", false, says(json!({})));
    kind("201 without id", true, garbage(Garbage::NoId));
    kind("201 without id", false, says(json!({ "etag": "\"1\"" })));
    kind("201 with odd id", true, garbage(Garbage::OddId));
    kind(
        "201 with odd id",
        false,
        says(json!({ "id": { "id": 7 }, "$id": 7 })),
    );
    kind("redirect", true, garbage(Garbage::Redirect));
    let (status, body) = (307, BodyForm::Html);
    kind("redirect", false, Fault::Status { status, body });
    kind("truncated", true, garbage(Garbage::Truncated));
    kind("huge", true, garbage(Garbage::Huge));
    kinds
}

fn garbage(form: Garbage) -> Fault {
    Fault::Garbage { form }
}

/// One bad answer to the create of one step.
async fn answered((calls, bad): (StepCalls, Bad)) -> Tally {
    let mut tally = Tally::default();
    let works = Works::start().await;
    let control = works.emulator.control();
    control.arm(calls.create().then(bad.fault.clone()));
    let id = works.set_up(&(calls.recipe)("Loyalty members")).await;
    works.done(&id).await;
    let journal = setup_journal::list(&works.store, &id, 0, 1_000).await.unwrap();
    let rows = journal.iter().map(|row| &row.facts);
    let words: Vec<&str> = rows
        .filter(|row| row.step == Some(calls.step))
        .map(|row| row.event.as_str())
        .collect();
    tally.expect(is_right(&words, bad.acted), || {
        format!("the journal says {words:?}")
    });
    tally.add(account(control, &works.store, TEAM, &[id]).await);
    let done = if bad.acted { "acted on" } else { "not acted on" };
    tally.named(&format!("{} {done}, {}", bad.what, calls.step))
}

/// Unknown first; then found, or proven absent by three complete look-ups and sent once more.
fn is_right(words: &[&str], acted: bool) -> bool {
    let nothing = words.iter().filter(|word| **word == "found_nothing").count();
    let mut rest: Vec<&str> = words.to_vec();
    rest.retain(|word| *word != "found_nothing");
    if acted {
        rest == ["sending", "unclear", "found"]
    } else {
        nothing >= 3 && rest == ["sending", "unclear", "sending", "confirmed"]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_bad_answer_is_never_taken_for_a_yes_or_a_no() {
    let row = Row::begin("P2", "each bad answer at some step");
    let all: Vec<StepCalls> = steps::all().collect();
    let cases: Vec<_> = kinds()
        .into_iter()
        .enumerate()
        .map(|(place, bad)| (all[place % all.len()], bad))
        .collect();
    row.end(cases.len(), &side_by_side(8, cases, answered).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p2_no_bad_answer_at_any_step_is_taken_for_a_yes_or_a_no() {
    let row = Row::begin("P2", "each bad answer at each step");
    let cases: Vec<_> = steps::all()
        .flat_map(|calls| kinds().into_iter().map(move |bad| (calls, bad)))
        .collect();
    row.end(cases.len(), &side_by_side(8, cases, answered).await);
}
