//! The pages of a setup.

use std::time::Duration;

use headgate::domain::recipe::Recipe;
use headgate::store::{self, drafts::Draft};
use headgate::vault::{Place, SecretString};
use reqwest::StatusCode;

use crate::support::app::{App, TEAM};
use crate::support::recipes::s3_parquet;
use crate::support::works::CANARY;

/// Starts a setup of this recipe in Ana's name; gives its id.
async fn set_up(app: &App, recipe: &Recipe) -> String {
    let (state, team_id) = (&app.running.state, app.team_id(TEAM).await);
    let ana = store::people::user_by_login(app.store(), "ana")
        .await
        .unwrap()
        .unwrap();
    let draft = Draft {
        id: headgate::domain::new_id(),
        team_id: team_id.clone(),
        environment_id: app.environment_id().await,
        template_version_id: None,
        recipe: serde_json::to_string(recipe).unwrap(),
        answers: "{}".into(),
        created_by: ana.id.clone(),
        created_at: 1,
        updated_at: 1,
    };
    let mut tx = app.store().begin().await.unwrap();
    store::drafts::insert(&mut tx, &draft).await.unwrap();
    let (id, secret) = (headgate::domain::new_id(), SecretString::from(CANARY));
    let sealed = store::secrets::Secret {
        sealed: state
            .vault
            .seal(&Place::secret(&id), &secret)
            .unwrap()
            .as_str()
            .to_owned(),
        fingerprint: state.vault.fingerprint(&secret),
        id,
        owner_kind: store::secrets::SecretOwner::Draft,
        owner_id: draft.id.clone(),
        field: "auth.s3SecretKey".into(),
        set_by: ana.id.clone(),
        set_at: 1,
    };
    store::secrets::put(&mut tx, &sealed).await.unwrap();
    tx.commit().await.unwrap();
    let actor = headgate::audit::Actor::operator("tests");
    state
        .setups
        .start(&actor, &ana.id, &team_id, &draft.id)
        .await
        .unwrap()
}

async fn rested(app: &App, id: &str) {
    for _ in 0..400 {
        let setup = store::setups::any_by_id(app.store(), id).await.unwrap().unwrap();
        if !setup.state.is_active() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the setup never rested");
}

#[tokio::test]
async fn a_setup_shows_each_step_with_its_call_and_no_secret() {
    let app = App::start().await;
    let id = set_up(&app, &s3_parquet("Loyalty members")).await;
    rested(&app, &id).await;
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
    let id = set_up(&app, &s3_parquet("Loyalty members")).await;
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
    let id = set_up(&app, &s3_parquet("Loyalty members")).await;
    rested(&app, &id).await;
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
    rested(&app, &id).await;
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
    let id = set_up(&app, &s3_parquet("Loyalty members")).await;
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
