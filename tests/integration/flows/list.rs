//! The list of flows: filters, order, pages, and what it says when it is empty.

use headgate::domain::RunOutcome;
use headgate::store::flows::{self, FlowRecord};
use headgate::store::runs::{self, Run};
use headgate::store::{Mirrored, MirroredRun};
use reqwest::{Method, StatusCode};

use crate::support::app::Answer;
use crate::support::watched::{HOUR_MS, NOW_MS, Watched};

fn names(page: &Answer) -> Vec<String> {
    let html = page.html();
    let links = scraper::Selector::parse("tbody td:first-child a").unwrap();
    html.select(&links).map(|link| link.text().collect()).collect()
}

/// A flow; hostile in its name.
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
        platform_created_at: Some(NOW_MS - HOUR_MS),
        platform_updated_at: None,
        platform_created_by: None,
        read_at: NOW_MS,
    };
    Mirrored {
        row,
        raw: "{}".into(),
    }
}

/// The last run of the flow with this number.
pub fn run(watched: &Watched, number: i64, outcome: RunOutcome) -> MirroredRun {
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
    // Before they are stored, so that this reading does not find them missing.
    watched.read().await;
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
    assert!(!page.has("a[rel=prev]"));
    while let Some(next) = page.attributes("a[rel=next]", "href").pop() {
        page = ana.get(&next).await;
        assert!(page.has("a[rel=prev]"));
        all.extend(names(&page));
    }
    let expected: Vec<String> = (1..=120).map(|number| format!("Flow {number:03} <b>")).collect();
    assert_eq!(all, expected, "names are shown as text");
    // And back again.
    let mut back = names(&page);
    while let Some(previous) = page.attributes("a[rel=prev]", "href").pop() {
        page = ana.get(&previous).await;
        assert!(page.has("a[rel=next]"));
        back.splice(0..0, names(&page));
    }
    assert_eq!(back, expected);
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
}

#[tokio::test]
async fn each_row_tells_how_the_flow_does_and_why() {
    let watched = with_many().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/flows?q=folder-7&sort=need").await;
    assert_eq!(names(&page)[0], "Flow 007 <b>");
    assert_eq!(
        page.attributes("tbody td:nth-child(2) > span[title]", "title")[0],
        "The last run failed."
    );
    let text = page.text();
    for said in [
        "Retail dev · SFTP",
        "1 run: failed",
        "every hour",
        "Made elsewhere",
        "Failed The last run failed.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let heads = page.attributes("thead th a", "href");
    assert_eq!(
        heads,
        [
            "/flows?q=folder-7",
            "/flows?q=folder-7&sort=-need",
            "/flows?q=folder-7&sort=last-run",
            "/flows?q=folder-7&sort=next-run"
        ]
    );
    for owner in ["owner=none", "template=none", "health=waiting", "sort=next-run"] {
        assert_eq!(
            names(&ana.get(&format!("/flows?{owner}")).await).len(),
            50,
            "{owner}"
        );
    }
}

#[tokio::test]
async fn hostile_queries_are_ignored_or_told() {
    let watched = with_many().await;
    let mut ana = watched.app.visitor("ana").await;
    let key = |moment: &str| {
        let key = format!(
            r#"{{"moment":{moment},"sort_value":-9223372036854775808,"name":"","environment_id":"","id":""}}"#
        );
        data_encoding::BASE64URL_NOPAD.encode(key.as_bytes())
    };
    let long = "%F0%9F%90%99".repeat(100);
    for query in [
        "after=rubbish&sort=rubbish".to_owned(),
        format!("after={}&sort=need", key("-9223372036854775808")),
        format!("after={}&sort=next-run", key("9223372036854775807")),
        format!("before={}&sort=next-run", key("0")),
        format!("q={long}{long}{long}"),
        format!("environment={long}&owner={long}&template={long}&connector={long}&state={long}"),
        "q=%00&owner=%27%20OR%201=1--".to_owned(),
        "%26%26%26=&=x&unknown=1".to_owned(),
    ] {
        let answer = ana.get(&format!("/flows?{query}")).await;
        let is_told = answer.status == StatusCode::OK || answer.status == StatusCode::SEE_OTHER;
        assert!(is_told, "{} {} {query}", answer.status, answer.text());
    }
    let page = ana.get("/flows?template=gone-for-good&owner=somebody").await;
    assert!(page.text().contains("No flows match these filters"));
    assert_eq!(
        page.attributes("option[selected][value='somebody']", "value")
            .len(),
        1
    );
    assert!(page.text().contains("Not known here"), "{}", page.text());
    for odd in ["q=a&q=b", "health=fine", "outcome=fine"] {
        let refused = ana.get(&format!("/flows?{odd}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{odd}");
    }
    let refused = ana.get("/flows?health=fine").await.text();
    assert!(refused.contains("one of failed, stuck, late"), "{refused}");
    // An open list that follows what happens asks for itself.
    let path = "/flows?q=&environment=&health=failed&state=&sort=name";
    for (shown, told) in [("/flows", Some("/flows?health=failed")), (path, None)] {
        let shown = format!("http://localhost{shown}");
        let sent = ana
            .send(Method::GET, path, &[("hx-current-url", &shown)], None)
            .await;
        let told_here = sent
            .headers
            .get("hx-push-url")
            .map(|address| address.to_str().unwrap());
        assert_eq!(told_here, told, "the address names what is set");
    }
}

#[tokio::test]
async fn flows_of_others_are_not_listed() {
    let watched = with_many().await;
    let mut mallory = watched.app.visitor("mallory").await;
    let environment = &watched.environment.id;
    for query in [
        "",
        "?all=1",
        "?q=Flow",
        &format!("?environment={environment}"),
        "?sort=need",
    ] {
        assert_eq!(
            names(&mallory.get(&format!("/flows{query}")).await),
            [""; 0],
            "{query}"
        );
    }
    assert!(!mallory.get("/").await.text().contains("Flow 0"));
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
