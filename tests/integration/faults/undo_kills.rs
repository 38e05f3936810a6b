//! The real binary, stopped at every moment of every deletion while it takes a setup back, and started again.

use headgate::domain::setup::SetupState;
use headgate::setups::Decision;

use super::figures::{Row, side_by_side};
use super::kills::{Case, End, Stand, WIDTH, diagonal};
use super::ledger::{Tally, account};
use super::moments::of_deletions;
use super::steps::{self, brief, is_taken_back};
use crate::support::works::TEAM;

/// An undo that is stopped once and finishes by itself.
async fn stopped_once(case: Case) -> Tally {
    let mut tally = Tally::default();
    let mut stand = Stand::prepare(case.calls).await;
    stand.works.run();
    stand.works.done(&stand.id).await;
    stand.works.stop_working().await;
    let asked = stand.works.decide(&stand.id, Decision::Undo).await;
    asked.unwrap();
    let setup = stand.interrupted(case, case.calls.deletion(), &mut tally).await;
    let steps = stand.works.steps(&stand.id).await;
    let finished = setup.state == SetupState::Undone && is_taken_back(&steps);
    tally.expect(finished, || format!("it ended as {}", brief(&setup, &steps)));
    let control = stand.works.emulator.control();
    tally.add(account(control, &stand.works.store, TEAM, &[stand.id.clone()]).await);
    tally.named(&format!("{:?} {} {:?}", case.end, case.calls.step, case.moment))
}

fn every_case() -> Vec<Case> {
    let cases = steps::deleted().flat_map(|calls| {
        let moments = of_deletions().into_iter();
        moments.map(move |moment| Case {
            calls,
            moment,
            end: End::Kill,
        })
    });
    cases.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p17_a_killed_undo_goes_on_wherever_it_was() {
    let row = Row::begin("P17", "kill -9 in the undo, each step and moment once");
    let cases = diagonal(every_case(), of_deletions().len(), 6);
    let count = cases.len();
    row.end(count, &side_by_side(WIDTH, cases, stopped_once).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p17_an_undo_killed_at_every_moment_of_every_deletion_five_times() {
    let row = Row::begin("P17", "kill -9 in the undo, every step x moment x 5");
    let cases = every_case().repeat(5);
    let count = cases.len();
    row.end(count, &side_by_side(WIDTH, cases, stopped_once).await);
}
