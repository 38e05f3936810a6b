//! The first page.

use headgate::emulator::SeedOptions;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use reqwest::StatusCode;

use crate::support::watched::{HOUR_MS, Watched};

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
        page.attributes("tbody tr svg.strip", "aria-label").len(),
        2,
        "{}",
        page.text()
    );
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
        .eventually("the overview names the environment", async || {
            let mut visitor = watched.app.visitor("ana").await;
            visitor
                .get("/")
                .await
                .text()
                .contains("Retail dev cannot be read")
                .then_some(())
        })
        .await;
    assert!(
        ana.get("/").await.has("tbody tr svg.strip"),
        "what is known stays"
    );
}
