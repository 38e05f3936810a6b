//! The main job: from the first page to a dataflow whose first run has arrived.

use std::time::Duration;

use crate::support::chrome::{DESK, Kind, NO_SCRIPT, PHONE};
use crate::support::demo::Demo;
use crate::support::visitor::{Effort, Visitor};

/// An analyst.
const ANALYST: &str = "Ana Ribeiro";
/// How long the first run of a new dataflow may take to show.
const FIRST_RUN: Duration = Duration::from_secs(60);

/// From a template to the review page.
pub async fn fill_in_template(visitor: &mut Visitor, partner: &str) {
    visitor.press("New flow").await;
    visitor.press("Partner profiles from S3 (Parquet)").await;
    visitor.fill("Partner", partner).await;
    visitor.press("Review").await;
    visitor
        .sees("Nothing has been sent to Adobe yet.", Duration::from_secs(5))
        .await;
}

/// Waits for one of these; without scripts a person loads the page again and again, as the page itself does.
async fn awaits(visitor: &Visitor, kind: Kind, any_of: &[&str], within: Duration) {
    let begin = std::time::Instant::now();
    loop {
        let words = visitor.words().await;
        if any_of.iter().any(|wanted| words.contains(wanted)) {
            return;
        }
        assert!(begin.elapsed() < within, "none of {any_of:?}: {words}");
        tokio::time::sleep(Duration::from_millis(500)).await;
        if !kind.script {
            visitor.client().refresh().await.unwrap();
        }
    }
}

#[tokio::test]
async fn from_a_template_to_the_first_run_in_five_clicks_and_one_field() {
    let demo = Demo::start();
    for (kind, partner) in [(DESK, "samples"), (NO_SCRIPT, "second"), (PHONE, "third")] {
        let mut visitor = Visitor::arrive(&demo, kind).await;
        visitor.open("/sign-in").await;
        visitor.press(ANALYST).await;
        fill_in_template(&mut visitor, partner).await;
        visitor.looks_right("review").await;
        visitor.press("Create flow").await;
        visitor.is_at("/setups/").await;
        let effort = visitor.effort();
        assert!(
            effort.clicks <= 5 && effort.typed <= 1,
            "from the demo's first page: {effort:?}"
        );
        awaits(&visitor, kind, &["The dataflow exists"], Duration::from_secs(20)).await;
        visitor.looks_right("done").await;
        visitor.press("Open the dataflow").await;
        visitor.is_at("/flows/").await;
        // It may have ended before a page without scripts shows it.
        awaits(&visitor, kind, &["A run is going on", "The last run"], FIRST_RUN).await;
        visitor.looks_right("first run").await;
        visitor.leave().await;
    }
}

#[tokio::test]
async fn a_new_connection_without_a_template_takes_ten_clicks_and_four_fields() {
    let demo = Demo::start();
    let mut visitor = Visitor::come_in(&demo, DESK, ANALYST).await;
    visitor.press("New flow").await;
    visitor.press("Amazon S3").await;
    visitor.fill("Flow name", "Loyalty by hand").await;
    visitor.fill("Access key ID", "AKIAEXAMPLE000000001").await;
    visitor.fill("Secret access key", "a-secret-of-our-own").await;
    visitor.fill("Path", "partners-demo/samples").await;
    visitor.press("Review").await;
    visitor
        .sees("Nothing has been sent to Adobe yet.", Duration::from_secs(5))
        .await;
    assert!(
        !visitor
            .client()
            .source()
            .await
            .unwrap()
            .contains("a-secret-of-our-own")
    );
    visitor.press("Create flow").await;
    visitor.is_at("/setups/").await;
    let effort = visitor.effort();
    assert!(effort.clicks <= 10 && effort.typed <= 4, "{effort:?}");
    visitor.sees("The dataflow exists", Duration::from_secs(20)).await;
    visitor.leave().await;
}

#[tokio::test]
async fn a_refused_form_tells_what_is_wrong_on_top_and_loses_nothing_but_secrets() {
    let demo = Demo::start();
    for kind in [DESK, NO_SCRIPT] {
        let mut visitor = Visitor::come_in(&demo, kind, ANALYST).await;
        visitor.open("/flows/new/amazon-s3").await;
        visitor.fill("Flow name", "Loyalty again").await;
        visitor.fill("Secret access key", "a-secret-of-our-own").await;
        visitor.fill("Path", "a/../b").await;
        visitor.press("Review").await;
        visitor.sees("Path may not contain", Duration::from_secs(5)).await;
        assert!(visitor.client().title().await.unwrap().starts_with("Error: "));
        for (label, kept) in [
            ("Flow name", "Loyalty again"),
            ("Path", "a/../b"),
            ("Secret access key", ""),
        ] {
            let value = visitor.field(label).await.prop("value").await.unwrap();
            assert_eq!(value.as_deref(), Some(kept), "{label}");
        }
        if kind.script {
            let focused = "return document.activeElement.hasAttribute('data-errors')";
            assert_eq!(
                visitor.ask(focused).await.unwrap(),
                true,
                "the focus is not on the summary"
            );
        }
        visitor.looks_right("refused").await;
        visitor.press("Access key ID is needed.").await;
        if kind.script {
            let id = visitor.ask("return document.activeElement.id").await.unwrap();
            assert_eq!(id, "auth.s3AccessKey", "the link leads to the field");
        }
        visitor.leave().await;
    }
}

#[tokio::test]
async fn effort_is_counted() {
    let demo = Demo::start();
    let mut visitor = Visitor::come_in(&demo, DESK, ANALYST).await;
    assert_eq!(visitor.effort(), Effort::default());
    visitor.press("Flows").await;
    visitor.choose("Environment", "Retail prod").await;
    visitor.fill("Name or path", "web").await;
    assert_eq!(visitor.effort(), Effort { clicks: 3, typed: 1 });
    visitor.leave().await;
}

/// A step is refused; the analyst reads why, changes an answer and is done, with nothing made twice.
#[tokio::test]
async fn a_refused_setup_is_mended_by_changing_an_answer() {
    let demo = Demo::start();
    for kind in [
        DESK,
        Kind {
            script: false,
            ..DESK
        },
    ] {
        let partner = if kind.script { "samples" } else { "plain" };
        let mut visitor = Visitor::come_in(&demo, kind, ANALYST).await;
        fill_in_template(&mut visitor, partner).await;
        visitor.press("Create flow").await;
        awaits(&visitor, kind, &["The dataflow exists"], Duration::from_secs(20)).await;
        visitor.open("/").await;
        fill_in_template(&mut visitor, partner).await;
        visitor.press("Create flow").await;
        let refused = "A schema with this title exists and was not made here";
        awaits(&visitor, kind, &[refused], Duration::from_secs(20)).await;
        visitor.looks_right("refused").await;
        visitor.press("Change answers").await;
        visitor.fill("Partner", &format!("{partner} again")).await;
        visitor.looks_right("changing").await;
        visitor.press("Change and resume").await;
        awaits(&visitor, kind, &["The dataflow exists"], Duration::from_secs(20)).await;
        visitor.leave().await;
    }
}
