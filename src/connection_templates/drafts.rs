//! Creation forms in progress: a person's own, until they become a setup or are deleted.

use serde_json::json;

use super::{Before, By, FlowContent, SaveError, sealing};
use crate::domain::new_id;
use crate::domain::recipe::Recipe;
use crate::store::drafts::Draft;
use crate::store::secrets::{Secret, SecretOwner};
use crate::store::{self, Store};
use crate::vault::KeyRing;

/// A draft of this very person: nobody else's secrets can be used through it.
///
/// # Errors
/// [`SaveError::NotFound`] or [`SaveError::Store`].
pub async fn mine(store: &Store, team_id: &str, user_id: &str, id: &str) -> Result<Draft, SaveError> {
    let draft = store::drafts::by_id(store, team_id, id).await?;
    draft
        .filter(|draft| draft.created_by == user_id)
        .ok_or(SaveError::NotFound)
}

/// Keeps a checked form as a new draft; gives its id. `template_version_id` is the version that it began with.
///
/// # Errors
/// [`SaveError::Vault`] or [`SaveError::Store`].
pub async fn begin(
    store: &Store,
    vault: &KeyRing,
    by: &By<'_>,
    template_version_id: Option<String>,
    content: &FlowContent,
) -> Result<String, SaveError> {
    let draft = Draft {
        id: new_id(),
        team_id: by.team_id.to_owned(),
        environment_id: content.environment_id.clone(),
        recipe: json!(content.recipe).to_string(),
        answers: json!(content.answers).to_string(),
        created_by: by.user_id.to_owned(),
        created_at: by.now_ms,
        updated_at: by.now_ms,
        template_version_id,
    };
    let secrets = draft_secrets(vault, &draft, by, content, None)?;
    let mut tx = store.begin().await?;
    store::drafts::insert(&mut tx, &draft).await?;
    sealing::put_all(&mut tx, &secrets).await?;
    tx.commit().await?;
    Ok(draft.id)
}

/// Replaces what a draft holds. `before` is what it held; secrets that were not typed again stay.
///
/// # Errors
/// [`SaveError::NotFound`] if it was deleted meanwhile, [`SaveError::Vault`] or [`SaveError::Store`].
pub async fn change(
    store: &Store,
    vault: &KeyRing,
    by: &By<'_>,
    (draft, before): (&Draft, &Before),
    content: &FlowContent,
) -> Result<(), SaveError> {
    let changed = Draft {
        environment_id: content.environment_id.clone(),
        recipe: json!(content.recipe).to_string(),
        answers: json!(content.answers).to_string(),
        updated_at: by.now_ms,
        ..draft.clone()
    };
    let secrets = draft_secrets(vault, &changed, by, content, Some(before))?;
    let mut tx = store.begin().await?;
    if !store::drafts::update(&mut tx, &changed).await? {
        return Err(SaveError::NotFound);
    }
    store::secrets::delete_for(&mut tx, SecretOwner::Draft, &draft.id).await?;
    sealing::put_all(&mut tx, &secrets).await?;
    tx.commit().await?;
    Ok(())
}

/// Deletes a draft with its secrets.
///
/// # Errors
/// [`SaveError::Store`].
pub async fn delete(store: &Store, draft: &Draft) -> Result<(), SaveError> {
    let mut tx = store.begin().await?;
    store::secrets::delete_for(&mut tx, SecretOwner::Draft, &draft.id).await?;
    store::drafts::delete(&mut tx, &draft.team_id, &draft.id).await?;
    tx.commit().await?;
    Ok(())
}

/// The form fields of secrets that the draft needs and that are stored neither with it nor with its template.
///
/// # Errors
/// [`SaveError::Damaged`] or [`SaveError::Store`].
pub async fn missing_secrets(store: &Store, draft: &Draft) -> Result<Vec<String>, SaveError> {
    let recipe: Recipe = serde_json::from_str(&draft.recipe).map_err(|_| SaveError::Damaged)?;
    let mut stored = store::secrets::list(store, SecretOwner::Draft, &draft.id).await?;
    if let Some(version_id) = &draft.template_version_id {
        stored.extend(store::secrets::list(store, SecretOwner::TemplateVersion, version_id).await?);
    }
    let needed = sealing::needed(&recipe).into_keys();
    Ok(needed
        .filter(|field| stored.iter().all(|secret| secret.field != *field))
        .collect())
}

/// From a template only the answers to secret parameters are the draft's own; the rest stays with the version.
fn draft_secrets(
    vault: &KeyRing,
    draft: &Draft,
    by: &By<'_>,
    content: &FlowContent,
    before: Option<&Before>,
) -> Result<Vec<Secret>, SaveError> {
    let from_template = draft.template_version_id.is_some();
    let own = sealing::needed(&content.recipe)
        .into_iter()
        .filter(|(_, asked)| *asked || !from_template);
    let values = sealing::gather(vault, own.map(|(field, _)| field), &content.secrets, before)?;
    sealing::seal(vault, (SecretOwner::Draft, &draft.id), &values, by)
}
