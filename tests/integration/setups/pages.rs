//! The pages of a setup.

use std::time::Duration;

use reqwest::StatusCode;

use crate::support::app::App;
use crate::support::recipes::s3_parquet;
use crate::support::works::CANARY;

#[tokio::test]
async fn a_setup_shows_each_step_with_its_call_and_no_secret() {
    let app = App::start().await;
    let id = app.set_up(&s3_parquet("Loyalty members")).await;
    app.rested(&id).await;
    let mut ana = app.visitor("ana").await;
    let page = ana.get(&format!("/setups/{id}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    for words in [
        "7 of 7",
        "Base connection",
        "Data lake connection",
        "Created",
        "201",
        "curl -sS -X POST",
        "••••••••",
    ] {
        assert!(page.text().contains(words), "{words}");
    }
    assert!(!page.body.contains(CANARY));
    assert!(page.has("a[href^='/flows/']"));
    let list = ana.get("/setups").await;
    assert!(list.text().contains("Loyalty members"));
}

#[tokio::test]
async fn another_teams_setup_is_not_there() {
    let app = App::start().await;
    let id = app.set_up(&s3_parquet("Loyalty members")).await;
    let mut mallory = app.visitor("mallory").await;
    for path in [
        format!("/setups/{id}"),
        format!("/setups/{id}/progress"),
        format!("/setups/{id}/events"),
    ] {
        assert_eq!(mallory.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!mallory.get("/setups").await.text().contains("Loyalty"));
}

#[tokio::test]
async fn a_question_names_what_exists_and_offers_to_resume_or_take_back() {
    use headgate::emulator::faults::{BodyForm, Fault, Rule};
    let app = App::start().await;
    let refusal = Fault::Status {
        status: 400,
        body: BodyForm::default(),
    };
    app.emulator
        .control()
        .arm(Rule::on("POST", "**/flows").then(refusal));
    let id = app.set_up(&s3_parquet("Loyalty members")).await;
    app.rested(&id).await;
    let mut ana = app.visitor("ana").await;
    let page = ana.get(&format!("/setups/{id}")).await;
    for words in [
        "Adobe refused a step",
        "What exists at Adobe by now",
        "Loyalty members schema",
        "6 of 7",
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let mut vera = app.visitor("vera").await;
    let seen_by_viewer = vera.get(&format!("/setups/{id}")).await;
    assert!(
        !seen_by_viewer.has("form[action$='/resume']"),
        "a viewer decides nothing"
    );

    let undo = ana.get(&format!("/setups/{id}/undo")).await;
    assert!(undo.text().contains("will be deleted"));
    let answer = ana.submit(&undo, &format!("/setups/{id}/undo"), &[]).await;
    let after = ana.follow(&answer).await;
    assert_eq!(after.status, StatusCode::OK);
    app.rested(&id).await;
    let end = ana.get(&format!("/setups/{id}")).await;
    assert!(
        end.text().contains("Taken back") && end.text().contains("Kept"),
        "{}",
        end.text()
    );
}

#[tokio::test]
async fn events_end_when_the_setup_rests() {
    let app = App::start().await;
    let id = app.set_up(&s3_parquet("Loyalty members")).await;
    let mut ana = app.visitor("ana").await;
    // The stream ends by itself, so the whole of it can be read.
    let events = tokio::time::timeout(Duration::from_secs(10), ana.get(&format!("/setups/{id}/events")))
        .await
        .unwrap();
    assert_eq!(events.status, StatusCode::OK);
    let last = events.body.rsplit("event: ").next().unwrap();
    assert!(last.starts_with("final"), "{last}");
    assert!(last.contains("The dataflow exists"));
}
