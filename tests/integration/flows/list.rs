//! The list of flows: filters, order, pages, and what it says when it is empty.

use headgate::domain::RunOutcome;
use headgate::store::Mirrored;
use headgate::store::flows::{self, FlowRecord};
use headgate::store::runs::{self, Run};
use reqwest::StatusCode;

use crate::support::app::Answer;
use crate::support::watched::{HOUR_MS, NOW_MS, Watched};

fn names(page: &Answer) -> Vec<String> {
    let html = page.html();
    let links = scraper::Selector::parse("tbody td:first-child a").unwrap();
    html.select(&links).map(|link| link.text().collect()).collect()
}

/// A flow that no reading finds missing; hostile in its name.
pub fn record(watched: &Watched, number: i64) -> Mirrored<FlowRecord> {
    let row = FlowRecord {
        environment_id: watched.environment.id.clone(),
        id: format!("flow-{number:03}"),
        name: format!("Flow {number:03} <b>"),
        description: String::new(),
        state: if number % 10 == 0 { "disabled" } else { "enabled" }.into(),
        connector: Some(if number % 2 == 0 { "amazon-s3" } else { "sftp" }.into()),
        source_connection_id: None,
        target_connection_id: None,
        base_connection_id: None,
        dataset_id: None,
        source_path: Some(format!("in/folder-{number}")),
        frequency: Some("hour".into()),
        interval_count: Some(1),
        start_at: Some(NOW_MS),
        backfill: Some(false),
        etag: None,
        platform_created_at: None,
        platform_updated_at: None,
        platform_created_by: None,
        // So late that no reading finds them missing.
        read_at: i64::MAX,
    };
    Mirrored {
        row,
        raw: "{}".into(),
    }
}

/// The last run of the flow with this number.
pub fn run(watched: &Watched, number: i64, outcome: RunOutcome) -> Mirrored<Run> {
    let row = Run {
        environment_id: watched.environment.id.clone(),
        id: format!("run-{number:03}"),
        flow_id: format!("flow-{number:03}"),
        status: outcome.as_str().into(),
        outcome,
        started_at: NOW_MS - number * HOUR_MS,
        completed_at: None,
        duration_ms: Some(1000),
        records_in: None,
        records_out: None,
        records_failed: None,
        files_in: None,
        bytes_in: None,
        bytes_out: None,
        error_code: None,
        error_message: None,
        window_start_at: None,
        window_end_at: None,
        platform_updated_at: NOW_MS,
        read_at: NOW_MS,
        ended_at: Some(NOW_MS),
        gone_at: None,
    };
    Mirrored {
        row,
        raw: "{}".into(),
    }
}

/// 120 flows; the last run of number 7 failed, of 8 was partial, of 1 to 6 went well.
async fn with_many() -> Watched {
    let watched = Watched::start().await;
    let rows: Vec<_> = (1..=120).map(|number| record(&watched, number)).collect();
    let ran: Vec<_> = (1..=8)
        .map(|number| {
            let outcome = match number {
                7 => RunOutcome::Failed,
                8 => RunOutcome::Partial,
                _ => RunOutcome::Succeeded,
            };
            run(&watched, number, outcome)
        })
        .collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &rows).await.unwrap();
    runs::upsert_many(&mut tx, &ran).await.unwrap();
    tx.commit().await.unwrap();
    watched
}

#[tokio::test]
async fn pages_follow_each_other_without_losing_or_repeating_a_flow() {
    let watched = with_many().await;
    let mut ana = watched.app.visitor("ana").await;
    let mut page = ana.get("/flows").await;
    let mut all = names(&page);
    assert_eq!(all.len(), 50);
    while let Some(next) = page.attributes("a[rel=next]", "href").pop() {
        page = ana.get(&next).await;
        assert!(page.has("a[rel=prev]"));
        all.extend(names(&page));
    }
    let expected: Vec<String> = (1..=120).map(|number| format!("Flow {number:03} <b>")).collect();
    assert_eq!(all, expected, "names are shown as text");
}

#[tokio::test]
async fn filters_stand_in_the_address_and_the_last_run_sorts() {
    let watched = with_many().await;
    let mut ana = watched.app.visitor("ana").await;
    let environment = &watched.environment.id;
    for (query, expected) in [
        ("outcome=failed".to_owned(), vec!["Flow 007 <b>"]),
        (
            "outcome=partial&connector=amazon-s3".to_owned(),
            vec!["Flow 008 <b>"],
        ),
        ("outcome=partial&connector=sftp".to_owned(), vec![]),
        ("q=folder-119".to_owned(), vec!["Flow 119 <b>"]),
        ("q=FLOW+119".to_owned(), vec!["Flow 119 <b>"]),
        (
            format!("q=Flow+00&environment={environment}&state=disabled"),
            vec![],
        ),
        (
            format!("q=Flow+01&environment={environment}&state=disabled"),
            vec!["Flow 010 <b>"],
        ),
        ("environment=another".to_owned(), vec![]),
        ("q=%25".to_owned(), vec![]),
    ] {
        let page = ana.get(&format!("/flows?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(names(&page), expected, "{query}");
        assert_eq!(
            page.text().contains("No flows match these filters"),
            expected.is_empty(),
            "{query}"
        );
    }
    let page = ana.get("/flows?sort=last-run&q=Flow").await;
    assert_eq!(
        names(&page)[..3],
        ["Flow 001 <b>", "Flow 002 <b>", "Flow 003 <b>"]
    );
    assert_eq!(page.attributes("th[aria-sort]", "aria-sort"), ["descending"]);
    let next = page.attributes("a[rel=next]", "href").remove(0);
    assert!(
        next.contains("sort=last-run") && next.contains("q=Flow"),
        "{next}"
    );
    assert_eq!(
        ana.get("/flows?after=rubbish&sort=rubbish&outcome=rubbish")
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_empty_list_says_what_kind_of_empty_it_is() {
    let watched = Watched::start().await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    assert!(ana.get("/flows").await.text().contains("No flows yet"));
    assert!(
        ana.get("/flows?q=x")
            .await
            .text()
            .contains("No flows match these filters")
    );
    let mut mallory = watched.app.visitor("mallory").await;
    assert!(mallory.get("/flows").await.text().contains("No environment yet"));
}
