//! What speaks against deleting, and what Adobe says against it.

use headgate::domain::setup::StepKind;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::platform::{Call, ObjectKind, Outcome};
use reqwest::StatusCode;
use serde_json::json;

use super::ground::foreign_marker;
use crate::emulator::{
    Parts, connection_body, dataset_body, flow_body, schema_body, source_body, target_body,
};
use crate::support::app::Answer;
use crate::support::recipes::s3_parquet;
use crate::support::watched::{HOUR_MS, Watched};

/// Ana tries to delete the object of a finding.
async fn try_to_delete(watched: &Watched, object_id: &str) -> Answer {
    let finding = watched.finding(object_id).await.finding.id;
    let address = format!("/findings/{finding}/delete");
    let mut ana = watched.app.visitor("ana").await;
    let asked = ana.get(&address).await;
    ana.submit(&asked, &address, &[]).await
}

/// It was not deleted, nothing was sent, and page and finding say why.
async fn kept(watched: &Watched, kind: StepKind, id: &str, words: &str) {
    let before = watched.last_call();
    let answer = try_to_delete(watched, id).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert!(answer.text().contains(words), "{words}: {}", answer.text());
    assert!(answer.text().contains("Nothing was changed."));
    assert_eq!(watched.changes_since(before), []);
    assert!(watched.exists(kind, id).await);
    let problem = watched.finding(id).await.finding.problem.unwrap();
    assert!(problem.contains(words), "{words}: {problem}");
}

/// A dataset with a foreign marker into which a flow, made by plain calls, has written; flow and ends are gone.
async fn dataset_with_batches(watched: &Watched) -> String {
    let dataset = watched.foreign_dataset("Somebody's data").await;
    let schema = watched.create(ObjectKind::Schema, schema_body("Another")).await;
    let connection = watched
        .create(ObjectKind::Connection, connection_body("Feed"))
        .await;
    let source = watched
        .create(ObjectKind::SourceConnection, source_body("Feed", &connection))
        .await;
    let target = target_body(
        "Feed",
        &dataset,
        &watched
            .client()
            .dataset(&dataset)
            .await
            .unwrap()
            .schema_id
            .unwrap(),
    );
    let target = watched.create(ObjectKind::TargetConnection, target).await;
    let parts = Parts {
        schema,
        dataset: dataset.clone(),
        connection,
        source: source.clone(),
        target: target.clone(),
    };
    let start_s = watched.now_ms() / 1000 + 60;
    let flow = watched
        .create(
            ObjectKind::Flow,
            flow_body("Feed", &parts, start_s, "hour", Some(1)),
        )
        .await;
    watched.advance(3 * HOUR_MS);
    assert!(
        watched.client().dataset_batches(&dataset).await.unwrap() > 0,
        "runs have written into it"
    );
    watched.remove_object(StepKind::Flow, &flow).await;
    watched.remove_object(StepKind::SourceConnection, &source).await;
    watched.remove_object(StepKind::TargetConnection, &target).await;
    dataset
}

#[tokio::test]
async fn a_dataset_that_holds_data_is_kept() {
    let watched = Watched::start().await;
    let dataset = dataset_with_batches(&watched).await;
    watched.sweep().await;
    kept(&watched, StepKind::Dataset, &dataset, "It holds data.").await;
}

#[tokio::test]
async fn what_something_is_built_on_is_kept() {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    let source = watched.foreign_source("Built on it", &connection).await;
    let mut schema = schema_body("Somebody's schema");
    schema["description"] = json!(foreign_marker(StepKind::Schema));
    let schema = watched.create(ObjectKind::Schema, schema).await;
    let dataset = watched
        .create(ObjectKind::Dataset, dataset_body("In use", &schema))
        .await;
    watched.sweep().await;
    let words = format!(
        "It is used by the source connection \u{201c}Built on it\u{201d} ({source}). Delete that first."
    );
    kept(&watched, StepKind::BaseConnection, &connection, &words).await;
    let words = format!("It is used by the dataset \u{201c}In use\u{201d} ({dataset}). Delete that first.");
    kept(&watched, StepKind::Schema, &schema, &words).await;
    // One after the other they go.
    let answer = try_to_delete(&watched, &source).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let answer = try_to_delete(&watched, &connection).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

#[tokio::test]
async fn what_lost_its_mark_since_is_kept() {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    watched.sweep().await;
    let etag = watched
        .client()
        .connection(&connection)
        .await
        .unwrap()
        .etag
        .unwrap();
    let operations = json!([{"op": "replace", "path": "/description", "value": "In use by marketing"}]);
    let patch = Call::patch(ObjectKind::Connection, &connection, &etag, operations);
    let answer = watched.client().send(&patch, "by-hand").await;
    assert!(matches!(answer.outcome, Outcome::Confirmed { .. }), "{answer:?}");
    kept(
        &watched,
        StepKind::BaseConnection,
        &connection,
        "It no longer carries the mark of Headgate",
    )
    .await;
}

#[tokio::test]
async fn nothing_is_deleted_on_a_guess() {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    watched.sweep().await;
    let broken = Fault::Status {
        status: 500,
        body: BodyForm::Service,
    };
    for path in ["**/connections/*", "**/sourceConnections", "**/targetConnections"] {
        watched
            .app
            .emulator
            .control()
            .arm(Rule::on("GET", path).times(0).then(broken.clone()));
        let before = watched.last_call();
        let answer = try_to_delete(&watched, &connection).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}: {}", answer.text());
        assert!(
            answer.text().contains("could not be found out"),
            "{path}: {}",
            answer.text()
        );
        assert_eq!(watched.changes_since(before), [], "{path}");
        watched.app.emulator.control().disarm();
    }
    assert!(watched.exists(StepKind::BaseConnection, &connection).await);
}

#[tokio::test]
async fn the_platforms_refusal_is_shown_in_its_words() {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    watched.sweep().await;
    let refusal = json!({
        "type": "https://ns.adobe.com/aep/errors/FLOW-1418-400", "title": "Bad request", "status": 400,
        "report": {"detailed-message": "The base connection is being used in one or more flows.", "request-id": "r-1"},
    });
    let fault = Fault::Answer {
        status: 400,
        body: refusal,
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("DELETE", "**/connections/*").then(fault));
    let answer = try_to_delete(&watched, &connection).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let words = "The base connection is being used in one or more flows.";
    assert!(answer.text().contains(words), "{}", answer.text());
    let finding = watched.finding(&connection).await.finding;
    assert!(finding.problem.unwrap().contains(words));
    let ended = watched.trail(&finding.id).await.pop().unwrap();
    assert_eq!(ended.2, "delete_failed");
    let mut vera = watched.app.visitor("vera").await;
    assert!(vera.get("/findings").await.text().contains(words));
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_reading() {
    let watched = Watched::start().await;
    let (acted, lost) = (
        watched.foreign_connection("One").await,
        watched.foreign_connection("Two").await,
    );
    watched.sweep().await;
    let control = watched.app.emulator.control();
    control.arm(Rule::on("DELETE", "**/connections/*").then(Fault::LoseAnswer));
    let answer = try_to_delete(&watched, &acted).await;
    assert_eq!(answer.location(), "/findings?done=finding-deleted");
    control.disarm();
    control.arm(Rule::on("DELETE", "**/connections/*").then(Fault::LoseRequest));
    let before = watched.last_call();
    let answer = try_to_delete(&watched, &lost).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert_eq!(
        watched.changes_since(before).len(),
        1,
        "it is not sent again by itself"
    );
    let problem = watched.finding(&lost).await.finding.problem.unwrap();
    assert!(
        problem.contains("Read again, the object is still there."),
        "{problem}"
    );
}

#[tokio::test]
async fn p18_what_was_gone_already_is_a_success() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let extra = watched.duplicate(&setup, StepKind::Flow).await;
    watched.sweep().await;
    let finding = watched.finding(&extra).await.finding.id;
    watched.remove_object(StepKind::Flow, &extra).await;
    let address = format!("/findings/{finding}/delete");
    let mut ana = watched.app.visitor("ana").await;
    let asked = ana.get(&address).await;
    let before = watched.last_call();
    let answer = ana.submit(&asked, &address, &[]).await;
    assert_eq!(answer.location(), "/findings?done=finding-gone");
    assert_eq!(watched.changes_since(before), []);
}
