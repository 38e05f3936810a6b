//! Sealing secrets for the version or draft that they belong to.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{Before, By, SaveError};
use crate::domain::new_id;
use crate::domain::recipe::{Recipe, SecretSource, auth_secret_field, parameter_secret_field};
use crate::store::secrets::{Secret, SecretOwner};
use crate::store::{self, WriteTx};
use crate::vault::{KeyRing, Place, Sealed};

/// The form fields of the secrets that a recipe needs, each with whether the person who fills in the form of a
/// flow gives it.
pub(super) fn needed(recipe: &Recipe) -> BTreeMap<String, bool> {
    let field = |(key, source): (String, SecretSource)| match source {
        SecretSource::Stored => (auth_secret_field(&key), false),
        SecretSource::Parameter { name } => (parameter_secret_field(&name), true),
    };
    recipe.secret_sources().into_iter().map(field).collect()
}

/// The secrets among `wanted` that were typed, and else those that were stored before.
pub(super) fn gather(
    vault: &KeyRing,
    wanted: impl IntoIterator<Item = String>,
    typed: &BTreeMap<String, SecretString>,
    before: Option<&Before>,
) -> Result<BTreeMap<String, SecretString>, SaveError> {
    let mut values = BTreeMap::new();
    for field in wanted {
        let stored = before.and_then(|before| before.secrets.iter().find(|secret| secret.field == field));
        if let Some(value) = typed.get(&field) {
            values.insert(field, value.clone());
        } else if let Some(secret) = stored {
            let sealed = Sealed::from_stored(secret.sealed.clone());
            values.insert(field, vault.open(&Place::secret(&secret.id), &sealed)?);
        }
    }
    Ok(values)
}

/// Seals values as rows of their owner.
pub(super) fn seal(
    vault: &KeyRing,
    owner: (SecretOwner, &str),
    values: &BTreeMap<String, SecretString>,
    by: &By<'_>,
) -> Result<Vec<Secret>, SaveError> {
    let row = |(field, value): (&String, &SecretString)| {
        let id = new_id();
        Ok(Secret {
            sealed: vault.seal(&Place::secret(&id), value)?.as_str().to_owned(),
            fingerprint: vault.fingerprint(value),
            id,
            owner_kind: owner.0,
            owner_id: owner.1.to_owned(),
            field: field.clone(),
            set_by: by.user_id.to_owned(),
            set_at: by.now_ms,
        })
    };
    values.iter().map(row).collect()
}

pub(super) async fn put_all(tx: &mut WriteTx, secrets: &[Secret]) -> Result<(), SaveError> {
    for secret in secrets {
        store::secrets::put(tx, secret).await?;
    }
    Ok(())
}
