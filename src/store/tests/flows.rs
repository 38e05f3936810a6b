use super::*;
use crate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use crate::store::{flows, runs};

async fn listed(db: &Store, filter: FlowFilter<'_>) -> Vec<String> {
    let page = flow_lists::list(db, "team", filter, FlowSort::Name, 1_000, FlowPage::First, 10);
    page.await
        .expect("a page")
        .into_iter()
        .map(|flow| flow.id)
        .collect()
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
    assert_eq!(listed(&db, FlowFilter::default()).await, ["f2"]);
    let everything = FlowFilter {
        include_gone: true,
        ..FlowFilter::default()
    };
    assert_eq!(listed(&db, everything).await, ["f1", "f2"]);
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
        assert_eq!(stored.expect("runs").runs, 1);
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
