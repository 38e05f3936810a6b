//! R5: what is asked of the platform stays within its budget, and what somebody looks at is read at once.

use std::time::Duration;

use headgate::emulator::SeedOptions;
use headgate::emulator::faults::{Fault, Rule};
use headgate::history::{Pace, RefreshError};
use headgate::store::sync_state::SyncTopic;

use crate::support::mirror::{Mirror, QUICK};
use crate::support::refusals::{BY_START, refuse_filter};

const STEADY: Pace = Pace {
    calls_per_second: 2,
    ..QUICK
};
/// Calls that may be made at once after a quiet time.
const RESERVE: usize = 60;
const STEP_MS: u32 = 10_000;

async fn mirror(flows: u32) -> Mirror {
    Mirror::start(SeedOptions {
        flows,
        days: 1,
        runs_per_day: Some(2),
    })
    .await
}

/// Lets minutes pass in steps; gives the calls that were made in them and the greatest age of the list of flows.
async fn minutes(mirror: &Mirror, minutes: u32) -> (usize, i64) {
    let (begun, mut oldest) = (mirror.emulator.control().ledger().len(), 0);
    for _ in 0..minutes * 60_000 / STEP_MS {
        mirror.advance(STEP_MS);
        tokio::time::sleep(Duration::from_millis(150)).await;
        let state = mirror.state(SyncTopic::Flows).await.unwrap();
        oldest = oldest.max(mirror.now_ms() - state.succeeded_at.unwrap());
    }
    (mirror.emulator.control().ledger().len() - begun, oldest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_thousands_of_flows_cost_two_calls_a_second_at_most() {
    let mirror = mirror(2_000).await;
    let (_, _task) = mirror.run(STEADY);
    mirror.read_since(mirror.now_ms()).await;
    let (calls, oldest) = minutes(&mirror, 5).await;
    assert!(calls <= 2 * 5 * 60 + RESERVE, "{calls}");
    assert!(oldest < 20 * 60_000, "{oldest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_flow_by_flow_too_and_the_other_way_is_tried_again() {
    let mirror = mirror(300).await;
    let control = mirror.emulator.control();
    refuse_filter(control, BY_START);
    let (_, _task) = mirror.run(STEADY);
    mirror.read_since(mirror.now_ms()).await;
    let stored: Vec<String> = mirror.mirrored().await.runs.into_keys().collect();
    assert_eq!(stored, mirror.runs_at_the_platform().await);
    let (calls, oldest) = minutes(&mirror, 10).await;
    assert!(calls <= 2 * 10 * 60 + RESERVE, "{calls}");
    assert!(oldest < 20 * 60_000, "{oldest}");

    control.disarm();
    mirror.advance(61 * 60_000);
    let before = control.ledger().len();
    mirror.read_since(mirror.now_ms()).await;
    mirror
        .eventually("runs are listed by their start", async || {
            let calls = control.ledger().split_off(before);
            calls
                .iter()
                .any(|call| call.target.contains("startedAtUTC%3E"))
                .then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_looks_at_is_read_every_four_seconds_whatever_the_audience() {
    let mirror = mirror(3).await;
    let slow = Pace {
        interval: Duration::from_secs(600),
        ..QUICK
    };
    let (history, _task) = mirror.run(slow);
    mirror.read_since(mirror.now_ms()).await;
    let lists = || {
        let calls = mirror.emulator.control().ledger();
        calls
            .iter()
            .filter(|call| {
                call.target.contains("startedAtUTC%3E") && !call.target.contains("startedAtUTC%3C")
            })
            .count()
    };
    let before = lists();
    mirror.advance(20_000);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(lists(), before, "nobody looks");

    let guards: Vec<_> = (0..50)
        .map(|_| history.watch(&mirror.environment_id, None))
        .collect();
    for _ in 0..3 {
        mirror.advance(4_500);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    assert!((3..=4).contains(&(lists() - before)), "{}", lists() - before);
    drop(guards);
    let before = lists();
    mirror.advance(60_000);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(lists(), before, "nobody looks any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_that_is_asked_for_answers_with_what_came_of_it_and_changes_are_told() {
    let mirror = mirror(3).await;
    let slow = Pace {
        interval: Duration::from_secs(600),
        ..QUICK
    };
    let (history, _task) = mirror.run(slow);
    mirror.read_since(mirror.now_ms()).await;
    let mut changes = history.changes();
    // A new run of each flow is due twice a day.
    mirror.advance(13 * 3_600_000);
    let before = mirror.emulator.control().ledger().len();
    let asked =
        futures_util::future::join_all((0..20).map(|_| history.refresh(&mirror.environment_id))).await;
    assert!(asked.into_iter().all(|outcome| outcome.is_ok()));
    let calls = mirror.emulator.control().ledger().len() - before;
    assert!(calls < 20, "they share a reading: {calls}");
    let told = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let change = changes.recv().await.unwrap();
            if !change.flow_ids.is_empty() {
                return change;
            }
        }
    });
    assert_eq!(told.await.unwrap().environment_id, mirror.environment_id);

    let fault = Fault::Status {
        status: 403,
        body: Default::default(),
    };
    mirror
        .emulator
        .control()
        .arm(Rule::on("GET", "**/runs").times(0).then(fault));
    let refused = history.refresh(&mirror.environment_id).await.unwrap_err();
    assert!(
        matches!(&refused, RefreshError::Failed(why) if why.contains("403")),
        "{refused:?}"
    );
    let nowhere = history.refresh("nowhere").await.unwrap_err();
    assert!(matches!(nowhere, RefreshError::NotRead));
}
