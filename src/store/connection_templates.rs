//! Connection templates and their versions. A version is never changed: saving adds one.

use super::{Store, StoreError, WriteTx};

/// A team's recipe for dataflows, without the recipe.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ConnectionTemplate {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub team_id: String,
    /// Unique in the team, archived ones included.
    pub name: String,
    /// What it is for, in the author's words.
    pub purpose: String,
    /// The version that is offered.
    pub current_version: i64,
    /// Who made it.
    pub created_by: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// When its last version was saved or its name changed.
    pub updated_at: i64,
    /// Not offered any more since.
    pub archived_at: Option<i64>,
}

/// A template as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedTemplate {
    /// The template.
    #[sqlx(flatten)]
    pub template: ConnectionTemplate,
    /// The id of its current version.
    pub version_id: String,
    /// JSON: the recipe of its current version.
    pub recipe: String,
    /// The name of who made the template.
    pub author_name: String,
    /// How many setups were made from any of its versions.
    pub setups: i64,
}

/// One saved state of a template's recipe.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TemplateVersion {
    /// Ours.
    pub id: String,
    /// Of which template.
    pub template_id: String,
    /// Counts from 1.
    pub version: i64,
    /// JSON of a recipe.
    pub recipe: String,
    /// What changed, in the author's words.
    pub note: String,
    /// Who saved it.
    pub created_by: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
}

/// A version as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedVersion {
    /// The version.
    #[sqlx(flatten)]
    pub version: TemplateVersion,
    /// The name of who saved it.
    pub author_name: String,
    /// How many setups were made from it.
    pub setups: i64,
}

macro_rules! select_template {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.team_id, t.name, t.purpose, t.current_version, t.created_by, t.created_at, ",
            "t.updated_at, t.archived_at, v.id AS version_id, v.recipe, u.name AS author_name, ",
            "(SELECT COUNT(*) FROM template_versions tv JOIN setups s ON s.template_version_id = tv.id ",
            "WHERE tv.template_id = t.id) AS setups FROM connection_templates t ",
            "JOIN template_versions v ON v.template_id = t.id AND v.version = t.current_version ",
            "JOIN users u ON u.id = t.created_by ",
            $rest
        )
    };
}
macro_rules! select_version {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.template_id, v.version, v.recipe, v.note, v.created_by, v.created_at, ",
            "u.name AS author_name, ",
            "(SELECT COUNT(*) FROM setups s WHERE s.template_version_id = v.id) AS setups ",
            "FROM template_versions v JOIN connection_templates t ON t.id = v.template_id ",
            "JOIN users u ON u.id = v.created_by ",
            $rest
        )
    };
}

const INSERT_TEMPLATE: &str = "INSERT INTO connection_templates (id, team_id, name, purpose, current_version, \
     created_by, created_at, updated_at, archived_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const INSERT_VERSION: &str = "INSERT INTO template_versions (id, template_id, version, recipe, note, created_by, \
     created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const MOVE_CURRENT: &str = "UPDATE connection_templates SET current_version = $4, updated_at = $5 \
     WHERE id = $2 AND team_id = $1 AND current_version = $3";
const RENAME: &str = "UPDATE connection_templates SET name = $3, purpose = $4, updated_at = $5 \
     WHERE id = $2 AND team_id = $1";
const LIST: &str = select_template!(
    "WHERE t.team_id = $1 AND t.name > $2 AND t.archived_at IS NULL ORDER BY t.name LIMIT $3"
);
const LIST_ALL: &str = select_template!("WHERE t.team_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3");
const BY_ID: &str = select_template!("WHERE t.id = $2 AND t.team_id = $1");
const VERSION: &str = select_version!("WHERE t.team_id = $1 AND v.template_id = $2 AND v.version = $3");
const VERSION_BY_ID: &str = select_version!("WHERE t.team_id = $1 AND v.id = $2");
const VERSIONS: &str = select_version!(
    "WHERE t.team_id = $1 AND v.template_id = $2 AND v.version < $3 ORDER BY v.version DESC LIMIT $4"
);
const SET_ARCHIVED: &str = "UPDATE connection_templates SET archived_at = $3 WHERE id = $2 AND team_id = $1";
const NAME_TAKEN: &str = "SELECT id FROM connection_templates WHERE team_id = $1 AND name = $2";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[
    LIST,
    LIST_ALL,
    BY_ID,
    VERSION,
    VERSION_BY_ID,
    VERSIONS,
    NAME_TAKEN,
];

/// Adds a template with its first version. [`StoreError::Duplicate`]: the team has one of that name.
pub async fn insert_template(
    tx: &mut WriteTx,
    template: &ConnectionTemplate,
    first: &TemplateVersion,
) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_TEMPLATE)
        .bind(&template.id)
        .bind(&template.team_id)
        .bind(&template.name)
        .bind(&template.purpose)
        .bind(first.version)
        .bind(&template.created_by)
        .bind(template.created_at)
        .bind(template.updated_at)
        .bind(template.archived_at);
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("the template's name"))?;
    insert_version(tx, first).await
}

/// Adds a version and makes it the current one, if `expected` is the current one until now.
///
/// [`StoreError::Stale`]: it is not, or the team has no such template.
pub async fn add_version(
    tx: &mut WriteTx,
    team_id: &str,
    expected: i64,
    version: &TemplateVersion,
) -> Result<(), StoreError> {
    let update = sqlx::query(MOVE_CURRENT)
        .bind(team_id)
        .bind(&version.template_id)
        .bind(expected)
        .bind(version.version)
        .bind(version.created_at);
    if change!(tx, |db| update.execute(db))?.rows_affected() == 0 {
        return Err(StoreError::Stale);
    }
    insert_version(tx, version).await
}

async fn insert_version(tx: &mut WriteTx, version: &TemplateVersion) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_VERSION)
        .bind(&version.id)
        .bind(&version.template_id)
        .bind(version.version)
        .bind(&version.recipe)
        .bind(&version.note)
        .bind(&version.created_by)
        .bind(version.created_at);
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("the version's number"))?;
    Ok(())
}

/// Gives a template another name and purpose. False: no such template.
/// [`StoreError::Duplicate`]: the team has another one of that name.
pub async fn rename(
    tx: &mut WriteTx,
    team_id: &str,
    id: &str,
    name: &str,
    purpose: &str,
    at: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(RENAME)
        .bind(team_id)
        .bind(id)
        .bind(name)
        .bind(purpose)
        .bind(at);
    let done = change!(tx, |db| update.execute(db)).map_err(|error| error.naming("the template's name"))?;
    Ok(done.rows_affected() == 1)
}

/// The team's templates by name, after the name `after`.
pub async fn list(
    store: &Store,
    team_id: &str,
    include_archived: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ListedTemplate>, StoreError> {
    let sql = if include_archived { LIST_ALL } else { LIST };
    let query = sqlx::query_as(sql)
        .bind(team_id)
        .bind(after.unwrap_or(""))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// A template of the team with its current recipe, archived or not.
pub async fn by_id(store: &Store, team_id: &str, id: &str) -> Result<Option<ListedTemplate>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(id)
        .fetch_optional(db))
}

/// One version of a template of the team.
pub async fn version(
    store: &Store,
    team_id: &str,
    template_id: &str,
    version: i64,
) -> Result<Option<ListedVersion>, StoreError> {
    let query = sqlx::query_as(VERSION)
        .bind(team_id)
        .bind(template_id)
        .bind(version);
    read!(store, |db| query.fetch_optional(db))
}

/// A version of any template of the team.
pub async fn version_by_id(
    store: &Store,
    team_id: &str,
    version_id: &str,
) -> Result<Option<ListedVersion>, StoreError> {
    read!(store, |db| sqlx::query_as(VERSION_BY_ID)
        .bind(team_id)
        .bind(version_id)
        .fetch_optional(db))
}

/// The versions of a template of the team, newest first, older than version `before`.
pub async fn versions(
    store: &Store,
    team_id: &str,
    template_id: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ListedVersion>, StoreError> {
    let query = sqlx::query_as(VERSIONS)
        .bind(team_id)
        .bind(template_id)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// Takes a template out of the offer since `archived_at`, or puts it back. False: no such template.
pub async fn set_archived(
    tx: &mut WriteTx,
    team_id: &str,
    id: &str,
    archived_at: Option<i64>,
) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_ARCHIVED).bind(team_id).bind(id).bind(archived_at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// The id of the team's template of that name, if the name is taken.
pub async fn name_taken(store: &Store, team_id: &str, name: &str) -> Result<Option<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(NAME_TAKEN)
        .bind(team_id)
        .bind(name)
        .fetch_optional(db))
}
