//! Adding, changing and archiving.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{EnvironmentError, EnvironmentForm, Environments, SaveForm};
use crate::audit::{self, Actor, Change};
use crate::domain::{Problem, new_id};
use crate::store::environments::{Environment, NewCredential};
use crate::store::{self, StoreError};
use crate::vault::Place;

impl Environments {
    /// Adds an environment; gives its id. Nothing is asked of the platform yet: see [`Self::check`].
    ///
    /// # Errors
    /// [`EnvironmentError`]; nothing was changed.
    pub async fn add(
        &self,
        actor: &Actor,
        added_by: &str,
        team_id: &str,
        form: EnvironmentForm,
    ) -> Result<String, EnvironmentError> {
        let form = form.trimmed();
        let mistakes = form.mistakes();
        if !mistakes.is_empty() {
            return Err(EnvironmentError::Mistakes(mistakes));
        }
        let (id, now) = (new_id(), self.inner.clock.now_ms());
        let (sealed, fingerprint) = self.seal(&id, &form.client_secret)?;
        let environment = Environment {
            id,
            team_id: team_id.to_owned(),
            name: form.name,
            platform_origin: self.inner.clients.platform_origin(),
            organization: form.organization,
            sandbox: form.sandbox,
            production: false,
            client_id: form.client_id,
            client_secret: sealed,
            client_secret_fingerprint: fingerprint,
            scopes: form.scopes,
            data_lake_connection_id: None,
            check_steps: None,
            checked_at: None,
            created_by: added_by.to_owned(),
            created_at: now,
            updated_at: now,
            archived_at: None,
        };
        let mut tx = self.inner.store.begin().await?;
        store::environments::insert(&mut tx, &environment)
            .await
            .map_err(named)?;
        let mut after = facts(&environment);
        after["client_secret_fingerprint"] = json!(environment.client_secret_fingerprint);
        let change = Change::new(
            "environment.added",
            "environment",
            &environment.id,
            &environment.name,
        )
        .after(after);
        audit::record(&mut tx, actor, now, Some(team_id), &change).await?;
        tx.commit().await?;
        Ok(environment.id)
    }

    /// Changes the name and the credential. What an earlier check found is forgotten.
    ///
    /// # Errors
    /// [`EnvironmentError`]; nothing was changed.
    pub async fn save(
        &self,
        actor: &Actor,
        team_id: &str,
        id: &str,
        form: SaveForm,
    ) -> Result<(), EnvironmentError> {
        let form = form.trimmed();
        let mistakes = form.mistakes();
        if !mistakes.is_empty() {
            return Err(EnvironmentError::Mistakes(mistakes));
        }
        let old = self.in_use(team_id, id).await?;
        let replaced = !form.client_secret.expose_secret().is_empty();
        let (sealed, fingerprint) = if replaced {
            self.seal(id, &form.client_secret)?
        } else {
            (old.client_secret.clone(), old.client_secret_fingerprint.clone())
        };
        let credential = NewCredential {
            client_id: &form.client_id,
            client_secret: &sealed,
            client_secret_fingerprint: &fingerprint,
            scopes: &form.scopes,
        };
        // Clients know by this time that they are out of date, so it must move even within a millisecond.
        let now = self.inner.clock.now_ms().max(old.updated_at + 1);
        let mut tx = self.inner.store.begin().await?;
        store::environments::rename(&mut tx, team_id, id, &form.name)
            .await
            .map_err(named)?;
        store::environments::update_credential(&mut tx, team_id, id, credential, now).await?;
        let (mut before, mut after) = (facts(&old), facts(&old));
        after["name"] = json!(form.name);
        after["client_id"] = json!(form.client_id);
        after["scopes"] = json!(form.scopes);
        if replaced {
            before["client_secret_fingerprint"] = json!(old.client_secret_fingerprint);
            after["client_secret_fingerprint"] = json!(fingerprint);
        }
        let change = Change::new("environment.saved", "environment", id, &form.name)
            .before(before)
            .after(after);
        audit::record(&mut tx, actor, now, Some(team_id), &change).await?;
        Ok(tx.commit().await?)
    }

    /// Takes an environment out of use. Its history and its audit trail stay.
    ///
    /// # Errors
    /// [`EnvironmentError::Unknown`], or the database. Nothing was changed.
    pub async fn archive(&self, actor: &Actor, team_id: &str, id: &str) -> Result<(), EnvironmentError> {
        let old = self.in_use(team_id, id).await?;
        let now = self.inner.clock.now_ms();
        let mut tx = self.inner.store.begin().await?;
        if !store::environments::archive(&mut tx, team_id, id, now).await? {
            return Err(EnvironmentError::Unknown);
        }
        let change = Change::new("environment.archived", "environment", id, &old.name);
        audit::record(&mut tx, actor, now, Some(team_id), &change).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn in_use(&self, team_id: &str, id: &str) -> Result<Environment, EnvironmentError> {
        let found = store::environments::by_id(&self.inner.store, team_id, id).await?;
        found
            .filter(|environment| environment.archived_at.is_none())
            .ok_or(EnvironmentError::Unknown)
    }

    /// The sealed secret and its fingerprint.
    fn seal(&self, id: &str, secret: &SecretString) -> Result<(String, String), EnvironmentError> {
        let sealed = self.inner.vault.seal(&Place::environment_secret(id), secret)?;
        Ok((sealed.as_str().to_owned(), self.inner.vault.fingerprint(secret)))
    }
}

/// What the audit trail keeps of an environment.
fn facts(environment: &Environment) -> Value {
    json!({
        "name": environment.name,
        "platform_origin": environment.platform_origin,
        "organization": environment.organization,
        "sandbox": environment.sandbox,
        "client_id": environment.client_id,
        "scopes": environment.scopes,
    })
}

fn named(error: StoreError) -> EnvironmentError {
    match error {
        StoreError::Duplicate { .. } => {
            let message =
                "Name: your team has an environment of this name, perhaps an archived one. Choose another.";
            EnvironmentError::Mistakes(vec![Problem::new("name", "environment.exists", message)])
        }
        other => other.into(),
    }
}
