//! A setup that found several objects with one marker asks a person (E26), who keeps one of them.

use headgate::domain::setup::{Question, SetupState, StepKind};
use headgate::domain::{FindingState, Verdict};
use headgate::emulator::faults::{Fault, Rule};
use headgate::store::findings;
use reqwest::StatusCode;

use crate::support::app::TEAM;
use crate::support::recipes::s3_parquet;
use crate::support::watched::Watched;

const KIND: StepKind = StepKind::SourceConnection;

/// A setup that asks because two source connections carry its marker; the setup's id and that of the second object.
async fn asking(watched: &Watched) -> (String, String) {
    let control = watched.app.emulator.control();
    control.arm(Rule::on("POST", "**/sourceConnections").then(Fault::LoseAnswer));
    // The look-up is held back until the second object exists.
    control.arm(Rule::on("GET", "**/sourceConnections").then(Fault::Delay { ms: 1_500 }));
    let setup = watched.app.set_up(&s3_parquet("Loyalty")).await;
    watched
        .eventually("the source connection was sent", async || {
            let calls = watched.changes_since(0).into_iter();
            let mut acted =
                calls.filter(|call| call.target.ends_with("/sourceConnections") && call.acted == Some(201));
            acted.next()
        })
        .await;
    let second = watched.duplicate(&setup, KIND).await;
    let rested = watched.app.rested(&setup).await;
    assert_eq!(
        (rested.state, rested.question),
        (SetupState::NeedsAttention, Some(Question::Duplicate))
    );
    (setup, second)
}

#[tokio::test]
async fn e26_one_of_two_is_deleted_and_the_setup_goes_on_with_the_other() {
    let watched = Watched::start().await;
    let (setup, second) = asking(&watched).await;
    watched.sweep().await;
    let both = watched.open(Verdict::Duplicate).await;
    assert_eq!(both.len(), 2, "{both:#?}");
    assert!(both.iter().all(|listed| listed.used_id.is_none()));
    let team = watched.app.team_id(TEAM).await;
    let of_setup = findings::for_setup(watched.app.store(), &team, &setup)
        .await
        .unwrap();
    assert_eq!(of_setup.len(), 2);
    let first = both
        .iter()
        .find(|listed| listed.finding.object_id != second)
        .unwrap();
    let (first_id, first_object) = (first.finding.id.clone(), first.finding.object_id.clone());

    let mut ana = watched.app.visitor("ana").await;
    let list = ana.get("/findings").await;
    assert!(
        list.text().contains("delete all but one, then resume it."),
        "{}",
        list.text()
    );
    let second_id = watched.finding(&second).await.finding.id;
    let address = format!("/findings/{second_id}/delete");
    let asked = ana.get(&address).await;
    assert!(asked.text().contains("Keep one of them; then it can be resumed."));
    let answer = ana.submit(&asked, &address, &[]).await;
    assert_eq!(answer.location(), "/findings?done=finding-deleted");

    // The last one stays, whoever asks.
    let address = format!("/findings/{first_id}/delete");
    let asked = ana.get(&address).await;
    let answer = ana.submit(&asked, &address, &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(
        answer
            .text()
            .contains("It is the only object left with this mark"),
        "{}",
        answer.text()
    );
    assert!(watched.exists(KIND, &first_object).await);

    let page = ana.get(&format!("/setups/{setup}")).await;
    let answer = ana.submit(&page, &format!("/setups/{setup}/resume"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(watched.app.rested(&setup).await.state, SetupState::Done);
    assert_eq!(
        watched.app.step(&setup, KIND).await.object_id.as_deref(),
        Some(first_object.as_str())
    );
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
    let first = findings::by_id(watched.app.store(), &team, &first_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.finding.state, FindingState::Settled);
}
