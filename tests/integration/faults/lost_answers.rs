//! Answers that are lost after the platform acted.

use super::figures::{Row, side_by_side};
use super::ledger::{Tally, account};
use super::steps::{self, StepCalls};
use crate::support::works::{TEAM, Works};

use headgate::emulator::faults::Fault;

/// The answer to the create of one step is lost: the object is found and adopted.
async fn lost(calls: StepCalls) -> Tally {
    let mut tally = Tally::default();
    let works = Works::start().await;
    works
        .emulator
        .control()
        .arm(calls.create().then(Fault::LoseAnswer));
    let id = works.set_up(&(calls.recipe)("Loyalty members")).await;
    works.done(&id).await;
    for step in works.steps(&id).await {
        let is_the_one = step.kind == calls.step;
        tally.expect(step.adopted == is_the_one, || {
            format!("{}: adopted is {}", step.kind, step.adopted)
        });
        tally.expect(step.attempt == 1, || {
            format!("{} was sent {} times", step.kind, step.attempt)
        });
    }
    tally.add(account(works.emulator.control(), &works.store, TEAM, &[id]).await);
    tally.named(&format!("lost answer to {}", calls.step))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_an_object_whose_answer_was_lost_is_adopted() {
    let row = Row::begin("P3", "answer lost at each step");
    let cases: Vec<StepCalls> = steps::all().collect();
    row.end(cases.len(), &side_by_side(4, cases, lost).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p3_an_answer_lost_twenty_times_at_each_step_is_adopted_each_time() {
    let row = Row::begin("P3", "answer lost at each step x 20");
    let cases = steps::all().collect::<Vec<_>>().repeat(20);
    let count = cases.len();
    row.end(count, &side_by_side(8, cases, lost).await);
}
