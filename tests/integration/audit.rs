//! The audit page: filters, paging, one event in detail, and that it tells of itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use headgate::store;
use reqwest::StatusCode;

use crate::support::app::{Answer, App, TEAM};

fn sentences(page: &Answer) -> Vec<String> {
    let html = page.html();
    let selector = scraper::Selector::parse("tbody td:nth-child(3)").unwrap();
    let words = |cell: scraper::ElementRef<'_>| {
        let words: Vec<&str> = cell.text().flat_map(str::split_whitespace).collect();
        words.join(" ")
    };
    html.select(&selector).map(words).collect()
}

async fn count(app: &App) -> usize {
    store::audit::after(app.store(), 0, 1000).await.unwrap().len()
}

#[tokio::test]
async fn what_was_done_reads_as_sentences_newest_first() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let before = count(&app).await;
    let page = theo.get("/audit").await;
    let found = sentences(&page);
    assert_eq!(found[0], "Theo signed in");
    assert!(
        found.contains(&"Operator added the environment Retail dev".to_owned()),
        "{found:?}"
    );
    assert!(!page.text().contains("Mallory"), "events of other teams");
    assert_eq!(count(&app).await, before + 1, "reading is an event, exactly one");
    assert_eq!(
        sentences(&theo.get("/audit").await)[0],
        "Theo read the audit trail"
    );
}

#[tokio::test]
async fn filters_stand_in_the_address() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    app.visitor("vera").await;
    let vera = store::people::user_by_login(app.store(), "vera")
        .await
        .unwrap()
        .unwrap()
        .id;
    let environment = app.environment_id().await;
    for (query, expected) in [
        (format!("person={vera}"), vec!["Vera signed in"]),
        (
            "event=environment.added".into(),
            vec!["Operator added the environment Retail dev"],
        ),
        (
            format!("kind=environment&object={environment}"),
            vec!["Operator added the environment Retail dev"],
        ),
        (
            "text=retail+dev".into(),
            vec!["Operator added the environment Retail dev"],
        ),
        ("event=session.started&text=vera".into(), vec!["Vera signed in"]),
        ("from=2999-01-01".into(), vec![]),
        ("to=1999-01-01".into(), vec![]),
        ("person=%27+OR+1%3D1+--".into(), vec![]),
    ] {
        let page = theo.get(&format!("/audit?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(sentences(&page), expected, "{query}");
        assert_eq!(
            page.text().contains("No events match"),
            expected.is_empty(),
            "{query}"
        );
    }
    let page = theo.get("/audit?from=yesterday&event=environment.added").await;
    assert!(page.text().contains("The one that cannot be read was left out") && sentences(&page).len() == 1);
    let typed = theo
        .get("/audit?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    assert!(!typed.body.contains("<script>alert"), "typed text stays text");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    for _ in 0..60 {
        theo.get("/audit").await;
    }
    let team = app.team_id(TEAM).await;
    let everything = store::audit::list(app.store(), &team, Default::default(), None, 1000)
        .await
        .unwrap();
    let first = theo.get("/audit").await;
    let older = first.attributes("a[rel=next]", "href");
    let second = theo.get(&older[0]).await;
    let places = |page: &Answer| page.attributes("tbody td:first-child a", "href");
    let shown = [places(&first), places(&second)].concat();
    let expected: Vec<_> = everything
        .iter()
        .map(|event| format!("/audit/{}", event.seq))
        .collect();
    assert_eq!(places(&first).len(), 50);
    assert_eq!(shown, expected);
    assert!(second.has("a[rel=prev]") && !second.has("a[rel=next]"));
}

#[tokio::test]
async fn one_event_shows_before_and_after_to_its_team_only() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let id = app.environment_id().await;
    let edit = format!("/environments/{id}/edit");
    let form = theo.get(&edit).await;
    theo.submit(&form, &edit, &[("name", "Retail tests")]).await;
    let page = theo.get(&format!("/environments/{id}")).await;
    assert!(
        page.text().contains("Theo changed the environment Retail tests"),
        "the trail on the thing's own page"
    );
    let team = app.team_id(TEAM).await;
    let events = store::audit::for_object(app.store(), &team, "environment", &id, None, 10)
        .await
        .unwrap();
    let saved = events
        .iter()
        .find(|event| event.facts.event == "environment.saved")
        .unwrap();
    let path = format!("/audit/{}", saved.seq);
    let detail = theo.get(&path).await;
    let text = detail.text();
    for expected in [
        "name Retail dev Retail tests",
        "127.0.0.1",
        "admin",
        saved.facts.request_id.as_str(),
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains("headgate-demo-secret"));
    let mut mallory = app.visitor("mallory").await;
    assert_eq!(mallory.get(&path).await.status, StatusCode::NOT_FOUND);
    for path in ["/audit/0", "/audit/999999", "/audit/x"] {
        assert_eq!(theo.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
