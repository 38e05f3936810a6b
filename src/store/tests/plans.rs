use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::store;

/// Tables that a recursive query makes on the way hold a handful of rows.
const SMALL: &[&str] = &["SCAN seen", "SCAN CONSTANT ROW"];

#[tokio::test]
async fn reads_on_a_pages_path_search_and_never_scan() {
    let db = fixture().await;
    let [_, readers] = db.pools();
    let rooms: &[(&str, &[&str])] = &[
        ("people", store::people::PAGE_READS),
        ("sessions", store::sessions::PAGE_READS),
        ("environments", store::environments::PAGE_READS),
        ("connection_templates", store::connection_templates::PAGE_READS),
        ("secrets", store::secrets::PAGE_READS),
        ("drafts", store::drafts::PAGE_READS),
        ("setups", store::setups::PAGE_READS),
        ("setup_lists", store::setup_lists::PAGE_READS),
        ("setup_journal", store::setup_journal::PAGE_READS),
        ("flows", store::flows::PAGE_READS),
        ("runs", store::runs::PAGE_READS),
        ("sync_state", store::sync_state::PAGE_READS),
        ("audit", store::audit::PAGE_READS),
    ];
    let mut wrong = Vec::new();
    for (room, reads) in rooms {
        for sql in *reads {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(readers)
                .await
                .expect("a plan");
            let steps: Vec<String> = plan.iter().map(|row| row.get::<String, _>("detail")).collect();
            assert!(
                steps.iter().any(|step| step.starts_with("SEARCH")),
                "{room}: {sql}\n{steps:#?}"
            );
            let scans = steps
                .iter()
                .filter(|s| s.starts_with("SCAN") && !SMALL.contains(&s.as_str()));
            wrong.extend(scans.map(|scan| format!("{room}: {scan} in {sql}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Lists that may be long come out of the index in order, instead of being sorted for each page.
#[tokio::test]
async fn long_lists_are_not_sorted() {
    let db = fixture().await;
    let [_, readers] = db.pools();
    let lists = store::setup_lists::PAGE_READS[..2]
        .iter()
        .chain(&store::audit::PAGE_READS[..7])
        .chain(&store::runs::PAGE_READS[..1])
        .chain(&store::drafts::PAGE_READS[1..]);
    for sql in lists {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(readers)
            .await
            .expect("a plan");
        let steps: Vec<String> = plan.iter().map(|row| row.get::<String, _>("detail")).collect();
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{sql}\n{steps:#?}"
        );
    }
}
