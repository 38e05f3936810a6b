//! Creation forms in progress.

use super::{Store, StoreError, WriteTx};

/// The answers of one creation form so far.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Draft {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub team_id: String,
    /// Where the dataflow shall be made.
    pub environment_id: String,
    /// The template version it started from.
    pub template_version_id: Option<String>,
    /// JSON of a recipe.
    pub recipe: String,
    /// JSON object: parameter name to text. No secrets.
    pub answers: String,
    /// Who fills it in.
    pub created_by: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// Last saved.
    pub updated_at: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, team_id, environment_id, template_version_id, recipe, answers, created_by, created_at, ",
            "updated_at FROM drafts ",
            $rest
        )
    };
}

const INSERT: &str = "INSERT INTO drafts (id, team_id, environment_id, template_version_id, recipe, answers, \
     created_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE drafts SET environment_id = $3, template_version_id = $4, recipe = $5, answers = $6, \
     updated_at = $7 WHERE id = $2 AND team_id = $1";
const BY_ID: &str = select!("WHERE id = $2 AND team_id = $1");
const OF_AUTHOR: &str = select!(
    "WHERE created_by = $2 AND team_id = $1 AND (updated_at, id) < ($3, $4) \
     AND NOT EXISTS (SELECT 1 FROM setups s WHERE s.draft_id = drafts.id) ORDER BY updated_at DESC, id DESC LIMIT $5"
);
const DELETE: &str = "DELETE FROM drafts WHERE id = $2 AND team_id = $1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[BY_ID, OF_AUTHOR];

/// Adds a draft.
pub async fn insert(tx: &mut WriteTx, draft: &Draft) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&draft.id)
        .bind(&draft.team_id)
        .bind(&draft.environment_id)
        .bind(&draft.template_version_id)
        .bind(&draft.recipe)
        .bind(&draft.answers)
        .bind(&draft.created_by)
        .bind(draft.created_at)
        .bind(draft.updated_at);
    change!(tx, |db| insert.execute(db))?;
    Ok(())
}

/// Saves what may change: environment, template version, recipe, answers, `updated_at`. False: it is gone.
pub async fn update(tx: &mut WriteTx, draft: &Draft) -> Result<bool, StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(&draft.team_id)
        .bind(&draft.id)
        .bind(&draft.environment_id)
        .bind(&draft.template_version_id)
        .bind(&draft.recipe)
        .bind(&draft.answers)
        .bind(draft.updated_at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// A draft of the team.
pub async fn by_id(store: &Store, team_id: &str, id: &str) -> Result<Option<Draft>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(id)
        .fetch_optional(db))
}

/// A person's drafts in a team that did not become a setup, last saved first, before the draft saved at `before.0` with id `before.1`.
pub async fn of_author(
    store: &Store,
    team_id: &str,
    user_id: &str,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Draft>, StoreError> {
    let (updated_at, id) = before.unwrap_or((i64::MAX, ""));
    let query = sqlx::query_as(OF_AUTHOR)
        .bind(team_id)
        .bind(user_id)
        .bind(updated_at)
        .bind(id)
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// Removes a draft; its secrets are removed with [`super::secrets::delete_for`]. False: it is gone already.
pub async fn delete(tx: &mut WriteTx, team_id: &str, id: &str) -> Result<bool, StoreError> {
    let delete = sqlx::query(DELETE).bind(team_id).bind(id);
    Ok(change!(tx, |db| delete.execute(db))?.rows_affected() == 1)
}
