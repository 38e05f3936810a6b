//! The first page.

use headgate::domain::RunOutcome;
use headgate::emulator::SeedOptions;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::store::{flows, runs};
use reqwest::StatusCode;

use super::list::{record, run};
use crate::support::watched::{HOUR_MS, NOW_MS, Watched};

#[tokio::test]
async fn it_welcomes_and_says_how_to_begin() {
    let watched = Watched::start().await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.text().contains("No flows yet"));
    let mut mallory = watched.app.visitor("mallory").await;
    let page = mallory.get("/").await;
    assert!(
        page.text().contains("Welcome") && page.has("a[href='/environments/new']"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn it_shows_strips_what_comes_next_and_an_environment_that_fails() {
    let seed = SeedOptions {
        flows: 6,
        days: 3,
        runs_per_day: Some(24),
    };
    let watched = Watched::with(Some(seed)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/").await;
    assert_eq!(
        page.attributes(".flows svg.strip", "role").len(),
        2,
        "{}",
        page.text()
    );
    assert!(page.text().contains("30 runs: "), "{}", page.text());
    assert!(page.text().contains("Coming up"));
    assert!(page.has("aside ol a[href^='/flows/']"), "{}", page.text());

    let fault = Fault::Status {
        status: 403,
        body: BodyForm::default(),
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/flows").times(0).then(fault));
    watched.advance(HOUR_MS / 4);
    watched
        .as_time_passes("the overview names the environment", async || {
            let mut visitor = watched.app.visitor("ana").await;
            visitor
                .get("/")
                .await
                .text()
                .contains("Retail dev cannot be read")
                .then_some(())
        })
        .await;
    assert!(ana.get("/").await.has(".flows svg.strip"), "what is known stays");
    let text = ana.get("/").await.text();
    for said in [
        "Not read",
        "What is shown of it is as of 1 Mar 2026",
        "Headgate goes on trying",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// Flows that fail, are late, brought nothing and do well: 9, 1, 1 and 2.
pub async fn with_troubles() -> Watched {
    let watched = Watched::start().await;
    watched.read().await;
    let mut rows: Vec<_> = (1..=13).map(|number| record(&watched, number)).collect();
    // Their first run is not due yet, but that of number 10 was.
    for row in &mut rows {
        row.row.state = "enabled".into();
        row.row.platform_created_at = Some(NOW_MS - 48 * HOUR_MS);
        row.row.start_at = Some(NOW_MS + 500 * HOUR_MS);
    }
    rows[9].row.start_at = Some(NOW_MS - 3 * HOUR_MS);
    let ran: Vec<_> = (1..=13)
        .filter(|number| *number != 10)
        .map(|number| {
            let outcome = if number < 10 {
                RunOutcome::Failed
            } else {
                RunOutcome::Succeeded
            };
            let mut ran = run(&watched, number, outcome);
            ran.row.records_out = Some(if number == 11 { 0 } else { 100 });
            ran
        })
        .collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &rows).await.unwrap();
    runs::upsert_many(&mut tx, &ran).await.unwrap();
    tx.commit().await.unwrap();
    watched
}

#[tokio::test]
async fn what_needs_a_person_comes_first_with_its_reason_and_leads_to_the_rest() {
    let watched = with_troubles().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/").await;
    let text = page.text();
    let order = [
        "Failed Flow 001",
        "4 more: failed flows",
        "Late Flow 010",
        "Empty Flow 011",
        "Last 30 runs of each flow",
    ];
    let places: Vec<_> = order.iter().map(|words| text.find(words)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?} {text}"
    );
    for said in [
        "The last run failed.",
        "No run of those looked at has brought any.",
        "A run was expected at 28 Feb, 21:00 UTC",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let chips = page.attributes("nav[aria-label='Flows by health'] a", "href");
    assert_eq!(
        chips,
        [
            "/flows?health=failed",
            "/flows?health=late",
            "/flows?health=empty",
            "/flows?health=well"
        ]
    );
    let failed = ana.get("/flows?health=failed").await;
    assert_eq!(failed.attributes("tbody tr td:first-child a", "href").len(), 9);
    assert!(failed.text().contains("9 flows"), "{}", failed.text());
    // The strips come in the same order, each with its text.
    let hrefs = page.attributes(".flows a", "href");
    assert_eq!(hrefs.len(), 13);
    assert_eq!(
        (hrefs[0].as_str(), hrefs[9].as_str(), hrefs[10].as_str()),
        ("/flows/flow-001", "/flows/flow-010", "/flows/flow-011")
    );
    assert!(text.contains("No runs yet; 3 late now"), "{text}");
    assert!(!ana.get("/flows?health=stuck").await.has("tbody"));
}

#[tokio::test]
async fn runs_that_are_not_there_are_as_many_here_as_on_the_flows_page() {
    let watched = Watched::start().await;
    watched.read().await;
    let mut hourly = record(&watched, 1);
    hourly.row.state = "enabled".into();
    hourly.row.platform_created_at = Some(NOW_MS - 100 * HOUR_MS);
    hourly.row.start_at = Some(NOW_MS - 100 * HOUR_MS);
    let ran = [40, 20].map(|number| {
        let mut ran = run(&watched, number, RunOutcome::Succeeded);
        ran.row.flow_id.clone_from(&hourly.row.id);
        ran.row.records_out = Some(100);
        ran
    });
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &[hourly]).await.unwrap();
    runs::upsert_many(&mut tx, &ran).await.unwrap();
    tx.commit().await.unwrap();
    let mut ana = watched.app.visitor("ana").await;
    let overview = ana.get("/").await.text();
    let strip = "2 runs: 2 succeeded; 19 missing; 19 late now";
    assert!(overview.contains(strip), "{overview}");
    let page = ana.get("/flows/flow-001").await.text();
    assert!(page.contains("38 not there"), "{page}");
}

#[tokio::test]
async fn files_that_a_failed_run_left_behind_are_told_although_all_is_well_again() {
    let watched = Watched::start().await;
    watched.read().await;
    let rows: Vec<_> = (1..=2).map(|number| record(&watched, number)).collect();
    let ran = |number: i64, flow: usize, outcome| {
        let mut ran = run(&watched, number, outcome);
        ran.row.flow_id.clone_from(&rows[flow].row.id);
        ran.row.started_at = NOW_MS - number * HOUR_MS;
        ran.row.window_start_at = Some(NOW_MS - (number + 1) * HOUR_MS);
        ran.row.window_end_at = Some(NOW_MS - number * HOUR_MS);
        ran.row.records_out = Some(100);
        ran
    };
    let good = RunOutcome::Succeeded;
    let mut ran_ones: Vec<_> = (1..=70).map(|number| ran(number, 0, good)).collect();
    ran_ones[60] = ran(61, 0, RunOutcome::Failed);
    ran_ones.push(ran(80, 1, good));
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &rows).await.unwrap();
    runs::upsert_many(&mut tx, &ran_ones).await.unwrap();
    tx.commit().await.unwrap();
    // The mirror looks at runs before the last ones by and by.
    watched
        .as_time_passes("the overview tells of them", async || {
            let mut ana = watched.app.visitor("ana").await;
            let page = ana.get("/").await;
            page.text()
                .contains("1 flow misses files of failed runs")
                .then_some(())
        })
        .await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/").await;
    assert!(
        page.has(".needs a[href='/flows?files=missing']"),
        "{}",
        page.text()
    );
    let list = ana.get("/flows?files=missing").await;
    assert!(list.has("tbody a[href='/flows/flow-001']") && !list.has("tbody a[href='/flows/flow-002']"));
    assert!(
        list.text()
            .contains("failed, and no later run has brought its files"),
        "{}",
        list.text()
    );
    // It is none of those that the flow's page shows.
    let flow_page = ana.get("/flows/flow-001").await;
    let links = flow_page.attributes("#missing a", "href");
    assert_eq!(links.len(), 1, "{}", flow_page.text());
    let led = ana.get(&links[0]).await;
    let run_page = ana.follow(&led).await;
    assert!(run_page.text().contains("The run failed"), "{}", run_page.text());
    let nobody = ana.get("/flows/flow-001/runs/at/5").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let nonsense = ana.get("/flows?files=lost").await;
    assert_eq!(nonsense.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_next_runs_are_those_of_all_flows_not_only_of_the_last_that_ran() {
    let watched = Watched::start().await;
    watched.read().await;
    let mut rows: Vec<_> = (1..=800).map(|number| record(&watched, number)).collect();
    for row in &mut rows {
        row.row.start_at = Some(NOW_MS + 500 * HOUR_MS);
    }
    rows[776].row.start_at = Some(NOW_MS + 2 * HOUR_MS);
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/").await;
    assert_eq!(page.attributes("aside ol a", "href")[0], "/flows/flow-777");
    assert_eq!(page.attributes(".flows svg.strip", "role").len(), 500);
    assert!(page.text().contains("All 800 flows"), "{}", page.text());
}
