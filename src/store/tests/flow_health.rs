use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::domain::health::{Health, RECENT_RUNS};
use crate::store::flow_health::{self, FlowHealth};
use crate::store::{flows, runs};

const HOUR: i64 = 3_600_000;

async fn health(db: &Store, flow_id: &str) -> Option<FlowHealth> {
    flow_health::of_flow(db, "env", flow_id).await.expect("a read")
}

/// What is stored, and what a judgement of everything gives.
async fn stored_and_anew(db: &Store, flow_id: &str) -> [Option<FlowHealth>; 2] {
    let stored = health(db, flow_id).await;
    commit!(db, |tx| flow_health::judge_anew(tx, &[("env", flow_id)])
        .await
        .expect("judged"));
    [stored, health(db, flow_id).await]
}

fn hourly(id: &str) -> Mirrored<flow_rows::FlowRecord> {
    let mut flow = flow("env", id);
    flow.row.state = flows::ENABLED.into();
    flow.row.frequency = Some("hour".into());
    flow.row.interval_count = Some(1);
    flow.row.start_at = Some(0);
    flow.row.platform_created_at = Some(0);
    flow
}

#[tokio::test]
async fn a_flow_is_judged_whether_it_or_its_runs_come_first() {
    let db = fixture().await;
    let failed = |flow: &str| run(&format!("r-{flow}"), flow, 5 * HOUR, RunOutcome::Failed);
    commit!(db, |tx| {
        runs::upsert_many(tx, &[failed("f1")]).await.expect("runs");
        flows::upsert_many(tx, &[hourly("f1"), hourly("f2")])
            .await
            .expect("flows");
        runs::upsert_many(tx, &[failed("f2")]).await.expect("runs");
    });
    for id in ["f1", "f2"] {
        let health = health(&db, id).await.expect("judged");
        assert_eq!(health.judgement.base, Health::Failed, "{id}");
        assert_eq!(health.judgement.expected_at, Some(6 * HOUR), "{id}");
    }
    assert_eq!(health(&db, "f3").await, None);
}

#[tokio::test]
async fn switching_off_and_on_starts_the_waiting_anew() {
    let db = fixture().await;
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows");
        flows::set_state_after_action(tx, "env", "f1", "disabled", None, 50 * HOUR)
            .await
            .expect("off");
    });
    assert_eq!(
        health(&db, "f1").await.expect("judged").judgement.base,
        Health::Off
    );
    commit!(db, |tx| {
        flows::set_state_after_action(tx, "env", "f1", "enabled", None, 70 * HOUR + 1)
            .await
            .expect("on");
    });
    let judgement = health(&db, "f1").await.expect("judged").judgement;
    assert_eq!(
        (judgement.base, judgement.expected_at),
        (Health::Waiting, Some(71 * HOUR))
    );
    commit!(db, |tx| {
        flows::mark_gone(tx, "env", &HashSet::new(), 80 * HOUR)
            .await
            .expect("gone")
    });
    assert_eq!(
        health(&db, "f1").await.expect("judged").judgement.base,
        Health::Off
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever comes in whatever order, the stored judgement is that of all that is stored.
    #[test]
    fn judgements_are_never_stale(
        batches in prop::collection::vec(
            prop::collection::vec((0..60_i64, 0..40_i64, prop::sample::select(RunOutcome::ALL)), 1..12), 1..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let db = fixture().await;
            commit!(db, |tx| flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows"));
            for batch in batches {
                let rows: Vec<_> = batch
                    .into_iter()
                    .map(|(id, slot, outcome)| run(&format!("r{id}"), "f1", slot * HOUR, outcome))
                    .collect();
                commit!(db, |tx| runs::upsert_many(tx, &rows).await.expect("runs"));
                let [stored, anew] = stored_and_anew(&db, "f1").await;
                assert_eq!(stored, anew);
                assert!(stored.is_some_and(|health| health.recent.len() <= RECENT_RUNS));
            }
        });
    }
}
