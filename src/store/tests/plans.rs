use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::store;

/// What is made on the way and holds a handful of rows: the steps of a recursive query, the keys of a chunk, the
/// rows that a window function ranks, the flows of one page.
const SMALL: &[&str] = &["SCAN seen", "SCAN t", "SCAN k", "SCAN CONSTANT ROW"];

async fn plan(db: &Store, sql: &str) -> Vec<String> {
    let (writer, _) = db.connections();
    let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
    let rows = explained.fetch_all(writer).await.expect("a plan");
    rows.iter().map(|row| row.get("detail")).collect()
}

fn scans(plan: &[String]) -> Vec<&String> {
    plan.iter()
        .filter(|step| step.starts_with("SCAN") && !step.starts_with("SCAN (subquery-"))
        .filter(|step| !SMALL.contains(&step.as_str()))
        .collect()
}

#[tokio::test]
async fn reads_on_a_pages_path_search_and_never_scan() {
    let db = fixture().await;
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
        ("findings", store::findings::PAGE_READS),
        ("sweeps", store::sweeps::PAGE_READS),
        ("flows", store::flows::PAGE_READS),
        ("flow_health", store::flow_health::PAGE_READS),
        ("lost_files", store::lost_files::MIRROR_READS),
        ("run_requests", store::run_requests::PAGE_READS),
        ("flow_lists", store::flow_lists::PAGE_READS),
        ("board_links", store::board_links::PAGE_READS),
        ("saved_views", store::saved_views::PAGE_READS),
        ("flow_page", store::flow_page::PAGE_READS),
        ("flow_versions", store::flow_versions::PAGE_READS),
        ("runs", store::runs::PAGE_READS),
        ("run_lists", store::run_lists::PAGE_READS),
        ("run_mirror", store::runs::MIRROR_READS),
        ("sync_state", store::sync_state::PAGE_READS),
        ("later_runs", store::later_runs::PAGE_READS),
        ("audit", store::audit::PAGE_READS),
    ];
    for (room, reads) in rooms {
        for sql in *reads {
            let plan = plan(&db, sql).await;
            assert!(
                plan.iter().any(|step| step.starts_with("SEARCH")),
                "{room}: {sql}\n{plan:#?}"
            );
            assert!(scans(&plan).is_empty(), "{room}: {sql}\n{plan:#?}");
        }
    }
}

#[tokio::test]
async fn bulk_writes_search_too() {
    let db = fixture().await;
    let health = store::judgements::chunk_statements();
    let versions = store::flow_versions::chunk_statements();
    let days = [store::run_days::chunk_statement()];
    let several = store::runs::chunk_statements()
        .into_iter()
        .chain(days)
        .chain(health)
        .chain(versions);
    let statements = several.chain([
        store::flows::chunk_statement(),
        store::sweeps::chunk_statement(),
        store::lost_files::chunk_statement(),
    ]);
    for sql in statements {
        let plan = plan(&db, &sql).await;
        assert!(
            plan.iter().any(|step| step.starts_with("SEARCH")),
            "{sql}\n{plan:#?}"
        );
        assert!(scans(&plan).is_empty(), "{sql}\n{plan:#?}");
    }
}

/// Lists that may be long come out of the index in order, instead of being sorted for each page.
#[tokio::test]
async fn long_lists_are_not_sorted() {
    let db = fixture().await;
    let lists = store::setup_lists::PAGE_READS[..2]
        .iter()
        .chain(&store::audit::PAGE_READS[..7])
        .chain(&store::runs::PAGE_READS[..1])
        .chain(&store::run_lists::PAGE_READS[..4])
        .chain(&store::flow_versions::PAGE_READS[..1])
        .chain(&store::drafts::PAGE_READS[1..])
        .chain(&store::findings::PAGE_READS[..2]);
    for sql in lists {
        let plan = plan(&db, sql).await;
        assert!(
            !plan.iter().any(|step| step.contains("TEMP B-TREE")),
            "{sql}\n{plan:#?}"
        );
    }
}

/// A filter that names one person, thing or kind of event must not walk through all the others.
#[tokio::test]
async fn each_audit_filter_has_its_index() {
    let db = fixture().await;
    let indexes = [
        "audit_by_team",
        "audit_by_object",
        "audit_by_actor",
        "audit_by_event",
        "audit_by_object",
    ];
    for (sql, index) in store::audit::PAGE_READS.iter().zip(indexes) {
        let plan = plan(&db, sql).await;
        assert!(plan[0].contains(index), "{index}: {sql}\n{plan:#?}");
    }
}

/// Flows without trouble are passed over in the index: their rows hold their last runs, and are long.
#[tokio::test]
async fn what_needs_a_person_is_found_by_rank() {
    let db = fixture().await;
    let troubled = store::flow_lists::PAGE_READS[8];
    let plan = plan(&db, troubled).await;
    let ranked = "SEARCH h USING INDEX flow_health_ranked (environment_id=? AND base=?)";
    assert!(plan.iter().any(|step| step == ranked), "{troubled}\n{plan:#?}");
}
