//! Setups of a whole server, without the form before them.

use std::time::Duration;

use headgate::audit::Actor;
use headgate::domain::new_id;
use headgate::domain::recipe::Recipe;
use headgate::domain::setup::{SetupState, StepKind};
use headgate::store::drafts::Draft;
use headgate::store::secrets::{Secret, SecretOwner};
use headgate::store::setups::{Setup, Step};
use headgate::store::{self};
use headgate::vault::{Place, SecretString};

use super::app::{App, TEAM};
use super::works::CANARY;

impl App {
    /// Starts a setup of this recipe in Ana's name, its secrets all [`CANARY`]; gives its id.
    pub async fn set_up(&self, recipe: &Recipe) -> String {
        let (state, team_id) = (&self.running.state, self.team_id(TEAM).await);
        let ana = store::people::user_by_login(self.store(), "ana")
            .await
            .unwrap()
            .unwrap();
        let draft = Draft {
            id: new_id(),
            team_id: team_id.clone(),
            environment_id: self.environment_id().await,
            template_version_id: None,
            recipe: serde_json::to_string(recipe).unwrap(),
            answers: "{}".into(),
            created_by: ana.id.clone(),
            created_at: 1,
            updated_at: 1,
        };
        let mut tx = self.store().begin().await.unwrap();
        store::drafts::insert(&mut tx, &draft).await.unwrap();
        for key in recipe.secret_sources().keys() {
            let (id, secret) = (new_id(), SecretString::from(CANARY));
            let sealed = state.vault.seal(&Place::secret(&id), &secret).unwrap();
            let secret = Secret {
                sealed: sealed.as_str().to_owned(),
                fingerprint: state.vault.fingerprint(&secret),
                id,
                owner_kind: SecretOwner::Draft,
                owner_id: draft.id.clone(),
                field: format!("auth.{key}"),
                set_by: ana.id.clone(),
                set_at: 1,
            };
            store::secrets::put(&mut tx, &secret).await.unwrap();
        }
        tx.commit().await.unwrap();
        let actor = Actor::operator("tests");
        state
            .setups
            .start(&actor, &ana.id, &team_id, &draft.id)
            .await
            .unwrap()
    }

    /// Waits until the setup rests: finished or asking.
    pub async fn rested(&self, id: &str) -> Setup {
        for _ in 0..600 {
            let setup = store::setups::any_by_id(self.store(), id).await.unwrap().unwrap();
            if !setup.state.is_active() {
                return setup;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!(
            "the setup never rested: {:#?}",
            store::setups::steps(self.store(), id).await
        );
    }

    /// A setup of this recipe that is done.
    pub async fn finished_setup(&self, recipe: &Recipe) -> String {
        let id = self.set_up(recipe).await;
        let setup = self.rested(&id).await;
        assert_eq!(setup.state, SetupState::Done, "{setup:?}");
        id
    }

    /// A step of a setup.
    pub async fn step(&self, setup_id: &str, kind: StepKind) -> Step {
        let steps = store::setups::steps(self.store(), setup_id).await.unwrap();
        steps.into_iter().find(|step| step.kind == kind).unwrap()
    }
}
