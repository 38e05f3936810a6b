use super::*;
use crate::store::run_strips;

#[tokio::test]
async fn strips_hold_the_last_thirty_runs_of_each_flow() {
    let db = fixture().await;
    let mut runs: Vec<_> = (1..=40)
        .map(|at| {
            run(
                &format!("a{at}"),
                "a",
                at,
                if at == 40 {
                    RunOutcome::Failed
                } else {
                    RunOutcome::Succeeded
                },
            )
        })
        .collect();
    runs.push(run("b1", "b", 7, RunOutcome::Partial));
    commit!(db, |tx| run_rows::upsert_many(tx, &runs).await.expect("stored"));

    let strips = run_strips::strips(&db, &[("env", "a"), ("env", "b"), ("env", "c"), ("other", "a")])
        .await
        .expect("strips");
    assert_eq!(strips.len(), 2, "flows without runs are left out");
    let a = &strips[&("env".to_owned(), "a".to_owned())];
    assert_eq!(
        (a.len(), a[0], a[29]),
        (30, RunOutcome::Succeeded, RunOutcome::Failed)
    );
    assert_eq!(strips[&("env".to_owned(), "b".to_owned())], [RunOutcome::Partial]);
}

#[tokio::test]
async fn no_flows_ask_nothing() {
    let db = fixture().await;
    assert!(run_strips::strips(&db, &[]).await.expect("strips").is_empty());
}
