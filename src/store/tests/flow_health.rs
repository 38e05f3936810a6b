use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::health::{Health, RECENT_RUNS};
use crate::store::flow_health::{self, FlowHealth};
use crate::store::judgements;
use crate::store::sync_state::{self, SyncTopic};
use crate::store::{flows, runs};

const HOUR: i64 = 3_600_000;

async fn health(db: &Store, flow_id: &str) -> Option<FlowHealth> {
    flow_health::of_flow(db, "env", flow_id).await.expect("a read")
}

/// What is stored, and what a judgement of everything gives.
async fn stored_and_anew(db: &Store, flow_id: &str) -> [Option<FlowHealth>; 2] {
    let stored = health(db, flow_id).await;
    commit!(db, |tx| judgements::judge_anew(tx, &[("env", flow_id)])
        .await
        .expect("judged"));
    [stored, health(db, flow_id).await]
}

pub(super) fn hourly(id: &str) -> Mirrored<flow_rows::FlowRecord> {
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

#[tokio::test]
async fn a_run_is_expected_by_a_schedule_only_since_that_holds() {
    let db = fixture().await;
    let set_to = |unit: &str, at: i64| {
        let mut flow = hourly("f1");
        flow.row.frequency = Some(unit.into());
        flow.row.platform_updated_at = Some(at);
        let schedule = json!({"frequency": unit, "interval": 1, "startTime": 0});
        flow.raw = json!({"state": "enabled", "scheduleParams": schedule}).to_string();
        flow
    };
    let expected_at = async || {
        let judged = health(&db, "f1").await.expect("judged").judgement;
        judged.expected_at.map(|at| at / HOUR)
    };
    commit!(db, |tx| {
        flows::upsert_many(tx, &[set_to("day", 0)]).await.expect("a flow");
        let daily = run("r1", "f1", 24 * HOUR, RunOutcome::Succeeded);
        runs::upsert_many(tx, &[daily]).await.expect("a run");
    });
    assert_eq!(expected_at().await, Some(48));
    commit!(db, |tx| flows::upsert_many(tx, &[set_to("hour", 36 * HOUR + 1)])
        .await
        .expect("a flow"));
    assert_eq!(expected_at().await, Some(37));
}

#[tokio::test]
async fn a_run_that_the_platform_forgot_before_its_end_goes_on_no_longer() {
    let db = fixture().await;
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows");
        let good = run("r1", "f1", 5 * HOUR, RunOutcome::Succeeded);
        let waiting = run("r2", "f1", 6 * HOUR, RunOutcome::Waiting);
        runs::upsert_many(tx, &[good, waiting]).await.expect("runs");
    });
    let running_since_at = async || {
        health(&db, "f1")
            .await
            .expect("judged")
            .judgement
            .running_since_at
    };
    assert_eq!(running_since_at().await, Some(6 * HOUR));
    commit!(db, |tx| runs::mark_gone(tx, "env", &["r2".into()], 7 * HOUR)
        .await
        .expect("marked"));
    assert_eq!(running_since_at().await, None);
    let shown = runs::latest(&db, "env", "f1", None, 1).await.expect("a run");
    assert_eq!(shown[0].outcome, RunOutcome::Unknown);
    // Nor does it stand for one of the last runs, so that those before them were not looked at.
    let failed: Vec<_> = (7..60)
        .map(|slot| run(&format!("x{slot:02}"), "f1", slot * HOUR, RunOutcome::Failed))
        .collect();
    let waiting = run("r3", "f1", 61 * HOUR, RunOutcome::Waiting);
    commit!(db, |tx| {
        runs::upsert_many(tx, &failed).await.expect("runs");
        runs::upsert_many(tx, &[waiting]).await.expect("a run");
        runs::mark_gone(tx, "env", &["r3".into()], 62 * HOUR)
            .await
            .expect("marked");
    });
    assert_eq!(health(&db, "f1").await.expect("judged").judgement.in_a_row, 53);
}

#[tokio::test]
async fn a_trouble_that_is_longer_than_the_last_runs_is_followed_to_its_beginning() {
    let db = fixture().await;
    let outcome = |slot: i64| match slot {
        0..60 => RunOutcome::Succeeded,
        _ => RunOutcome::Failed,
    };
    let rows: Vec<_> = (0..160)
        .map(|slot| run(&format!("r{slot:03}"), "f1", slot * HOUR, outcome(slot)))
        .collect();
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows");
        runs::upsert_many(tx, &rows).await.expect("runs");
    });
    let found = health(&db, "f1").await.expect("judged");
    let judged = &found.judgement;
    assert_eq!((judged.base, judged.in_a_row), (Health::Failed, 100));
    assert_eq!(judged.base_since_at, Some(60 * HOUR));
    assert!(!judged.perhaps_longer);
    assert_eq!(found.recent.len(), RECENT_RUNS);
    // One that was not seen yet, in the midst of it.
    let late = run("late", "f1", 100 * HOUR + 1, RunOutcome::Succeeded);
    commit!(db, |tx| runs::upsert_many(tx, &[late]).await.expect("a run"));
    let [stored, anew] = stored_and_anew(&db, "f1").await;
    assert_eq!(stored, anew);
    assert_eq!(stored.expect("judged").judgement.in_a_row, 59);
}

#[tokio::test]
async fn what_an_earlier_version_judged_is_judged_anew() {
    let db = fixture().await;
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows");
        let failed = run("r1", "f1", 5 * HOUR, RunOutcome::Failed);
        runs::upsert_many(tx, &[failed]).await.expect("a run");
    });
    let right = health(&db, "f1").await;
    let (writer, _) = db.connections();
    let judged_otherwise = async |rules: &str| {
        let update = "UPDATE flow_health SET judgement = REPLACE(REPLACE(judgement, 'failed', 'well'), \
                      '\"rules\":2,', $1)";
        let update = sqlx::query(update).bind(rules).execute(writer);
        update.await.expect("an old judgement");
        let before = health(&db, "f1").await;
        assert_ne!(before, right);
        judgements::judge_by_these_rules(&db, "env")
            .await
            .expect("judged");
        (before, health(&db, "f1").await)
    };
    for other in ["\"rules\":0,", ""] {
        assert_eq!(judged_otherwise(other).await.1, right);
    }
    let (before, after) = judged_otherwise("\"rules\":2,").await;
    assert_eq!(before, after, "by these rules nothing is judged twice");
}

#[tokio::test]
async fn r2_no_run_is_late_that_only_was_not_read_yet() {
    let db = fixture().await;
    let expected_at = async || {
        let judged = health(&db, "f1").await.expect("judged").judgement;
        (judged.expected_at.map(|at| at / HOUR), judged.perhaps_longer)
    };
    let now = 100 * HOUR;
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows");
        let old = run("r1", "f1", 20 * HOUR, RunOutcome::Failed);
        runs::upsert_many(tx, &[old]).await.expect("a run");
    });
    assert_eq!(expected_at().await, (Some(21), false));
    // After a long pause only the last hour is read at once.
    let topic = SyncTopic::Runs;
    commit!(db, |tx| {
        sync_state::record_success(tx, "env", topic, now, now)
            .await
            .expect("read");
        sync_state::begin_fill(tx, "env", topic, now - HOUR, 10 * HOUR)
            .await
            .expect("begun");
    });
    assert_eq!(expected_at().await, (Some(100), true));
    let fill = async |from, to| {
        commit!(db, |tx| sync_state::move_fill(tx, "env", topic, from, to)
            .await
            .expect("moved"))
    };
    assert!(fill(now - HOUR, 50 * HOUR).await);
    assert_eq!(expected_at().await.0, Some(100), "there is no hurry");
    assert!(fill(50 * HOUR, 10 * HOUR).await);
    assert_eq!(expected_at().await, (Some(21), true));
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
