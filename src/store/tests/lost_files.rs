//! What is judged of runs that are none of the last ones.

use super::flow_health::hourly;
use super::*;
use crate::domain::health::{KEPT_MS, Lost};
use crate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use crate::store::{flow_health, flows, judgements, lost_files, runs};

const HOUR: i64 = 3_600_000;

async fn lost(db: &Store) -> Lost {
    let health = flow_health::of_flow(db, "env", "f1").await.expect("a read");
    health.expect("judged").judgement.lost
}

/// How many flows are said to miss files, and which are listed as such.
async fn listed(db: &Store) -> (i64, Vec<String>) {
    let filter = FlowFilter {
        misses_files: true,
        ..FlowFilter::default()
    };
    let list = flow_lists::list(db, "team", filter, FlowSort::Name, 0, FlowPage::First, 10).await;
    let ids = list.expect("a list").into_iter().map(|flow| flow.id);
    let count = flow_lists::missing_files(db, "team").await.expect("a count");
    (count, ids.collect())
}

/// The runs of so many hours; one in fifty failed.
fn history(hours: std::ops::Range<i64>) -> Vec<MirroredRun> {
    let outcome = |slot: i64| match slot % 50 {
        0 => RunOutcome::Failed,
        _ => RunOutcome::Succeeded,
    };
    hours
        .map(|slot| run(&format!("r{slot:03}"), "f1", slot * HOUR, outcome(slot)))
        .collect()
}

async fn look_further(db: &Store) -> bool {
    let looked = lost_files::look_further(db, "env").await.expect("a look");
    looked.contains("f1")
}

#[tokio::test]
async fn older_runs_are_looked_at_later_and_each_time_that_one_changes() {
    let db = fixture().await;
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1"), hourly("f2")])
            .await
            .expect("flows");
        runs::upsert_many(tx, &history(1..220)).await.expect("runs");
    });
    assert_eq!(lost(&db).await.newest_at, [200 * HOUR], "among the last ones");
    assert!(look_further(&db).await);
    assert_eq!(
        lost(&db).await.newest_at,
        [200, 150, 100, 50].map(|slot| slot * HOUR)
    );
    assert_eq!(lost(&db).await.since_at, Some(HOUR));
    assert_eq!(listed(&db).await, (1, vec!["f1".to_owned()]));
    assert!(!look_further(&db).await, "nothing is left to be looked at");
    // What comes now is added, and what was seen stays.
    for slot in 220..260 {
        let one = history(slot..slot + 1);
        commit!(db, |tx| runs::upsert_many(tx, &one).await.expect("a run"));
    }
    assert_eq!(lost(&db).await.windows, 5);
    assert!(!look_further(&db).await);
    // An old one that turns up late.
    let late = run("late", "f1", 120 * HOUR + 1, RunOutcome::Failed);
    commit!(db, |tx| runs::upsert_many(tx, &[late]).await.expect("a run"));
    assert_eq!(lost(&db).await.windows, 5);
    assert!(look_further(&db).await);
    assert_eq!(lost(&db).await.windows, 6);
    // More runs at once than are looked at: what lies between is looked at later.
    commit!(db, |tx| runs::upsert_many(tx, &history(260..360))
        .await
        .expect("runs"));
    assert!(look_further(&db).await);
    assert_eq!(lost(&db).await.windows, 8);
}

#[test]
fn as_long_is_looked_back_as_failed_runs_are_kept_in_mind() {
    assert!(judgements::KEPT_TAIL.contains(&format!(") - {KEPT_MS},")));
}

#[tokio::test]
async fn a_month_is_looked_at_however_its_runs_came_in() {
    let db = fixture().await;
    let quarter = HOUR / 4;
    let history = |slots: std::ops::Range<i64>| -> Vec<MirroredRun> {
        let one = |slot: i64| {
            let outcome = match slot % 100 {
                0 => RunOutcome::Failed,
                _ => RunOutcome::Succeeded,
            };
            run(&format!("r{slot:05}"), "f1", slot * quarter, outcome)
        };
        slots.map(one).collect()
    };
    commit!(db, |tx| flows::upsert_many(tx, &[hourly("f1")])
        .await
        .expect("flows"));
    // As a fill brings them: the newest first, and some spans before newer ones.
    for span in [2_900..3_001, 2_000..2_400, 100..900, 2_400..2_900, 900..2_000] {
        commit!(db, |tx| runs::upsert_many(tx, &history(span))
            .await
            .expect("runs"));
        look_further(&db).await;
    }
    let kept = lost(&db).await;
    assert_eq!(kept.windows, 29, "from the 200th to the 3,000th");
    assert_eq!(kept.since_at, Some((3_000 - 30 * 96) * quarter));
    // One that brings the files of a very old one, and was very late itself.
    let mut again = run("again", "f1", 1_000 * quarter + 1, RunOutcome::Succeeded);
    again.row.window_start_at = Some(300 * quarter - 500);
    again.row.window_end_at = Some(300 * quarter);
    commit!(db, |tx| runs::upsert_many(tx, &[again]).await.expect("a run"));
    assert!(look_further(&db).await && !look_further(&db).await);
    assert_eq!(lost(&db).await.windows, 28);
}

#[tokio::test]
async fn files_that_came_are_missed_no_longer() {
    let db = fixture().await;
    commit!(db, |tx| {
        flows::upsert_many(tx, &[hourly("f1")]).await.expect("flows");
        runs::upsert_many(tx, &history(1..90)).await.expect("runs");
    });
    assert!(look_further(&db).await);
    assert_eq!(listed(&db).await.0, 1);
    let mut again = run("again", "f1", 90 * HOUR, RunOutcome::Succeeded);
    again.row.window_start_at = Some(50 * HOUR - 500);
    again.row.window_end_at = Some(50 * HOUR);
    commit!(db, |tx| runs::upsert_many(tx, &[again]).await.expect("a run"));
    assert_eq!(lost(&db).await.windows, 0);
    assert_eq!(listed(&db).await, (0, vec![]));
}
