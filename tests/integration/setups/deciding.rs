//! What a person decides about a setup: other answers, a new start, leaving it, keeping what cannot be deleted.

use std::collections::BTreeMap;

use headgate::domain::Role;
use headgate::domain::recipe::{Connection, Dataset, Schema};
use headgate::domain::schedule::Start;
use headgate::domain::setup::{Question, SetupState, StepKind, StepState};
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::setups::{ChangeError, Decision, NewAnswers, PersonError};
use headgate::store;
use headgate::vault::SecretString;

use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::{EDITOR, TEAM, Works, editor};

const REFUSED: Fault = Fault::Status {
    status: 400,
    body: BodyForm::Service,
};

/// A setup whose create at this path was refused.
async fn refused_at(works: &Works, path: &str) -> String {
    works.emulator.control().arm(Rule::on("POST", path).then(REFUSED));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    assert_eq!(works.rested(&id).await.question, Some(Question::Rejected));
    id
}

async fn change(works: &Works, id: &str, new: NewAnswers) -> Result<(), ChangeError> {
    works.setups.change(&editor(), EDITOR, (TEAM, id), new).await
}

fn answers(recipe: headgate::domain::recipe::Recipe) -> NewAnswers {
    NewAnswers {
        recipe,
        answers: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

#[tokio::test]
async fn p17_changed_answers_make_only_what_was_not_made_and_with_the_new_values() {
    let works = Works::start().await;
    let id = refused_at(&works, "**/sourceConnections").await;
    let mut recipe = s3_parquet("Loyalty members");
    recipe.path = "partners-demo/elsewhere".into();
    change(&works, &id, answers(recipe)).await.unwrap();
    works.done(&id).await;
    assert_eq!(
        works.created().values().sum::<usize>(),
        7,
        "{:?}",
        works.created()
    );
    let source = works.steps(&id).await;
    let source = source
        .iter()
        .find(|s| s.kind == StepKind::SourceConnection)
        .unwrap();
    assert!(
        source
            .sent_body
            .as_ref()
            .unwrap()
            .contains("partners-demo/elsewhere")
    );
    assert_eq!(source.attempt, 2, "the refused call stays counted");
    let events = store::audit::for_object(&works.store, TEAM, "setup", &id, None, 100)
        .await
        .unwrap();
    let changed = events.iter().find(|e| e.facts.event == "setup.changed").unwrap();
    assert!(changed.facts.after.as_ref().unwrap().contains("elsewhere"));
}

#[tokio::test]
async fn p17_answers_that_would_change_what_exists_are_refused() {
    let works = Works::start().await;
    // Both sides are made by then, in whichever order.
    let id = refused_at(&works, "**/flows").await;
    let before = (works.setup(&id).await, works.steps(&id).await);
    let mut recipe = s3_parquet("Loyalty members");
    recipe.dataset = Dataset::Existing {
        id: "5e7439b1ad55a618ad4c5102".into(),
    };
    let refused = change(&works, &id, answers(recipe)).await.unwrap_err();
    assert!(
        matches!(&refused, ChangeError::Exists(kinds) if kinds == &[StepKind::TargetConnection, StepKind::Dataset]),
        "{refused:?}"
    );
    assert_eq!(
        (works.setup(&id).await, works.steps(&id).await),
        before,
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_wrong_secret_is_typed_again_and_only_then_sent() {
    let works = Works::start().await;
    let id = refused_at(&works, "**/flowservice/connections").await;
    let typed = "typed-again-5b1c9d77";
    let new = NewAnswers {
        secrets: [("auth.s3SecretKey".to_owned(), SecretString::from(typed))].into(),
        ..answers(s3_parquet("Loyalty members"))
    };
    change(&works, &id, new).await.unwrap();
    works.done(&id).await;
    let shown = format!("{:?}{:?}", works.setup(&id).await, works.steps(&id).await);
    assert!(!shown.contains(typed));
    for file in std::fs::read_dir(works.directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(typed.len()).any(|w| w == typed.as_bytes()));
    }
}

#[tokio::test]
async fn p15_e10_a_start_that_passed_is_asked_and_never_shifted_silently() {
    let works = Works::start().await;
    // The start is far enough away for the form, and has passed when the refused step has been mended.
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/dataSets").then(REFUSED));
    let mut recipe = s3_parquet("Loyalty members");
    let now = headgate::domain::Clock::now_ms(&headgate::domain::SystemClock);
    recipe.schedule.start = Start::At { at_ms: now + 301_000 };
    let id = works.set_up(&recipe).await;
    works.rested(&id).await;
    works.clock.advance_ms(400_000);
    works.decide(&id, Decision::Resume).await.unwrap();
    let setup = works.rested(&id).await;
    assert_eq!(setup.question, Some(Question::StartTimePassed));
    assert!(!works.created().contains_key("flows"));
    let mut again = works.setups.answers((TEAM, &id)).await.unwrap();
    again.recipe.schedule.start = Start::Soon;
    change(&works, &id, again).await.unwrap();
    works.done(&id).await;
    assert_eq!(works.created()["flows"], 1);
}

#[tokio::test]
async fn whoever_resumes_answers_for_the_calls_that_follow() {
    let works = Works::start().await;
    let id = refused_at(&works, "**/targetConnections").await;
    let mut tx = works.store.begin().await.unwrap();
    store::people::upsert_membership(&mut tx, TEAM, EDITOR, Role::Viewer, 1)
        .await
        .unwrap();
    let other = store::people::User {
        id: "user-2".into(),
        login: "ben".into(),
        name: "Ben".into(),
        password_hash: None,
        time_zone: None,
        disabled_at: None,
        created_at: 1,
    };
    store::people::insert_user(&mut tx, &other).await.unwrap();
    store::people::upsert_membership(&mut tx, TEAM, "user-2", Role::Editor, 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    works.decide(&id, Decision::Resume).await.unwrap();
    assert_eq!(works.rested(&id).await.question, Some(Question::NotAllowed));
    let of = (TEAM, id.as_str());
    works
        .setups
        .decide(&editor(), "user-2", of, Decision::Resume)
        .await
        .unwrap();
    let setup = works.done(&id).await;
    assert_eq!(
        (setup.started_by.as_str(), setup.driven_by.as_str()),
        (EDITOR, "user-2")
    );
    let events = store::audit::for_object(&works.store, TEAM, "setup", &id, None, 100)
        .await
        .unwrap();
    let last_call = events
        .iter()
        .find(|e| e.facts.event == "platform.create")
        .unwrap();
    assert!(last_call.facts.actor_name.contains("Ben"), "{last_call:?}");
}

#[tokio::test]
async fn a_setup_that_is_left_sends_nothing_more_and_can_still_be_taken_back() {
    let works = Works::start().await;
    let id = refused_at(&works, "**/targetConnections").await;
    works.decide(&id, Decision::Leave).await.unwrap();
    assert_eq!(works.setup(&id).await.state, SetupState::Left);
    assert!(matches!(
        works.decide(&id, Decision::Resume).await,
        Err(PersonError::NotNow)
    ));
    let calls = works.emulator.control().ledger().len();
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(works.emulator.control().ledger().len(), calls);
    works.decide(&id, Decision::Undo).await.unwrap();
    assert_eq!(works.rested(&id).await.state, SetupState::Undone);
}

#[tokio::test]
async fn p17_what_others_build_on_is_kept_and_the_reason_is_named() {
    let works = Works::start().await;
    let id = works.set_up(&sftp_delimited("Store sales")).await;
    works.done(&id).await;
    let object = async |kind| {
        let steps = works.steps(&id).await;
        let step = steps.into_iter().find(|s| s.kind == kind).unwrap();
        step.object_id.unwrap()
    };
    // Another dataflow uses the base connection, the dataset and its schema meanwhile.
    let mut other = sftp_delimited("Another flow");
    other.connection = Connection::Existing {
        id: object(StepKind::BaseConnection).await,
    };
    other.schema = Schema::Existing {
        id: object(StepKind::Schema).await,
    };
    other.dataset = Dataset::Existing {
        id: object(StepKind::Dataset).await,
    };
    let other = works.set_up(&other).await;
    works.done(&other).await;
    works.decide(&id, Decision::Undo).await.unwrap();
    assert_eq!(works.rested(&id).await.state, SetupState::Undone);
    for step in works.steps(&id).await {
        let shared = matches!(
            step.kind,
            StepKind::BaseConnection | StepKind::Schema | StepKind::Dataset | StepKind::MappingSet
        );
        let expected = if shared {
            StepState::Kept
        } else {
            StepState::Undone
        };
        assert_eq!(step.state, expected, "{}", step.kind);
        if step.kind == StepKind::BaseConnection {
            let reason = step.answer.unwrap();
            assert!(reason.contains("Another flow source"), "{reason}");
        }
    }
}

#[tokio::test]
async fn a_kept_secret_never_goes_to_another_place() {
    let works = Works::start().await;
    let connections = Rule::on("POST", "**/flowservice/connections");
    works.emulator.control().arm(connections.then(REFUSED));
    let id = works.set_up(&sftp_delimited("Store sales")).await;
    works.rested(&id).await;
    let mut recipe = sftp_delimited("Store sales");
    let Connection::New { fields, .. } = &mut recipe.connection else {
        unreachable!("the recipe makes a connection")
    };
    fields.insert("host".into(), "evil.example".into());
    let refused = change(&works, &id, answers(recipe)).await.unwrap_err();
    assert!(matches!(refused, ChangeError::SecretMissing(_)), "{refused}");
    assert!(!works.created().contains_key("connections"));
}

#[tokio::test]
async fn a_new_secret_for_a_connection_that_exists_is_refused_and_not_dropped() {
    let works = Works::start().await;
    let id = refused_at(&works, "**/flows").await;
    let new = NewAnswers {
        secrets: [(
            "auth.s3SecretKey".to_owned(),
            SecretString::from("another-secret"),
        )]
        .into(),
        ..answers(s3_parquet("Loyalty members"))
    };
    let refused = change(&works, &id, new).await.unwrap_err();
    assert!(matches!(refused, ChangeError::Exists(kinds) if kinds == [StepKind::BaseConnection]));
}

#[tokio::test]
async fn another_address_of_the_platform_is_asked_even_with_a_call_on_its_way() {
    let mut works = Works::start().await;
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/flows").then(Fault::Hang { acts: true }));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    while works.steps(&id).await.last().unwrap().state != StepState::Intent {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    works.stop_working().await;
    let here = works.emulator.url();
    works.through(&here.replace("127.0.0.1", "localhost"));
    works.run();
    let setup = works.rested(&id).await;
    assert_eq!(setup.question, Some(Question::OtherPlatform));
    // Whatever is pressed but Resume, nothing is looked for, sent or deleted at the other address.
    works.decide(&id, Decision::Undo).await.unwrap();
    let setup = works.rested(&id).await;
    assert_eq!(
        (setup.question, setup.undoing),
        (Some(Question::OtherPlatform), true)
    );
    works.decide(&id, Decision::Resume).await.unwrap();
    assert_eq!(works.rested(&id).await.state, SetupState::Undone);
}
