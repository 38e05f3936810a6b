//! Creating, saving, archiving and restoring templates.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Before, By, SaveError, TemplateContent, sealing};
use crate::audit::{self, Change};
use crate::domain::new_id;
use crate::store::connection_templates::{
    ConnectionTemplate, ListedTemplate, TemplateVersion, add_version, insert_template, name_taken, rename,
    set_archived,
};
use crate::store::secrets::{Secret, SecretOwner};
use crate::store::{Store, StoreError};
use crate::vault::KeyRing;

/// Adds a template with its first version; gives its id.
///
/// # Errors
/// [`SaveError::Exists`], [`SaveError::Vault`] or [`SaveError::Store`].
pub async fn create(
    store: &Store,
    vault: &KeyRing,
    by: &By<'_>,
    content: &TemplateContent,
) -> Result<String, SaveError> {
    let template = ConnectionTemplate {
        id: new_id(),
        team_id: by.team_id.to_owned(),
        name: content.name.clone(),
        purpose: content.purpose.clone(),
        current_version: 1,
        created_by: by.user_id.to_owned(),
        created_at: by.now_ms,
        updated_at: by.now_ms,
        archived_at: None,
    };
    let version = version_row(&template.id, 1, by, content);
    let secrets = version_secrets(vault, &version, by, content, None)?;
    let mut tx = store.begin().await?;
    if let Err(error) = insert_template(&mut tx, &template, &version).await {
        drop(tx);
        return Err(name_refused(store, by, &content.name, error).await);
    }
    sealing::put_all(&mut tx, &secrets).await?;
    let after = told(&content.name, &content.purpose, &json!(content.recipe), &secrets);
    let change = Change::new("template.created", "template", &template.id, &content.name).after(after);
    audit::record(&mut tx, by.actor, by.now_ms, Some(by.team_id), &change).await?;
    tx.commit().await?;
    Ok(template.id)
}

/// Saves a new version of a template; gives its number. `current` is the template as the form showed it, and
/// `before` what its version holds.
///
/// # Errors
/// [`SaveError::Stale`] if another version was saved meanwhile, and those of [`create`].
pub async fn save(
    store: &Store,
    vault: &KeyRing,
    by: &By<'_>,
    (current, before): (&ListedTemplate, &Before),
    content: &TemplateContent,
) -> Result<i64, SaveError> {
    let template = &current.template;
    let number = template.current_version + 1;
    let version = version_row(&template.id, number, by, content);
    let secrets = version_secrets(vault, &version, by, content, Some(before))?;
    let mut tx = store.begin().await?;
    match add_version(&mut tx, by.team_id, template.current_version, &version).await {
        Err(StoreError::Stale | StoreError::Duplicate { .. }) => return Err(SaveError::Stale),
        other => other?,
    }
    if (&content.name, &content.purpose) != (&template.name, &template.purpose)
        && let Err(error) = rename(
            &mut tx,
            by.team_id,
            &template.id,
            &content.name,
            &content.purpose,
            by.now_ms,
        )
        .await
    {
        drop(tx);
        return Err(name_refused(store, by, &content.name, error).await);
    }
    sealing::put_all(&mut tx, &secrets).await?;
    let mut after = told(&content.name, &content.purpose, &json!(content.recipe), &secrets);
    after["version"] = json!(number);
    after["note"] = json!(content.note);
    let mut earlier = told(
        &template.name,
        &template.purpose,
        &json!(before.recipe),
        &before.secrets,
    );
    earlier["version"] = json!(template.current_version);
    let change = Change::new("template.saved", "template", &template.id, &content.name)
        .before(earlier)
        .after(after);
    audit::record(&mut tx, by.actor, by.now_ms, Some(by.team_id), &change).await?;
    tx.commit().await?;
    Ok(number)
}

/// Takes a template out of the offer. Dataflows and drafts made from it go on.
///
/// # Errors
/// [`SaveError::Store`].
pub async fn archive(store: &Store, by: &By<'_>, template: &ConnectionTemplate) -> Result<(), SaveError> {
    offer(store, by, template, Some(by.now_ms), "template.archived").await
}

/// Puts an archived template back into the offer.
///
/// # Errors
/// [`SaveError::Store`].
pub async fn restore(store: &Store, by: &By<'_>, template: &ConnectionTemplate) -> Result<(), SaveError> {
    offer(store, by, template, None, "template.restored").await
}

async fn offer(
    store: &Store,
    by: &By<'_>,
    template: &ConnectionTemplate,
    archived_at: Option<i64>,
    event: &'static str,
) -> Result<(), SaveError> {
    if template.archived_at.is_some() == archived_at.is_some() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    if !set_archived(&mut tx, by.team_id, &template.id, archived_at).await? {
        return Err(SaveError::NotFound);
    }
    let change = Change::new(event, "template", &template.id, &template.name)
        .before(json!({ "archived": template.archived_at.is_some() }))
        .after(json!({ "archived": archived_at.is_some() }));
    audit::record(&mut tx, by.actor, by.now_ms, Some(by.team_id), &change).await?;
    tx.commit().await?;
    Ok(())
}

fn version_row(template_id: &str, number: i64, by: &By<'_>, content: &TemplateContent) -> TemplateVersion {
    TemplateVersion {
        id: new_id(),
        template_id: template_id.to_owned(),
        version: number,
        recipe: json!(content.recipe).to_string(),
        note: content.note.clone(),
        created_by: by.user_id.to_owned(),
        created_at: by.now_ms,
    }
}

/// The secrets of a version under rows of its own, so that later versions can change or drop theirs.
fn version_secrets(
    vault: &KeyRing,
    version: &TemplateVersion,
    by: &By<'_>,
    content: &TemplateContent,
    before: Option<&Before>,
) -> Result<Vec<Secret>, SaveError> {
    let stored = sealing::needed(&content.recipe)
        .into_iter()
        .filter(|(_, asked)| !asked);
    let values = sealing::gather(vault, stored.map(|(field, _)| field), &content.secrets, before)?;
    sealing::seal(vault, (SecretOwner::TemplateVersion, &version.id), &values, by)
}

/// What the audit trail is told of a template: secrets by fingerprint only.
fn told(name: &str, purpose: &str, recipe: &Value, secrets: &[Secret]) -> Value {
    let fingerprints: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|secret| (secret.field.as_str(), secret.fingerprint.as_str()))
        .collect();
    json!({ "name": name, "purpose": purpose, "recipe": recipe, "secret_fingerprints": fingerprints })
}

/// Which template has the name that the database refused.
async fn name_refused(store: &Store, by: &By<'_>, name: &str, error: StoreError) -> SaveError {
    if !matches!(error, StoreError::Duplicate { .. }) {
        return error.into();
    }
    match name_taken(store, by.team_id, name).await {
        Ok(Some(id)) => SaveError::Exists { id },
        Ok(None) => error.into(),
        Err(error) => error.into(),
    }
}
