use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::DAY_MS;
use crate::store::flows;
use crate::store::runs::{self, Run, RunDay};
use crate::store::sync_state::{self, FailedTry, SyncTopic};

fn outcome() -> impl Strategy<Value = RunOutcome> {
    prop::sample::select(RunOutcome::ALL)
}

/// A few runs of a few flows around midnight, so that batches meet each other.
fn batch() -> impl Strategy<Value = Vec<MirroredRun>> {
    let one = (
        0..9_u8,
        0..3_u8,
        -30..30_i64,
        outcome(),
        prop::option::of(0..50_i64),
    )
        .prop_map(|(id, flow_id, hours, outcome, records_out)| {
            let started_at = 20_000 * DAY_MS + hours * 3_600_000;
            let mut run = run(&format!("r{id}"), &format!("f{flow_id}"), started_at, outcome);
            run.row.records_out = records_out;
            run
        });
    prop::collection::vec(one, 1..8)
}

/// What the table must hold: the later row counts, but nothing final goes back.
fn apply(model: &mut BTreeMap<String, Run>, batch: &[MirroredRun]) {
    for run in batch {
        let before = model.get(&run.row.id);
        if before.is_none_or(|before| run.row.outcome.is_final() || !before.outcome.is_final()) {
            model.insert(run.row.id.clone(), run.row.clone());
        }
    }
}

fn recount(model: &BTreeMap<String, Run>, flow_id: &str) -> Vec<RunDay> {
    let mut days: BTreeMap<i64, RunDay> = BTreeMap::new();
    for run in model.values().filter(|run| run.flow_id == flow_id) {
        let day = run.started_at.div_euclid(DAY_MS);
        let empty = RunDay {
            day,
            succeeded: 0,
            partial: 0,
            failed: 0,
            unfinished: 0,
            records_out: 0,
            bytes_in: 0,
        };
        let sums = days.entry(day).or_insert(empty);
        match run.outcome {
            RunOutcome::Succeeded => sums.succeeded += 1,
            RunOutcome::Partial => sums.partial += 1,
            RunOutcome::Failed => sums.failed += 1,
            RunOutcome::Waiting | RunOutcome::Running | RunOutcome::Unknown => sums.unfinished += 1,
        }
        sums.records_out += run.records_out.unwrap_or(0);
        sums.bytes_in += run.bytes_in.unwrap_or(0);
    }
    days.into_values().collect()
}

async fn check_against_model(batches: Vec<Vec<MirroredRun>>) {
    let db = fixture().await;
    let known: Vec<_> = (0..3).map(|n| flow("env", &format!("f{n}"))).collect();
    commit!(db, |tx| flows::upsert_many(tx, &known).await.expect("flows"));
    let mut model = BTreeMap::new();
    for batch in batches {
        commit!(db, |tx| {
            runs::upsert_many(tx, &batch).await.expect("runs");
        });
        apply(&mut model, &batch);
        for flow_id in ["f0", "f1", "f2"] {
            let sums = runs::day_sums(&db, "env", flow_id, 0).await.expect("sums");
            assert_eq!(sums, recount(&model, flow_id), "{flow_id}");
            let last = model
                .values()
                .filter(|run| run.flow_id == flow_id)
                .max_by_key(|run| (run.started_at, run.id.clone()));
            let stored = flows::by_id(&db, "team", None, flow_id)
                .await
                .expect("a read")
                .expect("a flow");
            assert_eq!(stored.last_run_id.as_ref(), last.map(|run| &run.id));
            assert_eq!(stored.last_run_outcome, last.map(|run| run.outcome));
        }
    }
    for (id, run) in &model {
        assert_eq!(
            runs::by_id(&db, "env", id).await.expect("a read").as_ref(),
            Some(run)
        );
    }
    let mut unfinished: Vec<&Run> = model.values().filter(|run| !run.outcome.is_final()).collect();
    unfinished.sort_by_key(|run| std::cmp::Reverse((run.started_at, &run.id)));
    let stored = runs::unfinished(&db, "env", 100).await.expect("runs");
    let ids: Vec<&String> = stored.iter().map(|run| &run.id).collect();
    assert_eq!(ids, unfinished.iter().map(|run| &run.id).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sums_and_last_runs_equal_a_full_recount(batches in prop::collection::vec(batch(), 1..6)) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(check_against_model(batches));
    }
}

fn many(count: i64) -> Vec<MirroredRun> {
    (0..count)
        .map(|n| {
            let at = 20_000 * DAY_MS + n * 60_000;
            run(
                &format!("run-{:08x}", (n * 2_654_435_761) & 0xffff_ffff),
                &format!("f{}", n % 40),
                at,
                RunOutcome::Succeeded,
            )
        })
        .collect()
}

#[tokio::test]
async fn equal_rows_are_not_written_again() {
    let db = fixture().await;
    let rows = many(1_234);
    assert_eq!(
        commit!(db, |tx| runs::upsert_many(tx, &rows).await.expect("runs")).runs,
        1_234
    );
    let sums = runs::team_day_sums(&db, "team", None, 0).await.expect("sums");
    let mut read_later = rows.clone();
    for run in &mut read_later {
        run.row.read_at += 1;
    }
    assert_eq!(
        commit!(db, |tx| runs::upsert_many(tx, &read_later).await.expect("runs")).runs,
        0
    );
    assert_eq!(
        runs::team_day_sums(&db, "team", None, 0).await.expect("sums"),
        sums
    );
    read_later[7].raw = "{\"changed\":1}".into();
    assert_eq!(
        commit!(db, |tx| runs::upsert_many(tx, &read_later).await.expect("runs")).runs,
        1
    );
    let changed = &read_later[7].row;
    assert_eq!(
        runs::raw(&db, "env", &changed.id)
            .await
            .expect("a read")
            .as_deref(),
        Some("{\"changed\":1}")
    );
    assert_eq!(
        runs::by_id(&db, "env", &changed.id)
            .await
            .expect("a read")
            .as_ref(),
        Some(changed)
    );
}

#[tokio::test]
async fn pages_of_runs_are_complete() {
    let db = fixture().await;
    let mut rows: Vec<_> = (0..25)
        .map(|n| run(&format!("r{n:02}"), "f1", n / 4, RunOutcome::Succeeded))
        .collect();
    commit!(db, |tx| runs::upsert_many(tx, &rows).await.expect("runs"));
    rows.sort_by(|a, b| (b.row.started_at, &b.row.id).cmp(&(a.row.started_at, &a.row.id)));
    let mut seen: Vec<runs::RunLine> = Vec::new();
    loop {
        let key = seen.last().map(|run| (run.started_at, run.id.as_str()));
        let page = runs::latest(&db, "env", "f1", key, 4).await.expect("a page");
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, rows.iter().map(|run| run.row.line()).collect::<Vec<_>>());
    assert_eq!(runs::latest(&db, "env", "f2", None, 4).await.expect("a page"), []);
}

#[tokio::test]
async fn sums_of_a_team_and_of_a_flow() {
    let db = fixture().await;
    let day = 20_000;
    commit!(db, |tx| {
        envs::insert(tx, &environment("env2", "team"))
            .await
            .expect("an environment");
        let mut rows = vec![
            run("a", "f1", day * DAY_MS, RunOutcome::Succeeded),
            run("b", "f2", day * DAY_MS + 5, RunOutcome::Failed),
            run("c", "f1", (day + 1) * DAY_MS, RunOutcome::Running),
            run("d", "f1", (day - 1) * DAY_MS, RunOutcome::Partial),
        ];
        let mut elsewhere = run("a", "f1", day * DAY_MS, RunOutcome::Succeeded);
        elsewhere.row.environment_id = "env2".into();
        rows.push(elsewhere);
        assert_eq!(runs::upsert_many(tx, &rows).await.expect("runs").runs, 5);
    });
    let sums = RunDay {
        day,
        succeeded: 2,
        partial: 0,
        failed: 1,
        unfinished: 0,
        records_out: 297,
        bytes_in: 12_288,
    };
    let next = RunDay {
        day: day + 1,
        succeeded: 0,
        failed: 0,
        unfinished: 1,
        records_out: 99,
        bytes_in: 4_096,
        ..sums
    };
    assert_eq!(
        runs::team_day_sums(&db, "team", None, day).await.expect("sums"),
        [sums, next]
    );
    let one = runs::team_day_sums(&db, "team", Some("env2"), day)
        .await
        .expect("sums");
    assert_eq!((one.len(), one[0].succeeded, one[0].failed), (1, 1, 0));
    assert_eq!(
        runs::team_day_sums(&db, "other", None, 0).await.expect("sums"),
        []
    );
    let flow = runs::counts(&db, "env", "f1").await.expect("counts");
    assert_eq!(
        (flow.succeeded, flow.partial, flow.failed, flow.unfinished),
        (1, 1, 0, 1)
    );
    assert_eq!(runs::counts(&db, "env", "f9").await.expect("counts").bytes_in, 0);
}

#[tokio::test]
async fn a_run_that_the_platform_forgot_is_kept_and_marked_until_it_is_listed_again() {
    let db = fixture().await;
    let rows = [
        run("r1", "f1", 1_000, RunOutcome::Succeeded),
        run("r2", "f1", 2_000, RunOutcome::Running),
        run("r3", "f2", 3_000, RunOutcome::Failed),
        run("r4", "f2", 4_000, RunOutcome::Waiting),
    ];
    commit!(db, |tx| runs::upsert_many(tx, &rows).await.expect("runs"));
    let listed_at = rows[0].row.read_at + 1;
    let shown = async || {
        runs::gone_candidates(&db, "env", 0, 4_001, listed_at)
            .await
            .expect("runs")
    };
    assert_eq!(
        shown().await,
        ["r1", "r2", "r3"],
        "a run that waits is in no list by start"
    );
    let read_since = runs::gone_candidates(&db, "env", 0, 4_001, listed_at - 1).await;
    assert_eq!(read_since.expect("runs"), [""; 0]);
    assert_eq!(
        runs::gone_candidates(&db, "env", 1_001, 3_000, listed_at)
            .await
            .expect("runs"),
        ["r2"]
    );

    let sums = runs::team_day_sums(&db, "team", None, 0).await.expect("sums");
    let gone = ["r1".to_owned(), "r2".to_owned()];
    let mark = async || {
        commit!(db, |tx| runs::mark_gone(tx, "env", &gone, 77)
            .await
            .expect("marks"))
    };
    assert_eq!(mark().await, ["f1".to_owned()].into());
    assert_eq!(mark().await, [].into(), "marked once");
    assert_eq!(shown().await, ["r3"]);
    assert_eq!(
        runs::team_day_sums(&db, "team", None, 0).await.expect("sums"),
        sums,
        "it did run"
    );
    let unfinished = runs::unfinished(&db, "env", 9).await.expect("runs");
    assert_eq!(unfinished.len(), 1, "nobody can tell what became of it");
    let oldest = runs::oldest_shown(&db, "env", (i64::MIN, ""), 1)
        .await
        .expect("runs");
    assert_eq!(oldest, [("r3".to_owned(), 3_000)]);
    let after = runs::oldest_shown(&db, "env", (3_000, "r3"), 9)
        .await
        .expect("runs");
    assert_eq!(after, [("r4".to_owned(), 4_000)]);

    let again = commit!(db, |tx| runs::upsert_many(tx, &rows[..1]).await.expect("runs"));
    assert_eq!((again.runs, again.flow_ids), (1, ["f1".to_owned()].into()));
    assert_eq!(
        runs::by_id(&db, "env", "r1")
            .await
            .expect("a read")
            .expect("a run")
            .gone_at,
        None
    );
}

#[tokio::test]
async fn a_fill_moves_only_from_where_it_is_and_ends_at_its_goal() {
    let db = fixture().await;
    let topic = SyncTopic::Runs;
    let state = async || {
        sync_state::get(&db, "env", topic)
            .await
            .expect("a read")
            .expect("a state")
    };
    commit!(db, |tx| {
        sync_state::record_success(tx, "env", topic, 1_000, 1_000)
            .await
            .expect("a note");
        sync_state::begin_fill(tx, "env", topic, 900, 100)
            .await
            .expect("a note");
    });
    for at in [950, 960] {
        let failed = FailedTry {
            problem: "refused",
            at,
            next_try_at: at + 5,
        };
        commit!(db, |tx| sync_state::record_fill_failure(tx, "env", failed)
            .await
            .expect("a note"));
    }
    let fill_failure = async || {
        let at = state().await;
        (at.fill_failing_since_at, at.fill_problem, at.fill_next_try_at)
    };
    assert_eq!(
        fill_failure().await,
        (Some(950), Some("refused".into()), Some(965))
    );
    let step = async |from, to| {
        commit!(db, |tx| sync_state::move_fill(tx, "env", topic, from, to)
            .await
            .expect("a note"))
    };
    assert!(step(900, 500).await);
    assert!(!step(900, 300).await, "somebody else has moved it");
    assert_eq!(fill_failure().await, (None, None, None));
    commit!(db, |tx| sync_state::record_success(
        tx, "env", topic, 2_000, 2_000
    )
    .await
    .expect("a note"));
    let at = state().await;
    assert_eq!(
        (at.watermark_at, at.filled_from_at, at.fill_goal_at),
        (2_000, Some(500), Some(100))
    );
    assert!(step(500, 100).await);
    assert_eq!(
        (state().await.filled_from_at, state().await.fill_goal_at),
        (Some(100), None)
    );
    assert!(!step(100, 50).await, "it has ended");
    // A gap: what lies behind it is known already.
    for (from, goal) in [(5_000, 2_000), (6_000, 2_000)] {
        commit!(db, |tx| {
            sync_state::begin_fill(tx, "env", topic, from, goal)
                .await
                .expect("a note")
        });
    }
    assert!(step(6_000, 3_000).await);
    assert_eq!(state().await.filled_from_at, Some(3_000));
    assert!(step(3_000, 1_900).await);
    assert_eq!(
        (state().await.filled_from_at, state().await.fill_goal_at),
        (Some(100), None)
    );
}
