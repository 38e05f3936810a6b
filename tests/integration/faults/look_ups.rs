//! Look-ups that cannot be completed: "don't know" is never "absent".

use std::time::Duration;

use headgate::domain::setup::{Question, SetupState};
use headgate::domain::{Clock, SystemClock};
use headgate::emulator::faults::{BodyForm, Fault, When};
use headgate::setups::Decision;
use headgate::store::{self, setups::Setup};

use super::figures::{Row, side_by_side};
use super::ledger::{Tally, account};
use super::steps::{self, StepCalls, brief};
use crate::support::works::{TEAM, Works};

/// How every look-up goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Status(u16),
    HalfAChain,
    SamePageAgain,
    AnotherSandbox,
}

const ALL: [Wrong; 7] = [
    Wrong::Status(401),
    Wrong::Status(403),
    Wrong::Status(404),
    Wrong::Status(503),
    Wrong::HalfAChain,
    Wrong::SamePageAgain,
    Wrong::AnotherSandbox,
];

impl Wrong {
    fn arm(self, works: &Works, look_ups: &When) {
        let control = works.emulator.control();
        let fault = match self {
            Self::Status(status) => Fault::Status {
                status,
                body: if status == 401 {
                    BodyForm::Gateway
                } else {
                    BodyForm::Service
                },
            },
            Self::HalfAChain => {
                // What leads to the second page, in the words of each service.
                let second = ["continuationToken=", "start=again", "start=100", "start=1"];
                for text in second {
                    let later = When {
                        nth: 1,
                        ..look_ups.clone()
                    };
                    control.arm(later.query_contains(text).then(Fault::LoseRequest));
                }
                Fault::EndlessList
            }
            Self::SamePageAgain => Fault::EndlessList,
            Self::AnotherSandbox => Fault::ListOfAnotherSandbox,
        };
        control.arm(look_ups.clone().then(fault));
    }
}

/// Waits until the setup rests. After many failures the client pauses for half a minute: a test does not sit that out,
/// but forgets the pause and goes on with a new process.
async fn rested_through_pauses(works: &mut Works, id: &str) -> Setup {
    loop {
        let mut setup = works.setup(id).await;
        if !setup.state.is_active() {
            return setup;
        }
        let soon = SystemClock.now_ms() + 15_000;
        if setup.retry_at.is_some_and(|at| at > soon) {
            works.stop_working().await;
            setup.retry_at = None;
            let mut tx = works.store.begin().await.unwrap();
            for mut step in works.steps(id).await {
                step.retry_at = None;
                store::setups::save_step(&mut tx, &step).await.unwrap();
            }
            store::setups::save_setup(&mut tx, &setup).await.unwrap();
            tx.commit().await.unwrap();
            works.crash_and_restart().await;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// The answer of one step is lost, acted on or not, and no look-up for it can be completed: nothing is sent again
/// and a person is asked. When look-ups work again, the setup finishes.
async fn unseen((calls, wrong, lost): (StepCalls, Wrong, Fault)) -> Tally {
    let mut tally = Tally::default();
    let mut works = Works::start().await;
    let control = works.emulator.control().clone();
    control.arm(calls.create().then(lost.clone()));
    wrong.arm(&works, &calls.look_ups());
    let id = works.set_up(&(calls.recipe)("Loyalty members")).await;
    let setup = rested_through_pauses(&mut works, &id).await;
    let step = works
        .steps(&id)
        .await
        .into_iter()
        .find(|s| s.kind == calls.step)
        .unwrap();
    tally.expect(step.attempt == 1, || {
        format!("it was sent {} times", step.attempt)
    });
    let asks = matches!(setup.question, Some(Question::CannotLook | Question::Auth));
    let detailed = setup
        .question_detail
        .as_ref()
        .is_some_and(|words| !words.is_empty());
    tally.expect(
        setup.state == SetupState::NeedsAttention && asks && detailed,
        || format!("it rests as {}", brief(&setup, &[])),
    );
    control.disarm();
    // A new process does not hold back because of what failed before.
    works.crash_and_restart().await;
    works.decide(&id, Decision::Resume).await.unwrap();
    works.done(&id).await;
    tally.add(account(&control, &works.store, TEAM, &[id]).await);
    tally.named(&format!("{} {wrong:?} after {}", calls.step, lost.kind()))
}

fn cases(lost: &Fault) -> Vec<(StepCalls, Wrong, Fault)> {
    steps::all()
        .flat_map(|calls| ALL.map(|wrong| (calls, wrong, lost.clone())))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_a_look_up_that_fails_proves_nothing() {
    let row = Row::begin("P5", "look-ups that fail, each kind at some step");
    let every_seventh = cases(&Fault::LoseAnswer)
        .into_iter()
        .enumerate()
        .filter(|(place, _)| (place / ALL.len() + place % ALL.len()).is_multiple_of(7));
    let cases: Vec<_> = every_seventh.map(|(_, case)| case).collect();
    row.end(cases.len(), &side_by_side(8, cases, unseen).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p5_no_failing_look_up_at_any_step_leads_to_a_second_send() {
    let row = Row::begin("P5", "look-ups that fail, each kind at each step, acted or not");
    let cases = [cases(&Fault::LoseAnswer), cases(&Fault::LoseRequest)].concat();
    row.end(cases.len(), &side_by_side(8, cases, unseen).await);
}
