use super::*;
use crate::store::flows::{self, FlowFilter, FlowKey, FlowSort};
use crate::store::runs;

async fn page_through(db: &Store, filter: FlowFilter<'_>, sort: FlowSort) -> Vec<String> {
    let mut seen = Vec::new();
    let mut after: Option<FlowKey> = None;
    loop {
        let page = flows::list(db, "team", filter, sort, after.as_ref(), 3)
            .await
            .expect("a page");
        let Some(last) = page.last() else { return seen };
        after = Some(last.key());
        seen.extend(page.into_iter().map(|flow| flow.record.id));
    }
}

#[tokio::test]
async fn pages_are_complete_in_both_orders() {
    let db = fixture().await;
    commit!(db, |tx| {
        envs::insert(tx, &environment("env2", "team"))
            .await
            .expect("an environment");
        envs::insert(tx, &environment("theirs", "other"))
            .await
            .expect("an environment");
        let mut rows: Vec<_> = (0..8).map(|n| flow("env", &format!("f{n}"))).collect();
        rows[2].row.name = "Flow f1".into();
        rows.extend([flow("env2", "g1"), flow("theirs", "h1")]);
        flows::upsert_many(tx, &rows).await.expect("flows");
        let ran = [
            run("r1", "f3", 1_000, RunOutcome::Failed),
            run("r2", "f5", 3_000, RunOutcome::Succeeded),
            run("r3", "f6", 3_000, RunOutcome::Succeeded),
        ];
        runs::upsert_many(tx, &ran).await.expect("runs");
    });
    let by_name = page_through(&db, FlowFilter::default(), FlowSort::Name).await;
    assert_eq!(by_name, ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "g1"]);
    let by_run = page_through(&db, FlowFilter::default(), FlowSort::LastRun).await;
    assert_eq!(by_run, ["f6", "f5", "f3", "g1", "f7", "f4", "f2", "f1", "f0"]);
    let mut counts = flows::counts(&db, "team").await.expect("counts");
    counts.sort();
    assert_eq!(
        counts,
        [
            (None, 6),
            (Some(RunOutcome::Succeeded), 2),
            (Some(RunOutcome::Failed), 1)
        ]
    );
    commit!(db, |tx| {
        envs::archive(tx, "team", "env2", 9).await.expect("archived")
    });
    assert_eq!(
        page_through(&db, FlowFilter::default(), FlowSort::Name)
            .await
            .len(),
        8
    );
}

#[tokio::test]
async fn filters() {
    let db = fixture().await;
    commit!(db, |tx| {
        let mut rows: Vec<_> = (0..5).map(|n| flow("env", &format!("f{n}"))).collect();
        rows[0].row.state = "disabled".into();
        rows[1].row.connector = Some("sftp".into());
        rows[2].row.name = "100% of Sales_2026".into();
        rows[3].row.source_path = Some("/drop/sales%".into());
        rows[4].row.source_path = None;
        flows::upsert_many(tx, &rows).await.expect("flows");
        runs::upsert_many(tx, &[run("r1", "f4", 5, RunOutcome::Failed)])
            .await
            .expect("runs");
    });
    let by = FlowFilter::default();
    for (filter, expected) in [
        (
            FlowFilter {
                environment_id: Some("env"),
                ..by
            },
            vec!["f2", "f0", "f1", "f3", "f4"],
        ),
        (
            FlowFilter {
                environment_id: Some("none"),
                ..by
            },
            vec![],
        ),
        (
            FlowFilter {
                state: Some("disabled"),
                ..by
            },
            vec!["f0"],
        ),
        (
            FlowFilter {
                connector: Some("sftp"),
                ..by
            },
            vec!["f1"],
        ),
        (
            FlowFilter {
                outcome: Some(RunOutcome::Failed),
                ..by
            },
            vec!["f4"],
        ),
        (
            FlowFilter {
                text: Some("SALES"),
                ..by
            },
            vec!["f2", "f3"],
        ),
        (
            FlowFilter {
                text: Some("0%"),
                ..by
            },
            vec!["f2"],
        ),
        (
            FlowFilter {
                text: Some("s_2"),
                ..by
            },
            vec!["f2"],
        ),
        (
            FlowFilter {
                text: Some("\\"),
                ..by
            },
            vec![],
        ),
    ] {
        assert_eq!(
            page_through(&db, filter, FlowSort::Name).await,
            expected,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn flows_go_and_come_back() {
    let db = fixture().await;
    commit!(db, |tx| {
        let late = flow("env", "f1");
        let mut early = flow("env", "f1");
        early.row.name = "the earlier row of two".into();
        flows::upsert_many(tx, &[early, late, flow("env", "f2")])
            .await
            .expect("flows");
    });
    let stored = flows::by_id(&db, "team", None, "f1")
        .await
        .expect("a read")
        .expect("a flow");
    assert_eq!((&stored.record, stored.gone_at), (&flow("env", "f1").row, None));
    assert_eq!(stored.environment_name, "Name of env");
    assert_eq!(
        flows::by_id(&db, "other", None, "f1").await.expect("a read"),
        None
    );
    assert!(
        flows::by_id(&db, "team", Some("env"), "f1")
            .await
            .expect("a read")
            .is_some()
    );
    assert!(
        flows::by_id(&db, "team", Some("env2"), "f1")
            .await
            .expect("a read")
            .is_none()
    );
    assert_eq!(
        flows::raw(&db, "env", "f1").await.expect("a read").as_deref(),
        Some("{}")
    );

    let mut seen_again = flow("env", "f2");
    seen_again.row.read_at = 200;
    seen_again.raw = "{\"now\":1}".into();
    commit!(db, |tx| {
        flows::upsert_many(tx, std::slice::from_ref(&seen_again))
            .await
            .expect("flows");
        let shown = std::collections::HashSet::from(["f2".to_owned()]);
        assert_eq!(
            flows::mark_gone(tx, "env", &shown, 201).await.expect("an update"),
            1
        );
        assert_eq!(
            flows::mark_gone(tx, "env", &shown, 202).await.expect("an update"),
            0
        );
    });
    assert_eq!(
        flows::raw(&db, "env", "f2").await.expect("a read").as_deref(),
        Some("{\"now\":1}")
    );
    assert_eq!(
        page_through(&db, FlowFilter::default(), FlowSort::Name).await,
        ["f2"]
    );
    let everything = FlowFilter {
        include_gone: true,
        ..FlowFilter::default()
    };
    assert_eq!(page_through(&db, everything, FlowSort::Name).await, ["f1", "f2"]);
    assert_eq!(flows::counts(&db, "team").await.expect("counts"), [(None, 1)]);
    commit!(db, |tx| {
        flows::upsert_many(tx, &[flow("env", "f1")]).await.expect("flows");
        assert!(
            flows::set_state_after_action(tx, "env", "f1", "disabled", None, 300)
                .await
                .expect("set")
        );
        assert!(
            !flows::set_state_after_action(tx, "env", "f9", "disabled", None, 300)
                .await
                .expect("none")
        );
    });
    let back = flows::by_id(&db, "team", None, "f1")
        .await
        .expect("a read")
        .expect("a flow");
    assert_eq!(
        (back.gone_at, back.record.state.as_str(), back.record.read_at),
        (None, "disabled", 300)
    );
    assert_eq!(back.record.etag, flow("env", "f1").row.etag);
}

#[tokio::test]
async fn the_last_run_is_found_in_either_order_of_storing() {
    let db = fixture().await;
    commit!(db, |tx| {
        let stored = runs::upsert_many(tx, &[run("r1", "f1", 1_000, RunOutcome::Succeeded)]).await;
        assert_eq!(stored.expect("runs"), 1);
        flows::upsert_many(tx, &[flow("env", "f1")]).await.expect("flows");
    });
    let last = |flow: flows::Flow| (flow.last_run_id, flow.last_run_outcome, flow.last_run_at);
    let before = flows::by_id(&db, "team", None, "f1")
        .await
        .expect("a read")
        .expect("a flow");
    assert_eq!(
        last(before),
        (Some("r1".into()), Some(RunOutcome::Succeeded), Some(1_000))
    );
    commit!(db, |tx| {
        let later = [
            run("r0", "f1", 900, RunOutcome::Failed),
            run("r2", "f1", 2_000, RunOutcome::Running),
        ];
        runs::upsert_many(tx, &later).await.expect("runs");
        flows::upsert_many(tx, &[flow("env", "f1")]).await.expect("flows");
    });
    let after = flows::by_id(&db, "team", None, "f1")
        .await
        .expect("a read")
        .expect("a flow");
    assert_eq!(
        last(after),
        (Some("r2".into()), Some(RunOutcome::Running), Some(2_000))
    );
}
