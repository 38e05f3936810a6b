//! The page of all runs.

use headgate::domain::RunOutcome;
use headgate::store::{flows, runs};
use reqwest::StatusCode;

use crate::flows::list::{record, run};
use crate::support::app::{Answer, Visitor};
use crate::support::watched::{HOUR_MS, NOW_MS, Watched};

const RUNS: i64 = 620;

/// Two flows; many runs start at the same moment, and every tenth failed much later than it began.
async fn with_runs() -> Watched {
    let watched = Watched::start().await;
    let rows: Vec<_> = (0..RUNS)
        .map(|number| {
            let failed = number % 10 == 0;
            let outcome = if failed {
                RunOutcome::Failed
            } else {
                RunOutcome::Succeeded
            };
            let mut run = run(&watched, 1 + number % 2, outcome);
            run.row.id = format!("run-{number:05}");
            run.row.started_at = NOW_MS - (number / 4) * HOUR_MS;
            // The longest ago began what ended last.
            run.row.ended_at = Some(NOW_MS - (RUNS - number) * 60_000);
            run
        })
        .collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &[record(&watched, 1), record(&watched, 2)])
        .await
        .unwrap();
    runs::upsert_many(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    watched
}

fn ids(page: &Answer) -> Vec<String> {
    page.attributes("table a[href*='/runs/run-']", "href")
        .into_iter()
        .map(|href| href.rsplit('/').next().unwrap().to_owned())
        .collect()
}

/// All pages from an address on.
async fn page_through(visitor: &mut Visitor, path: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = visitor.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        found.extend(ids(&page));
        next = page.attributes("a[rel=next]", "href").pop();
        assert!(found.len() <= RUNS as usize, "pages go round in circles");
    }
    found
}

#[tokio::test]
async fn every_run_is_on_one_page_also_where_many_began_at_once() {
    let watched = with_runs().await;
    let mut ana = watched.app.visitor("ana").await;
    let found = page_through(&mut ana, "/runs").await;
    let mut expected: Vec<i64> = (0..RUNS).collect();
    expected.sort_by_key(|number| (number / 4, -number));
    let expected: Vec<String> = expected
        .into_iter()
        .map(|number| format!("run-{number:05}"))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn failed_runs_are_listed_and_filtered_by_their_end() {
    let watched = with_runs().await;
    let mut ana = watched.app.visitor("ana").await;
    let found = page_through(&mut ana, "/runs?outcome=failed").await;
    let expected: Vec<String> = (0..RUNS)
        .rev()
        .filter(|number| number % 10 == 0)
        .map(|number| format!("run-{number:05}"))
        .collect();
    assert_eq!(found, expected, "what ended last comes first");
    // All of them ended on the last day, though some began weeks before.
    let day = page_through(&mut ana, "/runs?outcome=failed&from=2026-02-28&to=2026-02-28").await;
    assert_eq!(day, expected);
    let page = ana.get("/runs?outcome=failed").await;
    assert!(page.text().contains("Runs by their end"));
    assert!(
        page.has("svg.days a[aria-label='28 Feb: 62 failed']"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_bar_leads_to_the_runs_that_it_counts_in_any_time_zone() {
    let watched = with_runs().await;
    let mut ana = watched.app.visitor("ana").await;
    assert!(
        !ana.get("/runs").await.has("select[name=days]"),
        "there is no choice in UTC"
    );
    let account = ana.get("/account").await;
    let zone = [("time_zone", "Australia/Sydney")];
    assert_eq!(
        ana.submit(&account, "/account", &zone).await.status,
        StatusCode::SEE_OTHER
    );
    for list in [
        "/runs",
        "/runs?outcome=failed",
        "/runs?from=2026-02-20&to=2026-02-25",
    ] {
        let page = ana.get(list).await;
        let bars = page.attributes("svg.days a[aria-label]", "href");
        let labels = page.attributes("svg.days a[aria-label]", "aria-label");
        let mut counted = 0;
        for (href, label) in bars.iter().zip(labels) {
            let numbers = label
                .split([' ', ','])
                .skip(2)
                .filter_map(|word| word.parse::<usize>().ok());
            let runs: usize = numbers.sum();
            if runs > 0 {
                assert_eq!(
                    page_through(&mut ana, href).await.len(),
                    runs,
                    "{list}: {label} {href}"
                );
                counted += runs;
            }
        }
        assert!(counted > 10, "{list}");
    }
    let own = page_through(&mut ana, "/runs?from=2026-02-25&to=2026-02-25").await;
    let utc = page_through(&mut ana, "/runs?from=2026-02-25&to=2026-02-25&days=utc").await;
    assert!(own != utc && own.len() == utc.len());
    let odd = ana.get("/runs?from=2026-02-20&days=mars").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_text_finds_the_runs_of_its_flows_and_the_histogram_gives_way() {
    let watched = with_runs().await;
    let mut ana = watched.app.visitor("ana").await;
    let name = record(&watched, 2).row.name;
    let query: String = url::form_urlencoded::byte_serialize(name.to_uppercase().as_bytes()).collect();
    let found = page_through(&mut ana, &format!("/runs?q={query}")).await;
    assert_eq!(found.len() as i64, RUNS / 2);
    let page = ana.get(&format!("/runs?q={query}")).await;
    assert!(!page.has("svg.days"));
    assert!(ana.get("/runs").await.has("svg.days"));
}

#[tokio::test]
async fn a_rare_text_in_a_long_history_says_how_far_was_looked() {
    let watched = with_runs().await;
    let rows: Vec<_> = (0..6_000)
        .map(|number| {
            let mut run = run(&watched, 1, RunOutcome::Succeeded);
            run.row.id = format!("many-{number:05}");
            run.row.started_at = NOW_MS - number * 1000;
            run
        })
        .collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    runs::upsert_many(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/runs?q=no-such-flow").await;
    assert!(page.text().contains("Look further back"), "{}", page.text());
    assert!(page_through(&mut ana, "/runs?q=no-such-flow").await.is_empty());
}

#[tokio::test]
async fn nothing_yet_nothing_found_and_nonsense_are_told_apart() {
    let watched = Watched::start().await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    assert!(ana.get("/runs").await.text().contains("No runs yet"));
    let none = ana.get("/runs?outcome=partial").await;
    assert!(
        none.text().contains("No runs match these filters"),
        "{}",
        none.text()
    );
    assert_eq!(
        ana.get("/runs?outcome=teleported").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        ana.get("/runs?environment=elsewhere").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(ana.get("/runs?after=%00nonsense").await.status, StatusCode::OK);
    let mut mallory = watched.app.visitor("mallory").await;
    let theirs = format!("/runs?environment={}", watched.environment.id);
    assert_eq!(mallory.get(&theirs).await.status, StatusCode::NOT_FOUND);
}
