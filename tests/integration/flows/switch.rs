//! Enabling and disabling a flow.

use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::store::audit::AuditPhase;
use headgate::store::{self};
use reqwest::StatusCode;

use crate::support::app::TEAM;
use crate::support::watched::Watched;

/// Event and phase of all audit events of a flow, the oldest first.
async fn trail(watched: &Watched, flow: &str) -> Vec<(String, AuditPhase)> {
    let team = watched.app.team_id(TEAM).await;
    let mut events = store::audit::for_object(watched.app.store(), &team, "flow", flow, None, 50)
        .await
        .unwrap();
    events.reverse();
    events
        .into_iter()
        .map(|event| (event.facts.event, event.facts.phase))
        .collect()
}

fn actions(watched: &Watched) -> usize {
    let ledger = watched.app.emulator.control().ledger();
    ledger
        .iter()
        .filter(|entry| entry.method == "POST" && entry.target.contains("/action"))
        .count()
}

async fn state_at_the_platform(watched: &Watched, flow: &str) -> String {
    watched.client().flow(flow).await.unwrap().state
}

#[tokio::test]
async fn an_editor_disables_and_enables_a_flow() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let (page, disable) = (
        ana.get(&format!("/flows/{flow}")).await,
        format!("/flows/{flow}/disable"),
    );
    let answer = ana.submit(&page, &disable, &[]).await;
    let page = ana.follow(&answer).await;
    assert!(
        page.text().contains("The dataflow was disabled at Adobe."),
        "{}",
        page.text()
    );
    assert_eq!(state_at_the_platform(&watched, &flow).await, "disabled");
    assert!(page.text().contains("No next run."));

    let answer = ana.submit(&page, &format!("/flows/{flow}/enable"), &[]).await;
    let page = ana.follow(&answer).await;
    assert!(page.has(&format!("form[action='{disable}']")));
    assert_eq!(state_at_the_platform(&watched, &flow).await, "enabled");
    let expected = [
        ("flow.disabled", AuditPhase::Intent),
        ("flow.disabled", AuditPhase::Outcome),
        ("flow.enabled", AuditPhase::Intent),
        ("flow.enabled", AuditPhase::Outcome),
    ];
    let expected: Vec<_> = expected.map(|(event, phase)| (event.to_owned(), phase)).into();
    assert_eq!(trail(&watched, &flow).await, expected);
    assert_eq!(actions(&watched), 2);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_never_sent_again() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("POST", "**/action").then(Fault::LoseAnswer));
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    let answer = ana.submit(&page, &format!("/flows/{flow}/disable"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(watched.mirrored(&flow).await.record.state, "disabled");
    assert_eq!(actions(&watched), 1);
}

#[tokio::test]
async fn what_is_not_known_is_told_as_not_known() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("POST", "**/action").then(Fault::LoseRequest));
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    let answer = ana.submit(&page, &format!("/flows/{flow}/disable"), &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(
        answer
            .text()
            .contains("It is not known whether anything was changed"),
        "{}",
        answer.text()
    );
    assert!(
        answer.text().contains("\u{201c}enabled\u{201d}"),
        "{}",
        answer.text()
    );
    assert_eq!(actions(&watched), 1);
    assert_eq!(
        trail(&watched, &flow).await.last().unwrap().1,
        AuditPhase::Outcome
    );
}

#[tokio::test]
async fn a_refusal_is_told_in_the_platforms_words_and_changes_nothing() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let fault = Fault::Status {
        status: 400,
        body: BodyForm::default(),
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("POST", "**/action").then(fault));
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    let answer = ana.submit(&page, &format!("/flows/{flow}/disable"), &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(
        answer.text().contains("Flow Service answered 400"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("Nothing was changed."));
    assert_eq!(state_at_the_platform(&watched, &flow).await, "enabled");
}

#[tokio::test]
async fn viewers_and_other_teams_cannot() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let path = format!("/flows/{flow}/disable");
    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get(&format!("/flows/{flow}")).await;
    assert!(
        !page.has(&format!("form[action='{path}']")),
        "a viewer gets no button"
    );
    let token = page.form("/sign-out");
    assert_eq!(vera.post(&path, &token).await.status, StatusCode::NOT_FOUND);

    let mut mallory = watched.app.visitor("mallory").await;
    let token = mallory.get("/").await.form("/sign-out");
    assert_eq!(mallory.post(&path, &token).await.status, StatusCode::NOT_FOUND);
    for path in [
        format!("/flows/{flow}"),
        format!("/flows/{flow}/status"),
        format!("/flows/{flow}/runs/x"),
    ] {
        assert_eq!(mallory.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(actions(&watched), 0);
    assert!(trail(&watched, &flow).await.is_empty());
}
