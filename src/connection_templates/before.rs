//! What was saved earlier, and which of its secrets may stay when their field is left empty.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::SaveError;
use crate::domain::Problem;
use crate::domain::recipe::{Connection, Recipe, SecretSource, auth_secret_field, parameter_secret_field};
use crate::store::connection_templates::TemplateVersion;
use crate::store::drafts::Draft;
use crate::store::secrets::{Secret, SecretOwner};
use crate::store::{self, Store};

/// A saved version or draft that a form changes.
#[derive(Debug, Clone)]
pub struct Before {
    /// Its recipe.
    pub recipe: Recipe,
    pub(super) secrets: Vec<Secret>,
}

impl Before {
    /// What a version of a template holds.
    ///
    /// # Errors
    /// [`SaveError::Damaged`] or [`SaveError::Store`].
    pub async fn of_version(store: &Store, version: &TemplateVersion) -> Result<Self, SaveError> {
        Self::read(store, SecretOwner::TemplateVersion, &version.id, &version.recipe).await
    }

    /// What a draft holds.
    ///
    /// # Errors
    /// [`SaveError::Damaged`] or [`SaveError::Store`].
    pub async fn of_draft(store: &Store, draft: &Draft) -> Result<Self, SaveError> {
        Self::read(store, SecretOwner::Draft, &draft.id, &draft.recipe).await
    }

    /// What the form of a setup holds: its draft, with the secrets that went on to the setup.
    ///
    /// # Errors
    /// [`SaveError::Damaged`] or [`SaveError::Store`].
    pub async fn of_setup(store: &Store, draft: &Draft, setup_id: &str) -> Result<Self, SaveError> {
        let mut before = Self::read(store, SecretOwner::Setup, setup_id, &draft.recipe).await?;
        // A setup keeps each secret under the field of the connection that it goes into; a form asks a parameter.
        let asked: BTreeMap<String, String> = before
            .recipe
            .secret_sources()
            .into_iter()
            .filter_map(|(key, source)| match source {
                SecretSource::Stored => None,
                SecretSource::Parameter { name } => {
                    Some((auth_secret_field(&key), parameter_secret_field(&name)))
                }
            })
            .collect();
        for secret in &mut before.secrets {
            if let Some(field) = asked.get(&secret.field) {
                secret.field.clone_from(field);
            }
        }
        Ok(before)
    }

    async fn read(store: &Store, owner: SecretOwner, id: &str, recipe: &str) -> Result<Self, SaveError> {
        let recipe = serde_json::from_str(recipe).map_err(|_| SaveError::Damaged)?;
        let secrets = store::secrets::list(store, owner, id).await?;
        Ok(Self { recipe, secrets })
    }

    /// The form fields whose secret is stored.
    pub fn stored_fields(&self) -> BTreeSet<String> {
        self.secrets.iter().map(|secret| secret.field.clone()).collect()
    }

    /// A stored secret goes only where it was meant to go: whoever changes the connection enters it again.
    /// Otherwise it could be sent to another host by somebody who never knew it.
    pub(super) fn check_kept(
        &self,
        after: &Connection,
        typed: &BTreeMap<String, SecretString>,
    ) -> Vec<Problem> {
        let Connection::New {
            spec_name,
            fields,
            secrets,
        } = after
        else {
            return Vec::new();
        };
        let unchanged = matches!(&self.recipe.connection, Connection::New { spec_name: s, fields: f, .. }
            if s == spec_name && f == fields);
        let is_kept = |key: &str, source: &SecretSource| {
            *source == SecretSource::Stored && !typed.contains_key(&auth_secret_field(key))
        };
        if unchanged {
            return Vec::new();
        }
        let again = |key: &String| {
            Problem::new(
                auth_secret_field(key),
                "secret.again",
                "Enter this secret again: another field of the connection was changed, and a stored secret is \
                 never sent to a new place.",
            )
        };
        secrets
            .iter()
            .filter(|(key, source)| is_kept(key, source))
            .map(|(key, _)| again(key))
            .collect()
    }
}
