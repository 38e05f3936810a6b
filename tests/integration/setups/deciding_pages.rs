//! Deciding about a setup over HTTP: the pages behind the buttons.

use headgate::domain::schedule::Start;
use headgate::domain::setup::{Question, SetupState};
use headgate::domain::{Clock, SystemClock};
use headgate::emulator::Options;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use reqwest::StatusCode;

use crate::support::app::App;
use crate::support::recipes::s3_parquet;
use crate::support::works::CANARY;

/// A setup whose source connection was refused.
async fn refused(app: &App) -> String {
    let refusal = Fault::Status {
        status: 403,
        body: BodyForm::default(),
    };
    let source = Rule::on("POST", "**/sourceConnections");
    app.emulator.control().arm(source.then(refusal));
    let id = app.set_up(&s3_parquet("Loyalty members")).await;
    assert_eq!(app.rested(&id).await.question, Some(Question::Rejected));
    id
}

#[tokio::test]
async fn e20_changed_answers_come_from_the_form_that_is_filled_in_without_secrets() {
    let app = App::start().await;
    let id = refused(&app).await;
    let mut ana = app.visitor("ana").await;
    let page = ana.get(&format!("/setups/{id}")).await;
    assert!(page.has("[data-code='upstream.forbidden']"), "{}", page.text());
    assert!(
        page.text().contains("Can data flow twice? No."),
        "{}",
        page.text()
    );
    let address = format!("/setups/{id}/change");
    let form = ana.get(&address).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.text());
    assert!(!form.body.contains(CANARY));
    assert!(form.has("input[name='path'][value='partners-demo/samples']"));
    assert!(form.text().contains("Stored"));

    let wrong = ana
        .submit(&form, &address, &[("flow_name", ""), ("path", "elsewhere")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.has("input[name='path'][value='elsewhere']"),
        "what was typed stays"
    );
    assert_eq!(app.rested(&id).await.state, SetupState::NeedsAttention);

    let other_dataset = [
        ("dataset", "existing"),
        ("dataset_id", "5e7439b1ad55a618ad4c5102"),
    ];
    let built = ana.submit(&form, &address, &other_dataset).await;
    assert_eq!(built.status, StatusCode::CONFLICT, "{}", built.text());
    assert!(built.has("[data-code='setup.exists']"));

    let done = ana.submit(&form, &address, &[("path", "elsewhere")]).await;
    let after = ana.follow(&done).await;
    assert!(
        after.text().contains("The new answers are in place"),
        "{}",
        after.text()
    );
    assert_eq!(app.rested(&id).await.state, SetupState::Done);
    let end = ana.get(&format!("/setups/{id}")).await;
    assert!(end.text().contains("elsewhere"));
    let late = ana.get(&address).await;
    assert_eq!(
        late.status,
        StatusCode::CONFLICT,
        "a setup that is done has no answers to change"
    );
}

#[tokio::test]
async fn a_setup_is_left_on_a_page_that_names_what_stays() {
    let app = App::start().await;
    let id = refused(&app).await;
    let mut ana = app.visitor("ana").await;
    let address = format!("/setups/{id}/leave");
    let asked = ana.get(&address).await;
    assert!(
        asked.text().contains("Loyalty members schema"),
        "{}",
        asked.text()
    );
    let left = ana.submit(&asked, &address, &[]).await;
    let after = ana.follow(&left).await;
    assert!(
        after.text().contains("Ended before the dataflow existed"),
        "{}",
        after.text()
    );
    assert!(after.has("a[href$='/undo']"), "no dead end");
}

#[tokio::test]
async fn e10_a_passed_start_is_replaced_by_one_press() {
    let now = SystemClock.now_ms();
    let app = App::with(Options::default(), Some(now)).await;
    let refusal = Fault::Status {
        status: 400,
        body: BodyForm::default(),
    };
    app.emulator
        .control()
        .arm(Rule::on("POST", "**/dataSets").then(refusal));
    let mut recipe = s3_parquet("Loyalty members");
    recipe.schedule.start = Start::At { at_ms: now + 301_000 };
    let id = app.set_up(&recipe).await;
    app.rested(&id).await;
    app.clock.as_ref().unwrap().advance(400_000);
    let mut ana = app.visitor("ana").await;
    let address = format!("/setups/{id}");
    let page = ana.get(&address).await;
    ana.submit(&page, &format!("{address}/resume"), &[]).await;
    assert_eq!(app.rested(&id).await.question, Some(Question::StartTimePassed));
    let page = ana.get(&address).await;
    assert!(page.has("[data-code='schedule.passed']"), "{}", page.text());
    assert!(
        !page.has("form[action$='/resume']"),
        "resuming alone would only ask again"
    );
    ana.submit(&page, &format!("{address}/start-soon"), &[]).await;
    assert_eq!(app.rested(&id).await.state, SetupState::Done);
}

#[tokio::test]
async fn e31_what_cannot_be_deleted_is_kept_by_one_press() {
    let app = App::start().await;
    let id = app.set_up(&s3_parquet("Loyalty members")).await;
    app.rested(&id).await;
    let refusal = Fault::Status {
        status: 400,
        body: BodyForm::default(),
    };
    let source = Rule::on("DELETE", "**/sourceConnections/*").times(0);
    app.emulator.control().arm(source.then(refusal));
    let mut ana = app.visitor("ana").await;
    let address = format!("/setups/{id}");
    let page = ana.get(&format!("{address}/undo")).await;
    ana.submit(&page, &format!("{address}/undo"), &[]).await;
    assert_eq!(app.rested(&id).await.question, Some(Question::UndoBlocked));
    let page = ana.get(&address).await;
    assert!(page.text().contains("could not be deleted"), "{}", page.text());
    let kept = ana.submit(&page, &format!("{address}/keep"), &[]).await;
    let after = ana.follow(&kept).await;
    assert!(after.text().contains("What cannot be deleted is kept"));
    assert_eq!(app.rested(&id).await.state, SetupState::Undone);
    let end = ana.get(&address).await;
    assert!(end.text().contains("Kept on purpose"), "{}", end.text());
}
