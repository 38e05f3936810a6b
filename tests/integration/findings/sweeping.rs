//! What one look at an environment finds, and what it does not.

use headgate::domain::setup::{SetupState, StepKind};
use headgate::domain::{FindingState, Verdict, new_id};
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::platform::{Call, ObjectKind, Outcome};
use headgate::store::environments::Environment;
use headgate::store::{self, findings};
use headgate::sweep::Sweep;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::support::app::TEAM;
use crate::support::recipes::s3_parquet;
use crate::support::watched::Watched;

const BROKEN: Fault = Fault::Status {
    status: 500,
    body: BodyForm::Service,
};

#[tokio::test]
async fn p16_fifteen_of_fifteen_are_found_and_nothing_is_changed() {
    let watched = Watched::start().await;
    let expected = watched.misfits().await;
    assert_eq!(expected.len(), 15);
    let before = watched.last_call();
    assert!(watched.sweep().await.unread.is_empty());
    assert_eq!(watched.found().await, expected);
    assert_eq!(watched.changes_since(before), []);

    // A second and a third look find the same, and no finding twice.
    let ids = |listed: Vec<findings::ListedFinding>| -> Vec<String> {
        listed.into_iter().map(|l| l.finding.id).collect()
    };
    let first = ids(watched.open(Verdict::Unclaimed).await);
    watched.sweep().await;
    watched.sweep().await;
    assert_eq!(watched.found().await, expected);
    assert_eq!(ids(watched.open(Verdict::Unclaimed).await), first);
    assert_eq!(watched.changes_since(before), []);
}

#[tokio::test]
async fn a_look_that_is_killed_half_way_is_as_if_it_had_not_been() {
    let watched = Watched::start().await;
    let expected = watched.misfits().await;
    let state = &watched.app.running.state;
    for collection in [
        "connections",
        "schemas",
        "dataSets",
        "mappingSets",
        "sourceConnections",
        "targetConnections",
        "flows",
        "flows/*",
    ] {
        let rule = Rule::on("GET", &format!("**/{collection}"))
            .times(0)
            .then(Fault::Delay { ms: 1_500 });
        state
            .clients
            .client_for(&watched.environment.access())
            .unwrap()
            .sign_in()
            .await
            .unwrap();
        watched.app.emulator.control().arm(rule);
        watched.advance(1_000);
        let sweep = Sweep::new(state.store.clone(), state.clients.clone(), state.clock.clone());
        let id = watched.environment.id.clone();
        let look = tokio::spawn(async move {
            sweep
                .environment(&id, &CancellationToken::new())
                .await
                .map(|_| ())
        });
        tokio::time::sleep(Duration::from_millis(400)).await;
        look.abort();
        assert!(
            look.await.is_err(),
            "it was to be killed while it read {collection}"
        );
        watched.app.emulator.control().disarm();
    }
    watched.sweep().await;
    assert_eq!(watched.found().await, expected);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_proves_nothing() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let flow = watched.remove(&setup, StepKind::Flow).await;
    let dataset = watched.remove(&setup, StepKind::Dataset).await;
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/dataSets").times(0).then(BROKEN));
    let swept = watched.sweep().await;
    let unread: Vec<StepKind> = swept.unread.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(unread, [StepKind::Dataset]);
    let gone = |kind, id: &str| (Verdict::Vanished, kind, id.to_owned());
    assert_eq!(watched.found().await, [gone(StepKind::Flow, &flow)]);

    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get("/findings").await;
    assert!(
        page.text()
            .contains("The datasets of Retail dev could not be checked since"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("They were never read to the end."));

    watched.app.emulator.control().disarm();
    watched.sweep().await;
    let expected = [gone(StepKind::Dataset, &dataset), gone(StepKind::Flow, &flow)];
    assert_eq!(watched.found().await, expected);
    assert!(
        !vera
            .get("/findings")
            .await
            .text()
            .contains("could not be checked")
    );
}

#[tokio::test]
async fn an_object_is_gone_only_when_reading_it_says_so() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let control = watched.app.emulator.control();
    // A list that lags: it is complete and shows nothing, and yet the flow is there.
    let empty = Fault::Answer {
        status: 200,
        body: json!({"items": []}),
    };
    control.arm(Rule::on("GET", "**/flows").times(0).then(empty.clone()));
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
    control.disarm();

    // It is gone, but reading it brings no clear answer.
    let flow = watched.remove(&setup, StepKind::Flow).await;
    control.arm(Rule::on("GET", "**/flows/*").times(0).then(BROKEN));
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
    control.disarm();
    watched.sweep().await;
    assert_eq!(watched.found().await, [(Verdict::Vanished, StepKind::Flow, flow)]);
}

#[tokio::test]
async fn an_edited_marker_is_nobodys_loss() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let id = watched.app.step(&setup, StepKind::Flow).await.object_id.unwrap();
    let etag = watched.client().flow(&id).await.unwrap().etag.unwrap();
    let operations = json!([{"op": "replace", "path": "/description", "value": "Ours now"}]);
    let patch = Call::patch(ObjectKind::Flow, &id, &etag, operations);
    let answer = watched.client().send(&patch, "by-hand").await;
    assert!(matches!(answer.outcome, Outcome::Confirmed { .. }), "{answer:?}");
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
}

#[tokio::test]
async fn what_is_put_right_at_adobe_is_settled_by_the_next_look() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty")).await;
    let extra = watched.duplicate(&setup, StepKind::TargetConnection).await;
    watched.sweep().await;
    let finding = watched.finding(&extra).await;
    assert_eq!(
        finding.used_id,
        watched
            .app
            .step(&setup, StepKind::TargetConnection)
            .await
            .object_id
    );
    watched.remove_object(StepKind::TargetConnection, &extra).await;
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
    let team = watched.app.team_id(TEAM).await;
    let settled = findings::by_id(watched.app.store(), &team, &finding.finding.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(settled.finding.state, FindingState::Settled);
}

#[tokio::test]
async fn setups_in_work_and_shared_connections_are_left_alone() {
    let watched = Watched::start().await;
    // Its last step waits for an answer while the look goes through.
    let slow = Rule::on("POST", "**/flows").then(Fault::Delay { ms: 1_500 });
    watched.app.emulator.control().arm(slow);
    let id = watched.app.set_up(&s3_parquet("Loyalty")).await;
    watched
        .eventually("the target connection exists", async || {
            watched.app.step(&id, StepKind::TargetConnection).await.object_id
        })
        .await;
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
    assert_eq!(watched.app.rested(&id).await.state, SetupState::Done);
    watched.app.finished_setup(&s3_parquet("Orders")).await;
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
}

#[tokio::test]
async fn an_environment_of_another_platform_is_not_judged_by_this_one() {
    let watched = Watched::start().await;
    let elsewhere = Environment {
        id: new_id(),
        name: "Elsewhere".into(),
        platform_origin: "https://platform.example".into(),
        ..watched.environment.clone()
    };
    let mut tx = watched.app.store().begin().await.unwrap();
    store::environments::insert(&mut tx, &elsewhere).await.unwrap();
    tx.commit().await.unwrap();
    let sweep = &watched.app.running.state.sweep;
    let swept = sweep
        .environment(&elsewhere.id, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(swept.unread.len(), 7);
    let listed = |target: &str| target.ends_with("/flowservice/connections?limit=100");
    assert!(!watched.calls_since(0).iter().any(|call| listed(&call.target)));
    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get("/findings").await;
    let words = "it belongs to the platform at https://platform.example";
    assert!(page.text().contains(words), "{}", page.text());
    let told_once = "The base connections, datasets, dataflows, mapping sets, schemas, source connections, \
                     target connections of Elsewhere could not be checked since";
    assert!(page.text().contains(told_once), "{}", page.text());
}
