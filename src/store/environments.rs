//! Environments, and the connection specifications that were read there.

use super::{Store, StoreError, WriteTx};
use crate::domain::EnvironmentAccess;

/// One Adobe organization + sandbox + API credential of a team.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Environment {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub team_id: String,
    /// Unique in the team, archived ones included.
    pub name: String,
    /// The host that all its ids belong to.
    pub platform_origin: String,
    /// Sent as `x-gw-ims-org-id`.
    pub organization: String,
    /// Sent as `x-sandbox-name`.
    pub sandbox: String,
    /// Whether the sandbox is a production one.
    pub production: bool,
    /// Of the API credential.
    pub client_id: String,
    /// Sealed.
    pub client_secret: String,
    /// Tells two secrets apart without opening them.
    pub client_secret_fingerprint: String,
    /// As IMS wants them: comma-separated.
    pub scopes: String,
    /// The dataset base connection that all its flows share, once it is known.
    pub data_lake_connection_id: Option<String>,
    /// JSON: the last check of the credential, step by step.
    pub check_steps: Option<String>,
    /// When that check was made.
    pub checked_at: Option<i64>,
    /// Who added it.
    pub created_by: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// When a person last changed it.
    pub updated_at: i64,
    /// Out of use since.
    pub archived_at: Option<i64>,
}

impl Environment {
    /// What a client needs to act here.
    pub fn access(&self) -> EnvironmentAccess {
        EnvironmentAccess {
            id: self.id.clone(),
            organization: self.organization.clone(),
            sandbox: self.sandbox.clone(),
            client_id: self.client_id.clone(),
            client_secret_sealed: self.client_secret.clone(),
            scopes: self.scopes.clone(),
            updated_at: self.updated_at,
        }
    }
}

/// Another API credential for an environment.
#[derive(Debug, Clone, Copy)]
pub struct NewCredential<'a> {
    /// Of the credential.
    pub client_id: &'a str,
    /// Sealed.
    pub client_secret: &'a str,
    /// Of the secret.
    pub client_secret_fingerprint: &'a str,
    /// Comma-separated.
    pub scopes: &'a str,
}

/// What the platform says about one of its kinds of source.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Specification {
    /// Where it was read.
    pub environment_id: String,
    /// Adobe's.
    pub id: String,
    /// Adobe's.
    pub name: String,
    /// Adobe's JSON.
    pub raw: String,
    /// When it was read.
    pub read_at: i64,
}

/// The columns of an [`Environment`], from `environments e`.
macro_rules! columns {
    () => {
        "e.id, e.team_id, e.name, e.platform_origin, e.organization, e.sandbox, e.production <> 0 AS production, \
         e.client_id, e.client_secret, e.client_secret_fingerprint, e.scopes, e.data_lake_connection_id, \
         e.check_steps, e.checked_at, e.created_by, e.created_at, e.updated_at, e.archived_at"
    };
}
pub(super) use columns as environment_columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM environments e ", $rest)
    };
}

const INSERT: &str = "INSERT INTO environments (id, team_id, name, platform_origin, organization, sandbox, \
     production, client_id, client_secret, client_secret_fingerprint, scopes, data_lake_connection_id, check_steps, \
     checked_at, created_by, created_at, updated_at, archived_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
const BY_ID: &str = select!("WHERE id = $2 AND team_id = $1");
const ANY_BY_ID: &str = select!("WHERE id = $1");
const LIST: &str = select!("WHERE team_id = $1 AND name > $2 ORDER BY name LIMIT $3");
const LIST_ALL_ACTIVE: &str = select!("WHERE archived_at IS NULL ORDER BY id");
const UPDATE_CREDENTIAL: &str = "UPDATE environments SET client_id = $3, client_secret = $4, \
     client_secret_fingerprint = $5, scopes = $6, check_steps = NULL, checked_at = NULL, updated_at = $7 \
     WHERE id = $2 AND team_id = $1";
const RENAME: &str = "UPDATE environments SET name = $3 WHERE id = $2 AND team_id = $1";
const SET_PRODUCTION: &str = "UPDATE environments SET production = $2 WHERE id = $1";
const SET_CHECK: &str = "UPDATE environments SET check_steps = $2, checked_at = $3 WHERE id = $1";
const FORGET_DATA_LAKE_CONNECTION: &str = "UPDATE environments SET data_lake_connection_id = NULL \
     WHERE id = $1 AND data_lake_connection_id = $2";
const KNOWS_DATA_LAKE_CONNECTION: &str =
    "SELECT COUNT(*) FROM environments WHERE id = $1 AND data_lake_connection_id IS NOT NULL";
const SET_DATA_LAKE_CONNECTION: &str = "UPDATE environments \
     SET data_lake_connection_id = COALESCE(data_lake_connection_id, $2) WHERE id = $1 \
     RETURNING data_lake_connection_id";
const ARCHIVE: &str = "UPDATE environments SET archived_at = $3, updated_at = $3 \
     WHERE id = $2 AND team_id = $1 AND archived_at IS NULL";
const UPSERT_SPECIFICATION: &str = "INSERT INTO connection_specifications (environment_id, id, name, raw, read_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (environment_id, id) \
     DO UPDATE SET name = excluded.name, raw = excluded.raw, read_at = excluded.read_at";
const SPECIFICATION: &str = "SELECT environment_id, id, name, raw, read_at FROM connection_specifications \
     WHERE environment_id = $1 AND id = $2";
const SPECIFICATIONS: &str = "SELECT environment_id, id, name, raw, read_at FROM connection_specifications \
     WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[BY_ID, ANY_BY_ID, LIST, SPECIFICATION, SPECIFICATIONS];

/// Adds an environment. [`StoreError::Duplicate`]: the team has one of that name.
pub async fn insert(tx: &mut WriteTx, environment: &Environment) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&environment.id)
        .bind(&environment.team_id)
        .bind(&environment.name)
        .bind(&environment.platform_origin)
        .bind(&environment.organization)
        .bind(&environment.sandbox)
        .bind(i64::from(environment.production))
        .bind(&environment.client_id)
        .bind(&environment.client_secret)
        .bind(&environment.client_secret_fingerprint)
        .bind(&environment.scopes)
        .bind(&environment.data_lake_connection_id)
        .bind(&environment.check_steps)
        .bind(environment.checked_at)
        .bind(&environment.created_by)
        .bind(environment.created_at)
        .bind(environment.updated_at)
        .bind(environment.archived_at);
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("the environment's name"))?;
    Ok(())
}

/// An environment of the team, archived or not.
pub async fn by_id(store: &Store, team_id: &str, id: &str) -> Result<Option<Environment>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(id)
        .fetch_optional(db))
}

/// An environment of any team, for workers.
pub async fn any_by_id(store: &Store, id: &str) -> Result<Option<Environment>, StoreError> {
    read!(store, |db| sqlx::query_as(ANY_BY_ID).bind(id).fetch_optional(db))
}

/// The team's environments by name, archived ones included, after the name `after`.
pub async fn list(
    store: &Store,
    team_id: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Environment>, StoreError> {
    let query = sqlx::query_as(LIST)
        .bind(team_id)
        .bind(after.unwrap_or(""))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// All teams' environments that are in use, for workers.
pub async fn list_all_active(store: &Store) -> Result<Vec<Environment>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST_ALL_ACTIVE).fetch_all(db))
}

/// Replaces the API credential and forgets the check of the old one. False: no such environment.
pub async fn update_credential(
    tx: &mut WriteTx,
    team_id: &str,
    id: &str,
    credential: NewCredential<'_>,
    at: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(UPDATE_CREDENTIAL)
        .bind(team_id)
        .bind(id)
        .bind(credential.client_id)
        .bind(credential.client_secret)
        .bind(credential.client_secret_fingerprint)
        .bind(credential.scopes)
        .bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Gives an environment another name. [`StoreError::Duplicate`]: the team has one of that name.
pub async fn rename(tx: &mut WriteTx, team_id: &str, id: &str, name: &str) -> Result<bool, StoreError> {
    let update = sqlx::query(RENAME).bind(team_id).bind(id).bind(name);
    let renamed =
        change!(tx, |db| update.execute(db)).map_err(|error| error.naming("the environment's name"))?;
    Ok(renamed.rows_affected() == 1)
}

/// Stores whether the platform calls the sandbox a production one. False: no such environment.
pub async fn set_production(tx: &mut WriteTx, id: &str, production: bool) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_PRODUCTION).bind(id).bind(i64::from(production));
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Stores how a check of the credential went. False: no such environment.
pub async fn set_check(tx: &mut WriteTx, id: &str, steps: &str, at: i64) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_CHECK).bind(id).bind(steps).bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Stores the shared dataset base connection unless one is stored already; gives the one that holds.
///
/// None: there is no such environment.
pub async fn set_data_lake_connection(
    tx: &mut WriteTx,
    id: &str,
    connection_id: &str,
) -> Result<Option<String>, StoreError> {
    let update = sqlx::query_scalar(SET_DATA_LAKE_CONNECTION)
        .bind(id)
        .bind(connection_id);
    change!(tx, |db| update.fetch_optional(db))
}

/// Forgets the shared dataset base connection if it still is this one.
pub async fn forget_data_lake_connection(
    tx: &mut WriteTx,
    id: &str,
    connection_id: &str,
) -> Result<(), StoreError> {
    let update = sqlx::query(FORGET_DATA_LAKE_CONNECTION)
        .bind(id)
        .bind(connection_id);
    change!(tx, |db| update.execute(db))?;
    Ok(())
}

/// Whether the environment knows a shared dataset base connection, read inside the transaction.
pub async fn knows_data_lake_connection(tx: &mut WriteTx, id: &str) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar::<_, i64>(KNOWS_DATA_LAKE_CONNECTION).bind(id);
    Ok(change!(tx, |db| query.fetch_one(db))? > 0)
}

/// Takes an environment out of use. False: no such environment, or archived already.
pub async fn archive(tx: &mut WriteTx, team_id: &str, id: &str, at: i64) -> Result<bool, StoreError> {
    let update = sqlx::query(ARCHIVE).bind(team_id).bind(id).bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Stores what the platform says about a kind of source.
pub async fn upsert_specification(tx: &mut WriteTx, specification: &Specification) -> Result<(), StoreError> {
    let upsert = sqlx::query(UPSERT_SPECIFICATION)
        .bind(&specification.environment_id)
        .bind(&specification.id)
        .bind(&specification.name)
        .bind(&specification.raw)
        .bind(specification.read_at);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// One stored specification.
pub async fn specification(
    store: &Store,
    environment_id: &str,
    id: &str,
) -> Result<Option<Specification>, StoreError> {
    read!(store, |db| sqlx::query_as(SPECIFICATION)
        .bind(environment_id)
        .bind(id)
        .fetch_optional(db))
}

/// The stored specifications by id, after the id `after`.
pub async fn specifications(
    store: &Store,
    environment_id: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Specification>, StoreError> {
    let query = sqlx::query_as(SPECIFICATIONS)
        .bind(environment_id)
        .bind(after.unwrap_or(""))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}
