//! When the running server looks by itself.

use std::time::Duration;

use headgate::domain::setup::StepKind;
use headgate::domain::{DAY_MS, Verdict};
use headgate::emulator::faults::{BodyForm, Fault, RetryAfter, Rule};

use crate::support::recipes::s3_parquet;
use crate::support::watched::{MINUTE_MS, Watched};

/// Longer than the server waits between two looks at what is due.
const A_ROUND: Duration = Duration::from_millis(2_500);

/// How often the base connections were listed as a whole, which only the sweep does.
fn whole_looks(watched: &Watched) -> usize {
    let calls = watched.calls_since(0);
    calls
        .iter()
        .filter(|call| call.target.ends_with("/flowservice/connections?limit=100"))
        .count()
}

/// How often target connections were asked for by their dataset, which the check after a setup does once for it.
fn counts(watched: &Watched) -> usize {
    let calls = watched.calls_since(0);
    let by_dataset =
        |target: &str| target.contains("/targetConnections?") && target.contains("params.dataSetId");
    calls
        .iter()
        .filter(|call| call.method == "GET" && by_dataset(&call.target))
        .count()
}

#[tokio::test]
async fn a_finished_setup_is_looked_at_once_soon_after() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let extra = watched.duplicate(&setup, StepKind::SourceConnection).await;
    let gone = watched.remove(&setup, StepKind::Flow).await;
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(counts(&watched), 0, "it is left to settle first");
    let before = watched.last_call();
    watched.advance(31_000);
    let expected = [
        (Verdict::Duplicate, StepKind::SourceConnection, extra),
        (Verdict::Vanished, StepKind::Flow, gone),
    ];
    watched
        .eventually("both are found", async || {
            (watched.found().await == expected).then_some(())
        })
        .await;
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(counts(&watched), 1);
    assert_eq!(watched.changes_since(before), []);
}

#[tokio::test]
async fn a_look_at_a_setup_that_fails_is_repeated() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let extra = watched.duplicate(&setup, StepKind::TargetConnection).await;
    let broken = Fault::Status {
        status: 503,
        body: BodyForm::Gateway,
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/targetConnections").times(0).then(broken));
    watched.advance(31_000);
    watched
        .eventually("it was tried", async || (counts(&watched) > 0).then_some(()))
        .await;
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(watched.found().await, []);
    watched.app.emulator.control().disarm();
    watched.advance(6 * MINUTE_MS);
    let expected = [(Verdict::Duplicate, StepKind::TargetConnection, extra)];
    watched
        .eventually("it is found", async || {
            (watched.found().await == expected).then_some(())
        })
        .await;
}

#[tokio::test]
async fn an_environment_is_looked_through_once_a_day() {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(whole_looks(&watched), 0);
    watched.advance(31 * MINUTE_MS);
    let expected = [(Verdict::Unclaimed, StepKind::BaseConnection, connection)];
    watched
        .eventually("it is found", async || {
            (watched.found().await == expected).then_some(())
        })
        .await;
    tokio::time::sleep(A_ROUND).await;
    watched.advance(22 * 60 * MINUTE_MS);
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(whole_looks(&watched), 1);
    watched.advance(DAY_MS - 22 * 60 * MINUTE_MS);
    watched
        .eventually("the day is over", async || {
            (whole_looks(&watched) == 2).then_some(())
        })
        .await;
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(whole_looks(&watched), 2);
}

/// A create whose answer was lost may be carried out minutes later, when it was sent again long since.
#[tokio::test]
async fn p15_a_flow_too_many_that_came_late_is_shown_before_it_can_run() {
    let watched = Watched::start().await;
    let later = Fault::RetryAfter {
        after: Some(RetryAfter::Seconds(1)),
    };
    let flows = Rule::on("POST", "**/flowservice/flows");
    watched.app.emulator.control().arm(flows.then(later));
    let setup = watched.app.set_up(&s3_parquet("Loyalty")).await;
    watched
        .eventually("the flow was sent once", async || {
            let flow = watched.app.step(&setup, StepKind::Flow).await;
            (flow.attempt == 1 && flow.retry_at.is_some()).then_some(())
        })
        .await;
    watched.advance(2_000);
    watched.app.rested(&setup).await;
    watched.advance(31_000);
    watched
        .eventually("it was counted", async || (counts(&watched) == 1).then_some(()))
        .await;
    let extra = watched.duplicate(&setup, StepKind::Flow).await;
    tokio::time::sleep(A_ROUND).await;
    assert_eq!(watched.found().await, []);
    // Two minutes after the end of the setup, and so within five after the first send.
    watched.advance(90_000);
    let expected = [(Verdict::Duplicate, StepKind::Flow, extra)];
    watched
        .eventually("it is found", async || {
            (watched.found().await == expected).then_some(())
        })
        .await;
}
